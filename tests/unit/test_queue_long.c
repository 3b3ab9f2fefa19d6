/*
 * A queue longer than memory: every job comes out, each once, and nobody's
 * letter waits behind it.
 */
#include <glob.h>
#include <sys/statvfs.h>

#include "test_queue.h"

#define DOMAINS 4500
#define LETTERS 6 /* of DOMAINS jobs each: more than JOBS_IN_MEMORY */

static uint8_t seen[LETTERS * DOMAINS];

static void
submit_list(struct bed *b, int letter, const char *account)
{
	static uint8_t list[RCPTS_MAX];
	struct msg m = { .type = MSG_TX_RCPTS, .tag = 100 };
	char address[64];
	size_t len = 0;

	for (int d = 0; d < DOMAINS; d++) {
		snprintf(
		    address, sizeof(address), "u%d@d%d.example.net", letter, d);
		len =
		    list_add(list, sizeof(list), len, address, strlen(address));
		if (d % 1000 != 999 && d + 1 < DOMAINS)
			continue;
		m.u.tx_rcpts.rcpts = (struct bytes){ list, len };
		bed_say(b->smtpd, &m, -1);
		len = 0;
	}
	commit_as(b, 100, account, account, "", BODY);
	bed_expect(b, b->smtpd, P_SMTPD, MSG_TX_RESULT);
	assert_int_equal(b->m.u.tx_result.verdict, V_OK);
}

static void
note(struct bed *b)
{
	int letter, domain;

	assert_int_equal(
	    sscanf(job_rcpt(b, 0), "u%d@d%d.example.net", &letter, &domain), 2);
	assert_in_range(letter * DOMAINS + domain, 0, sizeof(seen) - 1);
	seen[letter * DOMAINS + domain]++;
}

static unsigned
count_seen(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(seen); i++)
		n += seen[i] > 0;
	return n;
}

static void
every_job_comes_out(void **state)
{
	struct bed *b = *state;
	struct msg_queue_cmd cmd = { .verb = QUEUE_LIST };
	struct answer a;

	memset(seen, 0, sizeof(seen));
	bed_start(b, PLAIN_CONF, NULL);
	/* Deliver is not there while the queue grows. */
	close(b->deliver);
	for (int i = 0; i < LETTERS; i++)
		submit_list(b, i, ALICE);
	assert_int_equal(
	    bed_status(b, "recipients_waiting"), LETTERS * DOMAINS);
	assert_in_range(bed_status(b, "in_memory"), 5000, 20000);
	b->deliver = bed_line(b, P_DELIVER);
	for (int i = 0; i < 8000; i++) {
		expect_job(b);
		note(b);
		judge_all(b, V_OK, SCOPE_RCPT);
	}
	assert_int_equal(count_seen(), 8000);
	usleep(200000);
	bed_kill(b);
	/* All from the schedule. */
	bed_start(b, PLAIN_CONF, NULL);
	bed_command(b, &cmd, &a);
	assert_in_range(a.row.waiting, 1, DOMAINS);
	while (count_seen() < sizeof(seen)) {
		expect_job(b);
		note(b);
		judge_all(b, V_OK, SCOPE_RCPT);
	}
	bed_stop(b);
	/* What the kill made twice are verdicts of the last moment. */
	for (size_t i = 0; i < sizeof(seen); i++)
		assert_in_range(seen[i], 1, 2);
	bed_start(b, PLAIN_CONF, NULL);
	assert_true(no_job(b, 300));
	assert_int_equal(bed_status(b, "messages"), 0);
	assert_int_equal(bed_status(b, "recipients_waiting"), 0);
	bed_stop(b);
}

/* A suspended account's long list holds up nobody, also after a restart. */
static void
a_frozen_list_is_in_nobodys_way(void **state)
{
	struct bed *b = *state;
	struct msg m = { .type = MSG_ACCOUNT_STATE };
	unsigned n = 0;

	memset(seen, 0, sizeof(seen));
	bed_run(b, PLAIN_CONF, NULL);
	bed_expect(b, b->parent, P_PARENT, MSG_READY);
	bed_expect(b, b->smtpd, P_SMTPD, MSG_QUEUE_STATE);
	bed_accounts(b, BOB);
	submit_list(b, 0, BOB);
	submit_list(b, 1, BOB);
	assert_true(no_job(b, 200));
	bed_kill(b);
	bed_run(b, PLAIN_CONF, NULL);
	bed_expect(b, b->parent, P_PARENT, MSG_READY);
	bed_expect(b, b->smtpd, P_SMTPD, MSG_QUEUE_STATE);
	bed_accounts(b, BOB);
	assert_true(no_job(b, 300));
	assert_in_range(bed_status(b, "in_memory"), 0, 0);
	assert_true(submit(b, "a@d7.example.net"));
	expect_job(b);
	assert_string_equal(b->m.u.job.account, ALICE);
	judge_all(b, V_OK, SCOPE_RCPT);
	strcpy(m.u.account_state.account, BOB);
	m.u.account_state.state = ACC_ACTIVE;
	bed_say(b->auth, &m, -1);
	for (n = 0; n < 2 * DOMAINS; n++) {
		expect_job(b);
		note(b);
		judge_all(b, V_OK, SCOPE_RCPT);
	}
	assert_int_equal(count_seen(), 2 * DOMAINS);
	bed_stop(b);
}

