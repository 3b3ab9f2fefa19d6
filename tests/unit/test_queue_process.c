/*
 * The whole process: the life of a message as its neighbours see it.
 */
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "test_queue.h"

static void
delivered(void **state)
{
	struct bed *b = *state;
	const struct answer *a;
	uint64_t id;

	bed_start(b, PLAIN_CONF, NULL);
	id = submit(b, "bob@example.net");
	assert_true(id != 0);
	expect_job(b);
	assert_int_equal(b->m.u.job.id, id);
	assert_int_equal(b->m.u.job.attempt, 1);
	assert_string_equal(b->m.u.job.domain, "example.net");
	assert_string_equal(b->m.u.job.account, ALICE);
	assert_string_equal(b->m.u.job.sender, ALICE);
	assert_string_equal(job_rcpt(b, 0), "bob@example.net");
	assert_memory_equal(b->m.u.job.body.data, BODY, strlen(BODY));
	assert_memory_equal(b->m.u.job.added.data,
	    "Received: by mail.example.org (postern)\r\n\twith ESMTPSA id ",
	    58);
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "msg.done id=");
	assert_true(bed_logged(b, "outcome=delivered:1,bounced:0"));
	assert_true(bed_logged(b,
	    "mx=mx.test[192.0.2.25]:25 tls=TLSv1.3 cipher=TLS_TEST policy=dane "
	    "code=250 dsn=2.0.0 "));
	assert_int_equal(bed_status(b, "messages"), 0);
	assert_int_equal(bed_status(b, "recipients_waiting"), 0);
	assert_int_equal(bed_status(b, "delivered_total"), 1);
	a = bed_show(b, id);
	assert_int_equal(a->done.exit_code, 0);
	assert_string_equal(a->story, "accepted delivered ");
	assert_int_equal(a->row.id, id);
	assert_string_equal(a->row.account, ALICE);
	bed_stop(b);
}

static struct msg_queue_cmd
all(enum queue_verb verb)
{
	return (struct msg_queue_cmd){ .verb = verb, .all = 1 };
}

static struct msg_queue_cmd
one(enum queue_verb verb, uint64_t id)
{
	return (struct msg_queue_cmd){ .verb = verb, .id = id };
}

static void
groups_by_destination(void **state)
{
	struct bed *b = *state;
	bool net = false, com = false;

	bed_start(b, PLAIN_CONF, NULL);
	/* One of them twice. */
	assert_true(submit(b,
	    "a@example.net x@example.com b@example.net "
	    "a@example.net"));
	for (int i = 0; i < 2; i++) {
		expect_job(b);
		if (strcmp(b->m.u.job.domain, "example.net") == 0) {
			net = true;
			assert_string_equal(job_rcpt(b, 0), "a@example.net");
			assert_string_equal(job_rcpt(b, 1), "b@example.net");
			assert_string_equal(job_rcpt(b, 2), "");
		} else {
			com = true;
			assert_string_equal(job_rcpt(b, 0), "x@example.com");
		}
		judge_all(b, V_OK, SCOPE_RCPT);
	}
	assert_true(net && com);
	bed_wait_log(b, "outcome=delivered:3,bounced:0");
	bed_stop(b);
}

static void
deferred_and_retried(void **state)
{
	struct bed *b = *state;
	const struct answer *a;
	uint64_t id;
	char indexes[] = { 0, 1 };

	bed_start(b, HASTY_CONF, NULL);
	id = submit(b, "a@example.net b@example.net");
	expect_job(b);
	judge(b, b->m.tag, V_OK, SCOPE_RCPT, 250, "ok", indexes, 1, false);
	judge(
	    b, b->m.tag, V_TEMP, SCOPE_RCPT, 450, "busy", indexes + 1, 1, true);
	bed_wait_log(b, "msg.deferred id=");
	a = bed_show(b, id);
	assert_string_equal(a->story, "accepted delivered deferred ");
	assert_int_equal(a->rcpts, 2);
	assert_int_equal(a->row.waiting, 1);
	assert_int_equal(a->row.attempts, 1);
	assert_string_equal(a->row.last, "450 busy");
	assert_string_equal(a->rcpt.state, "deferred");
	expect_job(b);
	assert_int_equal(b->m.u.job.attempt, 2);
	assert_string_equal(job_rcpt(b, 0), "b@example.net");
	assert_string_equal(job_rcpt(b, 1), "");
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "outcome=delivered:2,bounced:0");
	bed_stop(b);
}

/* Seconds from now to the next attempt at the only message. */
static int64_t
next_in_s(struct bed *b, uint64_t id)
{
	struct timespec now;
	const struct answer *a;

	a = bed_show(b, id);
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)(a->row.next / 1000) - now.tv_sec;
}

/* What looks like greylisting is tried again soon, but not for ever. */
static void
greylisted(void **state)
{
	struct bed *b = *state;
	char first[] = { 0 };
	char times[64];
	uint64_t id;

	bed_start(b, conf_text("5d", "4h", "1h"), NULL);
	id = submit(b, "a@example.net");
	for (unsigned i = 1; i <= 4; i++) {
		struct msg m = { .type = MSG_JOB_VERDICT };
		struct msg_job_verdict *v = &m.u.job_verdict;

		expect_job(b);
		m.tag = b->m.tag;
		v->verdict = V_TEMP;
		v->code = 451;
		strcpy(v->status, "4.7.1");
		strcpy(v->text, "Try again later");
		v->signs = SIGN_GREY;
		v->rcpts = (struct bytes){ (const uint8_t *)first, 1 };
		v->last = 1;
		bed_say(b->deliver, &m, -1);
		snprintf(times, sizeof(times), "attempt=%u ", i);
		bed_wait_log(b, times);
		if (i < 4)
			assert_in_range(next_in_s(b, id), 290, 335);
		else
			assert_in_range(next_in_s(b, id), 3200, 4000);
		bed_command(b,
		    &(struct msg_queue_cmd){ .verb = QUEUE_RETRY, .id = id },
		    &(struct answer){ 0 });
	}
	bed_kill(b);
}

