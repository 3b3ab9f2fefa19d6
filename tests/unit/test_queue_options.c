/*
 * What a client said of a message and of its recipients: kept, passed on, and
 * obeyed where it is the queue's to obey.
 */
#include "test_queue.h"

#include "ipc/rcpt.h"
#include "lib/conf.h"

struct wish {
	uint32_t flags;
	struct tx_options options;
	unsigned n;
	struct rcpt_item rcpts[4];
};

static void
say_wish(struct bed *b, const struct wish *w)
{
	static uint8_t list[RCPTS_MAX];
	uint8_t item[RCPT_ITEM_MAX];
	size_t len = 0;
	struct msg m;

	fill_commit(&m, 77, ALICE, ALICE);
	m.u.tx_commit.flags = w->flags;
	m.u.tx_commit.options = w->options;
	for (unsigned i = 0; i < w->n; i++)
		len = list_add(list, sizeof(list), len, item,
		    rcpt_pack(&w->rcpts[i], item));
	m.u.tx_commit.rcpts = (struct bytes){ list, len };
	m.u.tx_commit.body =
	    (struct bytes){ (const uint8_t *)BODY, strlen(BODY) };
	m.u.tx_commit.size = strlen(BODY);
	bed_say(b->smtpd, &m, -1);
	bed_expect(b, b->smtpd, P_SMTPD, MSG_TX_RESULT);
}

static uint64_t
submit_wish(struct bed *b, const struct wish *w)
{
	say_wish(b, w);
	assert_int_equal(b->m.u.tx_result.verdict, V_OK);
	return b->m.u.tx_result.id;
}

static uint64_t
wall_s(void)
{
	return (uint64_t)time(NULL);
}

static const struct wish full = {
	.flags = TX_SMTPUTF8 | TX_REQUIRETLS | TX_RET_HDRS | TX_BY_NOTIFY,
	.options = { .envid = "a+b c", .priority = 12 },
	.n = 2,
	.rcpts = { { "a@example.net", NOTIFY_SUCCESS | NOTIFY_DELAY,
		       "rfc822;a@example.com" },
	    { "b@example.net", 0, "" } },
};

static void
expect_full(struct bed *b, uint64_t by)
{
	const struct msg_job *j = &b->m.u.job;
	struct bytes rest = j->rcpts, item;
	struct rcpt_item r;

	assert_int_equal(j->flags & full.flags, full.flags);
	assert_string_equal(j->options.envid, full.options.envid);
	assert_int_equal(j->options.priority, 12);
	assert_int_equal(j->options.by, by);
	for (unsigned i = 0; i < full.n; i++) {
		assert_true(list_next(&rest, &item));
		assert_true(rcpt_unpack(&r, item));
		assert_string_equal(r.address, full.rcpts[i].address);
		assert_string_equal(r.orcpt, full.rcpts[i].orcpt);
		assert_int_equal(r.notify, full.rcpts[i].notify);
	}
	assert_false(list_next(&rest, &item));
}

/* Also after an attempt and a crash, which read them back from their rows. */
static void
all_of_it_is_kept(void **state)
{
	struct bed *b = *state;
	struct wish w = full;

	w.options.by = (wall_s() + 3600) * 1000;
	bed_start(b, HASTY_CONF, NULL);
	submit_wish(b, &w);
	expect_job(b);
	expect_full(b, w.options.by);
	judge_all(b, V_TEMP, SCOPE_RCPT);
	bed_wait_log(b, "msg.deferred");
	bed_kill(b);
	bed_start(b, HASTY_CONF, NULL);
	expect_job(b);
	expect_full(b, w.options.by);
	bed_stop(b);
}

