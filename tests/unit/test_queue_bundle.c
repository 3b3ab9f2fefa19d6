/*
 * Jobs of one message that leave in one transaction: whose they are, and that
 * each of them ends for itself.
 */
#include "ipc/marks.h"
#include "ipc/part.h"
#include "ipc/rcpt.h"
#include "test_queue.h"

#define RELAY "[route *]\nvia = 127.0.0.1:2525\n"
#define OTHER "[route other.example]\nvia = 127.0.0.1:2526\n"
#define SLOW  "[route *]\nvia = 127.0.0.1:2525\nrate = 10000/minute\n"

/* The i-th of the parts of the message heard last. */
static bool
part_of(const struct bed *b, unsigned i, struct part_item *p)
{
	struct bytes rest = b->m.u.job.parts, item;

	do {
		if (!list_next(&rest, &item))
			return false;
	} while (i-- > 0);
	assert_true(part_unpack(p, item));
	return true;
}

/* What follows does not fly alone: the server is known to answer. */
static void
begin(struct bed *b, const char *conf)
{
	bed_start(b, conf, NULL);
	assert_true(submit(b, "first@example.net"));
	expect_job(b);
	assert_true(b->m.u.job.probe);
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "outcome=delivered:1");
}

static void
each_ends_for_itself(void **state)
{
	struct bed *b = *state;
	struct part_item three, two;
	uint64_t id, tag;

	begin(b, conf_with(HASTY_CONF, RELAY));
	id = submit(b,
	    "a@one.example b@one.example x@two.example y@two.example "
	    "c@three.example");
	expect_job(b);
	tag = b->m.tag;
	assert_string_equal(b->m.u.job.domain, "one.example");
	assert_string_equal(job_rcpt(b, 2), "c@three.example");
	assert_string_equal(job_rcpt(b, 4), "y@two.example");
	assert_true(part_of(b, 0, &three) && part_of(b, 1, &two));
	assert_false(part_of(b, 2, &two) || two.nrcpts != 2);
	assert_string_equal(three.domain, "three.example");
	assert_int_equal(three.nrcpts, 1);
	assert_int_equal(two.attempt, 1);
	judge(b, two.tag, V_OK, SCOPE_RCPT, 250, "ok", "\0", 1, false);
	judge(b, tag, V_OK, SCOPE_RCPT, 250, "ok", "\0\1", 2, true);
	judge(b, two.tag, V_TEMP, SCOPE_RCPT, 450, "later", "\1", 1, true);
	judge(b, three.tag, V_OK, SCOPE_RCPT, 250, "ok", "\0", 1, true);
	bed_wait_log(b, "to=\"c@three.example\"");
	bed_wait_log(b, "msg.deferred id=");
	assert_int_equal(bed_show(b, id)->row.waiting, 1);
	/* Who is left goes on, alone. */
	expect_job(b);
	assert_int_equal(b->m.u.job.attempt, 2);
	assert_int_equal(b->m.u.job.parts.len, 0);
	assert_string_equal(job_rcpt(b, 0), "y@two.example");
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "outcome=delivered:5,bounced:0");
	bed_stop(b);
}

/* What was counted in one transaction is there after a crash. */
static void
progress_is_kept(void **state)
{
	struct bed *b = *state;
	struct part_item two;
	uint64_t id, tag;

	begin(b, conf_with(HASTY_CONF, RELAY));
	id = submit(b, "a@one.example x@two.example z@three.example");
	expect_job(b);
	tag = b->m.tag;
	assert_true(part_of(b, 1, &two));
	judge(b, two.tag, V_OK, SCOPE_RCPT, 250, "ok", "\0", 1, true);
	judge(b, tag, V_OK, SCOPE_RCPT, 250, "ok", "\0", 1, true);
	bed_wait_log(b, "to=\"a@one.example\"");
	assert_int_equal(bed_show(b, id)->row.waiting, 1);
	bed_kill(b);
	bed_start(b, conf_with(HASTY_CONF, RELAY), NULL);
	expect_job(b);
	assert_string_equal(job_rcpt(b, 0), "z@three.example");
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "outcome=delivered:3,bounced:0");
	bed_stop(b);
}

