/*
 * talk_mail.c - the steps of a transaction: RSET, MAIL, RCPT, DATA, the
 * message and its end.
 *
 * 5yz settles those whom it concerns.  4yz to one recipient does too; 4yz to
 * MAIL or DATA is the server's trouble, so the job leaves with t->failure,
 * and another server may take it (RFC 5321 5.1).
 */
#include <string.h>

#include "deliver/mark.h"
#include "deliver/talk_steps.h"
#include "lib/crash.h"
#include "mail/greylist.h"

enum { UNSAID, ACCEPTED, LATER };

/* Give all open recipients of whom the server said `what` this outcome. */
static void
settle(struct talk *t, unsigned what, const struct outcome *o)
{
	for (unsigned i = 0; i < t->job->nrcpts; i++)
		if (t->said[i] == what && job_open(t->job, i))
			job_settle(t->job, i, o);
}

static void
settle_rest_by_reply(struct talk *t)
{
	struct outcome o = talk_outcome(t, SCOPE_RCPT);

	job_settle_rest(t->job, &o);
}

static void
next_open(struct talk *t)
{
	while (t->next_rcpt < t->job->nrcpts && !job_open(t->job, t->next_rcpt))
		t->next_rcpt++;
}

enum said
say_ready(struct talk *t)
{
	if (t->nowed > 0 || t->job == NULL || t->failed)
		return SAID_WAIT;
	if (t->begun && (!t->again || t->job->open == 0))
		return SAID_WAIT;
	t->begun = true;
	t->again = t->refused = t->dot_sent = t->chunked = false;
	t->prepared = t->has_signature = false;
	t->body = NULL;
	t->accepted = t->next_rcpt = t->rcpts_said = 0;
	t->transactions++;
	memset(t->said, UNSAID, sizeof(t->said));
	reading_clear(&t->reading);
	reading_init(&t->reading, &t->job->letter);
	return SAID_SKIP;
}

enum said
say_rset(struct talk *t)
{
	if (!t->dirty)
		return SAID_SKIP;
	talk_say(t, "RSET");
	return SAID;
}

enum heard
hear_rset(struct talk *t, const struct owed *o)
{
	struct outcome out;

	(void)o;
	if (talk_class(t) == 2) {
		t->dirty = false;
		return HEARD_FINE;
	}
	out = talk_outcome(t, SCOPE_DEST);
	outcome_soften(&out);
	talk_blame(t, &out);
	return HEARD_FAIL;
}

void
mail_unreadable(struct talk *t)
{
	struct outcome o;

	o = outcome_make(
	    V_TEMP, SCOPE_RCPT, 0, "4.3.0", "the message could not be read");
	job_settle_rest(t->job, &o);
}

enum said
say_mail(struct talk *t)
{
	char params[PARAMS_MAX];

	params_mail(t, t->body, params);
	talk_say(t, "MAIL FROM:<%s>%s", t->job->sender, params);
	return SAID;
}

enum heard
hear_mail(struct talk *t, const struct owed *o)
{
	struct outcome out;

	(void)o;
	switch (talk_class(t)) {
	case 2:
		t->dirty = true;
		return HEARD_FINE;
	case 3:
		return talk_absurd(t);
	case 4:
		out = talk_outcome(t, SCOPE_RCPT);
		talk_blame(t, &out);
		break;
	default:
		settle_rest_by_reply(t);
		break;
	}
	t->refused = true;
	return HEARD_GIVE_UP;
}

enum said
say_rcpt(struct talk *t)
{
	char params[PARAMS_MAX];

	next_open(t);
	if (t->next_rcpt == t->job->nrcpts)
		return SAID_SKIP;
	if (t->rcpts_most > 0 && t->rcpts_said >= t->rcpts_most) {
		t->again = true;
		return SAID_SKIP;
	}
	t->rcpts_said++;
	params_rcpt(t, t->next_rcpt, params);
	talk_say(t, "RCPT TO:<%s>%s", t->job->rcpts[t->next_rcpt], params);
	t->next_rcpt++;
	return SAID_MORE;
}

/*
 * RFC 5321 4.5.3.1.10: 452, or 552 from servers of old, after some were
 * accepted is about their number.  An enhanced status that tells of another
 * reason is believed.
 */
static bool
too_many(const struct talk *t)
{
	const struct reply *r = &t->reply;

	if (t->accepted == 0 || (r->code != 452 && r->code != 552))
		return false;
	return r->status[0] == '\0' || strcmp(r->status + 1, ".5.3") == 0;
}

static void
note_grey(const struct talk *t, struct outcome *o, bool rcpt)
{
	const struct reply *r = &t->reply;

	if (greylist_says(r->code, r->status, r->text, rcpt))
		o->signs |= SIGN_GREY;
}