/* What a deliver that somebody has taken over says is a word in the log. */
static void
verdicts_are_words(void **state)
{
	struct bed *b = *state;
	struct msg m = { .type = MSG_JOB_VERDICT };
	struct msg_job_verdict *v = &m.u.job_verdict;
	char first[] = { 0 };

	bed_start(b, PLAIN_CONF, NULL);
	submit(b, "a@example.net");
	expect_job(b);
	m.tag = b->m.tag;
	v->verdict = V_OK;
	v->code = 250;
	strcpy(v->status, "2.0.0\nx y=\"");
	strcpy(v->mx, "mx a\nb=c");
	strcpy(v->tls, "T\x1b[2J");
	strcpy(v->cipher, "a b\nc");
	strcpy(v->policy, "dane\xc2\x85");
	strcpy(v->text, "fine\nmsg.bounced id=x");
	v->rcpts = (struct bytes){ (const uint8_t *)first, 1 };
	v->last = 1;
	bed_say(b->deliver, &m, -1);
	bed_wait_log(b, "msg.done");
	assert_true(bed_logged(b,
	    " mx=mx?a?b?c tls=T?[2J cipher=a?b?c policy=dane?? code=250 "
	    "dsn=2.0.0?x?y?? "));
	assert_true(bed_logged(b, "reply=\"fine\\x0amsg.bounced id=x\""));
	bed_stop(b);
}

/* A check of the store that is under way is over when the process is, and
 * leaves nothing behind. */
static void
a_check_ends_with_the_process(void **state)
{
	struct bed *b = *state;
	struct msg m = { .type = MSG_QUEUE_CMD, .tag = 5 };
	char copy[96];
	int sock;

	snprintf(copy, sizeof(copy), "%s/check", b->dir);
	m.u.queue_cmd.verb = QUEUE_CHECK;
	for (int i = 0; i < 4; i++) {
		bed_start(b, PLAIN_CONF, NULL);
		assert_true(submit(b, "a@example.net"));
		sock = bed_operator(b);
		bed_say(sock, &m, -1);
		while (access(copy, F_OK) == -1)
			usleep(100);
		bed_stop(b);
		assert_int_equal(access(copy, F_OK), -1);
		close(sock);
	}
}

/* After kill -9 whatever was answered is there; what was delivered is not. */
static void
survives_kill(void **state)
{
	struct bed *b = *state;
	uint64_t gone, id, again;

	bed_start(b, PLAIN_CONF, NULL);
	gone = submit(b, "a@example.net");
	expect_job(b);
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "msg.done");
	id = submit(b, "b@example.com");
	expect_job(b);
	bed_kill(b);
	bed_start(b, PLAIN_CONF, NULL);
	expect_job(b);
	assert_int_equal(b->m.u.job.id, id);
	assert_int_equal(b->m.u.job.attempt, 1);
	assert_memory_equal(b->m.u.job.body.data, BODY, strlen(BODY));
	judge_all(b, V_OK, SCOPE_RCPT);
	assert_true(no_job(b, 300));
	again = submit(b, "c@example.com");
	assert_true(again > id && id > gone);
	bed_kill(b);
}

static void
deliver_dies(void **state)
{
	struct bed *b = *state;
	const struct answer *a;
	uint64_t id;
	char first[] = { 0 };

	bed_start(b, PLAIN_CONF, NULL);
	id = submit(b, "a@example.net b@example.net");
	expect_job(b);
	judge(b, b->m.tag, V_OK, SCOPE_RCPT, 250, "ok", first, 1, false);
	usleep(100000);
	close(b->deliver);
	b->deliver = bed_line(b, P_DELIVER);
	expect_job(b);
	assert_int_equal(b->m.u.job.id, id);
	assert_int_equal(b->m.u.job.attempt, 1);
	assert_string_equal(job_rcpt(b, 0), "b@example.net");
	/* Now without a word. */
	close(b->deliver);
	b->deliver = bed_line(b, P_DELIVER);
	expect_job(b);
	assert_string_equal(job_rcpt(b, 0), "b@example.net");
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "outcome=delivered:2");
	a = bed_show(b, id);
	assert_string_equal(a->story, "accepted delivered delivered ");
	bed_stop(b);
}

/* Reads the notice that is the job heard last. */
static void
expect_notice(struct bed *b, const char *action, const char *rcpt)
{
	const struct msg_job *j = &b->m.u.job;
	char *text = strndup((const char *)j->body.data, j->body.len);

	assert_string_equal(j->sender, "");
	assert_string_equal(j->account, "");
	assert_string_equal(job_rcpt(b, 0), ALICE);
	assert_non_null(strstr(text, "multipart/report"));
	assert_non_null(strstr(text, action));
	assert_non_null(strstr(text, rcpt));
	assert_non_null(strstr(text, "Subject: x\r\n"));
	assert_non_null(strstr(text, "Received: by mail.example.org"));
	assert_null(strstr(text, "hello"));
	free(text);
}

