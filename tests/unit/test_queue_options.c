/*
 * What a client said of a message and of its recipients: kept, passed on, and
 * obeyed where it is the queue's to obey.
 */
#include "test_queue.h"

#include "ipc/rcpt.h"

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

#define TEST(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_of_it_is_kept),
		TEST(impossible_wishes_are_refused),
		TEST(held_until_its_time),
		TEST(released_by_name_only),
		TEST(removed_before_its_time),
		TEST(time_counts_from_the_release),
		TEST(sender_is_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