enum heard
hear_rcpt(struct talk *t, const struct owed *o)
{
	struct outcome out;

	if (t->refused)
		return HEARD_FINE;
	if (talk_class(t) == 3)
		return talk_absurd(t);
	if (talk_class(t) == 2 && t->job->trial != NULL) {
		out = talk_outcome(t, SCOPE_RCPT);
		job_settle(t->job, o->rcpt, &out);
	} else if (talk_class(t) == 2) {
		t->said[o->rcpt] = ACCEPTED;
		t->accepted++;
		/* What was refused before was not their number. */
		if (t->rcpts_most > 0 && t->accepted > t->rcpts_most)
			t->rcpts_most = t->accepted;
	} else if (too_many(t)) {
		t->said[o->rcpt] = LATER;
		/* Without a status it may be about this mailbox alone. */
		if (t->reply.status[0] != '\0')
			t->rcpts_most = t->accepted;
	} else {
		out = talk_outcome(t, SCOPE_RCPT);
		note_grey(t, &out, true);
		job_settle(t->job, o->rcpt, &out);
	}
	return HEARD_FINE;
}

enum said
say_data(struct talk *t)
{
	/* Without pipelining we already know that nobody is left. */
	if (t->nowed == 0 && t->accepted == 0)
		return SAID_GIVE_UP;
	if (t->job->trial != NULL)
		return SAID_WAIT; /* for the answers, and never more */
	/* A chunk cannot be called back, so somebody must want it. */
	if (t->chunked)
		return t->nowed > 0 ? SAID_WAIT : SAID_SKIP;
	talk_say(t, "DATA");
	return SAID;
}

enum heard
hear_data(struct talk *t, const struct owed *o)
{
	struct outcome out;

	(void)o;
	if (talk_class(t) == 2)
		return talk_absurd(t);
	if (talk_class(t) == 3)
		return HEARD_FINE; /* even with nobody left: RFC 2920 3.1 */
	if (t->refused || t->accepted == 0)
		return HEARD_GIVE_UP;
	if (talk_class(t) == 5) {
		settle_rest_by_reply(t);
	} else {
		out = talk_outcome(t, SCOPE_RCPT);
		talk_blame(t, &out);
	}
	return HEARD_GIVE_UP;
}

static void
mark_part(const struct talk *t, struct part *p)
{
	uint8_t rcpts[MARK_BYTES] = { 0 };
	bool any = false;

	for (unsigned i = 0; i < p->nrcpts; i++)
		if (t->said[p->first + i] == ACCEPTED) {
			rcpts[i / 8] |= (uint8_t)(1u << i % 8);
			any = true;
		}
	if (any)
		p->mark = mark_set(t->job->id, p, rcpts, t->rules.mx);
}

/* Before the end leaves: a crash behind this leaves it open for whom the
 * message arrived. */
static void
mark(struct talk *t)
{
	const struct job *j = t->job;

	for (struct part *p = j->parts; p < j->parts + j->nparts; p++)
		mark_part(t, p);
	CRASH_POINT("dot-marked");
}

/* What became of it. */
static void
unmark(struct talk *t, enum mark_state state, int code)
{
	const struct job *j = t->job;

	for (struct part *p = j->parts; p < j->parts + j->nparts; p++) {
		mark_end(p->mark, state, code);
		p->mark = 0;
	}
}

enum said
say_body(struct talk *t)
{
	if (t->refused || t->accepted == 0) {
		talk_say(t, "."); /* RFC 2920 3.1: a lone dot */
		return SAID_SKIP;
	}
	if (t->out->len > 0)
		return SAID_WAIT;
	if (t->chunked && t->reading.at == 0)
		talk_say(t, "BDAT %llu LAST",
		    (unsigned long long)reading_size(&t->reading));
	switch (reading_next(&t->reading, t->out)) {
	case READING_MORE:
		return SAID_WAIT;
	case READING_DONE:
		t->dot_sent = true;
		mark(t);
		return SAID_SKIP;
	case READING_FAILED:
		break;
	} /* Hanging up is the only way not to deliver a part of it. */
	mail_unreadable(t);
	return SAID_FAIL;
}

enum said
say_dot(struct talk *t)
{
	(void)t; /* it stands behind the last piece of the message */
	return SAID;
}

enum heard
hear_dot(struct talk *t, const struct owed *o)
{
	struct outcome out;

	(void)o;
	if (talk_class(t) == 3)
		return talk_absurd(t);
	t->dirty = false;
	reading_clear(&t->reading);
	if (t->refused || t->accepted == 0)
		return HEARD_FINE;
	out = talk_outcome(t, SCOPE_RCPT);
	unmark(t, out.verdict == V_OK ? MARK_TAKEN : MARK_NONE, t->reply.code);
	CRASH_POINT("dot-answered");
	if (out.verdict == V_OK)
		out.relayed = params_lost(t);
	note_grey(t, &out, false);
	settle(t, ACCEPTED, &out);
	/* Those who were too many, or would be, get the same message: if it
	 * was refused, it is refused to them. */
	if (talk_class(t) != 2)
		job_settle_rest(t->job, &out);
	else if (t->job->open > 0)
		t->again = t->partly = true;
	return HEARD_FINE;
}

void
mail_leave(struct talk *t)
{
	bool left = t->dot_sent && t->out->len == 0;
	struct outcome o;

	reading_clear(&t->reading);
	unmark(t, left ? MARK_LOST : MARK_NONE, 0);
	if (!left || !t->failed)
		return;
	o = outcome_make(V_TEMP, SCOPE_RCPT, 0, "4.4.2",
	    "%.300s, after the end of the message: it may have arrived",
	    t->failure.text);
	o.uncertain = true;
	talk_sign(t, &o);
	settle(t, ACCEPTED, &o);
}