static void
impossible_wishes_are_refused(void **state)
{
	struct bed *b = *state;
	struct wish bad[8];

	bed_start(b, PLAIN_CONF, NULL);
	for (size_t i = 0; i < 8; i++)
		bad[i] = (struct wish){ .n = 1,
			.rcpts = { { "a@example.net", 0, "" } } };
	strcpy(bad[0].options.envid, "a\r\nX: y");
	bad[1].options.priority = 20;
	bad[2].flags = TX_RET_FULL | TX_RET_HDRS;
	bad[3].flags = TX_BY_RETURN;
	bad[4].options.by = 1;
	bad[5].flags = TX_BY_RETURN | TX_BY_NOTIFY;
	bad[5].options.by = 1;
	bad[6].flags = TX_BY_TRACE;
	bad[7].options.hold_until = wall_s() * 2;
	for (size_t i = 0; i < 8; i++) {
		say_wish(b, &bad[i]);
		assert_int_equal(b->m.u.tx_result.code, 451);
	}
	bed_stop(b);
}

static const struct wish plain = { .n = 1,
	.rcpts = { { "a@example.net", 0, "" } } };

static void
held_until_its_time(void **state)
{
	struct bed *b = *state;
	struct msg_queue_cmd show = { .verb = QUEUE_SHOW };
	struct wish w = plain;
	struct answer a;

	w.options.hold_until = wall_s() + 3;
	bed_start(b, PLAIN_CONF, NULL);
	show.id = submit_wish(b, &w);
	bed_command(b, &show, &a);
	assert_int_equal(a.row.release, w.options.hold_until * 1000);
	assert_int_equal(a.row.next, w.options.hold_until * 1000);
	assert_true(no_job(b, 200));
	bed_kill(b);
	bed_start(b, PLAIN_CONF, NULL);
	expect_job(b);
	assert_true(wall_s() >= w.options.hold_until);
	bed_command(b, &show, &a);
	assert_int_equal(a.row.release, 0);
	judge(b, b->tag, V_OK, SCOPE_RCPT, 250, "fine", "", 1, true);
	bed_wait_log(b, "msg.done");
	bed_stop(b);
}

/* [limits] hold may be ten years, and what smtpd let through is kept. */
static void
held_for_years(void **state)
{
	struct bed *b = *state;
	struct wish w = plain;

	w.options.hold_until = wall_s() + CONF_TIME_MOST;
	bed_start(b, PLAIN_CONF, NULL);
	submit_wish(b, &w);
	bed_stop(b);
}

static void
released_by_name_only(void **state)
{
	struct bed *b = *state;
	struct msg_queue_cmd all = { .verb = QUEUE_RETRY, .all = 1 };
	struct msg_queue_cmd one = { .verb = QUEUE_RELEASE };
	struct wish w = plain;
	struct answer a;

	w.options.hold_until = wall_s() + 864000; /* beyond give-up */
	bed_start(b, PLAIN_CONF, NULL);
	one.id = submit_wish(b, &w);
	bed_command(b, &all, &a);
	assert_int_equal(a.done.count, 0);
	all.verb = QUEUE_RELEASE;
	bed_command(b, &all, &a);
	assert_int_equal(a.done.count, 0);
	/* Held by an admin too, and let go, it waits for its time again. */
	all.verb = QUEUE_HOLD;
	bed_command(b, &all, &a);
	assert_int_equal(a.done.count, 1);
	all.verb = QUEUE_RELEASE;
	bed_command(b, &all, &a);
	assert_int_equal(a.done.count, 1);
	assert_true(no_job(b, 200));
	bed_command(b, &one, &a);
	assert_int_equal(a.done.count, 1);
	expect_job(b);
	judge_all(b, V_TEMP, SCOPE_RCPT);
	bed_wait_log(b, "msg.deferred");
	bed_stop(b);
}

static void
removed_before_its_time(void **state)
{
	struct bed *b = *state;
	struct msg_queue_cmd cmd = { .verb = QUEUE_REMOVE };
	struct wish w = plain;
	struct answer a;

	w.options.hold_until = wall_s() + 3600;
	bed_start(b, PLAIN_CONF, NULL);
	cmd.id = submit_wish(b, &w);
	bed_command(b, &cmd, &a);
	assert_int_equal(a.done.count, 1);
	assert_int_equal(bed_status(b, "messages"), 0);
	bed_stop(b);
}