/* Another way, another message, a rate: then not. */
static void
others_go_alone(void **state)
{
	struct bed *b = *state;
	unsigned alone = 0;

	begin(b, conf_with(HASTY_CONF, RELAY OTHER));
	assert_true(submit(b, "a@one.example b@other.example c@two.example"));
	assert_true(submit(b, "d@three.example"));
	for (int i = 0; i < 3; i++) {
		expect_job(b);
		if (strcmp(b->m.u.job.domain, "one.example") == 0) {
			struct part_item p;

			assert_true(part_of(b, 0, &p));
			assert_string_equal(p.domain, "two.example");
			assert_false(part_of(b, 1, &p));
			continue;
		}
		alone++;
		assert_int_equal(b->m.u.job.parts.len, 0);
	}
	assert_int_equal(alone, 2);
	bed_kill(b);
}

static void
a_rate_counts_jobs(void **state)
{
	struct bed *b = *state;

	begin(b, conf_with(HASTY_CONF, SLOW));
	assert_true(submit(b, "a@one.example b@two.example"));
	for (int i = 0; i < 2; i++) {
		expect_job(b);
		assert_int_equal(b->m.u.job.parts.len, 0);
		judge_all(b, V_OK, SCOPE_RCPT);
	}
	bed_wait_log(b, "outcome=delivered:2");
	bed_stop(b);
}

/* A server in doubt is probed with one job, and the rest is not tried. */
static void
a_probe_goes_alone(void **state)
{
	struct bed *b = *state;

	bed_start(b, conf_with(HASTY_CONF, RELAY), NULL);
	assert_true(submit(b, "a@one.example b@two.example"));
	expect_job(b);
	assert_true(b->m.u.job.probe);
	assert_int_equal(b->m.u.job.parts.len, 0);
	assert_true(no_job(b, 300));
	bed_kill(b);
}

static void
no_more_than_a_transaction_takes(void **state)
{
	struct bed *b = *state;
	static char rcpts[16384];
	struct part_item p;
	unsigned seen = 0, first = 0;
	size_t n = 0, count;

	begin(b, conf_with(HASTY_CONF, RELAY));
	for (unsigned i = 0; i < 150; i++)
		n += (size_t)snprintf(rcpts + n, sizeof(rcpts) - n,
		    "%sr@d%03u.example", i > 0 ? " " : "", i);
	assert_true(submit(b, rcpts));
	for (int jobs = 0; seen < 150; jobs++) {
		assert_true(jobs < 2);
		expect_job(b);
		assert_true(
		    list_valid(b->m.u.job.rcpts, RCPT_ITEM_MAX, &count));
		first = first == 0 ? (unsigned)count : first;
		seen += (unsigned)count;
		judge(b, b->tag, V_OK, SCOPE_RCPT, 250, "ok", "\0", 1, true);
		for (unsigned i = 0; part_of(b, i, &p); i++)
			judge(b, p.tag, V_OK, SCOPE_RCPT, 250, "ok", "\0", 1,
			    true);
	}
	assert_int_equal(first, JOB_RCPTS);
	bed_wait_log(b, "outcome=delivered:150");
	bed_stop(b);
}

/* deliver dies: what it had marked of each job holds, the rest goes again. */
static void
marks_are_of_each(void **state)
{
	struct bed *b = *state;
	struct part_item two;
	struct mark *at;
	uint64_t id;

	begin(b, conf_with(HASTY_CONF, RELAY));
	id = submit(b, "a@one.example x@two.example");
	expect_job(b);
	assert_true(part_of(b, 0, &two));
	at = mmap(NULL, MARKS * sizeof(*at), PROT_READ | PROT_WRITE, MAP_SHARED,
	    b->marks, 0);
	assert_true(at != MAP_FAILED);
	at[3] = (struct mark){ .id = id,
		.n = two.n,
		.seal = two.seal,
		.attempt = two.attempt,
		.nrcpts = 1,
		.rcpts = { 1 },
		.code = 250,
		.state = MARK_TAKEN };
	munmap(at, MARKS * sizeof(*at));
	close(b->deliver);
	b->deliver = bed_line(b, P_DELIVER);
	bed_wait_log(b, "to=\"x@two.example\"");
	expect_job(b);
	assert_int_equal(b->m.u.job.attempt, 1);
	assert_int_equal(b->m.u.job.parts.len, 0);
	assert_string_equal(job_rcpt(b, 0), "a@one.example");
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "outcome=delivered:2");
	bed_stop(b);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_ends_for_itself),
		CASE(progress_is_kept),
		CASE(others_go_alone),
		CASE(a_rate_counts_jobs),
		CASE(a_probe_goes_alone),
		CASE(no_more_than_a_transaction_takes),
		CASE(marks_are_of_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
