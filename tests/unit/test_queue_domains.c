/*
 * What is known of mail domains does not grow for ever, and is not forgotten
 * because a clock is wrong.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/loop.h"
#include "queue/domains.h"
#include "queue/group.h"
#include "queue/intake.h"
#include "queue/settings.h"
#include "queue/t_domain.h"
#include "queue/t_journal.h"
#include "test_dir.h"

#define DAY  ((int64_t)86400)
#define HOUR ((int64_t)3600)

static char top[] = "/tmp/postern-domains-XXXXXX", home[64], log_path[64];

static struct conf conf = { .give_up_s = 5 * 86400, .journal_s = 30 * 86400 };

/* Everybody's clocks: this much has passed, and the wall's was set. */
static int64_t passed_s, set_s;

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ts);

	ts->tv_sec += passed_s;
	if (clock == CLOCK_REALTIME)
		ts->tv_sec += set_s;
	return r;
}

static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

static void
end_turn(void *arg)
{
	(void)arg;
	loop_stop();
}

/* Everything under way comes to its end. */
static void
run_ms(int64_t ms)
{
	static struct timer t;

	if (!t.ready)
		timer_init(&t, end_turn, NULL);
	timer_set(&t, ms);
	loop_run();
}

/* A sweep of few rows that is due takes place, its deletions too. */
static void
tick(void)
{
	run_ms(1); /* the loop sees what time it is */
	domains_tick();
	group_commit();
	run_ms(1);
}

static void
hours_pass(int64_t n)
{
	passed_s += n * HOUR;
	tick();
}

static void
a_message_comes(void)
{
	run_ms(1);
	group_new_id();
}

/* A day on, with mail. */
static void
a_day_passes(void)
{
	passed_s += DAY;
	a_message_comes();
	tick();
}

static void
learn(const char *name, size_t mx, uint64_t seen, int64_t expires)
{
	struct channel deliver = { .fd = -1 };
	struct msg m = { .type = MSG_DOMAIN_PUT };
	struct msg_domain *d = &m.u.domain;

	snprintf(d->domain, sizeof(d->domain), "%s", name);
	memset(d->sts_mx, 'm', mx);
	d->sts_mode = 2;
	d->sts_expires = (uint64_t)expires;
	d->seen_tls = seen;
	assert_true(domains_message(&deliver, &m));
}

static bool
is_known(const char *name)
{
	static struct msg_domain d;

	return t_domain_get(NULL, name, &d);
}

static void
forget_it(struct txn *t, void *name)
{
	t_domain_del(t, name);
}

static bool
first(void *name, const struct msg_domain *d, size_t bytes)
{
	(void)bytes;
	strcpy(name, d->domain);
	return false;
}

/* Nothing is known, the clock is right, and a sweep was just made. */
static int
begin(void **state)
{
	char name[256];

	(void)state;
	set_s = 0;
	intake_set(INTAKE_OPEN);
	tick();
	group_commit();
	while (t_domain_walk("", first, name))
		store_txn(forget_it, name, COMMIT_MEMORY);
	a_message_comes();
	hours_pass(3);
	a_day_passes();
	return truncate(log_path, 0);
}

static bool
is_logged(const char *text)
{
	char line[1000];
	bool found = false;
	FILE *f = fopen(log_path, "r");

	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = strstr(line, text) != NULL;
	fclose(f);
	return found;
}

/* The process has just started. */
static void
test_not_at_once(void **state)
{
	(void)state;
	a_message_comes();
	learn("old.example", 0, (uint64_t)(now() - 181 * DAY), 0);
	group_commit();
	tick();
	hours_pass(1);
	assert_true(is_known("old.example"));
	hours_pass(2);
	assert_false(is_known("old.example"));
}

static void
test_old(void **state)
{
	int64_t at = now();

	(void)state;
	learn("old.example", 0, (uint64_t)(at - 181 * DAY), at - DAY);
	learn("new.example", 0, (uint64_t)(at - 178 * DAY), at - DAY);
	learn("holds.example", 9, (uint64_t)(at - 300 * DAY), at + 2 * DAY);
	learn("mad.example", 9, UINT64_MAX, INT64_MAX);
	group_commit();
	a_day_passes();
	assert_false(is_known("old.example"));
	assert_false(is_known("mad.example"));
	assert_true(is_known("new.example"));
	assert_true(is_known("holds.example"));
}

/* A clock without a battery, a machine of last year brought back. */
static void
write_event(struct txn *t, void *at)
{
	struct journal_row j = { .id = 1 };
	uint64_t seq = 0;

	t_journal_add(t, (uint64_t)(*(int64_t *)at * 1000), &seq, &j);
}

static void
forget_events(struct txn *t, void *arg)
{
	(void)arg;
	t_journal_prune(t, UINT64_MAX, 100);
}

static void
test_clock_behind(void **state)
{
	int64_t at = now();

	(void)state;
	store_txn(write_event, &at, COMMIT_MEMORY);
	learn("new.example", 9, (uint64_t)now(), now() + 300 * DAY);
	group_commit();
	a_message_comes();
	set_s = -500 * DAY;
	tick();
	hours_pass(48);
	hours_pass(48);
	assert_true(is_known("new.example"));
	set_s = -now(); /* 1970, as where there is no battery */
	tick();
	hours_pass(48);
	assert_true(is_known("new.example"));
	store_txn(forget_events, NULL, COMMIT_MEMORY);
}

