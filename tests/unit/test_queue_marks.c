/*
 * What a deliver that died has left behind, and what the queue makes of it.
 */
#include "ipc/marks.h"
#include "test_queue.h"

#define HOLD "uncertain = hold\n"

/* As deliver does it, of the job heard last. */
static struct mark
mark_of(const struct bed *b, enum mark_state state, uint8_t rcpts)
{
	const struct msg_job *j = &b->m.u.job;
	struct mark m = { .id = j->id, .n = j->n, .attempt = j->attempt };
	size_t n;

	assert_true(list_valid(j->rcpts, ADDR_SIZE, &n));
	m.seal = j->seal;
	m.nrcpts = (uint32_t)n;
	m.rcpts[0] = rcpts;
	m.code = state == MARK_TAKEN ? 252 : 0;
	strcpy(m.mx, "mx.test[192.0.2.25]:25");
	m.state = (uint8_t)state;
	return m;
}

static void
leave(struct bed *b, unsigned place, struct mark m)
{
	struct mark *at;

	assert_true(b->marks != -1);
	at = mmap(NULL, MARKS * sizeof(*at), PROT_READ | PROT_WRITE, MAP_SHARED,
	    b->marks, 0);
	assert_true(at != MAP_FAILED);
	at[place] = m;
	munmap(at, MARKS * sizeof(*at));
}

static void
deliver_again(struct bed *b)
{
	close(b->deliver);
	b->deliver = bed_line(b, P_DELIVER);
}

/* deliver alone dies, between the end of the message and the answer. */
static void
tried_again(void **state)
{
	struct bed *b = *state;
	uint64_t id;

	bed_start(b, HASTY_CONF, NULL);
	id = submit(b, "a@example.net b@example.net");
	expect_job(b);
	leave(b, 7, mark_of(b, MARK_SENT, 2));
	deliver_again(b);
	bed_wait_log(b, "msg.uncertain id=");
	assert_true(
	    bed_logged(b, "mx=mx.test[192.0.2.25]:25 code=0 dsn=4.4.2"));
	assert_false(bed_logged(b, "to=\"a@example.net\" reply"));
	assert_string_equal(bed_show(b, id)->story, "accepted uncertain ");
	assert_string_equal(bed_show(b, id)->rcpt.state, "uncertain");
	assert_non_null(
	    strstr(bed_show(b, id)->rcpt.last, "it may have arrived"));
	expect_job(b);
	assert_int_equal(b->m.u.job.attempt, 2);
	assert_string_equal(job_rcpt(b, 1), "b@example.net");
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "outcome=delivered:2");
	assert_string_equal(
	    bed_show(b, id)->story, "accepted uncertain delivered delivered ");
	bed_stop(b);
}

static void
held(void **state)
{
	struct bed *b = *state;
	struct answer a;
	uint64_t id;

	bed_start(b, conf_with(HASTY_CONF, HOLD), NULL);
	id = submit(b, "a@example.net");
	expect_job(b);
	leave(b, 0, mark_of(b, MARK_SENT, 1));
	deliver_again(b);
	bed_wait_log(b, "next=held to=\"a@example.net\"");
	assert_true(no_job(b, 1500));
	assert_int_equal(bed_show(b, id)->row.held, 3);
	assert_string_equal(bed_show(b, id)->rcpt.state, "uncertain");
	/* Through a restart. */
	bed_stop(b);
	bed_start(b, conf_with(HASTY_CONF, HOLD), NULL);
	assert_true(no_job(b, 1500));
	bed_command(
	    b, &(struct msg_queue_cmd){ .verb = QUEUE_RELEASE, .id = id }, &a);
	assert_int_equal(a.done.count, 1);
	expect_job(b);
	assert_int_equal(b->m.u.job.attempt, 2);
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "outcome=delivered:1");
	assert_string_equal(
	    bed_show(b, id)->story, "accepted uncertain released delivered ");
	bed_stop(b);
}

