/* Who may take mail out of a spool by backup, what is told, and that nothing
 * is put into one that is alive. */
#include "tests/unit/test_queue.h"

static int
operator_as(struct bed *b, uint32_t uid)
{
	struct msg m = { .type = MSG_CTL_CLIENT };
	int fds[2];

	assert_int_equal(message_pair(fds), 0);
	strcpy(m.u.ctl_client.by, "anna");
	m.u.ctl_client.uid = uid;
	bed_say(b->parent, &m, fds[1]);
	close(fds[1]);
	return fds[0];
}

static void
ask(int sock, enum queue_verb verb)
{
	struct msg m = { .type = MSG_QUEUE_CMD, .tag = 7 };

	m.u.queue_cmd.verb = verb;
	bed_say(sock, &m, -1);
}

static void
only_root_is_told(void **state)
{
	static const enum msg_type rows[] = { MSG_SPOOL_MESSAGE, MSG_SPOOL_JOB,
		MSG_SPOOL_RCPT, MSG_SPOOL_BODY, MSG_CMD_DONE };
	struct bed *b = *state;
	uint64_t id;
	int sock;

	bed_start(b, PLAIN_CONF, NULL);
	id = submit(b, "bob@example.net");
	expect_job(b);
	sock = operator_as(b, 12345);
	ask(sock, QUEUE_BACKUP);
	assert_true(bed_hear(b, sock, P_CTL, PATIENCE_MS));
	assert_int_equal(b->m.type, MSG_CMD_DONE);
	assert_int_equal(b->m.u.cmd_done.exit_code, 4);
	assert_non_null(strstr(b->m.u.cmd_done.text, "only root"));
	close(sock);

	sock = operator_as(b, 0);
	ask(sock, QUEUE_BACKUP);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(bed_hear(b, sock, P_CTL, PATIENCE_MS));
		assert_int_equal(b->m.type, rows[i]);
		if (b->m.type == MSG_SPOOL_MESSAGE)
			assert_int_equal(b->m.u.spool_message.id, id);
		if (b->m.type == MSG_SPOOL_RCPT) {
			assert_string_equal(
			    b->m.u.spool_rcpt.address, "bob@example.net");
			assert_string_equal(b->m.u.spool_rcpt.state, "waiting");
		}
		if (b->m.type == MSG_SPOOL_BODY)
			assert_int_equal(b->m.u.spool_body.last, 1);
	}
	assert_int_equal(b->m.u.cmd_done.exit_code, 0);
	assert_int_equal(b->m.u.cmd_done.count, 1);
	close(sock);
	bed_stop(b);
}

static void
a_live_spool_takes_nothing(void **state)
{
	struct bed *b = *state;
	struct msg m = { .type = MSG_RESTORE_MESSAGE };
	int sock;

	bed_start(b, PLAIN_CONF, NULL);
	sock = operator_as(b, 0);
	m.u.spool_message.id = 1;
	bed_say(sock, &m, -1);
	ask(sock, QUEUE_RESTORE);
	assert_true(bed_hear(b, sock, P_CTL, PATIENCE_MS));
	assert_int_equal(b->m.type, MSG_CMD_DONE);
	assert_int_equal(b->m.u.cmd_done.exit_code, 1);
	assert_non_null(strstr(b->m.u.cmd_done.text, "the server runs"));
	assert_int_equal(b->m.u.cmd_done.count, 0);
	close(sock);
	bed_stop(b);
}

/* Whatever smtpd says, it is in rows as text: a restore takes nothing else. */
static void
what_is_told_is_text(void **state)
{
	struct bed *b = *state;
	struct msg m;
	struct msg_tx_commit *c = &m.u.tx_commit;
	const struct msg_spool_message *s = &b->m.u.spool_message;
	uint8_t list[64];
	int sock;

	bed_start(b, PLAIN_CONF, NULL);
	fill_commit(&m, 9, ALICE, ALICE);
	strcpy(c->ip, "192.0.2.7\r\nX: y");
	strcpy(c->tls, "\x1b[2J");
	strcpy(c->mech, "\xff");
	strcpy(c->msgid, "<a\xc2\x85@x>");
	c->rcpts =
	    (struct bytes){ list, pack(list, sizeof(list), "b@example.net") };
	c->body = (struct bytes){ (const uint8_t *)BODY, strlen(BODY) };
	c->size = strlen(BODY);
	bed_say(b->smtpd, &m, -1);
	bed_expect(b, b->smtpd, P_SMTPD, MSG_TX_RESULT);
	assert_int_equal(b->m.u.tx_result.code, 250);
	sock = operator_as(b, 0);
	ask(sock, QUEUE_BACKUP);
	bed_expect(b, sock, P_CTL, MSG_SPOOL_MESSAGE);
	assert_string_equal(s->ip, "192.0.2.7??X: y");
	assert_string_equal(s->tls, "?[2J");
	assert_string_equal(s->mech, "?");
	assert_string_equal(s->msgid, "<a??@x>");
	close(sock);
	bed_stop(b);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(only_root_is_told),
		CASE(a_live_spool_takes_nothing),
		CASE(what_is_told_is_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
