/*
 * The conversation with a server, on a scripted server: every stage, every
 * kind of answer, with and without PIPELINING.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "deliver/mark.h"
#include "deliver/talk.h"

#define BODY "Subject: x\r\n\r\n.dot\r\nhello\r\n"

/* A job made as the queue makes it. */
static struct job *
job_of(const char *body, unsigned flags, int nrcpts)
{
	struct msg m = { .type = MSG_JOB, .tag = 7 };
	uint8_t rcpts[4096];
	size_t len = 0;
	char address[40];

	for (int i = 0; i < nrcpts; i++) {
		snprintf(address, sizeof(address), "r%d@example.net", i);
		len = list_add(
		    rcpts, sizeof(rcpts), len, address, strlen(address));
	}
	snprintf(m.u.job.domain, sizeof(m.u.job.domain), "example.net");
	snprintf(m.u.job.sender, sizeof(m.u.job.sender), "a@example.org");
	m.u.job.flags = flags;
	m.u.job.size = strlen(body);
	m.u.job.rcpts = (struct bytes){ rcpts, len };
	m.u.job.added = (struct bytes){ (const uint8_t *)"X: y\r\n", 6 };
	m.u.job.body = (struct bytes){ (const uint8_t *)body, strlen(body) };
	return job_new(&m, -1);
}

/*
 * A server: what it answers to a line that begins with `on`, the nth time.
 * A text without a code is an event: LOST hangs up, SLOW stays silent.
 */
#define LOST "lost"
#define SLOW "slow"

struct script {
	const char *on;
	int nth; /* from 1; 0 always */
	const char *answer;
};

struct server {
	const struct script *script;
	const char *ehlo;
	const char *after_tls; /* that of EHLO then, or NULL */
	int seen[64];          /* of each line of the script */
	bool in_data;
	bool slow;
	char heard[16384]; /* commands, one a line, data left out */
	char data[65536];
	struct buf out;
	struct talk talk;
	bool cut;    /* answers arrive byte by byte */
	size_t most; /* commands in one write */
};

static const char *
answer_to(struct server *s, const char *line)
{
	static const struct script usual[] = {
		{ "HELO", 0, "250 mx" },
		{ "STARTTLS", 0, "220 go" },
		{ "AUTH PLAIN", 0, "235 2.7.0 in" },
		{ "AUTH LOGIN", 0, "334 VXNlcm5hbWU6" },
		{ "RSET", 0, "250 flushed" },
		{ "MAIL", 0, "250 2.1.0 ok" },
		{ "RCPT", 0, "250 2.1.5 ok" },
		{ "DATA", 0, "354 go" },
		{ ".", 0, "250 2.0.0 queued as 1" },
		{ "QUIT", 0, "221 bye" },
	};
	const struct script *p = s->script;
	const char *found = NULL;

	for (int i = 0; p != NULL && p[i].on != NULL; i++)
		if (strncmp(line, p[i].on, strlen(p[i].on)) == 0) {
			s->seen[i]++;
			if (found == NULL &&
			    (p[i].nth == 0 || p[i].nth == s->seen[i]))
				found = p[i].answer;
		}
	if (found != NULL)
		return found;
	if (strncmp(line, "EHLO", 4) == 0)
		return s->after_tls != NULL && s->talk.tls[0] != '\0'
		    ? s->after_tls
		    : s->ehlo;
	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		if (strncmp(line, usual[i].on, strlen(usual[i].on)) == 0)
			return usual[i].answer;
	return "500 what";
}

/* Take one line off what the talk said; NULL when there is none. */
static bool
next_line(struct server *s, char line[2048])
{
	char *start, *end;
	size_t n;

	if (s->out.len == 0)
		return false;
	start = buf_data(&s->out);
	end = memmem(start, s->out.len, "\r\n", 2);
	if (end == NULL) {
		assert_true(s->in_data);
		return false;
	}
	n = (size_t)(end - start);
	assert_true(n < 2048);
	memcpy(line, start, n);
	line[n] = '\0';
	buf_consume(&s->out, n + 2);
	return true;
}

static void
input(struct server *s, const char *text)
{
	size_t n = strlen(text);

	if (!s->cut)
		talk_input(&s->talk, text, n);
	for (size_t i = 0; s->cut && i < n; i++)
		talk_input(&s->talk, text + i, 1);
}

/* React to everything that was said; the answers leave together. */
static bool
react(struct server *s)
{
	char line[2048], answers[16384] = "";
	const char *a;
	bool lost = false, any = false;
	size_t commands = 0;

	while (!lost && next_line(s, line)) {
		any = true;
		if (s->in_data && strcmp(line, ".") != 0) {
			strcat(strcat(s->data, line), "\r\n");
			continue;
		}
		strcat(strcat(s->heard, line), "\n");
		commands++;
		a = answer_to(s, line);
		s->in_data = false;
		if (strcmp(a, SLOW) == 0) {
			s->slow = true;
			s->out.len = 0;
			break;
		}
		lost = strcmp(a, LOST) == 0;
		if (lost)
			break;
		s->in_data =
		    strncmp(line, "DATA", 4) == 0 && strncmp(a, "354", 3) == 0;
		strcat(strcat(answers, a), "\r\n");
	}
	if (commands > s->most)
		s->most = commands;
	if (lost)
		s->out.len = 0;
	talk_drained(&s->talk);
	input(s, answers);
	if (lost)
		talk_lost(&s->talk, "connection closed");
	return any;
}

/* Let them talk until nothing moves any more. */
static void
run(struct server *s)
{
	for (int turns = 0; turns < 1000; turns++) {
		enum talk_wants wants = talk_wants(&s->talk);

		if (wants == TALK_TLS && s->out.len == 0) {
			talk_secured(
			    &s->talk, "TLSv1.3", "TLS_AES_128_GCM_SHA256");
			continue;
		}
		if (wants == TALK_SECRET) {
			talk_secret(&s->talk, "geheim");
			continue;
		}
		if (!react(s) && !talk_hungry(&s->talk)) {
			if (s->slow && talk_wants(&s->talk) == TALK_INPUT) {
				assert_true(talk_patience(&s->talk) > 0);
				talk_timeout(&s->talk);
				continue;
			}
			return;
		}
	}
	fail_msg("no end");
}