static void
bounces_once(void **state)
{
	struct bed *b = *state;
	char both[] = { 0, 2 }, other[] = { 1 };

	bed_start(b, PLAIN_CONF, NULL);
	assert_true(submit(b, "a@example.net b@example.net c@example.net"));
	expect_job(b);
	judge(b, b->m.tag, V_PERM, SCOPE_RCPT, 550, "5.1.1 unknown", both, 2,
	    false);
	judge(b, b->m.tag, V_OK, SCOPE_RCPT, 250, "ok", other, 1, true);
	expect_job(b);
	expect_notice(b, "Action: failed", "c@example.net");
	expect_notice(b, "Action: failed", "a@example.net");
	assert_null(memmem(
	    b->m.u.job.body.data, b->m.u.job.body.len, "b@example.net", 13));
	/* The notice fails in its turn: nobody is told. */
	judge_all(b, V_PERM, SCOPE_RCPT);
	bed_wait_log(b, "msg.dropped");
	assert_true(no_job(b, 300));
	assert_int_equal(bed_status(b, "messages"), 0);
	assert_int_equal(bed_status(b, "recipients_waiting"), 0);
	assert_true(bed_logged(b, "outcome=delivered:1,bounced:2,dropped:0"));
	bed_stop(b);
}

/* 100 recipients with long names, and a server that has much to say to each:
 * the notice must still fit the store. */
static void
bounces_at_length(void **state)
{
	struct bed *b = *state;
	static uint8_t list[RCPTS_MAX];
	struct msg m = { .type = MSG_TX_RCPTS, .tag = 9 };
	char domain[256], address[ADDR_SIZE], index;
	struct msg_job_verdict *v = &m.u.job_verdict;
	uint64_t tag;
	size_t len = 0, n;

	bed_start(b, PLAIN_CONF, NULL);
	for (n = 0; n < 240; n++)
		domain[n] = n % 60 == 59 ? '.' : 'd';
	strcpy(domain + n, "example.net");
	for (int i = 0; i < JOB_RCPTS; i++) {
		snprintf(
		    address, sizeof(address), "%03d%061d@%s", i, 0, domain);
		len =
		    list_add(list, sizeof(list), len, address, strlen(address));
		assert_true(len > 0);
	}
	m.u.tx_rcpts.rcpts = (struct bytes){ list, len };
	bed_say(b->smtpd, &m, -1);
	commit_as(b, 9, ALICE, ALICE, "", BODY);
	bed_expect(b, b->smtpd, P_SMTPD, MSG_TX_RESULT);
	assert_int_equal(b->m.u.tx_result.verdict, V_OK);
	expect_job(b);
	tag = b->m.tag;
	for (int i = 0; i < JOB_RCPTS; i++) {
		m = (struct msg){ .type = MSG_JOB_VERDICT, .tag = tag };
		v->verdict = V_PERM;
		v->code = 550;
		strcpy(v->status, "5.7.1");
		memset(v->mx, 'm', sizeof(v->mx) - 1);
		/* Words of this length fill a line each. */
		for (n = 0; n < sizeof(v->text) - 1; n++)
			v->text[n] = n % 39 == 38 ? ' ' : 'w';
		index = (char)i;
		v->rcpts = (struct bytes){ (uint8_t *)&index, 1 };
		v->last = i == JOB_RCPTS - 1;
		bed_say(b->deliver, &m, -1);
	}
	expect_job(b);
	assert_string_equal(b->m.u.job.sender, "");
	assert_string_equal(job_rcpt(b, 0), ALICE);
	assert_true(b->m.u.job.size <= 256 * 1024);
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "outcome=delivered:1,bounced:0");
	bed_stop(b);
}

static void
null_sender_never_bounces(void **state)
{
	struct bed *b = *state;

	bed_start(b, PLAIN_CONF, NULL);
	assert_true(submit_as(b, ALICE, "", "a@example.net"));
	expect_job(b);
	judge_all(b, V_PERM, SCOPE_RCPT);
	assert_true(no_job(b, 300));
	bed_wait_log(b, "msg.dropped");
	bed_stop(b);
}

static void
gives_up(void **state)
{
	struct bed *b = *state;

	bed_start(b, conf_text("2s", "4h", "1s"), NULL);
	assert_true(submit(b, "a@example.net"));
	do {
		expect_job(b);
		if (b->m.u.job.sender[0] == '\0')
			break;
		assert_true(b->m.u.job.attempt < 5);
		judge_all(b, V_TEMP, SCOPE_RCPT);
	} while (true);
	expect_notice(b, "Action: failed", "450 no, said the other side");
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_stop(b);
}

/* Who has many late messages hears of some. */
static void
tells_of_few_delays(void **state)
{
	struct bed *b = *state;
	unsigned told = 0, attempts = 0;
	char conf[600];

	snprintf(conf, sizeof(conf), "%snotices-per-hour = 2\n",
	    conf_text("5d", "1s", "1s"));
	bed_start(b, conf, NULL);
	for (int i = 0; i < 5; i++)
		assert_true(submit(b, "a@example.net"));
	while (attempts < 20) {
		expect_job(b);
		if (b->m.u.job.sender[0] == '\0') {
			expect_notice(b, "Action: delayed", "a@example.net");
			told++;
			judge_all(b, V_OK, SCOPE_RCPT);
		} else {
			attempts++;
			judge_all(b, V_TEMP, SCOPE_RCPT);
		}
	}
	assert_int_equal(told, 2);
	bed_kill(b);
}