/* Its life of 2 s begins with its release, not with its acceptance. */
static void
time_counts_from_the_release(void **state)
{
	struct bed *b = *state;
	struct wish w = plain;

	w.options.hold_until = wall_s() + 3;
	bed_start(b, conf_text("2s", "1h", "1s"), NULL);
	submit_wish(b, &w);
	expect_job(b);
	judge_all(b, V_TEMP, SCOPE_RCPT);
	expect_job(b);
	assert_false(bed_logged(b, "msg.bounced"));
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "msg.done");
	bed_stop(b);
}

static void
sender_is_added(void **state)
{
	struct bed *b = *state;
	struct wish w = plain;
	struct bytes added;

	w.flags = TX_ADD_SENDER;
	bed_start(b, PLAIN_CONF, NULL);
	submit_wish(b, &w);
	expect_job(b);
	added = b->m.u.job.added;
	assert_non_null(
	    memmem(added.data, added.len, "\r\nSender: " ALICE "\r\n", 29));
	bed_stop(b);
}

/* The next job is a notice to Alice; its text. */
static const char *
expect_notice(struct bed *b)
{
	static char text[65536];

	expect_job(b);
	assert_string_equal(b->m.u.job.sender, "");
	assert_true(b->m.u.job.flags & TX_BOUNCE);
	assert_string_equal(job_rcpt(b, 0), ALICE);
	memcpy(text, b->m.u.job.body.data, b->m.u.job.body.len);
	text[b->m.u.job.body.len] = '\0';
	return text;
}

static void
expect_no_notice(struct bed *b)
{
	bed_wait_log(b, "msg.done");
	assert_true(no_job(b, 200));
	assert_false(bed_logged(b, "msg.notice"));
}

static void
send_wish(struct bed *b, uint8_t notify, uint32_t flags)
{
	struct wish w = { .flags = flags,
		.options = { .envid = "QQ314" },
		.n = 1,
		.rcpts = {
		    { "a@example.net", notify, "rfc822;o@example.com" },
		} };

	submit_wish(b, &w);
	expect_job(b);
}

static void
answer(struct bed *b, enum verdict v, uint32_t relayed)
{
	struct msg m = { .type = MSG_JOB_VERDICT, .tag = b->tag };
	struct msg_job_verdict *j = &m.u.job_verdict;

	j->verdict = v;
	j->code = v == V_OK ? 250 : v == V_TEMP ? 450 : 550;
	strcpy(j->status,
	    v == V_OK         ? "2.0.0"
		: v == V_TEMP ? "4.2.0"
			      : "5.1.1");
	strcpy(j->mx, "mx.test[192.0.2.25]:25");
	strcpy(j->text, "said the other side");
	j->rcpts = (struct bytes){ (const uint8_t *)"", 1 };
	j->relayed = relayed;
	j->last = 1;
	bed_say(b->deliver, &m, -1);
}

static void
never_means_never(void **state)
{
	struct bed *b = *state;

	bed_start(b, PLAIN_CONF, NULL);
	send_wish(b, NOTIFY_NEVER, 0);
	answer(b, V_PERM, 0);
	expect_no_notice(b);
	assert_true(bed_logged(b, "dropped:1"));
	bed_stop(b);
}

static void
success_alone_hides_failure(void **state)
{
	struct bed *b = *state;

	bed_start(b, PLAIN_CONF, NULL);
	send_wish(b, NOTIFY_SUCCESS, 0);
	answer(b, V_PERM, 0);
	expect_no_notice(b);
	bed_stop(b);
}

static void
success_is_told_where_the_way_ends(void **state)
{
	struct bed *b = *state;
	const char *text;

	bed_start(b, PLAIN_CONF, NULL);
	send_wish(b, NOTIFY_SUCCESS | NOTIFY_FAILURE, 0);
	answer(b, V_OK, RELAYED_NO_DSN);
	text = expect_notice(b);
	assert_non_null(strstr(text,
	    "Original-Recipient: rfc822; o@example.com\r\n"
	    "Final-Recipient: rfc822; a@example.net\r\n"
	    "Action: relayed\r\nStatus: 2.0.0\r\n"));
	assert_non_null(strstr(text, "Original-Envelope-Id: QQ314\r\n"));
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_stop(b);
}