/* The same without a crash: the server hung up behind the end. */
static void
held_after_silence(void **state)
{
	struct bed *b = *state;
	struct msg m = { .type = MSG_JOB_VERDICT };
	struct answer a;
	uint64_t id;

	bed_start(b, conf_with(HASTY_CONF, HOLD), NULL);
	id = submit(b, "a@example.net");
	submit(b, "b@example.com");
	for (int i = 0; i < 2; i++) {
		expect_job(b);
		if (b->m.u.job.id != id) {
			judge_all(b, V_TEMP, SCOPE_RCPT);
			continue;
		}
		m.tag = b->tag;
		m.u.job_verdict.verdict = V_TEMP;
		strcpy(m.u.job_verdict.status, "4.4.2");
		strcpy(m.u.job_verdict.text, "it may have arrived");
		m.u.job_verdict.rcpts = (struct bytes){ (uint8_t *)"", 1 };
		m.u.job_verdict.uncertain = m.u.job_verdict.last = 1;
		bed_say(b->deliver, &m, -1);
	}
	bed_wait_log(b, "next=held to=\"a@example.net\"");
	assert_int_equal(bed_show(b, id)->row.held, 3);
	/* What is only late is not held. */
	expect_job(b);
	assert_true(b->m.u.job.id != id);
	bed_command(
	    b, &(struct msg_queue_cmd){ .verb = QUEUE_REMOVE, .id = id }, &a);
	assert_int_equal(a.done.count, 1);
	bed_stop(b);
}

/* The answer had come, the verdict had not. */
static void
taken(void **state)
{
	struct bed *b = *state;
	uint64_t id;

	bed_start(b, HASTY_CONF, NULL);
	id = submit(b, "a@example.net");
	expect_job(b);
	leave(b, MARKS - 1, mark_of(b, MARK_TAKEN, 1));
	deliver_again(b);
	bed_wait_log(b, "outcome=delivered:1");
	assert_true(bed_logged(b, "code=252 dsn=2.0.0"));
	assert_true(no_job(b, 300));
	assert_string_equal(bed_show(b, id)->story, "accepted delivered ");
	bed_stop(b);
}

/* Everything dies: what is told to the queue is all in the file. */
static void
all_die(void **state)
{
	struct bed *b = *state;
	uint64_t sent, done, plain;

	bed_start(b, HASTY_CONF, NULL);
	sent = submit(b, "a@example.net");
	expect_job(b);
	leave(b, 0, mark_of(b, MARK_SENT, 1));
	done = submit(b, "b@example.com");
	expect_job(b);
	leave(b, 1, mark_of(b, MARK_TAKEN, 1));
	plain = submit(b, "c@example.org");
	expect_job(b);
	bed_kill(b);
	bed_start(b, HASTY_CONF, NULL);
	expect_job(b);
	assert_int_equal(b->m.u.job.id, plain);
	assert_int_equal(b->m.u.job.attempt, 1);
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "msg.uncertain id=");
	expect_job(b);
	assert_int_equal(b->m.u.job.id, sent);
	assert_int_equal(b->m.u.job.attempt, 2);
	judge_all(b, V_OK, SCOPE_RCPT);
	assert_true(no_job(b, 300));
	assert_string_equal(
	    bed_show(b, sent)->story, "accepted uncertain delivered ");
	assert_string_equal(bed_show(b, done)->story, "accepted delivered ");
	bed_stop(b);
}

/* The queue alone dies: deliver itself knows, and is asked again. */
static void
deliver_lives(void **state)
{
	struct bed *b = *state;
	uint64_t id;

	bed_start(b, HASTY_CONF, NULL);
	id = submit(b, "a@example.net");
	expect_job(b);
	leave(b, 0, mark_of(b, MARK_SENT, 1));
	b->ours = true;
	bed_kill(b);
	bed_start(b, HASTY_CONF, NULL);
	expect_job(b);
	assert_int_equal(b->m.u.job.attempt, 1);
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "outcome=delivered:1");
	assert_string_equal(bed_show(b, id)->story, "accepted delivered ");
	bed_stop(b);
}