static void
tells_of_a_delay_once(void **state)
{
	struct bed *b = *state;
	unsigned notices = 0;

	bed_start(b, conf_text("5d", "1s", "1s"), NULL);
	assert_true(submit(b, "a@example.net"));
	for (int i = 0; i < 7; i++) {
		expect_job(b);
		if (b->m.u.job.sender[0] == '\0') {
			expect_notice(b, "Action: delayed", "a@example.net");
			judge_all(b, V_OK, SCOPE_RCPT);
			notices++;
		} else {
			judge_all(b, V_TEMP, SCOPE_RCPT);
		}
	}
	assert_int_equal(notices, 1);
	bed_stop(b);
}

static void
suspended_waits(void **state)
{
	struct bed *b = *state;
	struct msg m = { .type = MSG_ACCOUNT_STATE };
	struct answer a;
	uint64_t id;

	bed_run(b, PLAIN_CONF, NULL);
	bed_expect(b, b->parent, P_PARENT, MSG_READY);
	bed_expect(b, b->smtpd, P_SMTPD, MSG_QUEUE_STATE);
	/* Before auth has spoken nothing goes. */
	assert_true(submit(b, "x@example.net"));
	assert_true(no_job(b, 300));
	bed_accounts(b, BOB);
	expect_job(b);
	judge_all(b, V_OK, SCOPE_RCPT);
	id = submit_as(b, BOB, BOB, "y@example.net");
	assert_true(id != 0);
	assert_true(no_job(b, 300));
	bed_command(b, &(struct msg_queue_cmd){ .verb = QUEUE_LIST }, &a);
	assert_int_equal(a.rows, 1);
	assert_int_equal(a.row.held, 2);
	/* Another's mail is not concerned. */
	assert_true(submit(b, "z@example.net"));
	expect_job(b);
	judge_all(b, V_OK, SCOPE_RCPT);
	strcpy(m.u.account_state.account, BOB);
	m.u.account_state.state = ACC_ACTIVE;
	bed_say(b->auth, &m, -1);
	expect_job(b);
	assert_int_equal(b->m.u.job.id, id);
	judge_all(b, V_OK, SCOPE_RCPT);
	/* Suspended while deliver has it: that runs out, and no more. */
	id = submit_as(b, BOB, BOB, "y@example.net");
	expect_job(b);
	m.u.account_state.state = ACC_SUSPENDED;
	bed_say(b->auth, &m, -1);
	judge_all(b, V_TEMP, SCOPE_RCPT);
	bed_wait_log(b, "msg.deferred");
	bed_command(
	    b, &(struct msg_queue_cmd){ .verb = QUEUE_RETRY, .all = 1 }, &a);
	assert_true(no_job(b, 500));
	/* A new auth that does not name it has it active. */
	close(b->auth);
	b->auth = bed_line(b, P_AUTH);
	bed_accounts(b, NULL);
	expect_job(b);
	assert_int_equal(b->m.u.job.id, id);
	bed_stop(b);
}

static void
held_by_hand(void **state)
{
	struct bed *b = *state;
	struct msg_queue_cmd cmd;
	struct answer a;
	uint64_t id, other;

	bed_start(b, PLAIN_CONF, NULL);
	id = submit(b, "a@example.net b@example.com");
	for (int i = 0; i < 2; i++) {
		expect_job(b);
		judge_all(b, V_TEMP, SCOPE_RCPT);
	}
	bed_wait_log(b, "to=\"b@example.com\"");
	bed_wait_log(b, "to=\"a@example.net\"");
	cmd = one(QUEUE_HOLD, id);
	bed_command(b, &cmd, &a);
	assert_int_equal(a.done.exit_code, 0);
	assert_int_equal(a.done.count, 1);
	bed_command(b, &cmd, &a);
	assert_int_equal(a.done.count, 0);
	cmd = all(QUEUE_RETRY);
	bed_command(b, &cmd, &a);
	assert_int_equal(a.done.count, 0);
	other = submit(b, "c@example.org");
	expect_job(b);
	assert_int_equal(b->m.u.job.id, other);
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "outcome=delivered:1,");
	bed_kill(b);
	bed_start(b, PLAIN_CONF, NULL);
	assert_true(no_job(b, 300));
	cmd = one(QUEUE_SHOW, id);
	bed_command(b, &cmd, &a);
	assert_int_equal(a.row.held, 1);
	assert_int_equal(a.row.next, 0);
	cmd = one(QUEUE_RELEASE, id);
	bed_command(b, &cmd, &a);
	assert_int_equal(a.done.count, 1);
	for (int i = 0; i < 2; i++) {
		expect_job(b);
		assert_int_equal(b->m.u.job.attempt, 2);
		judge_all(b, V_OK, SCOPE_RCPT);
	}
	bed_wait_log(b, "outcome=delivered:2,");
	assert_true(bed_logged(b, "admin.change by=\"anna\" what=queue.hold"));
	cmd = one(QUEUE_HOLD, id);
	bed_command(b, &cmd, &a);
	assert_int_equal(a.done.exit_code, 5);
	bed_stop(b);
}

