/*
 * What a message asks for and what a server offers: parameters said, bodies
 * converted, mail given up, each in the words of the conversation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "deliver/talk.h"
#include "ipc/rcpt.h"
#include "lib/loop.h"

#define EHLO_OF(words) "220 hi\r\n250-mx\r\n250-PIPELINING\r\n" words
#define EVERYTHING \
	EHLO_OF("250-SMTPUTF8\r\n250-8BITMIME\r\n250-CHUNKING\r\n" \
		"250-BINARYMIME\r\n250-DSN\r\n250-DELIVERBY 60\r\n" \
		"250-MT-PRIORITY MIXER\r\n250-REQUIRETLS\r\n250 SIZE\r\n")
#define NOTHING EHLO_OF("250 HELP\r\n")
#define BODY    "\r\nhi\r\n"

struct scene {
	struct talk talk;
	struct buf out;
	struct job *job;
	char said[8192]; /* since the last look */
	struct msg_job_verdict verdict[8];
	uint8_t whose[8][JOB_RCPTS];
	unsigned verdicts;
};

static struct msg m;

/* A job for one recipient; tests add to it before begin(). */
static void
ask(const char *sender, uint32_t flags, const char *body, size_t size)
{
	memset(&m, 0, sizeof(m));
	m.type = MSG_JOB;
	strcpy(m.u.job.domain, "example.net");
	strcpy(m.u.job.sender, sender);
	m.u.job.flags = flags;
	m.u.job.size = size;
	m.u.job.body = (struct bytes){ (const uint8_t *)body, size };
	m.u.job.added = (struct bytes){ (const uint8_t *)"X: y\r\n", 6 };
}

static void
to(const char *address, uint8_t notify, const char *orcpt)
{
	static uint8_t list[8192];
	uint8_t item[RCPT_ITEM_MAX];
	struct rcpt_item r = { .notify = notify };

	strcpy(r.address, address);
	strcpy(r.orcpt, orcpt);
	m.u.job.rcpts.len = list_add(
	    list, sizeof(list), m.u.job.rcpts.len, item, rcpt_pack(&r, item));
	m.u.job.rcpts.data = list;
}

static void
look(struct scene *s)
{
	memcpy(s->said, buf_data(&s->out), s->out.len);
	s->said[s->out.len] = '\0';
	buf_consume(&s->out, s->out.len);
	talk_drained(&s->talk);
}

static const char *
hear(struct scene *s, const char *reply)
{
	talk_input(&s->talk, reply, strlen(reply));
	look(s);
	return s->said;
}

static struct scene *
begin(const char *server, bool tls)
{
	struct talk_rules rules = { .helo = "me",
		.mx = "mx",
		.tls = 0,
		.requiretls = (m.u.job.flags & TX_REQUIRETLS) &&
		    !(m.u.job.flags & TX_BOUNCE) };
	struct scene *s = calloc(1, sizeof(*s));
	const char *ehlo = strstr(server, "\r\n") + 2;

	s->job = job_new(&m, -1);
	talk_start(&s->talk, &rules, &s->out, s->job);
	if (tls)
		strcpy(s->talk.tls, "TLSv1.3");
	hear(s, "220 hi\r\n");
	hear(s, ehlo);
	return s;
}

static void
tell(void *arg, const struct part *p, const struct msg *v)
{
	struct scene *s = arg;

	(void)p;
	s->verdict[s->verdicts] = v->u.job_verdict;
	memcpy(s->whose[s->verdicts], v->u.job_verdict.rcpts.data,
	    v->u.job_verdict.rcpts.len);
	s->verdicts++;
}

static void
end(struct scene *s)
{
	talk_clear(&s->talk);
	if (s->job->open > 0 && s->talk.failed)
		job_settle_rest(s->job, &s->talk.failure);
	job_free(s->job);
	buf_release(&s->out);
	free(s);
}

