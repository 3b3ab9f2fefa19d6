/*
 * The whole process: the life of a message as its neighbours see it.
 */
#include "test_queue.h"

static void
delivered(void **state)
{
	struct bed *b = *state;
	struct answer a;
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
	    "Received: by mail.example.org (postern) with ESMTPSA id ", 56);
	judge_all(b, V_OK, SCOPE_RCPT);
	bed_wait_log(b, "msg.done id=");
	assert_true(bed_logged(b, "outcome=delivered:1,bounced:0"));
	assert_true(bed_logged(b,
	    "mx=mx.test[192.0.2.25]:25 tls=TLSv1.3 code=250 dsn=2.0.0 "));
	assert_int_equal(bed_status(b, "messages"), 0);
	assert_int_equal(bed_status(b, "recipients_waiting"), 0);
	assert_int_equal(bed_status(b, "delivered_total"), 1);
	bed_command(b,
	    &(struct msg_queue_cmd){ .verb = QUEUE_SHOW, .id = id }, &a);
	assert_int_equal(a.done.exit_code, 0);
	assert_string_equal(a.story, "accepted delivered ");
	assert_int_equal(a.row.id, id);
	assert_string_equal(a.row.account, ALICE);
	bed_stop(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    delivered, bed_setup, bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
