/*
 * talk.c - the SMTP client's state machine.
 *
 * steps[] is the conversation: what to say, what to make of the answer,
 * where to go next.  Replies come back in order, so the queue owed[] is all
 * the memory that pipelining (RFC 2920) needs: owe() appends, heard() takes
 * from the front.  A step marked `alone` ends a group: nothing is said after
 * it until its own answer has come.  Only run() and heard() change the step,
 * and only leave() lets a job go.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "deliver/talk_steps.h"

struct stage {
	const char *name;
	enum said (*say)(struct talk *);
	enum heard (*hear)(struct talk *, const struct owed *);
	bool alone;
	int timeout_s; /* RFC 5321 4.5.3.2 */
	enum step next, give_up;
};

/* clang-format off */
static const struct stage steps[STEP_COUNT] = {
/*                      name           say              hear            alone  secs  next              give up */
[STEP_GREETING]    = { "greeting",     NULL,            hear_greeting,  true,  300,  STEP_EHLO,        STEP_DONE },
[STEP_EHLO]        = { "EHLO",         say_ehlo,        hear_ehlo,      true,  300,  STEP_STARTTLS,    STEP_HELO },
[STEP_HELO]        = { "HELO",         say_helo,        hear_helo,      true,  300,  STEP_STARTTLS,    STEP_DONE },
[STEP_STARTTLS]    = { "STARTTLS",     say_starttls,    hear_starttls,  true,  120,  STEP_EHLO,        STEP_AUTH_SCRAM },
[STEP_AUTH_SCRAM]  = { "AUTH",         say_auth_scram,  hear_scram_challenge, true, 120, STEP_SCRAM_PROOF, STEP_AUTH_PLAIN },
[STEP_SCRAM_PROOF] = { "proof",        say_scram_proof, hear_scram_last, true, 120,  STEP_SCRAM_END,   STEP_AUTH_PLAIN },
[STEP_SCRAM_END]   = { "end of AUTH",  say_scram_end,   hear_auth_done, true,  120,  STEP_READY,       STEP_DONE },
[STEP_AUTH_PLAIN]  = { "AUTH",         say_auth_plain,  hear_auth_done, true,  120,  STEP_AUTH_LOGIN,  STEP_DONE },
[STEP_AUTH_LOGIN]  = { "AUTH",         say_auth_login,  hear_auth_asks, true,  120,  STEP_AUTH_USER,   STEP_READY },
[STEP_AUTH_USER]   = { "user name",    say_auth_user,   hear_auth_asks, true,  120,  STEP_AUTH_SECRET, STEP_DONE },
[STEP_AUTH_SECRET] = { "password",     say_auth_secret, hear_auth_done, true,  120,  STEP_READY,       STEP_DONE },
[STEP_READY]       = { "ready",        say_ready,       NULL,           true,  0,    STEP_SIGN,        STEP_DONE },
[STEP_SIGN]        = { "signature",    say_sign,        NULL,           true,  60,   STEP_RSET,        STEP_READY },
[STEP_RSET]        = { "RSET",         say_rset,        hear_rset,      false, 300,  STEP_MAIL,        STEP_DONE },
[STEP_MAIL]        = { "MAIL",         say_mail,        hear_mail,      false, 300,  STEP_RCPT,        STEP_READY },
[STEP_RCPT]        = { "RCPT",         say_rcpt,        hear_rcpt,      false, 300,  STEP_DATA,        STEP_READY },
[STEP_DATA]        = { "DATA",         say_data,        hear_data,      true,  120,  STEP_BODY,        STEP_READY },
[STEP_BODY]        = { "message",      say_body,        NULL,           true,  180,  STEP_DOT,         STEP_DONE },
[STEP_DOT]         = { "end of data",  say_dot,         hear_dot,       true,  600,  STEP_READY,       STEP_READY },
[STEP_QUIT]        = { "QUIT",         say_quit,        hear_quit,      true,  5,    STEP_DONE,        STEP_DONE },
[STEP_DONE]        = { "done",         NULL,            NULL,           true,  0,    STEP_DONE,        STEP_DONE },
};
/* clang-format on */

/* The job goes back to whoever gave it. */
static void
leave(struct talk *t)
{
	if (t->job == NULL)
		return;
	mail_leave(t);
	assert(t->job->open == 0 || t->failed);
	t->job = NULL;
}

/* The session is over.  The last word is QUIT, if it can be heard. */
static void
fail(struct talk *t)
{
	bool polite = t->nowed == 0 && t->step != STEP_BODY &&
	    t->step != STEP_DONE && t->reply.code != 421;

	leave(t);
	explicit_bzero(t->secret, sizeof(t->secret));
	explicit_bzero(&t->scram, sizeof(t->scram));
	t->has_secret = false;
	t->step = polite ? STEP_QUIT : STEP_DONE;
	t->nowed = 0;
	t->in_reply = t->wants_tls = t->wants_secret = false;
	t->wants_signature = false;
}

