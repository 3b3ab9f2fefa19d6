/*
 * TLS reports: what deliver tells of a day is one report after it, and each
 * place gets it once.
 */
#include "test_queue.h"

#include "mail/tlsrpt.h"

#define DAY_S 2

#define WEB  "https://collect.example/v1"
#define MAIL "mailto:tls@reports.example"

static void
say_of(struct bed *b, const char *domain, const char *rua, unsigned policy,
    enum tlsrpt_result result, unsigned sessions, const char *reason)
{
	struct msg m = { .type = MSG_TLS_SESSIONS };
	struct msg_tls_sessions *s = &m.u.tls_sessions;

	strcpy(s->domain, domain);
	strcpy(s->rua, rua);
	s->policy = TLSRPT_TLSA;
	snprintf(s->lines, sizeof(s->lines), "3 1 1 %02u", policy);
	s->result = result;
	s->sessions = sessions;
	strcpy(s->reason, reason);
	bed_say(b->deliver, &m, -1);
}

static void
say_sessions(struct bed *b, const char *rua, unsigned policy,
    enum tlsrpt_result result, unsigned sessions, const char *reason)
{
	say_of(b, "example.net", rua, policy, result, sessions, reason);
}

/* All that was said has been heard. */
static void
settle(struct bed *b)
{
	struct msg m = { .type = MSG_DOMAIN_GET };

	strcpy(m.u.domain_get.domain, "example.com");
	bed_say(b->deliver, &m, -1);
	bed_expect(b, b->deliver, P_DELIVER, MSG_DOMAIN_IS);
}

/* The beginning of a day: what follows at once is of that day. */
static void
await_morning(void)
{
	time_t day = time(NULL) / DAY_S;

	while (time(NULL) / DAY_S == day)
		usleep(10000);
}

static void
answer_post(struct bed *b, enum verdict v)
{
	struct msg m = { .type = MSG_TLS_POSTED, .tag = b->m.tag };

	m.u.tls_posted.verdict = v;
	bed_say(b->deliver, &m, -1);
}

static unsigned
count(const struct bed *b, const char *word)
{
	const struct bytes *body = &b->m.u.tls_post.body;
	const char *at = (const char *)body->data, *end = at + body->len;
	unsigned n = 0;

	while (
	    (at = memmem(at, (size_t)(end - at), word, strlen(word))) != NULL) {
		n++;
		at += strlen(word);
	}
	return n;
}

static void
adds_up_over_a_restart(void **state)
{
	struct bed *b = *state;
	char reason[16];

	bed_start(b, PLAIN_CONF, NULL);
	await_morning();
	say_sessions(b, WEB, 0, TLSRPT_SUCCESS, 4000000000, "");
	say_sessions(b, WEB, 0, TLSRPT_SUCCESS, 4000000000, "");
	for (unsigned i = 0; i < 25; i++) {
		snprintf(reason, sizeof(reason), "reason %u", i);
		say_sessions(b, WEB, 0, TLSRPT_EXPIRED, 2, reason);
	}
	say_sessions(b, WEB, 0, TLSRPT_EXPIRED, 5, "reason 3");
	for (unsigned i = 1; i < 7; i++)
		say_sessions(b, WEB, i, TLSRPT_SUCCESS, 1, "");
	settle(b);
	bed_stop(b);
	bed_start(b, PLAIN_CONF, NULL);
	bed_expect(b, b->deliver, P_DELIVER, MSG_TLS_POST);
	assert_string_equal(b->m.u.tls_post.url, WEB);
	assert_int_equal(count(b, "successful-session-count\": 8000000000"), 1);
	assert_int_equal(count(b, "total-failure-session-count\": 55"), 1);
	assert_int_equal(count(b, "\"failed-session-count\": 7"), 1);
	/* The bounds of t_tlsrpt.h. */
	assert_int_equal(count(b, "\"result-type\""), 20);
	assert_int_equal(count(b, "\"policy\""), 4);
	answer_post(b, V_OK);
	bed_wait_log(b, "tlsrpt.posted");
	assert_true(no_job(b, (DAY_S + 1) * 1000));
	bed_stop(b);
}

static void
each_place_once(void **state)
{
	struct bed *b = *state;

	bed_start(b, PLAIN_CONF, NULL);
	await_morning();
	say_sessions(b, MAIL " " WEB, 0, TLSRPT_SUCCESS, 1, "");
	bed_expect(b, b->deliver, P_DELIVER, MSG_TLS_POST);
	answer_post(b, V_TEMP);
	expect_job(b);
	assert_string_equal(b->m.u.job.domain, "reports.example");
	assert_string_equal(b->m.u.job.sender, "");
	assert_int_equal(b->m.u.job.flags & (TX_BOUNCE | TX_TLS_OPTIONAL),
	    TX_BOUNCE | TX_TLS_OPTIONAL);
	/* Refused for good, it makes no bounce. */
	judge(b, b->tag, V_PERM, SCOPE_RCPT, 550, "no", "\0", 1, true);
	bed_wait_log(b, "tlsrpt.failed");
	bed_expect(b, b->deliver, P_DELIVER, MSG_TLS_POST);
	answer_post(b, V_OK);
	bed_wait_log(b, "tlsrpt.posted");
	assert_true(no_job(b, (DAY_S + 1) * 1000));
	bed_stop(b);
}

/* A key of any length is a key, and not the last row of its table. */
static void
names_have_any_length(void **state)
{
	struct bed *b = *state;

	bed_start(b, PLAIN_CONF, NULL);
	await_morning();
	say_of(b, "ab.de", WEB, 0, TLSRPT_SUCCESS, 1, "");
	say_sessions(b, WEB, 0, TLSRPT_SUCCESS, 1, "");
	bed_expect(b, b->deliver, P_DELIVER, MSG_TLS_POST);
	assert_int_equal(count(b, "\"ab.de\""), 1);
	answer_post(b, V_OK);
	bed_expect(b, b->deliver, P_DELIVER, MSG_TLS_POST);
	assert_int_equal(count(b, "\"example.net\""), 1);
	answer_post(b, V_OK);
	bed_stop(b);
}

static void
takes_no_nonsense(void **state)
{
	struct bed *b = *state;
	struct msg m = { .type = MSG_TLS_SESSIONS };
	struct msg_tls_sessions *s = &m.u.tls_sessions;

	bed_start(b, PLAIN_CONF, NULL);
	strcpy(s->rua, WEB);
	s->sessions = 1;
	strcpy(s->domain, "a.example\r\nBcc: x@y.example");
	bed_say(b->deliver, &m, -1);
	strcpy(s->domain, "");
	bed_say(b->deliver, &m, -1);
	strcpy(s->domain, "a.example");
	s->result = TLSRPT_RESULTS;
	bed_say(b->deliver, &m, -1);
	s->result = 0;
	s->policy = TLSRPT_POLICIES;
	bed_say(b->deliver, &m, -1);
	settle(b);
	assert_true(no_job(b, (DAY_S + 1) * 1000));
	bed_stop(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    adds_up_over_a_restart, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    each_place_once, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    takes_no_nonsense, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    names_have_any_length, bed_setup, bed_teardown),
	};

	setenv("POSTERN_TLSRPT_DAY", "2", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
