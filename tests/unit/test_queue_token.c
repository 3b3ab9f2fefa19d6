/*
 * An smtpd that somebody has taken over speaks to the queue: without a proof
 * that its session has logged in nothing is taken.
 */
#include "test_queue.h"

#define DAY_MS (24 * 3600 * 1000)

static struct msg commit;
static uint8_t list[64];

/* What a session of smtpd would say, with its proof. */
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
}

/* The same, as another one or at another time. */
static void
make_proof(unsigned smtpd, uint64_t session, const char *account,
    const char *credential, int64_t when)
{
	struct token_claim claim = { smtpd, session, account, credential };

	token_make(&commit.u.tx_commit.token, &claim, when);
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

	snprintf(text, sizeof(text),
	    "token.refused smtpd=0 reason=%s account=\"%s\"", reason,
	    commit.u.tx_commit.account);
	assert_int_equal(answer_code(b), 421);
	assert_int_equal(b->m.u.tx_result.verdict, V_TEMP);
	bed_wait_log(b, text);
	assert_int_equal(bed_status(b, "accepted_total"), 0);
	assert_int_equal(truncate(b->log, 0), 0);
}

static void
only_with_proof(void **state)
{
	struct bed *b = *state;
	struct msg_tx_commit *c = &commit.u.tx_commit;

	bed_start(b, PLAIN_CONF, NULL);

	make_commit(5, ALICE);
	memset(&c->token, 0, sizeof(c->token));
	expect_refused(b, "absent");
	/* Of the same account, but another session, smtpd or credential. */
	make_proof(0, 6, ALICE, "", now_ms());
	expect_refused(b, "false");
	make_proof(1, 5, ALICE, "", now_ms());
	expect_refused(b, "false");
	make_proof(0, 5, ALICE, "phone", now_ms());
	expect_refused(b, "false");
	/* Its own, shown for somebody else. */
	make_commit(5, ALICE);
	strcpy(c->account, BOB);
	expect_refused(b, "false");
	/* Where one string ends and the next begins counts. */
	make_commit(5, ALICE);
	make_proof(0, 5, "alice@example.or", "g", now_ms());
	expect_refused(b, "false");
	/* Each bit of it. */
	for (int bit = 0; bit < 128; bit += 13) {
		make_commit(5, ALICE);
		c->token.mac[bit / 64] ^= UINT64_C(1) << bit % 64;
		expect_refused(b, "false");
	}
	make_commit(5, ALICE);
	c->token.when++;
	expect_refused(b, "false");
	/* Of long ago, and of the future. */
	make_proof(0, 5, ALICE, "", now_ms() - DAY_MS - 1000);
	expect_refused(b, "old");
	make_proof(0, 5, ALICE, "", now_ms() + DAY_MS / 2);
	expect_refused(b, "old");

	make_commit(5, ALICE);
	assert_int_equal(answer_code(b), 250);
	make_proof(0, 5, ALICE, "", now_ms() - DAY_MS + 60000);
	assert_int_equal(answer_code(b), 250);
	/* auth read its clock after the queue did. */
	make_proof(0, 5, ALICE, "", now_ms() + 5000);
	assert_int_equal(answer_code(b), 250);
	assert_int_equal(bed_status(b, "accepted_total"), 3);
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
	expect_refused(b, "false");
	token_set_key(&none);
	make_proof(0, 5, ALICE, "", now_ms());
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
		    no_key, bed_setup, bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
