/*
 * The tables: what goes in comes out, in order, after a close and after a
 * process that died at any named point.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/crash.h"
#include "queue/job.h"
#include "queue/t_body.h"
#include "queue/t_index.h"
#include "queue/t_journal.h"
#include "queue/t_meta.h"
#include "test_dir.h"

#define CACHE ((uint64_t)4 << 20)
#define DISK  ((uint64_t)64 << 20)

static char top[] = "/tmp/postern-store-XXXXXX", home[64];

static int
setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/postern-store-XXXXXX");
	if (mkdtemp(top) == NULL)
		return -1;
	snprintf(home, sizeof(home), "%s/env", top);
	return store_open(home, CACHE, DISK) == STORE_OPENED ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	store_close();
	return dir_remove(top);
}

static void
again(void)
{
	store_close();
	assert_int_equal(store_open(home, CACHE, DISK), STORE_OPENED);
}

static struct message_row sample = { .account = "alice@example.org",
	.credential = "password",
	.sender = "alice@example.org",
	.ip = "192.0.2.1",
	.port = 465,
	.tls = "TLSv1.3",
	.mech = "PLAIN",
	.msgid = "<1@example.org>",
	.flags = TX_8BIT,
	.size = 70000,
	.body = BODY_ROWS,
	.accepted = 1700000000000,
	.rcpts = 3,
	.jobs = 2,
	.added = { (const uint8_t *)"Received: x\r\n", 13 } };

static void
write_message(struct txn *t, void *arg)
{
	t_message_put(t, *(uint64_t *)arg, &sample);
}

static void
messages_keep_everything(void **state)
{
	static uint8_t buf[STORE_ROW_MAX];
	uint64_t id = 77, other = 78;
	struct message_row m;

	(void)state;
	store_txn(write_message, &id, COMMIT_MEMORY);
	again();
	assert_true(t_message_exists(id));
	assert_false(t_message_exists(other));
	assert_false(t_message_get(NULL, other, &m, buf));
	assert_true(t_message_get(NULL, id, &m, buf));
	assert_string_equal(m.account, sample.account);
	assert_string_equal(m.credential, sample.credential);
	assert_string_equal(m.msgid, sample.msgid);
	assert_string_equal(m.tls, sample.tls);
	assert_int_equal(m.size, sample.size);
	assert_int_equal(m.accepted, sample.accepted);
	assert_int_equal(m.jobs, 2);
	assert_int_equal(m.added.len, 13);
	assert_memory_equal(m.added.data, sample.added.data, 13);
}

struct body_case {
	struct body_at at;
	uint64_t id;
	size_t len;
	uint8_t *data;
};

static void
write_body(struct txn *t, void *arg)
{
	struct body_case *c = arg;

	c->at = t_body_put(t, c->id, c->data, c->len);
}

static void
remove_body(struct txn *t, void *arg)
{
	struct body_case *c = arg;

	t_body_del(t, c->at, c->id, c->len);
}

static bool
count_rows(void *arg, const uint8_t *key, size_t key_len, const uint8_t *row,
    size_t len)
{
	(void)key, (void)key_len, (void)row, (void)len;
	++*(unsigned *)arg;
	return true;
}

static unsigned
rows_of(enum table t)
{
	unsigned n = 0;

	store_walk(NULL, t, NULL, 0, count_rows, &n);
	return n;
}

static void
bodies_of_every_size(void **state)
{
	static const size_t sizes[] = { 0, 1, 8191, 65535, 65536, 65537, 131072,
		200000, 262144 };
	uint8_t *back = malloc(BODY_ROWS_MAX);
	struct body_case c = { .data = malloc(BODY_ROWS_MAX) }, cases[9];

	(void)state;
	for (size_t i = 0; i < BODY_ROWS_MAX; i++)
		c.data[i] = (uint8_t)(i * 31 + i / 251);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		c.id = i + 1;
		c.len = sizes[i];
		store_txn(write_body, &c, COMMIT_MEMORY);
		assert_true(t_body_get(c.at, c.id, back, c.len));
		assert_memory_equal(back, c.data, c.len);
		assert_false(t_body_get(c.at, c.id, back, c.len + 1));
		/* The head of it alone. */
		assert_true(t_body_get(c.at, c.id, back, c.len / 2));
		cases[i] = c;
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		store_txn(remove_body, &cases[i], COMMIT_MEMORY);
	}
	assert_int_equal(rows_of(T_BODY), 0);
	free(back);
	free(c.data);
}

#define BODIES 200