/* It is set right again soon. */
static void
test_clock_ahead(void **state)
{
	(void)state;
	learn("new.example", 9, (uint64_t)now(), now() + 300 * DAY);
	group_commit();
	passed_s += 24 * HOUR - 60;
	a_message_comes();
	tick();
	set_s = 500 * DAY;
	a_message_comes();
	tick();
	hours_pass(1);
	assert_true(is_known("new.example"));
	passed_s += 500 * DAY; /* ids do not go back */
}

/* It was set right long ago, and only ids are of the future. */
static void
test_clock_was_ahead(void **state)
{
	int64_t at = now() - 28 * DAY;

	(void)state;
	learn("old.example", 0, (uint64_t)(now() - 181 * DAY), 0);
	group_commit();
	set_s = 500 * DAY;
	a_message_comes();
	set_s = 0;
	a_message_comes();
	tick();
	hours_pass(8 * 24);
	assert_true(is_known("old.example"));
	store_txn(write_event, &at, COMMIT_MEMORY);
	tick();
	assert_false(is_known("old.example"));
	passed_s += 500 * DAY; /* ids do not go back */
}

/* Or is not, and no mail comes for its time. */
static void
test_clock_ahead_in_silence(void **state)
{
	(void)state;
	learn("new.example", 9, (uint64_t)now(), now() + 300 * DAY);
	group_commit();
	a_message_comes();
	set_s = 500 * DAY;
	tick();
	hours_pass(48);
	hours_pass(48);
	assert_true(is_known("new.example"));
}

static void
write_damaged(struct txn *t, void *name)
{
	store_put(t, T_DOMAIN, name, strlen(name), "\377\377\377", 3);
}

static void
test_damaged(void **state)
{
	char name[] = "ill.example";
	char left[256];

	(void)state;
	store_txn(write_damaged, name, COMMIT_MEMORY);
	assert_false(is_known(name));
	assert_true(is_logged("what was known of a mail domain is damaged"));
	assert_true(is_logged("ill.example"));
	a_day_passes();
	assert_false(t_domain_walk("", first, left));
}

/* While its old row is about to be deleted. */
static void
test_learnt_meanwhile(void **state)
{
	(void)state;
	learn("a.example", 0, (uint64_t)(now() - 181 * DAY), 0);
	learn("b.example", 0, (uint64_t)(now() - 181 * DAY), 0);
	group_commit();
	passed_s += DAY;
	a_message_comes();
	learn("a.example", 0, (uint64_t)now(), 0);
	domains_tick();
	group_commit();
	assert_true(is_known("a.example"));
	assert_false(is_known("b.example"));
}

static void
test_stopping(void **state)
{
	(void)state;
	learn("old.example", 0, (uint64_t)(now() - 181 * DAY), 0);
	group_commit();
	intake_set(INTAKE_STOPPING);
	a_day_passes();
	assert_true(is_known("old.example"));
	intake_set(INTAKE_OPEN);
	tick();
	assert_false(is_known("old.example"));
}

/* Too many long policies: old ones go, though they hold; not what is brief,
 * nor what is in use. */
static void
test_too_many(void **state)
{
	int64_t at = now();
	char name[40];

	(void)state;
	if (getenv("POSTERN_TESTS") == NULL)
		skip(); /* 150 MB are written */
	for (int i = 0; i < 17000; i++) {
		snprintf(name, sizeof(name), "d%d.example", i);
		learn(name, DOMAIN_MX_SIZE - 1, (uint64_t)(at + DAY),
		    at + 300 * DAY);
		if (i % 500 == 0)
			group_commit();
	}
	learn("brief.example", 300, (uint64_t)(at - 170 * DAY), at + 9 * DAY);
	learn("old.example", 3000, (uint64_t)(at - 170 * DAY), at + 9 * DAY);
	learn("used.example", 3000, (uint64_t)(at - DAY), at + 9 * DAY);
	group_commit();
	passed_s += DAY;
	a_message_comes();
	for (int i = 0, more = 16; i < 600 && more > 0; i++) {
		domains_tick();
		run_ms(500);
		if (is_logged("days=2\n"))
			more--;
	}
	assert_true(is_logged("too much is known of mail domains"));
	assert_true(is_logged("days=2\n"));
	assert_false(is_logged("days=1\n"));
	assert_false(is_known("old.example"));
	assert_true(is_known("used.example"));
	assert_true(is_known("brief.example"));
	assert_true(is_known("d16999.example"));
}

static void
each_turn(void *arg)
{
	(void)arg;
	group_turn();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_at_once),
		cmocka_unit_test_setup(test_old, begin),
		cmocka_unit_test_setup(test_clock_behind, begin),
		cmocka_unit_test_setup(test_clock_ahead, begin),
		cmocka_unit_test_setup(test_clock_was_ahead, begin),
		cmocka_unit_test_setup(test_clock_ahead_in_silence, begin),
		cmocka_unit_test_setup(test_damaged, begin),
		cmocka_unit_test_setup(test_learnt_meanwhile, begin),
		cmocka_unit_test_setup(test_stopping, begin),
		cmocka_unit_test_setup(test_too_many, begin),
	};
	int failed, out = dup(2), fd;

	settings = &conf;
	if (mkdtemp(top) == NULL)
		return 1;
	snprintf(home, sizeof(home), "%s/env", top);
	snprintf(log_path, sizeof(log_path), "%s/log", top);
	fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (store_open(home, (uint64_t)16 << 20, (uint64_t)1 << 30) !=
	    STORE_OPENED)
		return 1;
	loop_init();
	group_start();
	loop_hook(each_turn, NULL);
	dup2(fd, 2);
	failed = cmocka_run_group_tests_name("domains", tests, NULL, NULL);
	dup2(out, 2);
	group_finish();
	group_stop();
	store_close();
	return failed || dir_remove(top);
}