static void
start(struct server *s, enum route_tls tls, const char *user, struct job *j)
{
	struct talk_rules rules = { .policy = "opportunistic",
		.helo = "me.example.org",
		.mx = "mx[192.0.2.1]:25",
		.tls = tls };

	snprintf(rules.user, sizeof(rules.user), "%s", user);
	strcpy(rules.nonce, "0123456789abcdefghijklmn");
	talk_start(&s->talk, &rules, &s->out, j);
	s->heard[0] = s->data[0] = '\0';
}

static void
stop(struct server *s, struct job *j)
{
	talk_clear(&s->talk);
	buf_release(&s->out);
	job_free(j);
	free(s);
}

static struct server *
server_new(const struct script *script, bool pipelining)
{
	struct server *s = calloc(1, sizeof(*s));

	s->script = script;
	s->ehlo = pipelining ? "250-mx hello\r\n250-PIPELINING\r\n"
			       "250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n"
			       "250-SIZE 100000\r\n250 8BITMIME"
			     : "250-mx hello\r\n250-STARTTLS\r\n"
			       "250-AUTH LOGIN\r\n250 8BITMIME";
	return s;
}

/* The one fate of a recipient: told once, or the failure of the talk. */
struct fates {
	struct outcome of[JOB_RCPTS];
	int times[JOB_RCPTS];
	int last;
};

static void
tell(void *arg, const struct part *p, const struct msg *m)
{
	const struct msg_job_verdict *v = &m->u.job_verdict;
	struct fates *f = arg;

	(void)p;
	assert_int_equal(m->tag, 7);
	for (size_t i = 0; i < v->rcpts.len; i++) {
		struct outcome *o = &f->of[v->rcpts.data[i]];

		f->times[v->rcpts.data[i]]++;
		o->verdict = v->verdict;
		o->scope = v->scope;
		o->code = (int)v->code;
		strcpy(o->status, v->status);
		strcpy(o->text, v->text);
		strcpy(o->mx, v->mx);
		strcpy(o->tls, v->tls);
	}
	f->last += v->last;
}

static struct fates
collect(struct server *s, struct job *j)
{
	struct fates f;

	memset(&f, 0, sizeof(f));
	assert_null(talk_job(&s->talk));
	if (j->open > 0) {
		assert_true(s->talk.failed);
		job_settle_rest(j, &s->talk.failure);
	}
	job_report(j, tell, &f);
	for (unsigned i = 0; i < j->nrcpts; i++) {
		assert_int_equal(f.times[i], 1);
		assert_true(f.of[i].status[0] == "245"[f.of[i].verdict]);
	}
	assert_int_equal(f.last, 1);
	return f;
}

/*
 * Stage by stage.  A dash is another verdict than that of the table's: the
 * middle one of three recipients stands in `second`, the others in `rest`.
 */
enum {
	OK = V_OK,
	TEMP = V_TEMP,
	PERM = V_PERM,
	DEST = SCOPE_DEST,
	RCPT = SCOPE_RCPT
};

struct stage {
	const char *on;
	int nth;
	const char *answer;
	int second, rest;
	int scope; /* of the second */
	int code;
};

/* clang-format off */
static const struct stage stages[] = {
	{ "",          0, "",                   OK,   OK,   RCPT, 250 },
	{ "220",       0, "421 4.3.2 no",       TEMP, TEMP, DEST, 421 },
	{ "220",       0, "450 4.3.2 no",       TEMP, TEMP, DEST, 450 },
	{ "220",       0, "554 5.7.1 no",       PERM, PERM, DEST, 554 },
	{ "220",       0, LOST,                 TEMP, TEMP, DEST, 0 },
	{ "220",       0, SLOW,                 TEMP, TEMP, DEST, 0 },
	{ "220",       0, "HTTP/1.1 200 OK",    TEMP, TEMP, DEST, 0 },
	{ "220",       0, "354 no",             TEMP, TEMP, DEST, 354 },
	{ "EHLO",      0, "421 4.3.2 no",       TEMP, TEMP, DEST, 421 },
	{ "EHLO",      0, "451 4.3.2 no",       TEMP, TEMP, DEST, 451 },
	{ "EHLO",      0, LOST,                 TEMP, TEMP, DEST, 0 },
	{ "EHLO",      0, SLOW,                 TEMP, TEMP, DEST, 0 },
	{ "EHLO",      0, "502 what",           OK,   OK,   RCPT, 250 },
	{ "STARTTLS",  0, "454 4.7.0 no",       OK,   OK,   RCPT, 250 },
	{ "STARTTLS",  0, "502 5.5.1 no",       OK,   OK,   RCPT, 250 },
	{ "STARTTLS",  0, "220 go\r\n250 x",    TEMP, TEMP, DEST, 0 },
	{ "STARTTLS",  0, LOST,                 TEMP, TEMP, DEST, 0 },
	{ "MAIL",      0, "421 4.3.2 no",       TEMP, TEMP, DEST, 421 },
	{ "MAIL",      0, "451 4.3.0 no",       TEMP, TEMP, RCPT, 451 },
	{ "MAIL",      0, "550 5.7.1 no",       PERM, PERM, RCPT, 550 },
	{ "MAIL",      0, LOST,                 TEMP, TEMP, DEST, 0 },
	{ "MAIL",      0, SLOW,                 TEMP, TEMP, DEST, 0 },
	{ "MAIL",      0, "354 no",             TEMP, TEMP, DEST, 354 },
	{ "RCPT TO:<r1@", 0, "450 4.2.1 no",    TEMP, OK,   RCPT, 450 },
	{ "RCPT TO:<r1@", 0, "550 5.1.1 no",    PERM, OK,   RCPT, 550 },
	{ "RCPT TO:<r1@", 0, "251 elsewhere",   OK,   OK,   RCPT, 250 },
	{ "RCPT TO:<r1@", 0, "452 4.2.2 full",  TEMP, OK,   RCPT, 452 },
	{ "RCPT TO:<r1@", 1, "452 too many",    OK,   OK,   RCPT, 250 },
	{ "RCPT TO:<r1@", 1, "452 4.5.3 many",  OK,   OK,   RCPT, 250 },
	{ "RCPT TO:<r1@", 1, "552 too many",    OK,   OK,   RCPT, 250 },
	{ "RCPT TO:<r1@", 0, "452 too many",    TEMP, OK,   RCPT, 452 },
	{ "RCPT TO:<r1@", 0, "552 5.2.2 full",  PERM, OK,   RCPT, 552 },
	{ "RCPT TO:<r1@", 0, "421 4.3.2 no",    TEMP, TEMP, DEST, 421 },
	{ "RCPT TO:<r1@", 0, LOST,              TEMP, TEMP, -1,   0 },
	{ "RCPT TO:<r1@", 0, "354 no",          TEMP, TEMP, RCPT, 354 },
	{ "RCPT",      0, "450 4.2.1 no",       TEMP, TEMP, RCPT, 450 },
	{ "RCPT",      0, "550 5.1.1 no",       PERM, PERM, RCPT, 550 },
	{ "DATA",      0, "421 4.3.2 no",       TEMP, TEMP, DEST, 421 },
	{ "DATA",      0, "451 4.3.0 no",       TEMP, TEMP, RCPT, 451 },
	{ "DATA",      0, "554 5.6.0 no",       PERM, PERM, RCPT, 554 },
	{ "DATA",      0, "250 fine",           TEMP, TEMP, RCPT, 250 },
	{ "DATA",      0, LOST,                 TEMP, TEMP, -1, 0 },
	{ "DATA",      0, SLOW,                 TEMP, TEMP, RCPT, 0 },
	{ ".",         0, "421 4.3.2 no",       TEMP, TEMP, RCPT, 421 },
	{ ".",         0, "451 4.3.0 no",       TEMP, TEMP, RCPT, 451 },
	{ ".",         0, "554 5.6.0 no",       PERM, PERM, RCPT, 554 },
	{ ".",         0, "354 go",             TEMP, TEMP, RCPT, 0 },
	{ ".",         0, LOST,                 TEMP, TEMP, RCPT, 0 },
	{ ".",         0, SLOW,                 TEMP, TEMP, RCPT, 0 },
	{ ".",         0, "250 a\r\n250 b",     OK,   OK,   RCPT, 250 },
	{ ".",         0, "25 no",              TEMP, TEMP, RCPT, 0 },
};
/* clang-format on */