/* What is put into the log is there until its part of it is removed. */
static void
the_log_keeps_bodies(void **state)
{
	uint64_t places[BODIES];
	uint8_t data[65536], back[65536];
	uint32_t first, unneeded;

	(void)state;
	for (unsigned i = 0; i < BODIES; i++) {
		memset(data, (int)i, sizeof(data));
		places[i] = store_log_put(i + 1, data, 65536 - i);
		assert_true(places[i] != 0);
		if (i == 30)
			again();
	}
	store_flush();
	for (unsigned i = 0; i < BODIES; i++) {
		assert_true(store_log_get(places[i], i + 1, back, 65536 - i));
		assert_int_equal(back[0], i % 256);
		assert_int_equal(back[65535 - i], i % 256);
		assert_false(
		    store_log_get(places[i], i + 1, back, 65536 - i + 1));
		assert_false(store_log_get(places[i], i, back, 1));
	}
	again();
	first = store_log_file(places[0]);
	unneeded = store_log_unneeded();
	assert_true(unneeded > first);
	store_log_remove(first);
	assert_false(store_log_get(places[0], 1, back, 1));
	assert_true(store_log_get(places[BODIES - 1], BODIES, back, 1));
	again();
	assert_true(store_log_get(places[BODIES - 1], BODIES, back, 1));
}

static bool
exists(const char *name)
{
	char path[sizeof(home) + 32];

	snprintf(path, sizeof(path), "%s/%s", home, name);
	return access(path, F_OK) == 0;
}

/* A log file on its way out is none any more, and a crash leaves it to the
 * next start. */
static void
log_files_go(void **state)
{
	static uint8_t data[65536];
	char path[sizeof(home) + 32];
	uint32_t first;
	FILE *f;

	(void)state;
	first = store_log_file(store_log_put(1, data, sizeof(data)));
	for (unsigned i = 0; i < BODIES; i++)
		store_log_put(2, data, sizeof(data));
	again();
	assert_true(store_log_unneeded() > first);
	assert_int_equal(first, 1);
	assert_true(exists("log.0000000001"));
	store_log_remove(first);
	assert_false(exists("log.0000000001"));
	assert_false(exists("old.0000000001"));
	snprintf(path, sizeof(path), "%s/old.0000000001", home);
	assert_non_null(f = fopen(path, "w"));
	fclose(f);
	again();
	assert_false(exists("old.0000000001"));
}

struct move_case {
	struct body_at at;
	uint64_t size;
};

static void
move_body(struct txn *t, void *arg)
{
	struct move_case *c = arg;

	c->at = t_body_put(t, 5, (const uint8_t *)"abcdef", 6);
	assert_int_equal(c->at.kind, BODY_LOG);
	assert_true(t_body_move(t, &c->at, 5, 6));
	assert_int_equal(c->at.kind, BODY_ROWS);
}

static void
bodies_move_to_the_table(void **state)
{
	struct move_case c = { .size = 6 };
	uint8_t back[6];

	(void)state;
	store_txn(move_body, &c, COMMIT_MEMORY);
	assert_true(t_body_get(c.at, 5, back, 6));
	assert_memory_equal(back, "abcdef", 6);
	assert_int_equal(rows_of(T_BODY), 1);
}

static void
write_dues(struct txn *t, void *arg)
{
	struct due_row row = { 1, 2, 0 };

	(void)arg;
	for (unsigned i = 0; i < 1000; i++) {
		struct due_key k = { (i * 7919) % 1000, i, i % 3 };

		t_due_put(t, &k, &row);
	}
}

struct order {
	struct due_key last;
	unsigned n;
};

static bool
in_order(void *arg, const struct due_key *k, const struct due_row *row)
{
	struct order *o = arg;

	assert_int_equal(row->account, 1);
	assert_int_equal(row->domain, 2);
	assert_true(o->n == 0 || due_compare(&o->last, k) < 0);
	o->last = *k;
	o->n++;
	return true;
}

static void
the_schedule_is_in_order(void **state)
{
	struct order o = { .n = 0 };
	struct due_key from = { 500, 0, 0 };

	(void)state;
	store_txn(write_dues, NULL, COMMIT_MEMORY);
	t_due_walk(&(struct due_key){ 0, 0, 0 }, in_order, &o);
	assert_int_equal(o.n, 1000);
	o.n = 0;
	t_due_walk(&from, in_order, &o);
	assert_int_equal(o.n, 500);
}

static void
write_events(struct txn *t, void *arg)
{
	struct journal_row e = { .id = 5, .event = EVENT_ACCEPTED };
	uint64_t seq = 0;

	(void)arg;
	for (uint64_t time = 100; time < 200; time++)
		t_journal_add(t, time, &seq, &e);
}