/* Held and removed while deliver has it. */
static void
by_hand_in_flight(void **state)
{
	struct bed *b = *state;
	struct msg_queue_cmd cmd;
	struct answer a;
	uint64_t id;

	bed_start(b, HASTY_CONF, NULL);
	id = submit(b, "a@example.net");
	expect_job(b);
	cmd = one(QUEUE_HOLD, id);
	bed_command(b, &cmd, &a);
	judge(b, b->tag, V_TEMP, SCOPE_RCPT, 450, "later", "\0", 1, true);
	bed_wait_log(b, "next=held");
	assert_true(no_job(b, 1500));
	cmd = one(QUEUE_RELEASE, id);
	bed_command(b, &cmd, &a);
	assert_int_equal(a.done.count, 1);
	expect_job(b);
	assert_int_equal(b->m.u.job.attempt, 2);
	/* Held and released during one flight. */
	cmd = one(QUEUE_HOLD, id);
	bed_command(b, &cmd, &a);
	cmd = one(QUEUE_RELEASE, id);
	bed_command(b, &cmd, &a);
	assert_true(no_job(b, 200));
	judge(b, b->tag, V_TEMP, SCOPE_RCPT, 450, "later", "\0", 1, true);
	expect_job(b);
	assert_int_equal(b->m.u.job.attempt, 3);
	cmd = one(QUEUE_REMOVE, id);
	bed_command(b, &cmd, &a);
	assert_int_equal(a.done.count, 1);
	assert_int_equal(bed_status(b, "messages"), 0);
	assert_int_equal(bed_status(b, "recipients_waiting"), 0);
	judge(b, b->tag, V_PERM, SCOPE_RCPT, 550, "no", "\0", 1, true);
	assert_true(no_job(b, 1500)); /* no retry, no notice */
	assert_int_equal(bed_status(b, "recipients_waiting"), 0);
	cmd = one(QUEUE_SHOW, id);
	bed_command(b, &cmd, &a);
	assert_int_equal(a.done.exit_code, 0);
	assert_non_null(strstr(a.story, "removed"));
	bed_stop(b);
}

static void
removed_by_domain(void **state)
{
	struct bed *b = *state;
	struct msg_queue_cmd cmd = { .verb = QUEUE_REMOVE };
	struct answer a;

	bed_start(b, PLAIN_CONF, NULL);
	assert_true(submit(b, "a@example.net b@example.com"));
	assert_true(submit(b, "c@example.net"));
	for (int i = 0; i < 3; i++) {
		expect_job(b);
		judge_all(b, V_TEMP, SCOPE_RCPT);
	}
	bed_wait_log(b, "to=\"c@example.net\"");
	strcpy(cmd.domain, "example.net");
	cmd.count_only = 1;
	bed_command(b, &cmd, &a);
	assert_int_equal(a.done.count, 2);
	cmd.count_only = 0;
	bed_command(b, &cmd, &a);
	assert_int_equal(a.done.count, 2);
	assert_int_equal(bed_status(b, "messages"), 1);
	assert_int_equal(bed_status(b, "recipients_waiting"), 1);
	cmd = all(QUEUE_RETRY);
	bed_command(b, &cmd, &a);
	expect_job(b);
	assert_string_equal(b->m.u.job.domain, "example.com");
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "outcome=delivered:1,bounced:0,dropped:1");
	assert_int_equal(bed_status(b, "messages"), 0);
	bed_stop(b);
}

static void
lists_in_pages(void **state)
{
	struct bed *b = *state;
	struct msg_queue_cmd cmd = { .verb = QUEUE_LIST, .limit = 100 };
	struct answer a;
	unsigned seen = 0, pages = 0;

	bed_start(b, PLAIN_CONF, NULL);
	for (int i = 0; i < 250; i++)
		assert_true(submit_as(
		    b, i % 5 == 0 ? BOB : ALICE, ALICE, "a@example.net"));
	do {
		bed_command(b, &cmd, &a);
		assert_int_equal(a.done.exit_code, 0);
		seen += a.rows;
		cmd.after = a.done.next;
		pages++;
	} while (a.done.more);
	assert_int_equal(seen, 250);
	assert_int_equal(pages, 3);
	cmd = (struct msg_queue_cmd){ .verb = QUEUE_LIST };
	strcpy(cmd.account, BOB);
	bed_command(b, &cmd, &a);
	assert_int_equal(a.rows, 50);
	assert_int_equal(a.done.more, 0);
	bed_stop(b);
}

static int
borrow(struct bed *b, uint64_t tag, uint64_t size)
{
	struct msg m = { .type = MSG_TX_FILE, .tag = tag };
	int fd;

	m.u.tx_file.size = size;
	bed_say(b->smtpd, &m, -1);
	bed_expect(b, b->smtpd, P_SMTPD, MSG_TX_FILE_LENT);
	fd = b->fd;
	b->fd = -1;
	return fd;
}

static void
fill_body(char *body, size_t size)
{
	memset(body, 'a', size);
	memcpy(body, BODY, strlen(BODY));
	for (size_t i = 100; i + 2 < size; i += 77)
		memcpy(body + i, "\r\n", 2);
	memcpy(body + size - 2, "\r\n", 2);
}

static unsigned
count_files(const struct bed *b)
{
	char cmd[160];
	unsigned n = 0;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "ls %s/bodies | wc -l", b->dir);
	f = popen(cmd, "r");
	assert_int_equal(fscanf(f, "%u", &n), 1);
	pclose(f);
	return n;
}

static void
commit_file(struct bed *b, uint64_t tag, size_t size)
{
	static uint8_t list[400];
	struct msg m;

	fill_commit(&m, tag, ALICE, ALICE);
	m.u.tx_commit.flags = TX_IN_FILE;
	m.u.tx_commit.size = size;
	m.u.tx_commit.rcpts.data = list;
	m.u.tx_commit.rcpts.len = pack(list, sizeof(list), "a@example.net");
	bed_say(b->smtpd, &m, -1);
}