/* While one destination is silent with much mail, all others get theirs. */
static void
a_silent_destination_is_in_nobodys_way(void **state)
{
	struct bed *b = *state;
	unsigned silent = 0;

	bed_start(b, conf_text("5d", "4h", "1m"), NULL);
	for (int i = 0; i < 3000; i++) {
		assert_true(submit(b, "a@silent.example"));
		while (bed_hear(b, b->deliver, P_DELIVER, 0)) {
			silent++;
			judge_all(b, V_TEMP, SCOPE_DEST);
		}
	}
	while (bed_hear(b, b->deliver, P_DELIVER, 300)) {
		silent++;
		judge_all(b, V_TEMP, SCOPE_DEST);
	}
	assert_in_range(silent, 1, 10);
	assert_in_range(bed_status(b, "in_memory"), 0, 20);
	for (int i = 0; i < 20; i++) {
		assert_true(submit(b, "a@example.net"));
		expect_job(b);
		assert_string_equal(b->m.u.job.domain, "example.net");
		judge_all(b, V_OK, SCOPE_RCPT);
	}
	/* Asked to, all of it is tried at once. */
	{
		struct msg_queue_cmd cmd = { .verb = QUEUE_RETRY, .all = 1 };
		struct answer a;

		bed_command(b, &cmd, &a);
		assert_int_equal(a.done.count, 3000);
	}
	for (int i = 0; i < 3000; i++) {
		expect_job(b);
		assert_string_equal(b->m.u.job.domain, "silent.example");
		judge_all(b, V_OK, SCOPE_RCPT);
	}
	bed_stop(b);
}

#define BODY_SIZE 60000

/* Messages that stay, with a number each. */
static void
fill(struct bed *b, int count)
{
	char *body = malloc(BODY_SIZE + 1);
	int n;

	memset(body, 'x', BODY_SIZE);
	body[BODY_SIZE] = '\0';
	close(b->deliver);
	for (int i = 0; i < count; i++) {
		n = snprintf(body, BODY_SIZE, "Subject: %d\r\n\r\n", i);
		body[n] = 'x';
		commit_as(b, 1, ALICE, ALICE, "a@example.net", body);
		bed_expect(b, b->smtpd, P_SMTPD, MSG_TX_RESULT);
		assert_int_equal(b->m.u.tx_result.verdict, V_OK);
	}
	free(body);
}

static void
expect_all(struct bed *b, int count)
{
	char subject[32];
	uint8_t *heard = calloc((size_t)count, 1);
	int n;

	for (int i = 0; i < count; i++) {
		expect_job(b);
		assert_int_equal(b->m.u.job.body.len, BODY_SIZE);
		snprintf(subject, sizeof(subject), "%.20s",
		    (const char *)b->m.u.job.body.data);
		assert_int_equal(sscanf(subject, "Subject: %d", &n), 1);
		assert_in_range(n, 0, count - 1);
		assert_int_equal(b->m.u.job.body.data[BODY_SIZE - 1], 'x');
		assert_int_equal(heard[n]++, 0);
		judge_all(b, V_OK, SCOPE_RCPT);
	}
	free(heard);
}

/* Enough bodies that the log they were written to has been removed. */
static void
bodies_outlive_their_log(void **state)
{
	struct bed *b = *state;
	char log[96];
	int64_t until;

	bed_start(b, PLAIN_CONF, NULL);
	fill(b, 490);
	snprintf(log, sizeof(log), "%s/env/log.0000000001", b->dir);
	for (until = now_ms() + PATIENCE_MS; access(log, F_OK) == 0;) {
		assert_true(now_ms() < until);
		usleep(20000);
	}
	bed_kill(b);
	bed_start(b, PLAIN_CONF, NULL);
	expect_all(b, 490);
	bed_stop(b);
}

static int
count_logs(const struct bed *b)
{
	char pattern[96];
	glob_t found;
	int n;

	snprintf(pattern, sizeof(pattern), "%s/env/log.*", b->dir);
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	n = (int)found.gl_pathc;
	globfree(&found);
	return n;
}

/* Where many wait and there is room they stay in the log. */
static void
bodies_stay_in_a_log_that_is_kept(void **state)
{
	struct bed *b = *state;
	struct statvfs fs;

	if (statvfs(b->dir, &fs) == -1 ||
	    (uint64_t)fs.f_bavail * fs.f_frsize < (uint64_t)3 << 30)
		skip();
	bed_start(b, PLAIN_CONF, NULL);
	/* The checkpoints among the first few hundred still remove: of the log
	 * of the others there are 42 MB. */
	fill(b, 1200);
	assert_in_range(count_logs(b), 3, 100);
	bed_kill(b);
	bed_start(b, PLAIN_CONF, NULL);
	assert_in_range(count_logs(b), 3, 100);
	expect_all(b, 1200);
	bed_stop(b);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_job_comes_out),
		CASE(a_frozen_list_is_in_nobodys_way),
		CASE(a_silent_destination_is_in_nobodys_way),
		CASE(bodies_outlive_their_log),
		CASE(bodies_stay_in_a_log_that_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