static void
prune_events(struct txn *t, void *arg)
{
	*(unsigned *)arg = t_journal_prune(t, 150, *(unsigned *)arg);
}

static void
the_journal_forgets_the_old(void **state)
{
	unsigned n = 20;

	(void)state;
	store_txn(write_events, NULL, COMMIT_MEMORY);
	store_txn(prune_events, &n, COMMIT_MEMORY);
	assert_int_equal(n, 20);
	n = 100;
	store_txn(prune_events, &n, COMMIT_MEMORY);
	assert_int_equal(n, 30);
	assert_int_equal(rows_of(T_JOURNAL), 50);
	assert_string_equal(event_name(EVENT_ACCEPTED), "accepted");
	assert_string_equal(event_name(4711), "none");
}

static void
write_index(struct txn *t, void *arg)
{
	(void)arg;
	for (uint32_t period = 254; period < 258; period++)
		for (uint64_t seq = 1; seq <= 10; seq++)
			t_index_put(t,
			    &(struct index_key){ .period = period,
				.hash = UINT64_MAX,
				.seq = seq },
			    1);
}

static void
prune_index(struct txn *t, void *arg)
{
	*(unsigned *)arg = t_index_prune(t, 257, *(unsigned *)arg);
}

static void
the_index_forgets_the_old(void **state)
{
	unsigned n = 15;

	(void)state;
	store_txn(write_index, NULL, COMMIT_MEMORY);
	store_txn(prune_index, &n, COMMIT_MEMORY);
	assert_int_equal(n, 15);
	n = 100;
	store_txn(prune_index, &n, COMMIT_MEMORY);
	assert_int_equal(n, 15);
	assert_int_equal(rows_of(T_INDEX), 10);
}

static void
write_totals(struct txn *t, void *arg)
{
	t_meta_put(t, arg);
}

static void
totals_stay(void **state)
{
	struct totals t = { 1, 2, 3, 4, 5, 6, 7, 8 }, back;

	(void)state;
	t_meta_get(&back);
	assert_int_equal(back.last_id, 0);
	store_txn(write_totals, &t, COMMIT_MEMORY);
	again();
	t_meta_get(&back);
	assert_memory_equal(&back, &t, sizeof(t));
}

static size_t
pack_rcpts(uint8_t *out, size_t size, unsigned n)
{
	char address[64];
	size_t len = 0;

	for (unsigned i = 0; i < n; i++) {
		snprintf(address, sizeof(address), "user%u@example.net", i);
		len = job_pack_rcpt(out, size, len, RCPT_WAITING, NO_ANSWER,
		    (struct bytes){
			(const uint8_t *)address, strlen(address) });
	}
	return len;
}

static void
write_job(struct txn *t, void *arg)
{
	t_job_put(t, 77, 3, arg);
}

static void
answers_go_with_their_recipients(void **state)
{
	static uint8_t rcpts[RCPTS_MAX];
	struct job_row row = { .domain = "example.net", .due = 5 };
	struct answer_row a = { .code = 450, .status = "4.2.0" }, back;
	struct letter *l = letter_new(77, &sample);
	uint64_t id = 77;
	struct job *j;

	(void)state;
	row.rcpts = (struct bytes){ rcpts,
		pack_rcpts(rcpts, sizeof(rcpts), JOB_RCPTS) };
	j = job_new(l, 3, &row);
	assert_ptr_equal(job_find(77, 3), j);
	assert_int_equal(j->nrcpts, JOB_RCPTS);
	assert_int_equal(job_waiting(j), JOB_RCPTS);
	assert_string_equal(j->rcpts[99].address, "user99@example.net");
	/* Each its own answer, then half of them another. */
	for (unsigned i = 0; i < JOB_RCPTS; i++) {
		snprintf(a.text, sizeof(a.text), "busy %u", i);
		j->rcpts[i].answer = job_add_answer(j, &a);
	}
	strcpy(a.text, "fine");
	j->rcpts[0].answer = job_add_answer(j, &a);
	for (unsigned i = 1; i < 50; i++) {
		j->rcpts[i].answer = j->rcpts[0].answer;
		j->rcpts[i].state = RCPT_DELIVERED;
	}
	job_row(j, &row);
	store_txn(write_message, &id, COMMIT_MEMORY);
	store_txn(write_job, &row, COMMIT_MEMORY);
	job_free(j);
	assert_null(letter_find(77));
	j = job_load(77, 3);
	assert_non_null(j);
	assert_int_equal(j->nanswers, 51);
	assert_int_equal(job_waiting(j), 51);
	assert_true(job_answer(j, j->rcpts[0].answer, &back));
	assert_string_equal(back.text, "fine");
	assert_true(job_answer(j, j->rcpts[70].answer, &back));
	assert_string_equal(back.text, "busy 70");
	assert_false(job_answer(j, NO_ANSWER, &back));
	job_free(j);
	assert_null(job_load(77, 4));
	assert_null(job_load(78, 3));
	assert_int_equal(job_count(), 0);
}