static void
owe(struct talk *t, enum step step)
{
	unsigned at = (t->owed_first + t->nowed) % TALK_OWED;

	assert(t->nowed < TALK_OWED);
	t->nowed++;
	t->owed[at].step = step;
	t->owed[at].rcpt = step == STEP_RCPT ? t->next_rcpt - 1 : 0;
}

static enum step
last_owed(const struct talk *t)
{
	return t->owed[(t->owed_first + t->nowed - 1) % TALK_OWED].step;
}

/* May we speak, given what is still unanswered (RFC 2920 3.1)? */
static bool
may_say(const struct talk *t)
{
	if (t->step == STEP_DONE || t->wants_tls)
		return false;
	if (t->nowed == 0)
		return true;
	return (t->offers & OFFERS_PIPELINING) && !steps[last_owed(t)].alone;
}

static void
run(struct talk *t)
{
	while (may_say(t)) {
		const struct stage *st = &steps[t->step];
		enum step was = t->step;

		switch (st->say(t)) {
		case SAID:
			owe(t, was);
			t->step = st->next;
			break;
		case SAID_MORE:
			owe(t, was);
			break;
		case SAID_SKIP:
			t->step = st->next;
			break;
		case SAID_WAIT:
			if (was == STEP_READY && t->nowed == 0)
				leave(t);
			return;
		case SAID_GIVE_UP:
			t->step = st->give_up;
			break;
		case SAID_FAIL:
			fail(t);
			break;
		}
	}
}

/* 421 means good-bye wherever it stands (RFC 5321 3.8). */
static enum heard
hear_farewell(struct talk *t, const struct owed *o)
{
	/* A server that closed a kept connection while we began to use it
	 * has said nothing about this mail. */
	t->stale = t->transactions > 1 && !t->heard;
	/* Also where all are settled by it, behind the end of the message. */
	if (t->job != NULL && !t->stale)
		t->job->signs |= SIGN_BUSY;
	if (o->step == STEP_DOT)
		hear_dot(t, o);
	talk_blame_reply(t);
	return HEARD_FAIL;
}

/* A server that has read enough before the end of the data: its answer
 * counts, but the two sides no longer agree on where commands begin. */
static enum heard
hear_early(struct talk *t, const struct owed *o)
{
	if (talk_class(t) < 4)
		return talk_absurd(t);
	hear_dot(t, o);
	return HEARD_FAIL;
}

/* The oldest command was answered by t->reply. */
static void
heard(struct talk *t)
{
	struct owed o = t->owed[t->owed_first];
	enum heard what;

	t->owed_first = (t->owed_first + 1) % TALK_OWED;
	t->nowed--;
	t->progress++;
	if (t->reply.code == 421 && o.step != STEP_QUIT)
		what = hear_farewell(t, &o);
	else if (o.step == STEP_DOT && t->step == STEP_BODY)
		what = hear_early(t, &o);
	else
		what = steps[o.step].hear(t, &o);
	t->heard = true;
	/* A DATA that is under way may be granted and must then be ended, so
	 * only its own answer changes the course (RFC 2920 3.1). */
	if (what == HEARD_FAIL)
		fail(t);
	else if (what == HEARD_GIVE_UP &&
	    (t->nowed == 0 || last_owed(t) != STEP_DATA))
		t->step = steps[o.step].give_up;
	run(t);
}

/* The connection is of no more use. */
static void
hang_up(struct talk *t, const char *status, const char *why)
{
	struct outcome o;

	if (t->step == STEP_DONE && t->nowed == 0)
		return;
	if (t->job != NULL) {
		/* A server that hangs up in the middle of one message may be
		 * fine for others. */
		o = outcome_make(V_TEMP, t->dirty ? SCOPE_RCPT : SCOPE_DEST, 0,
		    status, "%s", why);
		talk_blame(t, &o);
		leave(t);
	}
	t->step = STEP_DONE;
	t->nowed = 0;
	t->in_reply = t->wants_tls = t->wants_secret = false;
	t->wants_signature = false;
}

static void
take_job(struct talk *t, struct job *job)
{
	t->job = job;
	t->begun = t->heard = t->again = t->dot_sent = false;
	t->partly = t->failed = t->stale = false;
	t->progress++;
}

void
talk_start(struct talk *t, const struct talk_rules *rules, struct buf *out,
    struct job *job)
{
	memset(t, 0, sizeof(*t));
	t->rules = *rules;
	t->out = out;
	t->step = STEP_EHLO;
	t->rcpts_most = rules->rcpts_most;
	take_job(t, job);
	owe(t, STEP_GREETING);
	t->wants_tls = rules->tls == ROUTE_TLS_IMPLICIT;
}