/* The job heard last carries this body in a file that cannot be written. */
static void
expect_body(struct bed *b, const char *body, size_t size)
{
	char *copy = malloc(size + 1);

	assert_true(b->m.u.job.flags & TX_IN_FILE);
	assert_int_equal(b->m.u.job.size, size);
	assert_true(b->fd != -1);
	assert_int_equal(pread(b->fd, copy, size + 1, 0), size);
	assert_memory_equal(copy, body, size);
	assert_int_equal(pwrite(b->fd, "x", 1, 0), -1);
	free(copy);
}

static void
one_size(struct bed *b, size_t size, bool writer_stays)
{
	char *body = malloc(size);
	uint64_t id;
	int fd;

	fill_body(body, size);
	bed_start(b, PLAIN_CONF, NULL);
	fd = borrow(b, 7, 0);
	assert_true(fd != -1);
	assert_int_equal(write(fd, body, size), size);
	if (!writer_stays)
		close(fd);
	commit_file(b, 7, size);
	bed_expect(b, b->smtpd, P_SMTPD, MSG_TX_RESULT);
	assert_int_equal(b->m.u.tx_result.verdict, V_OK);
	id = b->m.u.tx_result.id;
	if (writer_stays) {
		/* Too late to change anything. */
		assert_int_equal(pwrite(fd, "XXXX", 4, 0), 4);
		close(fd);
	}
	expect_job(b);
	expect_body(b, body, size);
	bed_kill(b);
	bed_start(b, PLAIN_CONF, NULL);
	expect_job(b);
	assert_int_equal(b->m.u.job.id, id);
	expect_body(b, body, size);
	assert_int_equal(count_files(b), size > 262144);
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "msg.done");
	bed_stop(b);
	assert_int_equal(count_files(b), 0);
	free(body);
}

static void
middling_body(void **state)
{
	one_size(*state, 100000, false);
}

static void
large_body(void **state)
{
	one_size(*state, 3000000, false);
}

static void
large_body_with_a_writer(void **state)
{
	one_size(*state, 3000000, true);
}

/* The other end has read all there was. */
static void
await_reader(int sock)
{
	int64_t end = now_ms() + PATIENCE_MS;
	int unread = 1;

	while (unread > 0) {
		assert_true(now_ms() < end);
		usleep(10000);
		assert_int_equal(ioctl(sock, SIOCOUTQ, &unread), 0);
	}
}

/* A busy smtpd asks for more files than it has read answers of: some are not
 * lent, and the queue goes on. */
static void
files_wait_to_be_read(void **state)
{
	struct bed *b = *state;
	struct msg file = { .type = MSG_TX_FILE };
	struct msg forget = { .type = MSG_TX_ABORT };
	struct msg line = { .type = MSG_PEER, .u.peer.process = P_SMTPD };
	unsigned lent = 0, not = 0;
	int fds[2], few = 4096;

	bed_start(b, PLAIN_CONF, NULL);
	/* A line that takes little, so that much waits. */
	close(b->smtpd);
	bed_wait_log(b, "smtpd.gone");
	assert_int_equal(message_pair(fds), 0);
	assert_int_equal(
	    setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &few, sizeof(few)), 0);
	bed_say(b->parent, &line, fds[1]);
	close(fds[1]);
	b->smtpd = fds[0];
	for (unsigned i = 1; i <= 3500; i++) {
		file.tag = forget.tag = i;
		bed_say(b->smtpd, &file, -1);
		bed_say(b->smtpd, &forget, -1);
	}
	await_reader(b->smtpd);
	bed_expect(b, b->smtpd, P_SMTPD, MSG_QUEUE_STATE);
	while (lent + not < 3500) {
		bed_expect(b, b->smtpd, P_SMTPD, MSG_TX_FILE_LENT);
		lent += b->fd != -1;
		not += b->m.u.tx_file_lent.code == 451;
	}
	assert_true(lent >= 2000);
	assert_true(not > 0);
	assert_int_equal(count_files(b), 0);
	close(borrow(b, 5000, 0));
	bed_stop(b);
}

static void
aborted_file_is_removed(void **state)
{
	struct bed *b = *state;
	struct msg m = { .type = MSG_TX_ABORT, .tag = 3 };
	int fd;

	bed_start(b, PLAIN_CONF, NULL);
	fd = borrow(b, 3, 500000);
	assert_int_equal(count_files(b), 1);
	bed_say(b->smtpd, &m, -1);
	close(fd);
	assert_true(submit(b, "a@example.net"));
	assert_int_equal(count_files(b), 0);
	/* A dying smtpd. */
	close(borrow(b, 4, 500000));
	assert_int_equal(count_files(b), 1);
	close(b->smtpd);
	bed_wait_log(b, "smtpd.gone");
	assert_int_equal(count_files(b), 0);
	/* A dying queue. */
	b->smtpd = bed_line(b, P_SMTPD);
	bed_expect(b, b->smtpd, P_SMTPD, MSG_QUEUE_STATE);
	close(borrow(b, 4, 500000));
	bed_kill(b);
	assert_int_equal(count_files(b), 1);
	bed_start(b, PLAIN_CONF, NULL);
	assert_int_equal(count_files(b), 0);
	bed_stop(b);
}