static void
check_stage(const struct stage *st, bool pipelining, bool cut)
{
	struct script script[] = { { st->on, st->nth, st->answer }, { 0 } };
	struct server *s =
	    server_new(*st->on == '\0' ? NULL : script, pipelining);
	struct job *j = job_of(BODY, 0, 3);
	struct fates f;
	char greeting[80];

	s->cut = cut;
	start(s, ROUTE_TLS_MAY, "", j);
	if (strcmp(st->on, "220") == 0 && strcmp(st->answer, LOST) == 0) {
		talk_lost(&s->talk, "connection closed");
	} else if (strcmp(st->on, "220") == 0 &&
	    strcmp(st->answer, SLOW) == 0) {
		assert_int_equal(talk_patience(&s->talk), 300);
		talk_timeout(&s->talk);
	} else {
		snprintf(greeting, sizeof(greeting), "%s\r\n",
		    strcmp(st->on, "220") == 0 ? st->answer : "220 mx");
		input(s, greeting);
	}
	run(s);
	f = collect(s, j);
	if ((int)f.of[1].verdict != st->second ||
	    (int)f.of[0].verdict != st->rest ||
	    (int)f.of[2].verdict != st->rest || f.of[1].code != st->code ||
	    (st->second != OK && st->scope != -1 &&
		(int)f.of[1].scope != st->scope))
		fail_msg("%s -> %s, pipelining %d cut %d: %d %d %d scope %d "
			 "code %d %s",
		    st->on, st->answer, pipelining, cut, f.of[0].verdict,
		    f.of[1].verdict, f.of[2].verdict, f.of[1].scope,
		    f.of[1].code, f.of[1].text);
	assert_string_equal(f.of[1].mx, "mx[192.0.2.1]:25");
	if (!pipelining)
		assert_true(s->most <= 1);
	stop(s, j);
}

static void
every_stage_has_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stages) / sizeof(*stages); i++)
		for (int how = 0; how < 4; how++)
			check_stage(&stages[i], how & 1, how & 2);
}

static struct server *
greeted(const struct script *script, bool pipelining, enum route_tls tls,
    const char *user, struct job *j)
{
	struct server *s = server_new(script, pipelining);

	start(s, tls, user, j);
	if (talk_wants(&s->talk) == TALK_TLS)
		talk_secured(&s->talk, "TLSv1.3", "TLS_AES_128_GCM_SHA256");
	input(s, "220 mx\r\n");
	return s;
}

static void
dialog_is_as_the_rfc_says(void **state)
{
	struct job *j = job_of(BODY, 0, 2);
	struct server *s = greeted(NULL, true, ROUTE_TLS_MAY, "", j);
	struct fates f;

	(void)state;
	run(s);
	assert_string_equal(s->heard,
	    "EHLO me.example.org\nSTARTTLS\nEHLO me.example.org\n"
	    "MAIL FROM:<a@example.org> SIZE=33\n"
	    "RCPT TO:<r0@example.net>\nRCPT TO:<r1@example.net>\nDATA\n.\n");
	assert_string_equal(
	    s->data, "X: y\r\nSubject: x\r\n\r\n..dot\r\nhello\r\n");
	assert_int_equal(s->most, 4);
	f = collect(s, j);
	assert_string_equal(f.of[0].tls, "TLSv1.3");
	assert_string_equal(f.of[0].status, "2.0.0");
	assert_string_equal(f.of[0].text, "queued as 1");
	assert_int_equal(talk_wants(&s->talk), TALK_IDLE);
	talk_quit(&s->talk);
	run(s);
	assert_non_null(strstr(s->heard, ".\nQUIT\n"));
	assert_int_equal(talk_wants(&s->talk), TALK_CLOSE);
	stop(s, j);
}