static void
the_longest_job_fits(void **state)
{
	static uint8_t rcpts[RCPTS_MAX];
	char address[ADDR_SIZE];
	struct job_row row = { .due = 5 }, back;
	struct answer_row a = { .code = 450 };
	static uint8_t buf[STORE_ROW_MAX];
	struct job *j;

	(void)state;
	memset(row.domain, 'd', sizeof(row.domain) - 1);
	memset(address, 'a', sizeof(address) - 1);
	address[sizeof(address) - 1] = '\0';
	for (unsigned i = 0; i < JOB_RCPTS; i++) {
		row.rcpts.len = job_pack_rcpt(rcpts, sizeof(rcpts),
		    row.rcpts.len, RCPT_WAITING, NO_ANSWER,
		    (struct bytes){
			(const uint8_t *)address, strlen(address) });
		assert_true(row.rcpts.len > 0);
	}
	row.rcpts.data = rcpts;
	j = job_new(letter_new(77, &sample), 3, &row);
	memset(a.status, 's', sizeof(a.status) - 1);
	memset(a.mx, 'm', sizeof(a.mx) - 1);
	memset(a.tls, 't', sizeof(a.tls) - 1);
	memset(a.text, 'x', sizeof(a.text) - 1);
	for (unsigned i = 0; i < JOB_RCPTS; i++)
		j->rcpts[i].answer = job_add_answer(j, &a);
	job_row(j, &row);
	store_txn(write_job, &row, COMMIT_MEMORY);
	assert_true(t_job_get(NULL, 77, 3, &back, buf));
	assert_int_equal(back.rcpts.len, row.rcpts.len);
	job_free(j);
}

static void
add_one(struct txn *t, void *arg)
{
	struct totals *totals = arg;
	struct body_case c = { { BODY_ROWS, 0 }, totals->last_id, 5000,
		(uint8_t[5000]){ (uint8_t)totals->last_id } };

	t_message_put(t, totals->last_id, &sample);
	write_body(t, &c);
	assert_true(t_body_move(t, &c.at, c.id, c.len));
	if (totals->last_id > 20) {
		c.id = totals->last_id - 20;
		remove_body(t, &c);
		t_message_del(t, c.id);
	}
	t_meta_put(t, totals);
}

#define WORK_MOST 20000

/* Works until its crash point; tells through a pipe what is durable. */
static void
work(int told, const char *point)
{
	struct totals t;

	setenv("POSTERN_CRASH", point, 1);
	close(2);
	crash_init();
	if (store_open(home, CACHE, DISK) != STORE_OPENED)
		_exit(1);
	t_meta_get(&t);
	for (int i = 0; i < WORK_MOST; i++) {
		t.last_id++;
		store_txn(add_one, &t,
		    t.last_id % 2 ? COMMIT_MEMORY : COMMIT_WRITTEN);
		store_flush();
		if (write(told, &t.last_id, 8) != 8)
			_exit(2);
		if (t.last_id % 50 == 0) {
			store_checkpoint();
			store_log_remove(store_log_unneeded());
		}
	}
	_exit(3); /* it never got there */
}

static void
die_at(const char *point)
{
	uint64_t id = 0, last = 0;
	struct totals t;
	int pipes[2], status;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		close(pipes[0]);
		work(pipes[1], point);
	}
	close(pipes[1]);
	while (read(pipes[0], &id, 8) == 8)
		last = id;
	close(pipes[0]);
	waitpid(pid, &status, 0);
	assert_int_equal(WEXITSTATUS(status), 137);
	assert_int_equal(store_open(home, CACHE, DISK), STORE_OPENED);
	t_meta_get(&t);
	assert_true(t.last_id >= last);
	assert_true(t.last_id > 0);
	assert_int_equal(rows_of(T_MESSAGE), t.last_id < 20 ? t.last_id : 20);
	assert_int_equal(rows_of(T_BODY), t.last_id < 20 ? t.last_id : 20);
	assert_true(t_message_exists(t.last_id));
	store_close();
}