static void
no_header_no_mixing(void **state)
{
	struct bed *b = *state;
	struct bytes added;

	bed_start(b, PLAIN_CONF, NULL);
	commit_as(b, 1, ALICE, ALICE, "a@example.net", "Just words\r\n");
	bed_expect(b, b->smtpd, P_SMTPD, MSG_TX_RESULT);
	expect_job(b);
	added = b->m.u.job.added;
	assert_memory_equal(added.data + added.len - 4, "\r\n\r\n", 4);
	judge_all(b, V_OK, SCOPE_RCPT);
	commit_as(b, 2, ALICE, ALICE, "a@example.net", BODY);
	bed_expect(b, b->smtpd, P_SMTPD, MSG_TX_RESULT);
	expect_job(b);
	added = b->m.u.job.added;
	assert_memory_not_equal(added.data + added.len - 4, "\r\n\r\n", 4);
	bed_stop(b);
}

static void
expect_refusal(struct bed *b, unsigned code)
{
	bed_expect(b, b->smtpd, P_SMTPD, MSG_TX_RESULT);
	assert_int_not_equal(b->m.u.tx_result.verdict, V_OK);
	assert_int_equal(b->m.u.tx_result.code, code);
}

static void
nonsense_is_refused(void **state)
{
	static const char *const bad[] = { "nobody", "a@", "@b.net", "a@B.NET",
		"a@b@c", "\"a\"@b.net", "a@b.net.", "a@b_c.net" };
	struct bed *b = *state;
	static uint8_t list[RCPTS_MAX];
	struct msg m;

	bed_start(b, PLAIN_CONF, NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		commit_as(b, i, ALICE, ALICE, bad[i], BODY);
		expect_refusal(b, 550);
		commit_as(b, i, ALICE, bad[i], "a@example.net", BODY);
		expect_refusal(b, 550);
	}
	commit_as(b, 1, ALICE, ALICE, "", BODY);
	expect_refusal(b, 554);
	commit_as(b, 1, "", ALICE, "a@example.net", BODY);
	expect_refusal(b, 451);
	/* A file that was never lent; a size that is not so. */
	commit_file(b, 1, 100);
	expect_refusal(b, 451);
	fill_commit(&m, 1, ALICE, ALICE);
	m.u.tx_commit.rcpts.data = list;
	m.u.tx_commit.rcpts.len = pack(list, sizeof(list), "a@example.net");
	m.u.tx_commit.size = 5;
	bed_say(b->smtpd, &m, -1);
	expect_refusal(b, 451);
	m.u.tx_commit.size = 1 << 30;
	bed_say(b->smtpd, &m, -1);
	expect_refusal(b, 552);
	/* A shorter file than said. */
	close(borrow(b, 8, 0));
	commit_file(b, 8, 300000);
	expect_refusal(b, 451);
	close(borrow(b, 8, 0));
	commit_file(b, 8, 1000);
	expect_refusal(b, 451);
	assert_int_equal(count_files(b), 0);
	assert_int_equal(bed_status(b, "messages"), 0);
	assert_true(submit(b, "a@example.net"));
	bed_stop(b);
}

static void
many_recipients(void **state)
{
	struct bed *b = *state;
	static uint8_t list[RCPTS_MAX];
	struct msg m = { .type = MSG_TX_RCPTS, .tag = 9 };
	char address[64];
	unsigned seen = 0;
	size_t n;

	bed_start(b, PLAIN_CONF, NULL);
	for (int part = 0; part < 5; part++) {
		size_t len = 0;

		for (int i = 0; i < 1000; i++) {
			snprintf(address, sizeof(address), "u%d-%d@example.net",
			    part, i);
			len = list_add(
			    list, sizeof(list), len, address, strlen(address));
			assert_true(len > 0);
		}
		m.u.tx_rcpts.rcpts = (struct bytes){ list, len };
		bed_say(b->smtpd, &m, -1);
	}
	commit_as(b, 9, ALICE, ALICE, "", BODY);
	bed_expect(b, b->smtpd, P_SMTPD, MSG_TX_RESULT);
	assert_int_equal(b->m.u.tx_result.verdict, V_OK);
	while (seen < 5000) {
		expect_job(b);
		assert_true(list_valid(b->m.u.job.rcpts, ADDR_SIZE, &n));
		assert_true(n <= JOB_RCPTS);
		seen += n;
		judge_all(b, V_OK, SCOPE_RCPT);
	}
	assert_int_equal(seen, 5000);
	/* One more than is allowed. */
	bed_say(b->smtpd, &m, -1);
	for (int i = 0; i < 4; i++)
		bed_say(b->smtpd, &m, -1);
	commit_as(b, 9, ALICE, ALICE, "one.more@example.net", BODY);
	expect_refusal(b, 452);
	bed_wait_log(b, "outcome=delivered:5000");
	bed_stop(b);
}

/* An smtpd that only ever begins gets no more memory at some point. */
static void
recipients_without_end(void **state)
{
	struct bed *b = *state;
	static uint8_t list[RCPTS_MAX];
	struct msg m = { .type = MSG_TX_RCPTS };
	size_t len = 0, n;

	bed_start(b, PLAIN_CONF, NULL);
	while ((n = list_add(list, sizeof(list), len, "u@example.net", 13)))
		len = n;
	m.u.tx_rcpts.rcpts = (struct bytes){ list, len };
	for (m.tag = 1; m.tag <= 1000; m.tag++)
		bed_say(b->smtpd, &m, -1);
	commit_as(b, 1000, ALICE, ALICE, "a@example.net", BODY);
	expect_refusal(b, 452);
	commit_as(b, 1, ALICE, ALICE, "a@example.net", BODY);
	bed_expect(b, b->smtpd, P_SMTPD, MSG_TX_RESULT);
	assert_int_equal(b->m.u.tx_result.verdict, V_OK);
	/* What is given up makes room. */
	m.type = MSG_TX_ABORT;
	for (m.tag = 2; m.tag <= 1000; m.tag++)
		bed_say(b->smtpd, &m, -1);
	m.type = MSG_TX_RCPTS;
	m.u.tx_rcpts.rcpts = (struct bytes){ list, len };
	bed_say(b->smtpd, &m, -1);
	commit_as(b, m.tag, ALICE, ALICE, "a@example.net", BODY);
	bed_expect(b, b->smtpd, P_SMTPD, MSG_TX_RESULT);
	assert_int_equal(b->m.u.tx_result.verdict, V_OK);
	bed_kill(b);
}

