/*
 * An smtpd that somebody has taken over speaks to the queue: nothing is taken
 * but what auth allowed its session, as it was allowed, and once.
 */
#include "test_queue.h"

#define DAY_MS (24 * 3600 * 1000)

static struct msg commit;
static uint8_t list[64];
static uint64_t serial = 1000;

/* What a session of smtpd would say, with its permit. */
static void
make_commit(uint64_t session, const char *account)
{
	fill_commit(&commit, session, account, account);
	commit.u.tx_commit.rcpts =
	    (struct bytes){ list, pack(list, sizeof(list), "a@example.net") };
	commit.u.tx_commit.body =
	    (struct bytes){ (const uint8_t *)BODY, strlen(BODY) };
	commit.u.tx_commit.size = strlen(BODY);
	bed_prove(&commit);
	commit.u.tx_commit.permit.serial = ++serial;
}

/* The same, as another one or at another time. */
static void
make_permit(unsigned smtpd, uint64_t session, const char *account,
    const char *credential, const char *sender, int64_t when)
{
	struct permit_claim claim = { { smtpd, session, account, credential },
		sender };

	permit_seal(&commit.u.tx_commit.permit, &claim, when);
}

/* Its own, with what it says set before. */
static void
seal_own(void)
{
	make_permit(0, commit.tag, commit.u.tx_commit.account, "",
	    commit.u.tx_commit.sender, now_ms());
}

static unsigned
answer_code(struct bed *b)
{
	assert_true(message_send(b->smtpd, &commit, -1));
	bed_expect(b, b->smtpd, P_SMTPD, MSG_TX_RESULT);
	assert_int_equal(b->m.tag, commit.tag);
	return b->m.u.tx_result.code;
}

static void
expect_refused(struct bed *b, const char *reason)
{
	char text[ADDR_SIZE + 64];
	unsigned before = (unsigned)bed_status(b, "accepted_total");

	snprintf(text, sizeof(text),
	    "token.refused smtpd=0 reason=%s account=\"%s\"", reason,
	    commit.u.tx_commit.account);
	assert_int_equal(answer_code(b), 451);
	assert_int_equal(b->m.u.tx_result.verdict, V_TEMP);
	bed_wait_log(b, text);
	assert_int_equal(bed_status(b, "accepted_total"), before);
	assert_int_equal(truncate(b->log, 0), 0);
}

static void
only_with_proof(void **state)
{
	struct bed *b = *state;
	struct msg_tx_commit *c = &commit.u.tx_commit;

	bed_start(b, PLAIN_CONF, NULL);

	make_commit(5, ALICE);
	memset(&c->permit, 0, sizeof(c->permit));
	expect_refused(b, "absent");
	/* Of the same account, but another session, smtpd or credential. */
	make_commit(5, ALICE);
	make_permit(0, 6, ALICE, "", ALICE, now_ms());
	expect_refused(b, "false");
	make_permit(1, 5, ALICE, "", ALICE, now_ms());
	expect_refused(b, "false");
	make_permit(0, 5, ALICE, "phone", ALICE, now_ms());
	expect_refused(b, "false");
	/* Its own, shown for somebody else, or by another name. */
	make_commit(5, ALICE);
	seal_own();
	strcpy(c->account, BOB);
	expect_refused(b, "false");
	make_commit(5, ALICE);
	seal_own();
	strcpy(c->sender, BOB);
	expect_refused(b, "false");
	strcpy(c->sender, "");
	expect_refused(b, "false");
	/* Where one string ends and the next begins counts. */
	make_commit(5, ALICE);
	make_permit(0, 5, "alice@example.or", "g", ALICE, now_ms());
	expect_refused(b, "false");
	/* The proof of a login is no permit. */
	make_commit(5, ALICE);
	token_make((struct token *)&c->permit.when,
	    &(struct token_claim){ 0, 5, ALICE, "" }, now_ms());
	expect_refused(b, "false");
	/* Each bit of it. */
	for (int bit = 0; bit < 128; bit += 13) {
		make_commit(5, ALICE);
		seal_own();
		c->permit.mac[bit / 64] ^= UINT64_C(1) << bit % 64;
		expect_refused(b, "false");
	}
	for (int what = 0; what < 4; what++) {
		make_commit(5, ALICE);
		seal_own();
		c->permit.when += what == 0;
		c->permit.serial += what == 1;
		c->permit.rcpts -= what == 2;
		c->permit.size += what == 3;
		expect_refused(b, "false");
	}
	/* Of long ago, of before the queue was started, and of the future. */
	make_commit(5, ALICE);
	make_permit(0, 5, ALICE, "", ALICE, now_ms() - DAY_MS - 1000);
	expect_refused(b, "old");
	make_permit(0, 5, ALICE, "", ALICE, now_ms() - 3600 * 1000);
	expect_refused(b, "old");
	make_permit(0, 5, ALICE, "", ALICE, now_ms() + DAY_MS / 2);
	expect_refused(b, "old");

	make_commit(5, ALICE);
	seal_own();
	assert_int_equal(answer_code(b), 250);
	/* auth read its clock after the queue did. */
	make_commit(5, ALICE);
	make_permit(0, 5, ALICE, "", ALICE, now_ms() + 5000);
	assert_int_equal(answer_code(b), 250);
	assert_int_equal(bed_status(b, "accepted_total"), 2);
	bed_stop(b);
}