static void
next_job_uses_the_session(void **state)
{
	static const struct script script[] = {
		{ "RCPT", 1, "550 5.1.1 no" },
		{ 0 },
	};
	struct job *j = job_of(BODY, 0, 1), *k = job_of(BODY, 0, 1);
	struct server *s = greeted(script, false, ROUTE_TLS_NEVER, "", j);
	struct fates f;

	(void)state;
	run(s);
	f = collect(s, j);
	assert_int_equal(f.of[0].verdict, V_PERM);
	s->heard[0] = '\0';
	talk_begin(&s->talk, k);
	run(s);
	f = collect(s, k);
	assert_int_equal(f.of[0].verdict, V_OK);
	/* The transaction that came to nothing is cleared away. */
	assert_string_equal(s->heard,
	    "RSET\nMAIL FROM:<a@example.org>\n"
	    "RCPT TO:<r0@example.net>\nDATA\n.\n");
	job_free(j);
	stop(s, k);
}

static void
stale_session_is_not_a_failure(void **state)
{
	static const char *const ends[] = { LOST, "421 4.4.2 idle too long" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct script script[] = { { "MAIL", 2, ends[i] }, { 0 } };
		struct job *j = job_of(BODY, 0, 1), *k = job_of(BODY, 0, 1);
		struct server *s =
		    greeted(script, false, ROUTE_TLS_NEVER, "", j);

		run(s);
		collect(s, j);
		assert_false(talk_stale(&s->talk));
		talk_begin(&s->talk, k);
		run(s);
		assert_null(talk_job(&s->talk));
		assert_true(talk_stale(&s->talk));
		assert_int_equal(k->open, 1);
		assert_int_equal(talk_wants(&s->talk), TALK_CLOSE);
		job_free(j);
		stop(s, k);
	}
}

static void
idle_session_ends_when_spoken_to(void **state)
{
	struct job *j = job_of(BODY, 0, 1);
	struct server *s = greeted(NULL, true, ROUTE_TLS_NEVER, "", j);

	(void)state;
	run(s);
	collect(s, j);
	input(s, "421 4.4.2 bye\r\n");
	assert_int_equal(talk_wants(&s->talk), TALK_CLOSE);
	stop(s, j);
}

/* RFC 2920 3.1: DATA may be granted though everyone was refused. */
static void
granted_data_for_nobody_is_ended(void **state)
{
	static const struct script scripts[][3] = {
		{ { "RCPT", 0, "550 5.1.1 no" }, { ".", 0, "554 5.5.1 none" } },
		{ { "RCPT", 0, "550 5.1.1 no" }, { ".", 0, "250 2.0.0 well" } },
		{ { "MAIL", 0, "550 5.7.1 no" }, { "RCPT", 0, "250 ok" } },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct job *j = job_of(BODY, 0, 2);
		struct server *s =
		    greeted(scripts[i], true, ROUTE_TLS_NEVER, "", j);
		struct fates f;

		run(s);
		assert_string_equal(s->data, "");
		assert_non_null(strstr(s->heard, "DATA\n.\n"));
		f = collect(s, j);
		assert_int_equal(f.of[0].verdict, V_PERM);
		assert_int_equal(f.of[0].code, 550);
		assert_int_equal(talk_wants(&s->talk), TALK_IDLE);
		stop(s, j);
	}
}

static void
too_many_go_in_more_transactions(void **state)
{
	static const struct script script[] = {
		{ "RCPT TO:<r2@", 1, "452 4.5.3 too many" },
		{ "RCPT TO:<r3@", 1, "452 4.5.3 too many" },
		{ "RCPT TO:<r3@", 2, "550 5.1.1 unknown" },
		{ 0 },
	};

	(void)state;
	for (int pipelining = 0; pipelining < 2; pipelining++) {
		struct job *j = job_of(BODY, 0, 4);
		struct server *s =
		    greeted(script, pipelining, ROUTE_TLS_NEVER, "", j);
		struct fates f;

		run(s);
		assert_true(s->talk.partly);
		f = collect(s, j);
		for (int i = 0; i < 3; i++)
			assert_int_equal(f.of[i].verdict, V_OK);
		assert_int_equal(f.of[3].verdict, V_PERM);
		assert_string_equal(s->data,
		    "X: y\r\nSubject: x\r\n\r\n..dot\r\nhello\r\n"
		    "X: y\r\nSubject: x\r\n\r\n..dot\r\nhello\r\n");
		stop(s, j);
	}
}

/* What it takes in one transaction is not asked again with every other, and
 * those who were refused for another reason leave the others their turn. */
static void
too_many_are_not_said_again(void **state)
{
	static const struct script script[] = {
		{ "RCPT TO:<r2@", 1, "452 4.5.3 too many" },
		{ "RCPT TO:<r3@", 1, "452 4.5.3 too many" },
		{ "RCPT TO:<r4@", 1, "452 4.5.3 too many" },
		{ "RCPT TO:<r5@", 1, "452 4.5.3 too many" },
		{ "RCPT TO:<r6@", 1, "452 4.5.3 too many" },
		{ "RCPT TO:<r2@", 2, "550 5.1.1 unknown" },
		{ "RCPT TO:<r3@", 2, "550 5.1.1 unknown" },
		{ "DATA", 2, "554 5.5.1 for whom?" },
		{ 0 },
	};

	(void)state;
	for (int pipelining = 0; pipelining < 2; pipelining++) {
		struct job *j = job_of(BODY, 0, 7);
		struct server *s = greeted(pipelining ? script : &script[8],
		    pipelining, ROUTE_TLS_NEVER, "", j);
		struct fates f;

		if (!pipelining)
			s->talk.rcpts_most = 2;
		run(s);
		f = collect(s, j);
		for (int i = 0; i < 7; i++)
			assert_int_equal(f.of[i].verdict,
			    pipelining && (i == 2 || i == 3) ? V_PERM : V_OK);
		if (pipelining)
			assert_non_null(strstr(s->heard,
			    "RCPT TO:<r4@example.net>\n"
			    "RCPT TO:<r5@example.net>\nDATA\n"));
		assert_int_equal(s->talk.rcpts_most, 2);
		assert_int_equal(s->talk.transactions, 4);
		stop(s, j);
	}
}