/* The one verdict of a job that this server cannot have. */
static void
expect_refusal(struct scene *s, const char *status)
{
	if (s->job->open > 0) {
		assert_true(s->talk.failed);
		job_settle_rest(s->job, &s->talk.failure);
	}
	job_report(s->job, tell, s);
	assert_int_equal(s->verdicts, 1);
	assert_int_equal(s->verdict[0].verdict, V_PERM);
	/* Its own words are no answer of the server. */
	assert_int_equal(s->verdict[0].code, 0);
	assert_string_equal(s->verdict[0].status, status);
	end(s);
}

static void
everything_is_passed_on(void **state)
{
	struct scene *s;

	(void)state;
	ask("a@example.org",
	    TX_SMTPUTF8 | TX_8BIT | TX_REQUIRETLS | TX_RET_HDRS | TX_BY_NOTIFY |
		TX_BY_TRACE,
	    BODY, strlen(BODY));
	strcpy(m.u.job.options.envid, "a b");
	m.u.job.options.priority = 7;
	m.u.job.options.by = (uint64_t)loop_wall_ms() + 100500;
	to("b@example.net", NOTIFY_SUCCESS | NOTIFY_DELAY, "rfc822;x@y");
	to("c@example.net", NOTIFY_NEVER, "");
	s = begin(EVERYTHING, true);
	assert_string_equal(s->said,
	    "MAIL FROM:<a@example.org> SIZE=12 BODY=8BITMIME SMTPUTF8 "
	    "REQUIRETLS RET=HDRS ENVID=a+20b BY=100;NT MT-PRIORITY=-3\r\n"
	    "RCPT TO:<b@example.net> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@y\r\n"
	    "RCPT TO:<c@example.net> NOTIFY=NEVER\r\n"
	    "DATA\r\n");
	hear(s, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
	hear(s, "250 ok\r\n");
	job_report(s->job, tell, s);
	assert_int_equal(s->verdict[0].relayed, 0);
	end(s);
}

static void
nothing_is_said_that_was_not_offered(void **state)
{
	struct scene *s;

	(void)state;
	ask("a@example.org", TX_SMTPUTF8 | TX_RET_FULL | TX_BY_NOTIFY, BODY,
	    strlen(BODY));
	strcpy(m.u.job.options.envid, "a");
	m.u.job.options.priority = 7;
	m.u.job.options.by = (uint64_t)loop_wall_ms() + 100000;
	to("b@example.net", NOTIFY_SUCCESS, "rfc822;x@y");
	s = begin(NOTHING, true);
	assert_string_equal(s->said,
	    "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\n"
	    "DATA\r\n");
	hear(s, "250 ok\r\n250 ok\r\n354 go\r\n");
	hear(s, "250 ok\r\n");
	job_report(s->job, tell, s);
	assert_int_equal(
	    s->verdict[0].relayed, RELAYED_NO_DSN | RELAYED_NO_DELIVERBY);
	end(s);
}

static void
utf8_needs_smtputf8(void **state)
{
	struct scene *s;

	(void)state;
	ask("\xc3\xbc@example.org", TX_SMTPUTF8, BODY, strlen(BODY));
	to("b@example.net", 0, "");
	s = begin(EVERYTHING, false);
	assert_string_equal(s->said,
	    "MAIL FROM:<\xc3\xbc@example.org> SIZE=12 SMTPUTF8\r\n"
	    "RCPT TO:<b@example.net>\r\nDATA\r\n");
	end(s);
	expect_refusal(begin(NOTHING, false), "5.6.7");
	ask("a@example.org", TX_SMTPUTF8 | TX_UTF8_HEADER, BODY, strlen(BODY));
	to("b@example.net", 0, "");
	expect_refusal(begin(NOTHING, false), "5.6.7");
	/* Nobody said that this is UTF-8. */
	ask("a@example.org", TX_UTF8_HEADER, BODY, strlen(BODY));
	to("b@example.net", 0, "");
	s = begin(NOTHING, false);
	assert_non_null(strstr(s->said, "MAIL FROM:<a@example.org>\r\n"));
	end(s);
}

/* Those whose addresses the server can take get the message. */
static void
utf8_recipients_fail_alone(void **state)
{
	struct scene *s;

	(void)state;
	ask("a@example.org", TX_SMTPUTF8, BODY, strlen(BODY));
	to("b@example.net", 0, "");
	to("\xc3\xbc@example.net", 0, "");
	to("c@example.net", 0, "");
	s = begin(NOTHING, false);
	assert_string_equal(s->said,
	    "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\n"
	    "RCPT TO:<c@example.net>\r\nDATA\r\n");
	hear(s, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
	hear(s, "250 ok\r\n");
	job_report(s->job, tell, s);
	assert_int_equal(s->verdicts, 2);
	assert_int_equal(s->verdict[0].verdict, V_PERM);
	assert_string_equal(s->verdict[0].status, "5.6.7");
	assert_int_equal(s->verdict[0].rcpts.len, 1);
	assert_int_equal(s->whose[0][0], 1);
	assert_int_equal(s->verdict[1].rcpts.len, 2);
	end(s);
	ask("a@example.org", TX_SMTPUTF8, BODY, strlen(BODY));
	to("\xc3\xbc@example.net", 0, "");
	expect_refusal(begin(NOTHING, false), "5.6.7");
}

#define BINARY "MIME-Version: 1.0\r\n\r\n.a\n\0\rb"

static void
ask_binary(void)
{
	ask("a@example.org", TX_BINARY, BINARY, sizeof(BINARY) - 1);
	to("b@example.net", 0, "");
	to("c@example.net", 0, "");
}

static void
binary_goes_as_one_chunk(void **state)
{
	struct scene *s;
	const char *chunk = "BDAT 33 LAST\r\nX: y\r\n" BINARY;

	(void)state;
	ask_binary();
	s = begin(EVERYTHING, false);
	assert_string_equal(s->said,
	    "MAIL FROM:<a@example.org> SIZE=33 BODY=BINARYMIME\r\n"
	    "RCPT TO:<b@example.net>\r\nRCPT TO:<c@example.net>\r\n");
	/* Not before it is known that somebody wants it. */
	assert_string_equal(hear(s, "250 ok\r\n250 ok\r\n"), "");
	hear(s, "550 no\r\n");
	assert_memory_equal(s->said, chunk, 14 + 33);
	hear(s, "250 kept\r\n");
	job_report(s->job, tell, s);
	assert_int_equal(s->verdicts, 2);
	assert_int_equal(s->verdict[0].verdict, V_PERM);
	assert_int_equal(s->verdict[1].verdict, V_OK);
	assert_int_equal(talk_wants(&s->talk), TALK_IDLE);
	end(s);
}

static void
no_chunk_for_nobody(void **state)
{
	struct scene *s;

	(void)state;
	ask_binary();
	s = begin(EVERYTHING, false);
	assert_string_equal(hear(s, "250 ok\r\n550 no\r\n550 no\r\n"), "");
	assert_null(talk_job(&s->talk));
	job_report(s->job, tell, s);
	assert_int_equal(s->verdict[0].verdict, V_PERM);
	end(s);
	/* The answer comes while the chunk is still leaving. */
	ask_binary();
	s = begin(EVERYTHING, false);
	hear(s, "250 ok\r\n250 ok\r\n250 ok\r\n");
	hear(s, "552 5.3.4 too much\r\n");
	job_report(s->job, tell, s);
	assert_int_equal(s->verdict[0].code, 552);
	end(s);
}

static void
binary_becomes_lines(void **state)
{
	struct scene *s;

	(void)state;
	ask_binary();
	s = begin(EHLO_OF("250-CHUNKING\r\n250 8BITMIME\r\n"), false);
	assert_string_equal(s->said,
	    "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\n"
	    "RCPT TO:<c@example.net>\r\nDATA\r\n");
	hear(s, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
	assert_non_null(strstr(s->said,
	    "Content-Transfer-Encoding: base64\r\n\r\nLmEKAA1i\r\n.\r\n"));
	end(s);
	ask("a@example.org", TX_BINARY, "A: b\nc\r\n\r\n", 11);
	to("b@example.net", 0, "");
	expect_refusal(begin(NOTHING, false), "5.6.3");
}

static void
deadlines_are_kept(void **state)
{
	struct scene *s;

	(void)state;
	ask("a@example.org", TX_BY_RETURN, BODY, strlen(BODY));
	to("b@example.net", 0, "");
	m.u.job.options.by = (uint64_t)loop_wall_ms() + 100500;
	s = begin(EVERYTHING, false);
	assert_non_null(strstr(s->said, " BY=100;R\r\n"));
	end(s);
	expect_refusal(begin(NOTHING, false), "5.3.3");
	/* Less than the server's minimum. */
	m.u.job.options.by = (uint64_t)loop_wall_ms() + 30000;
	expect_refusal(begin(EVERYTHING, false), "5.4.7");
	m.u.job.options.by = (uint64_t)loop_wall_ms() - 1;
	expect_refusal(begin(EVERYTHING, false), "5.4.7");
	/* Too late is not too late for a notice. */
	m.u.job.flags = TX_BY_NOTIFY;
	s = begin(EVERYTHING, false);
	assert_non_null(strstr(s->said, " BY=-1;N\r\n"));
	end(s);
}

static void
tls_is_required_of_the_next_server(void **state)
{
	struct scene *s;

	(void)state;
	ask("a@example.org", TX_REQUIRETLS, BODY, strlen(BODY));
	to("b@example.net", 0, "");
	expect_refusal(begin(NOTHING, true), "5.7.30");
	s = begin(EVERYTHING, true);
	assert_non_null(strstr(s->said, " REQUIRETLS"));
	end(s);
	/* RFC 8689 5: a notice goes all the same. */
	ask("", TX_REQUIRETLS | TX_BOUNCE, BODY, strlen(BODY));
	to("b@example.net", 0, "");
	s = begin(NOTHING, false);
	assert_non_null(strstr(s->said, "MAIL FROM:<>\r\n"));
	end(s);
}

/* With everything as long as it may be a line is never cut. */
static void
longest_lines(void **state)
{
	char address[ADDR_SIZE], orcpt[ORCPT_SIZE];
	struct scene *s;

	(void)state;
	memset(address, 'a', sizeof(address));
	address[sizeof(address) - 1] = '\0';
	memset(orcpt, 'o', sizeof(orcpt));
	memcpy(orcpt, "rfc822;", 7);
	orcpt[sizeof(orcpt) - 1] = '\0';
	ask(address,
	    TX_SMTPUTF8 | TX_8BIT | TX_REQUIRETLS | TX_RET_HDRS | TX_BY_NOTIFY |
		TX_BY_TRACE,
	    BODY, strlen(BODY));
	memset(m.u.job.options.envid, 'e', 100);
	m.u.job.options.priority = 1;
	m.u.job.options.by = (uint64_t)loop_wall_ms() + 999999999000;
	to(address, NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY, orcpt);
	s = begin(EVERYTHING, true);
	assert_non_null(strstr(s->said, " MT-PRIORITY=-9\r\nRCPT"));
	assert_non_null(strstr(s->said, orcpt));
	assert_non_null(strstr(s->said, "oo\r\nDATA\r\n"));
	end(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_passed_on),
		cmocka_unit_test(nothing_is_said_that_was_not_offered),
		cmocka_unit_test(utf8_needs_smtputf8),
		cmocka_unit_test(utf8_recipients_fail_alone),
		cmocka_unit_test(binary_goes_as_one_chunk),
		cmocka_unit_test(no_chunk_for_nobody),
		cmocka_unit_test(binary_becomes_lines),
		cmocka_unit_test(deadlines_are_kept),
		cmocka_unit_test(tls_is_required_of_the_next_server),
		cmocka_unit_test(longest_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