static void
only_once_and_no_more(void **state)
{
	struct bed *b = *state;
	struct msg_tx_commit *c = &commit.u.tx_commit;

	bed_start(b, PLAIN_CONF, NULL);
	make_commit(5, ALICE);
	seal_own();
	assert_int_equal(answer_code(b), 250);
	expect_refused(b, "spent");
	/* In any order, but each once. */
	make_commit(5, ALICE);
	c->permit.serial += 100;
	seal_own();
	assert_int_equal(answer_code(b), 250);
	c->permit.serial -= 99;
	seal_own();
	assert_int_equal(answer_code(b), 250);
	expect_refused(b, "spent");
	c->permit.serial += 99;
	seal_own();
	expect_refused(b, "spent");

	serial += 100;
	/* For fewer recipients, for less. */
	make_commit(5, ALICE);
	c->rcpts.len = pack(list, sizeof(list), "a@example.net b@example.net");
	c->permit.rcpts = 1;
	seal_own();
	expect_refused(b, "too-low");
	c->permit.rcpts = 2;
	c->permit.size = strlen(BODY) - 1;
	seal_own();
	expect_refused(b, "too-low");
	c->permit.size = strlen(BODY);
	seal_own();
	assert_int_equal(answer_code(b), 250);

	/* Far ahead, and what is far behind it then. */
	make_commit(5, ALICE);
	c->permit.serial = UINT64_C(1) << 40;
	seal_own();
	assert_int_equal(answer_code(b), 250);
	make_commit(5, ALICE);
	seal_own();
	expect_refused(b, "old");
	bed_stop(b);
}

/* Who gives one back is not charged, and cannot use it: nor the other way. */
static void
given_back(void **state)
{
	struct bed *b = *state;
	struct msg back = { .type = MSG_PERMIT_RETURN, .tag = 5 };
	struct msg_permit_return *r = &back.u.permit_return;

	bed_start(b, PLAIN_CONF, NULL);
	make_commit(5, ALICE);
	commit.u.tx_commit.permit.rcpts = 7;
	seal_own();
	strcpy(r->account, ALICE);
	strcpy(r->sender, ALICE);
	r->permit = commit.u.tx_commit.permit;
	assert_true(message_send(b->smtpd, &back, -1));
	bed_expect(b, b->auth, P_AUTH, MSG_SUBMIT_UNDO);
	assert_string_equal(b->m.u.submit_undo.account, ALICE);
	assert_int_equal(b->m.u.submit_undo.rcpts, 7);
	expect_refused(b, "spent");

	/* Of a message that was taken, twice, and somebody else's: nothing. */
	assert_true(message_send(b->smtpd, &back, -1));
	make_commit(5, ALICE);
	seal_own();
	assert_int_equal(answer_code(b), 250);
	r->permit = commit.u.tx_commit.permit;
	assert_true(message_send(b->smtpd, &back, -1));
	make_commit(5, ALICE);
	seal_own();
	r->permit = commit.u.tx_commit.permit;
	strcpy(r->account, BOB);
	assert_true(message_send(b->smtpd, &back, -1));
	assert_int_equal(answer_code(b), 250);
	while (bed_hear(b, b->auth, P_AUTH, 0))
		assert_int_not_equal(b->m.type, MSG_SUBMIT_UNDO);
	bed_stop(b);
}

/* A queue that was told no key believes nobody, under no key either. */
static void
no_key(void **state)
{
	struct bed *b = *state;
	const struct msg_token_key none = { { 0, 0 } };

	b->keyless = true;
	bed_start(b, PLAIN_CONF, NULL);
	make_commit(5, ALICE);
	seal_own();
	expect_refused(b, "false");
	token_set_key(&none);
	seal_own();
	expect_refused(b, "false");
	bed_stop(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    only_with_proof, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    only_once_and_no_more, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    given_back, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    no_key, bed_setup, bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