static void
success_is_the_next_servers_to_tell(void **state)
{
	struct bed *b = *state;

	bed_start(b, PLAIN_CONF, NULL);
	send_wish(b, NOTIFY_SUCCESS, 0);
	answer(b, V_OK, 0);
	expect_no_notice(b);
	bed_stop(b);
}

static void
nobody_asked_for_success(void **state)
{
	struct bed *b = *state;

	bed_start(b, PLAIN_CONF, NULL);
	send_wish(b, 0, 0);
	answer(b, V_OK, RELAYED_NO_DSN);
	expect_no_notice(b);
	bed_stop(b);
}

static void
delay_is_told_to_who_asks(void **state)
{
	struct bed *b = *state;

	bed_start(b, conf_text("1h", "1s", "1s"), NULL);
	send_wish(b, NOTIFY_FAILURE, 0);
	for (int i = 0; i < 3; i++) {
		answer(b, V_TEMP, 0);
		expect_job(b);
		assert_string_equal(b->m.u.job.sender, ALICE);
	}
	answer(b, V_PERM, 0);
	assert_non_null(strstr(expect_notice(b), "Action: failed"));
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_stop(b);
}

static void
the_whole_message_comes_back(void **state)
{
	struct bed *b = *state;
	const char *text;

	bed_start(b, PLAIN_CONF, NULL);
	send_wish(b, 0, TX_RET_FULL);
	answer(b, V_PERM, 0);
	text = expect_notice(b);
	assert_non_null(
	    strstr(text, "Content-Type: message/rfc822\r\n\r\nReceived:"));
	assert_non_null(strstr(text, "\r\n" BODY "\r\n--"));
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_stop(b);
}

/* RFC 8689 5. */
static void
notices_of_secret_mail_tell_little(void **state)
{
	struct bed *b = *state;
	const char *text;

	bed_start(b, PLAIN_CONF, NULL);
	send_wish(b, 0, TX_RET_FULL | TX_REQUIRETLS);
	answer(b, V_PERM, 0);
	text = expect_notice(b);
	assert_true(b->m.u.job.flags & TX_REQUIRETLS);
	assert_non_null(strstr(text, "rfc822-headers\r\n\r\nFrom: " ALICE));
	assert_null(strstr(text, "Subject: x"));
	assert_null(strstr(text, "hello"));
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_stop(b);
}

/* RFC 6533: the notice's own way needs SMTPUTF8 only for who it goes to. */
static void
notices_beyond_ascii(void **state)
{
	static const char uli[] = "\xc3\xbc@example.org";
	struct bed *b = *state;
	struct msg m;
	uint8_t list[64];

	bed_start(b, PLAIN_CONF, NULL);
	fill_commit(&m, 1, ALICE, ALICE);
	m.u.tx_commit.rcpts = (struct bytes){ list,
		list_add(list, sizeof(list), 0, "\xc3\xbc@example.net", 14) };
	m.u.tx_commit.flags = TX_SMTPUTF8;
	for (int i = 0; i < 2; i++) {
		bed_say(b->smtpd, &m, -1);
		bed_expect(b, b->smtpd, P_SMTPD, MSG_TX_RESULT);
		assert_int_equal(b->m.u.tx_result.verdict, V_OK);
		expect_job(b);
		answer(b, V_PERM, 0);
		expect_job(b);
		assert_true(b->m.u.job.flags & TX_8BIT);
		assert_int_equal(
		    b->m.u.job.flags & TX_SMTPUTF8, i == 0 ? 0 : TX_SMTPUTF8);
		assert_string_equal(job_rcpt(b, 0), i == 0 ? ALICE : uli);
		assert_non_null(memmem(b->m.u.job.body.data,
		    b->m.u.job.body.len,
		    "Final-Recipient: utf-8; \xc3\xbc@example.net\r\n", 40));
		judge_all(b, V_OK, SCOPE_RCPT);
		strcpy(m.u.tx_commit.sender, uli);
	}
	bed_stop(b);
}