static void
nothing_durable_is_lost(void **state)
{
	static const char *const points[] = { "before-commit:40",
		"after-commit:60", "before-flush:75", "after-flush:33",
		"after-checkpoint:2", "after-log-removal:3",
		"before-commit:1500", "after-commit:1501" };

	(void)state;
	store_close();
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		die_at(points[i]);
	assert_int_equal(store_open(home, CACHE, DISK), STORE_OPENED);
}

/* Removing the last message must not flush: see tables[] in store.c. */
static void
an_empty_queue_costs_no_flush(void **state)
{
	uint64_t before, after, log;
	struct totals t = { 0 };
	struct stat st;
	char path[96];

	(void)state;
	snprintf(path, sizeof(path), "%s/body.db", home);
	assert_int_equal(stat(path, &st), 0);
	before = (uint64_t)st.st_size;
	for (int i = 0; i < 100; i++) {
		t.last_id++;
		store_txn(add_one, &t, COMMIT_MEMORY);
	}
	store_checkpoint();
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, before);
	store_sizes(&after, &log);
	assert_true(after > 0 && log > 0);
}

static atomic_bool slept, checkpointed;

/* What Berkeley DB waits with, in the place of the C library's. */
int
select(int n, fd_set *r, fd_set *w, fd_set *x, struct timeval *t)
{
	struct timespec ts = { t->tv_sec, t->tv_usec * 1000 };

	slept |= n == 0 && t->tv_sec > 0;
	return pselect(n, r, w, x, &ts, NULL);
}

#define CHECKPOINTS 400

static void *
checkpoint_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < CHECKPOINTS && !slept; i++)
		store_checkpoint();
	checkpointed = true;
	return NULL;
}

/* A page that is being changed is waited for, but no second; see store.c. */
static void
a_checkpoint_does_not_sleep(void **state)
{
	struct totals t = { 0 };
	pthread_t thread;

	(void)state;
	slept = checkpointed = false;
	assert_int_equal(
	    pthread_create(&thread, NULL, checkpoint_often, NULL), 0);
	while (!checkpointed) {
		t.last_id++;
		store_txn(add_one, &t, COMMIT_MEMORY);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_false(slept);
	assert_true(t.last_id > CHECKPOINTS / 10);
}

static void
write_other_format(struct txn *t, void *arg)
{
	uint8_t row[4];

	key_u32(row, *(uint32_t *)arg);
	store_put(t, T_META, (const uint8_t *)"format", 6, row, sizeof(row));
}

/* Of the leak checker, where there is one. */
__attribute__((weak)) void __lsan_disable(void);

/* How a queue ends that finds this format, and what it says.  It ends with the
 * store open, and that is no leak. */
static int
end_with_format(uint32_t n, char *said, size_t size)
{
	int status, fds[2];
	ssize_t len;
	pid_t pid;

	store_txn(write_other_format, &n, COMMIT_MEMORY);
	store_close();
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fds[1], 2);
		if (__lsan_disable != NULL)
			__lsan_disable();
		if (store_open(home, CACHE, DISK) != STORE_OPENED)
			_exit(1);
		t_meta_check_format();
		_exit(0);
	}
	close(fds[1]);
	len = read(fds[0], said, size - 1);
	said[len > 0 ? len : 0] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(store_open(home, CACHE, DISK), STORE_OPENED);
	return WEXITSTATUS(status);
}

/* Rows that this program does not know are not touched, and it says which
 * command helps. */
static void
another_format_is_refused(void **state)
{
	char said[1024];

	(void)state;
	t_meta_check_format(); /* writes ours */
	assert_int_equal(end_with_format(1, said, sizeof(said)), 0);
	assert_int_equal(end_with_format(2, said, sizeof(said)), 78);
	assert_non_null(strstr(said, "postern backup create"));
	assert_non_null(strstr(said, "postern restore"));
	assert_int_equal(end_with_format(0, said, sizeof(said)), 78);
	assert_non_null(strstr(said, "queue list"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(messages_keep_everything),
		CASE(bodies_of_every_size),
		CASE(the_log_keeps_bodies),
		CASE(log_files_go),
		CASE(bodies_move_to_the_table),
		CASE(the_schedule_is_in_order),
		CASE(the_journal_forgets_the_old),
		CASE(the_index_forgets_the_old),
		CASE(totals_stay),
		CASE(answers_go_with_their_recipients),
		CASE(the_longest_job_fits),
		CASE(nothing_durable_is_lost),
		CASE(an_empty_queue_costs_no_flush),
		CASE(a_checkpoint_does_not_sleep),
		CASE(another_format_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