void
talk_clear(struct talk *t)
{
	if (t->job != NULL)
		mail_leave(t);
	explicit_bzero(t, sizeof(*t));
	t->step = STEP_DONE;
}

void
talk_begin(struct talk *t, struct job *job)
{
	assert(talk_wants(t) == TALK_IDLE);
	take_job(t, job);
	run(t);
}

void
talk_input(struct talk *t, const char *in, size_t n)
{
	size_t used;

	while (n > 0 && !(t->step == STEP_DONE && t->nowed == 0)) {
		/* Bytes behind the 220 of STARTTLS are somebody else's: they
		 * would become the first words inside TLS. */
		if (t->wants_tls || (t->nowed == 0 && t->step != STEP_BODY)) {
			hang_up(t, "4.5.0", "the server spoke out of turn");
			return;
		}
		if (t->nowed == 0)
			owe(t, STEP_DOT); /* see hear_early() */
		if (!t->in_reply)
			reply_init(&t->reply,
			    t->owed[t->owed_first].step == STEP_EHLO
				? hear_ehlo_line
				: NULL,
			    t);
		t->in_reply = true;
		switch (reply_feed(&t->reply, in, n, &used)) {
		case REPLY_MORE:
			return;
		case REPLY_BAD:
			hang_up(t, "4.5.0", t->reply.problem);
			return;
		case REPLY_DONE:
			t->in_reply = false;
			heard(t);
			break;
		}
		in += used;
		n -= used;
	}
}

void
talk_secured(struct talk *t, const char *version, const char *cipher)
{
	assert(t->wants_tls);
	t->wants_tls = false;
	t->progress++;
	snprintf(t->tls, sizeof(t->tls), "%s", version);
	snprintf(t->cipher, sizeof(t->cipher), "%s", cipher);
	run(t);
}

void
talk_secret(struct talk *t, const char *secret)
{
	struct outcome o;

	if (!t->wants_secret)
		return;
	t->wants_secret = false;
	t->progress++;
	if (secret == NULL) {
		o = outcome_make(V_TEMP, SCOPE_DEST, 0, "4.7.0",
		    "no password for user \"%.100s\" of %.120s: the route's "
		    "password-file cannot be read or is empty (see: postern "
		    "config check)",
		    t->rules.user, t->rules.mx);
		talk_blame(t, &o);
		fail(t);
	} else {
		snprintf(t->secret, sizeof(t->secret), "%s", secret);
		t->has_secret = true;
	}
	run(t);
}

void
talk_signed(struct talk *t, const char *lines)
{
	struct outcome o;

	if (!t->wants_signature)
		return;
	t->wants_signature = false;
	t->progress++;
	if (lines == NULL) {
		o = outcome_make(V_TEMP, SCOPE_RCPT, 0, "4.3.0",
		    "the message cannot be signed just now");
		job_settle_rest(t->job, &o);
		t->step = STEP_READY;
	} else {
		reading_put(&t->reading, lines);
		t->has_signature = true;
	}
	run(t);
}

void
talk_drained(struct talk *t)
{
	if (!talk_hungry(t))
		return;
	t->progress++;
	run(t);
}

void
talk_lost(struct talk *t, const char *why)
{
	if (t->job != NULL)
		t->stale = t->transactions > 1 && !t->heard;
	hang_up(t, "4.4.2", why);
}

/* What we wait for. */
static enum step
awaited(const struct talk *t)
{
	return t->nowed > 0 ? t->owed[t->owed_first].step : t->step;
}

void
talk_timeout(struct talk *t)
{
	char why[80];

	if (t->wants_tls)
		snprintf(why, sizeof(why), "TLS handshake timed out");
	else
		snprintf(why, sizeof(why), "%s: no answer within %d s",
		    steps[awaited(t)].name, talk_patience(t));
	hang_up(t, "4.4.2", why);
}

void
talk_quit(struct talk *t)
{
	assert(talk_wants(t) == TALK_IDLE);
	t->progress++;
	t->step = STEP_QUIT;
	run(t);
}

enum talk_wants
talk_wants(const struct talk *t)
{
	if (t->step == STEP_DONE && t->nowed == 0)
		return TALK_CLOSE;
	if (t->wants_tls)
		return TALK_TLS;
	if (t->wants_secret)
		return TALK_SECRET;
	if (t->wants_signature)
		return TALK_SIGNATURE;
	if (t->step == STEP_READY && t->nowed == 0 && t->job == NULL)
		return TALK_IDLE;
	return TALK_INPUT;
}

bool
talk_hungry(const struct talk *t)
{
	return t->step == STEP_BODY && t->nowed == 0;
}

bool
talk_is_securing(const struct talk *t)
{
	return t->wants_tls || (t->nowed > 0 && awaited(t) == STEP_STARTTLS);
}

int
talk_patience(const struct talk *t)
{
	if (t->wants_tls || t->wants_secret)
		return 120;
	return steps[awaited(t)].timeout_s;
}