/* RFC 2852, mode R. */
static void
too_late_comes_back(void **state)
{
	struct bed *b = *state;
	struct wish w = plain;
	const char *text;

	w.flags = TX_BY_RETURN;
	w.options.by = (wall_s() + 3) * 1000;
	bed_start(b, PLAIN_CONF, NULL); /* retries after a minute */
	submit_wish(b, &w);
	expect_job(b);
	answer(b, V_TEMP, 0);
	expect_job(b);
	assert_true(wall_s() * 1000 >= w.options.by);
	answer(b, V_TEMP, 0);
	text = expect_notice(b);
	assert_non_null(strstr(text, "Action: failed\r\nStatus: 5.4.7\r\n"));
	assert_non_null(strstr(text, "(DELIVERBY)"));
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_stop(b);
}

/* The same behind a destination that does not answer at all. */
static void
too_late_behind_silence(void **state)
{
	struct bed *b = *state;
	struct wish w = plain;

	w.flags = TX_BY_RETURN;
	w.options.by = (wall_s() + 2) * 1000;
	bed_start(b, conf_text("5d", "4h", "1s"), NULL);
	submit_wish(b, &w);
	expect_job(b);
	for (int i = 0; i < 10 && b->m.u.job.sender[0] != '\0'; i++) {
		judge_all(b, V_TEMP, SCOPE_DEST);
		expect_job(b);
	}
	assert_string_equal(b->m.u.job.sender, "");
	assert_true(wall_s() * 1000 >= w.options.by);
	bed_stop(b);
}

/* RFC 2852, mode N. */
static void
lateness_is_told_in_time(void **state)
{
	struct bed *b = *state;
	struct wish w = plain;

	w.flags = TX_BY_NOTIFY;
	w.options.by = (wall_s() + 2) * 1000;
	bed_start(b, PLAIN_CONF, NULL);
	submit_wish(b, &w);
	expect_job(b);
	answer(b, V_TEMP, 0);
	expect_job(b);
	answer(b, V_TEMP, 0);
	assert_non_null(strstr(expect_notice(b), "Action: delayed\r\n"));
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_stop(b);
}

static void
each_hop_is_traced(void **state)
{
	struct bed *b = *state;
	struct wish w = plain;

	w.flags = TX_BY_NOTIFY | TX_BY_TRACE;
	w.options.by = (wall_s() + 3600) * 1000;
	bed_start(b, PLAIN_CONF, NULL);
	submit_wish(b, &w);
	expect_job(b);
	answer(b, V_OK, 0);
	assert_non_null(strstr(expect_notice(b), "Action: relayed\r\n"));
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_stop(b);
}

static void
removed_in_flight_is_not_deferred(void **state)
{
	struct bed *b = *state;
	struct msg_queue_cmd cmd = { .verb = QUEUE_REMOVE };
	struct wish w = plain;
	struct answer a;
	uint64_t tag;

	bed_start(b, PLAIN_CONF, NULL);
	cmd.id = submit_wish(b, &w);
	expect_job(b);
	tag = b->tag;
	bed_command(b, &cmd, &a);
	assert_int_equal(a.done.count, 1);
	b->tag = tag;
	answer(b, V_TEMP, 0);
	assert_true(submit(b, "b@example.org"));
	expect_job(b);
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "msg.done");
	assert_false(bed_logged(b, "msg.deferred"));
	bed_stop(b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_of_it_is_kept),
		TEST(impossible_wishes_are_refused),
		TEST(held_until_its_time),
		TEST(held_for_years),
		TEST(released_by_name_only),
		TEST(removed_before_its_time),
		TEST(time_counts_from_the_release),
		TEST(sender_is_added),
		TEST(never_means_never),
		TEST(success_alone_hides_failure),
		TEST(success_is_told_where_the_way_ends),
		TEST(success_is_the_next_servers_to_tell),
		TEST(nobody_asked_for_success),
		TEST(delay_is_told_to_who_asks),
		TEST(the_whole_message_comes_back),
		TEST(notices_of_secret_mail_tell_little),
		TEST(notices_beyond_ascii),
		TEST(too_late_comes_back),
		TEST(too_late_behind_silence),
		TEST(lateness_is_told_in_time),
		TEST(each_hop_is_traced),
		TEST(removed_in_flight_is_not_deferred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