/* A full mailbox says nothing of how many a server takes. */
static void
a_full_mailbox_is_no_number(void **state)
{
	static const struct script script[] = {
		{ "RCPT TO:<r1@", 1, "552 mailbox full" },
		{ "RCPT TO:<r1@", 2, "550 5.2.2 mailbox full" },
		{ "RCPT TO:<r4@", 1, "452 4.5.3 mailbox full, too" },
		{ 0 },
	};

	(void)state;
	for (int pipelining = 0; pipelining < 2; pipelining++) {
		struct job *j = job_of(BODY, 0, 6);
		struct server *s =
		    greeted(script, pipelining, ROUTE_TLS_NEVER, "", j);
		struct fates f;

		run(s);
		f = collect(s, j);
		for (int i = 0; i < 6; i++)
			assert_int_equal(
			    f.of[i].verdict, i == 1 ? V_PERM : V_OK);
		/* Behind r4 it took r5, if it was asked. */
		assert_int_equal(s->talk.rcpts_most, pipelining ? 4 : 3);
		stop(s, j);
	}
}

static void
tls_is_required_where_it_is(void **state)
{
	static const struct {
		enum route_tls tls;
		const char *ehlo, *starttls;
		int verdict;
	} cases[] = {
		{ ROUTE_TLS_REQUIRED, "250 mx", "220 go", V_TEMP },
		{ ROUTE_TLS_VERIFIED, "250 mx", "220 go", V_TEMP },
		{ ROUTE_TLS_MAY, "250 mx", "220 go", V_OK },
		{ ROUTE_TLS_NEVER, "250-mx\r\n250 STARTTLS", "220 go", V_OK },
		{ ROUTE_TLS_REQUIRED, "250-mx\r\n250 STARTTLS", "454 no",
		    V_TEMP },
		{ ROUTE_TLS_REQUIRED, "250-mx\r\n250 STARTTLS", "554 no",
		    V_TEMP },
		{ ROUTE_TLS_REQUIRED, "250-mx\r\n250 STARTTLS", "220 go",
		    V_OK },
		{ ROUTE_TLS_REQUIRED, "502 no", "220 go", V_TEMP },
		{ ROUTE_TLS_IMPLICIT, "250 mx", "220 go", V_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct script script[] = { { "STARTTLS", 0, cases[i].starttls },
			{ "EHLO", 0, cases[i].ehlo }, { 0 } };
		struct job *j = job_of(BODY, 0, 1);
		struct server *s = greeted(script, true, cases[i].tls, "", j);
		struct fates f;

		run(s);
		f = collect(s, j);
		assert_int_equal(f.of[0].verdict, cases[i].verdict);
		if (cases[i].verdict != V_OK) {
			assert_int_equal(f.of[0].scope, SCOPE_DEST);
			assert_null(strstr(s->heard, "MAIL"));
		} else {
			assert_string_equal(f.of[0].tls,
			    cases[i].tls == ROUTE_TLS_MAY ||
				    cases[i].tls == ROUTE_TLS_NEVER
				? ""
				: "TLSv1.3");
		}
		stop(s, j);
	}
}

/* A server, or someone before it, that answers ahead is not inside TLS. */
static void
answers_ahead_do_not_reach_into_tls(void **state)
{
	struct job *j = job_of(BODY, 0, 1);
	struct server *s = server_new(NULL, true);
	struct fates f;

	(void)state;
	start(s, ROUTE_TLS_REQUIRED, "", j);
	input(s, "220 mx\r\n250-mx\r\n250 STARTTLS\r\n220 go\r\n");
	assert_int_not_equal(talk_wants(&s->talk), TALK_TLS);
	run(s);
	f = collect(s, j);
	assert_int_equal(f.of[0].verdict, V_TEMP);
	stop(s, j);
}

static void
what_was_offered_before_tls_is_forgotten(void **state)
{
	static const struct script script[] = {
		{ "EHLO", 1,
		    "250-mx\r\n250-STARTTLS\r\n250-PIPELINING\r\n"
		    "250 SIZE 5" },
		{ "EHLO", 2, "250 mx" },
		{ 0 },
	};
	struct job *j = job_of(BODY, 0, 2);
	struct server *s = greeted(script, true, ROUTE_TLS_MAY, "", j);
	struct fates f;

	(void)state;
	run(s);
	f = collect(s, j);
	assert_int_equal(f.of[0].verdict, V_OK);
	assert_true(s->most == 1);
	assert_null(strstr(s->heard, "SIZE="));
	stop(s, j);
}

/* What an admin reads: which server, whose password, and the remedy. */
#define REFUSED \
	"mx[192.0.2.1]:25 refused user or password of \"u\" (it said: " \
	"wrong); " \
	"correct user or password-file of the route, then " \
	"\"postern queue retry\""

static void
password_is_told_inside_tls_only(void **state)
{
	/* geheim for u, as PLAIN and as LOGIN have it. */
	static const struct {
		enum route_tls tls;
		bool plain;
		struct script script[3];
		int verdict;
		const char *said, *status;
		const char *text;
	} cases[] = {
		{ ROUTE_TLS_REQUIRED, true, { { 0 } }, V_OK,
		    "AUTH PLAIN AHUAZ2VoZWlt\nMAIL", "2.0.0", "" },
		{ ROUTE_TLS_REQUIRED, false,
		    { { "dQ==", 0, "334 UGFzc3dvcmQ6" },
			{ "Z2VoZWlt", 0, "235 in" } },
		    V_OK, "AUTH LOGIN\ndQ==\nZ2VoZWlt\nMAIL", "2.0.0", "" },
		{ ROUTE_TLS_REQUIRED, true,
		    { { "AUTH", 0, "535 5.7.8 wrong" } }, V_TEMP,
		    "AUTH PLAIN AHUAZ2VoZWlt\nQUIT", "4.7.8", REFUSED },
		{ ROUTE_TLS_REQUIRED, false,
		    { { "dQ==", 0, "535 5.7.8 wrong" } }, V_TEMP,
		    "AUTH LOGIN\ndQ==\nQUIT", "4.7.8", REFUSED },
		{ ROUTE_TLS_REQUIRED, true,
		    { { "AUTH", 0, "454 4.7.0 later" } }, V_TEMP,
		    "AUTH PLAIN AHUAZ2VoZWlt\nQUIT", "4.7.0", "later" },
		{ ROUTE_TLS_REQUIRED, true,
		    { { "EHLO", 2, "250-mx\r\n250 AUTH CRAM-MD5" } }, V_TEMP,
		    "EHLO me.example.org\nQUIT", "4.7.4", "none of AUTH" },
		{ ROUTE_TLS_NEVER, true, { { 0 } }, V_TEMP,
		    "EHLO me.example.org\nQUIT", "4.7.0", "without TLS" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct job *j = job_of(BODY, 0, 1);
		struct server *s = greeted(
		    cases[i].script, cases[i].plain, cases[i].tls, "u", j);
		struct fates f;

		run(s);
		f = collect(s, j);
		assert_int_equal(f.of[0].verdict, cases[i].verdict);
		assert_string_equal(f.of[0].status, cases[i].status);
		assert_non_null(strstr(f.of[0].text, cases[i].text));
		assert_null(strstr(f.of[0].text, "geheim"));
		assert_non_null(strstr(s->heard, cases[i].said));
		assert_string_equal(s->talk.secret, "");
		stop(s, j);
	}
}

/* u and geheim at a server whose nonce is "them", salt "salt", 4096 rounds. */
#define SCRAM_FIRST \
	"AUTH SCRAM-SHA-256 biwsbj11LHI9MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u"
#define SCRAM_CHALLENGE \
	"334 cj0wMTIzNDU2Nzg5YWJjZGVmZ2hpamtsbW50aGVtLHM9YzJGc2RBPT0saT00MDk2"
#define SCRAM_PROOF "Yz1iaXdzLHI9MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1udGhlbSxwP"
#define SCRAM_PLAIN "AUTH PLAIN AHUAZ2VoZWlt\n"

/* SCRAM first; whatever it comes to, nobody waits for ever, and nobody is
 * believed who does not know the password. */
static void
scram_comes_first(void **state)
{
	static const char both[] =
	    "250-mx\r\n250 AUTH PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS";
	static const char alone[] = "250-mx\r\n250 AUTH SCRAM-SHA-256";
	static const struct {
		const char *ehlo;
		struct script script[4];
		int verdict;
		const char *said, *not_said, *status, *text;
	} cases[] = {
		/* It has no verifier for us, or no longer offers it. */
		{ both, { { SCRAM_FIRST, 0, "535 5.7.8 no" } }, V_OK,
		    SCRAM_FIRST "\n" SCRAM_PLAIN "MAIL", "*", "2.0.0", "" },
		{ both, { { SCRAM_FIRST, 0, "504 5.5.4 what" } }, V_OK,
		    SCRAM_FIRST "\n" SCRAM_PLAIN "MAIL", "*", "2.0.0", "" },
		{ both,
		    { { SCRAM_FIRST, 0, SCRAM_CHALLENGE },
			{ SCRAM_PROOF, 0, "535 5.7.8 no" } },
		    V_OK, SCRAM_PLAIN "MAIL", "*", "2.0.0", "" },
		{ alone, { { SCRAM_FIRST, 0, "535 5.7.8 no" } }, V_TEMP,
		    SCRAM_FIRST "\nQUIT", "MAIL", "4.7.8",
		    "refused user or password" },
		/* A challenge for somebody else ("r=x,s=c2FsdA==,i=4096"). */
		{ alone,
		    { { SCRAM_FIRST, 0, "334 cj14LHM9YzJGc2RBPT0saT00MDk2" },
			{ "*", 0, "501 5.7.0 well" } },
		    V_TEMP, "\n*\nQUIT", SCRAM_PROOF, "4.7.8", "not for us" },
		{ both,
		    { { SCRAM_FIRST, 0, "334 cj14LHM9YzJGc2RBPT0saT00MDk2" },
			{ "*", 0, "501 5.7.0 well" } },
		    V_OK, "\n*\n" SCRAM_PLAIN "MAIL", SCRAM_PROOF, "2.0.0",
		    "" },
		/* It lets everybody in, and so knows nothing. */
		{ both,
		    { { SCRAM_FIRST, 0, SCRAM_CHALLENGE },
			{ SCRAM_PROOF, 0, "235 2.7.0 welcome" } },
		    V_TEMP, SCRAM_PROOF, "MAIL", "4.7.8", "did not prove" },
		{ both,
		    { { SCRAM_FIRST, 0, SCRAM_CHALLENGE },
			{ SCRAM_PROOF, 0, "334 dj1BQUFB" } },
		    V_TEMP, SCRAM_PROOF, "AUTH PLAIN", "4.7.8",
		    "did not prove" },
		{ both, { { SCRAM_FIRST, 0, "235 2.7.0 welcome" } }, V_TEMP,
		    SCRAM_FIRST, "MAIL", "4.5.0", "protocol error" },
		{ both, { { SCRAM_FIRST, 0, "454 4.7.0 later" } }, V_TEMP,
		    SCRAM_FIRST "\nQUIT", "AUTH PLAIN", "4.7.0", "later" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct job *j = job_of(BODY, 0, 1);
		struct server *s =
		    greeted(cases[i].script, true, ROUTE_TLS_REQUIRED, "u", j);
		struct fates f;

		s->after_tls = cases[i].ehlo;
		run(s);
		f = collect(s, j);
		if (f.of[0].verdict != (enum verdict)cases[i].verdict ||
		    strstr(s->heard, cases[i].said) == NULL ||
		    strstr(s->heard, cases[i].not_said) != NULL ||
		    strcmp(f.of[0].status, cases[i].status) != 0 ||
		    strstr(f.of[0].text, cases[i].text) == NULL)
			fail_msg("%zu: %s %s\n%s", i, f.of[0].status,
			    f.of[0].text, s->heard);
		assert_string_equal(s->talk.secret, "");
		stop(s, j);
	}
}

static void
password_that_cannot_be_had_defers(void **state)
{
	struct job *j = job_of(BODY, 0, 1);
	struct server *s = greeted(NULL, true, ROUTE_TLS_REQUIRED, "u", j);
	struct fates f;

	(void)state;
	while (talk_wants(&s->talk) != TALK_SECRET) {
		react(s);
		if (talk_wants(&s->talk) == TALK_TLS)
			talk_secured(
			    &s->talk, "TLSv1.2", "TLS_AES_128_GCM_SHA256");
	}
	talk_secret(&s->talk, NULL);
	run(s);
	f = collect(s, j);
	assert_int_equal(f.of[0].verdict, V_TEMP);
	assert_int_equal(f.of[0].scope, SCOPE_DEST);
	stop(s, j);
}

static void
size_is_checked_before_anything_is_sent(void **state)
{
	static const struct script script[] = {
		{ "EHLO", 0, "250-mx\r\n250 SIZE 10" },
		{ 0 },
	};
	struct job *j = job_of(BODY, 0, 2);
	struct server *s = greeted(script, true, ROUTE_TLS_NEVER, "", j);
	struct fates f;

	(void)state;
	run(s);
	f = collect(s, j);
	assert_int_equal(f.of[1].verdict, V_PERM);
	assert_string_equal(f.of[1].status, "5.3.4");
	assert_null(strstr(s->heard, "MAIL"));
	assert_int_equal(talk_wants(&s->talk), TALK_IDLE);
	stop(s, j);
}

static void
eight_bits_are_declared_or_converted(void **state)
{
	static const char text[] =
	    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9f\r\n";
	static const struct script seven[] = { { "EHLO", 0, "250 mx" }, { 0 } };
	struct job *j = job_of(text, TX_8BIT, 1);
	struct server *s = greeted(NULL, true, ROUTE_TLS_NEVER, "", j);

	(void)state;
	run(s);
	assert_int_equal(collect(s, j).of[0].verdict, V_OK);
	assert_non_null(strstr(s->heard, " BODY=8BITMIME\n"));
	assert_non_null(strstr(s->data, "Gr\xc3\xbc\xc3\x9f"));
	stop(s, j);

	j = job_of(text, TX_8BIT, 1);
	s = greeted(seven, true, ROUTE_TLS_NEVER, "", j);
	run(s);
	assert_int_equal(collect(s, j).of[0].verdict, V_OK);
	assert_null(strstr(s->heard, "BODY="));
	assert_non_null(strstr(s->data, "Gr=C3=BC=C3=9F"));
	stop(s, j);

	j = job_of("Subject: Gr\xc3\xbc\xc3\x9f\r\n\r\nx\r\n", TX_8BIT, 1);
	s = greeted(seven, true, ROUTE_TLS_NEVER, "", j);
	run(s);
	assert_string_equal(collect(s, j).of[0].status, "5.6.3");
	assert_null(strstr(s->heard, "MAIL"));
	stop(s, j);
}

/* After the dot a silence may mean that the mail arrived (RFC 1047): no other
 * server is asked, and the text says so. */
static void
silence_after_the_dot_is_uncertain(void **state)
{
	static const struct script script[] = {
		{ "RCPT TO:<r1@", 1, "452 4.5.3 too many" },
		{ ".", 1, LOST },
		{ 0 },
	};
	struct job *j = job_of(BODY, 0, 2);
	struct server *s = greeted(script, true, ROUTE_TLS_NEVER, "", j);
	struct fates f;

	(void)state;
	run(s);
	/* The first is settled; the second was not in it and may go on. */
	assert_false(job_open(j, 0));
	assert_true(job_open(j, 1));
	f = collect(s, j);
	assert_int_equal(f.of[0].verdict, V_TEMP);
	assert_non_null(strstr(f.of[0].text, "may have arrived"));
	assert_null(strstr(f.of[1].text, "may have arrived"));
	stop(s, j);
}

static void
dot_that_never_left_is_not_uncertain(void **state)
{
	struct job *j = job_of(BODY, 0, 1);
	struct server *s = greeted(NULL, true, ROUTE_TLS_NEVER, "", j);

	(void)state;
	for (int i = 0; i < 2; i++)
		react(s);
	/* 354 has come; the message waits in the buffer. */
	assert_true(s->talk.dot_sent && s->out.len > 0);
	talk_lost(&s->talk, "connection reset");
	assert_int_equal(j->open, 1);
	assert_true(s->talk.failed);
	stop(s, j);
}

/* A file as the queue lends it, which deliver maps. */
static int
lent_file(void)
{
	int fd = memfd_create("marks", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, MARKS * sizeof(struct mark)), 0);
	return fd;
}

/* How many marks are in this state; the last of them into *m. */
static unsigned
marked(int fd, enum mark_state state, struct mark *m)
{
	struct mark at;
	unsigned n = 0;

	for (unsigned i = 0; i < MARKS; i++) {
		assert_int_equal(
		    pread(fd, &at, sizeof(at), (off_t)(i * sizeof(at))),
		    sizeof(at));
		if (at.state != state || at.id == 0)
			continue;
		*m = at;
		n++;
	}
	return n;
}

static void
until_silent(struct server *s)
{
	for (int turns = 0; turns < 1000 && !s->slow; turns++)
		react(s);
	assert_true(s->slow);
}

/* From the end of the message until its answer, and no longer. */
static void
marks_the_moment(void **state)
{
	static const struct script script[] = {
		{ "RCPT TO:<r1@", 0, "550 5.1.1 nobody" },
		{ ".", 1, SLOW },
		{ 0 },
	};
	static const struct script refused[] = {
		{ ".", 1, "451 4.3.0 no" },
		{ 0 },
	};
	struct job *j = job_of(BODY, 0, 3);
	int fd = lent_file(), other = lent_file();
	struct server *s;
	struct mark m;

	(void)state;
	assert_false(mark_file(dup(fd)));
	j->id = 77;
	j->parts[0].n = 3;
	j->parts[0].attempt = 2;
	j->parts[0].seal = 1234;
	s = greeted(script, true, ROUTE_TLS_NEVER, "", j);
	assert_int_equal(marked(fd, MARK_SENT, &m), 0);
	until_silent(s);
	assert_int_equal(marked(fd, MARK_SENT, &m), 1);
	assert_int_equal(m.id, 77);
	assert_int_equal(m.n, 3);
	assert_int_equal(m.attempt, 2);
	assert_int_equal(m.nrcpts, 3);
	assert_int_equal(m.rcpts[0], 5);
	assert_string_equal(m.mx, s->talk.rules.mx);
	/* A later attempt was put off because of this one. */
	mark_follow(77, 3, 4);
	/* The queue came again, with the same file or another. */
	assert_true(mark_file(dup(fd)));
	assert_true(mark_file(dup(other)));
	assert_int_equal(marked(other, MARK_SENT, &m), 1);
	assert_int_equal(m.attempt, 4);
	assert_int_equal(m.seal, 1234);
	talk_input(&s->talk, "250 2.0.0 ok\r\n", 14);
	assert_int_equal(marked(other, MARK_SENT, &m), 0);
	assert_int_equal(marked(other, MARK_TAKEN, &m), 1);
	assert_int_equal(m.code, 250);
	stop(s, j);

	/* Refused, or lost behind the end. */
	j = job_of(BODY, 0, 1);
	j->id = 78;
	s = greeted(refused, true, ROUTE_TLS_NEVER, "", j);
	run(s);
	assert_int_equal(marked(other, MARK_SENT, &m), 0);
	assert_int_equal(marked(other, MARK_TAKEN, &m), 1);
	stop(s, j);
	j = job_of(BODY, 0, 1);
	j->id = 79;
	s = greeted(script + 1, true, ROUTE_TLS_NEVER, "", j);
	until_silent(s);
	talk_lost(&s->talk, "connection reset");
	assert_int_equal(marked(other, MARK_SENT, &m), 0);
	assert_int_equal(marked(other, MARK_LOST, &m), 1);
	assert_int_equal(m.id, 79);
	stop(s, j);
	close(fd);
	close(other);
}

/* Each of the queue's jobs has a mark of its own, unless nobody of it will
 * have the message. */
static void
marks_are_of_parts(void **state)
{
	static const struct script script[] = {
		{ "RCPT TO:<r1@", 0, "550 5.1.1 nobody" },
		{ ".", 1, SLOW },
		{ 0 },
	};
	struct part parts[] = {
		{ .tag = 7, .n = 1, .nrcpts = 1, .untold = 1 },
		{ .tag = 8, .n = 2, .first = 1, .nrcpts = 1, .untold = 1 },
		{ .tag = 9, .n = 3, .first = 2, .nrcpts = 2, .untold = 2 },
	};
	struct job *j = job_of(BODY, 0, 4);
	int fd = lent_file();
	struct part *whole = j->parts;
	struct server *s;
	struct mark m;

	(void)state;
	mark_file(dup(fd));
	j->id = 80;
	j->parts = parts;
	j->nparts = 3;
	s = greeted(script, true, ROUTE_TLS_NEVER, "", j);
	until_silent(s);
	assert_int_equal(marked(fd, MARK_SENT, &m), 2);
	assert_int_equal(m.n, 3);
	assert_int_equal(m.nrcpts, 2);
	assert_int_equal(m.rcpts[0], 3);
	talk_lost(&s->talk, "connection reset");
	assert_int_equal(marked(fd, MARK_SENT, &m), 0);
	j->parts = whole;
	j->nparts = 1;
	stop(s, j);
	close(fd);
}

/* A server may refuse before the end of a long message. */
static void
early_refusal_counts(void **state)
{
	size_t n = 300000;
	char *body = malloc(n + 1);
	int fd = fileno(tmpfile());
	struct msg m = { .type = MSG_JOB, .tag = 7 };
	uint8_t rcpts[64];
	struct server *s;
	struct job *j;
	struct fates f;

	(void)state;
	memset(body, 'x', n);
	for (size_t i = 78; i < n; i += 80)
		memcpy(body + i, "\r\n", 2);
	assert_int_equal(pwrite(fd, body, n, 0), n);
	free(body);
	m.u.job.flags = TX_IN_FILE;
	m.u.job.size = n;
	m.u.job.rcpts.data = rcpts;
	m.u.job.rcpts.len =
	    list_add(rcpts, sizeof(rcpts), 0, "a@b.example", 11);
	j = job_new(&m, dup(fd));
	s = greeted(NULL, false, ROUTE_TLS_NEVER, "", j);
	while (!talk_hungry(&s->talk))
		react(s);
	assert_true(s->out.len > 0 && s->out.len < 200000);
	s->out.len = 0;
	input(s, "552 5.3.4 too ");
	talk_drained(&s->talk);
	assert_int_equal(s->out.len, 0);
	input(s, "big\r\n");
	f = collect(s, j);
	assert_int_equal(f.of[0].verdict, V_PERM);
	assert_int_equal(talk_wants(&s->talk), TALK_CLOSE);
	stop(s, j);
}

static void
hundred_recipients_fit(void **state)
{
	(void)state;
	for (int pipelining = 0; pipelining < 2; pipelining++) {
		struct job *j = job_of(BODY, 0, JOB_RCPTS);
		struct server *s =
		    greeted(NULL, pipelining, ROUTE_TLS_NEVER, "", j);
		struct fates f;

		run(s);
		f = collect(s, j);
		assert_int_equal(f.of[99].verdict, V_OK);
		assert_int_equal(s->most, pipelining ? 102 : 1);
		stop(s, j);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_stage_has_its_verdict),
		cmocka_unit_test(dialog_is_as_the_rfc_says),
		cmocka_unit_test(next_job_uses_the_session),
		cmocka_unit_test(stale_session_is_not_a_failure),
		cmocka_unit_test(idle_session_ends_when_spoken_to),
		cmocka_unit_test(granted_data_for_nobody_is_ended),
		cmocka_unit_test(too_many_go_in_more_transactions),
		cmocka_unit_test(too_many_are_not_said_again),
		cmocka_unit_test(a_full_mailbox_is_no_number),
		cmocka_unit_test(tls_is_required_where_it_is),
		cmocka_unit_test(answers_ahead_do_not_reach_into_tls),
		cmocka_unit_test(what_was_offered_before_tls_is_forgotten),
		cmocka_unit_test(scram_comes_first),
		cmocka_unit_test(password_is_told_inside_tls_only),
		cmocka_unit_test(password_that_cannot_be_had_defers),
		cmocka_unit_test(size_is_checked_before_anything_is_sent),
		cmocka_unit_test(eight_bits_are_declared_or_converted),
		cmocka_unit_test(silence_after_the_dot_is_uncertain),
		cmocka_unit_test(dot_that_never_left_is_not_uncertain),
		cmocka_unit_test(marks_the_moment),
		cmocka_unit_test(marks_are_of_parts),
		cmocka_unit_test(early_refusal_counts),
		cmocka_unit_test(hundred_recipients_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