static void
silent_destination_waits(void **state)
{
	struct bed *b = *state;
	unsigned jobs = 0;

	bed_start(b, conf_text("5d", "4h", "3s"), NULL);
	for (int i = 0; i < 20; i++)
		assert_true(submit(b, "a@silent.example"));
	/* A few go at once, and none more after they found nobody. */
	while (bed_hear(b, b->deliver, P_DELIVER, 500)) {
		jobs++;
		judge_all(b, V_TEMP, SCOPE_DEST);
	}
	assert_in_range(jobs, 1, 5);
	bed_wait_log(b, "dest.waiting dest=\"silent.example\"");
	/* Others are not concerned. */
	assert_true(submit(b, "a@example.net"));
	expect_job(b);
	assert_string_equal(b->m.u.job.domain, "example.net");
	judge_all(b, V_OK, SCOPE_RCPT);
	/* Then one is the probe. */
	expect_job(b);
	assert_string_equal(b->m.u.job.domain, "silent.example");
	assert_true(no_job(b, 300));
	judge(b, b->tag, V_OK, SCOPE_RCPT, 250, "ok", "\0", 1, true);
	for (unsigned i = 1; i < 20; i++) {
		expect_job(b);
		judge_all(b, V_OK, SCOPE_RCPT);
	}
	bed_stop(b);
}

/* A list does not delay another's letter. */
static void
turns_go_round_accounts(void **state)
{
	struct bed *b = *state;
	unsigned waited = 0;

	bed_start(b, PLAIN_CONF, NULL);
	for (int i = 0; i < 100; i++)
		assert_true(submit(b, "a@example.net"));
	assert_true(submit_as(b, BOB, BOB, "b@example.net"));
	for (;;) {
		expect_job(b);
		if (strcmp(b->m.u.job.account, BOB) == 0)
			break;
		judge_all(b, V_OK, SCOPE_RCPT);
		waited++;
	}
	assert_in_range(waited, 0, 20);
	bed_stop(b);
}

/* A verdict on a job that an earlier queue handed out. */
static void
stale_verdicts_are_nothing(void **state)
{
	struct bed *b = *state;

	bed_start(b, PLAIN_CONF, NULL);
	assert_true(submit(b, "a@example.net"));
	expect_job(b);
	judge(b, 1, V_OK, SCOPE_RCPT, 250, "ok", "\0", 1, true);
	judge(b, b->tag + 1, V_PERM, SCOPE_RCPT, 550, "no", "\0", 1, true);
	assert_int_equal(bed_status(b, "active"), 1);
	judge(b, b->tag, V_OK, SCOPE_RCPT, 250, "ok", "\0", 1, true);
	bed_wait_log(b, "outcome=delivered:1,bounced:0");
	bed_stop(b);
}

static void
stops_cleanly(void **state)
{
	struct bed *b = *state;
	struct msg m = { .type = MSG_STOP };
	uint64_t id;

	bed_start(b, PLAIN_CONF, NULL);
	id = submit(b, "a@example.net");
	expect_job(b);
	bed_say(b->parent, &m, -1);
	bed_expect(b, b->smtpd, P_SMTPD, MSG_QUEUE_STATE);
	assert_int_equal(b->m.u.queue_state.accepting, 0);
	assert_int_equal(submit(b, "b@example.net"), 0);
	assert_int_equal(b->m.u.tx_result.code, 451);
	judge(b, b->tag, V_OK, SCOPE_RCPT, 250, "ok", "\0", 1, true);
	assert_int_equal(bed_wait(b), 0);
	assert_true(bed_logged(b, "msg.done id="));
	bed_start(b, PLAIN_CONF, NULL);
	assert_int_equal(bed_status(b, "messages"), 0);
	assert_true(id != 0);
	bed_stop(b);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(delivered),
		CASE(groups_by_destination),
		CASE(deferred_and_retried),
		CASE(greylisted),
		CASE(verdicts_are_words),
		CASE(a_check_ends_with_the_process),
		CASE(survives_kill),
		CASE(deliver_dies),
		CASE(bounces_once),
		CASE(bounces_at_length),
		CASE(null_sender_never_bounces),
		CASE(gives_up),
		CASE(tells_of_a_delay_once),
		CASE(tells_of_few_delays),
		CASE(suspended_waits),
		CASE(held_by_hand),
		CASE(by_hand_in_flight),
		CASE(removed_by_domain),
		CASE(lists_in_pages),
		CASE(middling_body),
		CASE(large_body),
		CASE(large_body_with_a_writer),
		CASE(files_wait_to_be_read),
		CASE(aborted_file_is_removed),
		CASE(no_header_no_mixing),
		CASE(nonsense_is_refused),
		CASE(many_recipients),
		CASE(recipients_without_end),
		CASE(silent_destination_waits),
		CASE(turns_go_round_accounts),
		CASE(stale_verdicts_are_nothing),
		CASE(stops_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