/* Marks that mean nothing, or were never made by us. */
static void
left_by_mistake(void **state)
{
	struct bed *b = *state;
	struct mark m;
	uint64_t id;

	bed_start(b, conf_with(HASTY_CONF, HOLD), NULL);
	id = submit(b, "a@example.net");
	expect_job(b);
	judge_all(b, V_TEMP, SCOPE_RCPT);
	expect_job(b);
	m = mark_of(b, MARK_SENT, 1);
	m.attempt = 1; /* of before */
	leave(b, 0, m);
	m = mark_of(b, MARK_SENT, 1);
	m.nrcpts = 2;
	leave(b, 1, m);
	m.nrcpts = 5000;
	memset(m.rcpts, 0xff, sizeof(m.rcpts));
	leave(b, 2, m);
	m = mark_of(b, MARK_SENT, 0xfe);
	leave(b, 3, m);
	m = mark_of(b, MARK_STATES, 1);
	leave(b, 4, m);
	m = mark_of(b, MARK_SENT, 1);
	m.n += 1;
	leave(b, 5, m);
	m = mark_of(b, MARK_TAKEN, 1);
	m.id += 1;
	leave(b, 6, m);
	deliver_again(b);
	expect_job(b);
	assert_int_equal(b->m.u.job.id, id);
	assert_int_equal(b->m.u.job.attempt, 2);
	assert_string_equal(bed_show(b, id)->story, "accepted deferred ");
	/* One who cuts the file off hurts nobody. */
	assert_int_equal(ftruncate(b->marks, 100), 0);
	deliver_again(b);
	expect_job(b);
	assert_int_equal(b->m.u.job.attempt, 2);
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "outcome=delivered:1");
	assert_false(bed_logged(b, "msg.uncertain"));
	bed_stop(b);
}

/* Another run of the machine: a power cut in between. */
static void
power_cut(void **state)
{
	struct bed *b = *state;
	char path[96];
	int fd;

	bed_start(b, PLAIN_CONF, NULL);
	bed_stop(b);
	bed_start(b, PLAIN_CONF, NULL);
	assert_false(bed_logged(b, "queue.interrupted"));
	bed_kill(b);
	bed_start(b, PLAIN_CONF, NULL);
	assert_false(bed_logged(b, "queue.interrupted"));
	bed_kill(b);
	snprintf(path, sizeof(path), "%s/marks", b->dir);
	fd = open(path, O_WRONLY);
	assert_int_equal(
	    pwrite(fd, "another", 8, MARKS * sizeof(struct mark)), 8);
	close(fd);
	bed_start(b, PLAIN_CONF, NULL);
	assert_true(bed_logged(b, "queue.interrupted"));
	bed_stop(b);
}

/* A postern that was killed, and then another version with other marks. */
static void
another_version(void **state)
{
	struct bed *b = *state;
	const uint32_t layout = MARKS_LAYOUT + 1;
	char path[96];
	int fd;

	bed_start(b, PLAIN_CONF, NULL);
	bed_kill(b);
	snprintf(path, sizeof(path), "%s/marks", b->dir);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, &layout, sizeof(layout),
			     MARKS * sizeof(struct mark) + 44),
	    sizeof(layout));
	close(fd);
	bed_start(b, PLAIN_CONF, NULL);
	bed_wait_log(b, "queue.interrupted text=\"another version");
	bed_stop(b);
}

/* A deliver that somebody has taken over marks mail that it was never given,
 * for ids can be guessed: it stays where it is. */
static void
forged(void **state)
{
	struct bed *b = *state;
	struct mark m = { .n = 0,
		.attempt = 1,
		.nrcpts = 1,
		.rcpts = { 1 },
		.code = 250,
		.state = MARK_TAKEN };
	uint64_t mine;

	bed_start(b, HASTY_CONF, NULL);
	mine = submit(b, "a@example.net");
	expect_job(b);
	/* What it was given for one message is nothing to another. */
	m.seal = b->m.u.job.seal;
	bed_accounts(b, ALICE);
	m.id = submit(b, "b@example.net");
	assert_true(m.id != 0 && m.id != mine);
	leave(b, 0, m);
	m.seal = 0;
	leave(b, 1, m);
	deliver_again(b);
	assert_true(no_job(b, 300));
	assert_string_equal(bed_show(b, m.id)->story, "accepted ");
	/* And after a crash of all. */
	bed_kill(b);
	bed_start(b, HASTY_CONF, NULL);
	expect_job(b);
	leave(b, 0, m);
	deliver_again(b);
	assert_string_equal(bed_show(b, m.id)->story, "accepted ");
	bed_kill(b);
}

/* That the marks are another's is an answer, and nothing else. */
static void
unasked(void **state)
{
	struct bed *b = *state;
	struct msg m = { .type = MSG_MARKS_ARE };

	bed_start(b, HASTY_CONF, NULL);
	assert_true(submit(b, "a@example.net"));
	expect_job(b);
	bed_say(b->deliver, &m, -1);
	bed_wait_log(b, "deliver broke the protocol");
	bed_kill(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    tried_again, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(held, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    held_after_silence, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(taken, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    all_die, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    deliver_lives, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    left_by_mistake, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    power_cut, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    another_version, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    forged, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    unasked, bed_setup, bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
