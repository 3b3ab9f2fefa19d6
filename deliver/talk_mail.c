/*
 * talk_mail.c - the steps of a transaction: RSET, MAIL, RCPT, DATA, the
 * message and its end.
 *
 * 5yz settles those whom it concerns.  4yz to one recipient does too; 4yz to
 * MAIL or DATA is the server's trouble, so the job leaves with t->failure,
 * and another server may take it (RFC 5321 5.1).
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "deliver/mark.h"
#include "deliver/talk_steps.h"
#include "lib/crash.h"
#include "lib/log.h"
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

/* Nobody can get this message from this server.  It has no code, for it was
 * not asked: a notice must not say that it answered. */
static enum said
refuse(struct talk *t, const char *status, const char *why)
{
	struct outcome o =
	    outcome_make(V_PERM, SCOPE_RCPT, 0, status, "%s", why);

	talk_sign(t, &o);
	job_settle_rest(t->job, &o);
	return SAID_GIVE_UP;
}

/* Our own trouble; no other server would help. */
static void
settle_unreadable(struct talk *t)
{
	struct outcome o;

	o = outcome_make(
	    V_TEMP, SCOPE_RCPT, 0, "4.3.0", "the message could not be read");
	job_settle_rest(t->job, &o);
}

/*
 * An 8-bit message for a server that reads seven (RFC 6152 3), or a binary
 * one for a server that reads lines (RFC 3030 3).
 */
static enum said
convert(struct talk *t, unsigned what)
{
	const char *problem;
	char why[200];

	switch (reading_downgrade(&t->reading, what, &problem)) {
	case DOWNGRADE_NONE:
	case DOWNGRADE_READY:
		return SAID;
	case DOWNGRADE_CANNOT:
		snprintf(why, sizeof(why),
		    "the server takes no %s mail, "
		    "and this message cannot be converted: %s",
		    (what & DOWNGRADE_BINARY) ? "binary" : "8-bit", problem);
		return refuse(t, "5.6.3", why);
	case DOWNGRADE_ERROR:
		break;
	}
	settle_unreadable(t);
	return SAID_GIVE_UP;
}

static enum said
check_size(struct talk *t)
{
	uint64_t size = letter_size(&t->job->letter);
	char why[120];

	if (t->size_limit == 0 || size <= t->size_limit)
		return SAID;
	snprintf(why, sizeof(why),
	    "the message has %llu bytes, the server takes %llu",
	    (unsigned long long)size, (unsigned long long)t->size_limit);
	return refuse(t, "5.3.4", why);
}

/* RFC 8689 4.2.1: another server of the domain may offer it. */
static enum said
check_requiretls(struct talk *t)
{
	struct outcome o;

	if (!t->rules.requiretls || (t->offers & OFFERS_REQUIRETLS))
		return SAID;
	o = outcome_make(V_PERM, SCOPE_RCPT, 0, "5.7.30",
	    "the message requires TLS all the way (REQUIRETLS), and the "
	    "server does not promise that");
	talk_blame(t, &o);
	return SAID_FAIL;
}

/* RFC 2852 4.1.4: a server that knows no deadlines cannot keep one. */
static enum said
check_deadline(struct talk *t)
{
	const struct job *j = t->job;

	if (!(j->flags & TX_BY_RETURN))
		return SAID;
	if (!(t->offers & OFFERS_DELIVERBY))
		return refuse(t, "5.3.3",
		    "the message is to come back if it is not delivered in "
		    "time (DELIVERBY), and the server cannot promise that");
	if (params_by_left_s(j) <= 0 ||
	    (uint64_t)params_by_left_s(j) < t->by_least_s)
		return refuse(t, "5.4.7",
		    "the time for its delivery is over (DELIVERBY)");
	return SAID;
}

/* RFC 6531 3.2; domains are in A-labels already. */
static enum said
check_utf8(struct talk *t)
{
	struct outcome o;

	if (t->offers & OFFERS_SMTPUTF8)
		return SAID;
	switch (params_utf8_need(t->job)) {
	case UTF8_NONE:
		return SAID;
	case UTF8_SENDER:
		return refuse(t, "5.6.7",
		    "the sender's address has letters beyond ASCII, and the "
		    "server does not take such addresses (SMTPUTF8)");
	case UTF8_HEADER:
		return refuse(t, "5.6.7",
		    "the header has letters beyond ASCII, and the server does "
		    "not take such mail (SMTPUTF8)");
	case UTF8_RCPTS:
		break;
	}
	o = outcome_make(V_PERM, SCOPE_RCPT, 0, "5.6.7",
	    "the address has letters beyond ASCII, and its server does not "
	    "take such addresses (SMTPUTF8)");
	talk_sign(t, &o);
	for (unsigned i = 0; i < t->job->nrcpts; i++)
		if (job_open(t->job, i) && params_utf8_rcpt(t->job, i))
			job_settle(t->job, i, &o);
	return t->job->open > 0 ? SAID : SAID_GIVE_UP;
}

/* Decide on the form in which the body leaves; t->body is for BODY=. */
static enum said
choose_body(struct talk *t)
{
	const struct job *j = t->job;
	bool eight_bit = t->offers & OFFERS_8BITMIME;
	unsigned convert_what = 0;

	if (j->flags & TX_BINARY) {
		if ((t->offers & OFFERS_CHUNKING) &&
		    (t->offers & OFFERS_BINARYMIME)) {
			t->chunked = t->reading.raw = true;
			t->body = "BINARYMIME";
			return SAID;
		}
		convert_what = DOWNGRADE_BINARY;
	}
	if (j->letter.eight_bit && eight_bit)
		t->body = "8BITMIME";
	else if (j->letter.eight_bit)
		convert_what |= DOWNGRADE_8BIT;
	return convert_what != 0 ? convert(t, convert_what) : SAID;
}

/* What is signed is what leaves: after every conversion (RFC 6376 5.3). */
enum said
say_sign(struct talk *t)
{
	static enum said (*const steps[])(struct talk *) = { check_size,
		check_requiretls, check_deadline, check_utf8, choose_body };
	enum said said;

	if (t->wants_signature)
		return SAID_WAIT;
	for (size_t i = 0; !t->prepared && i < sizeof(steps) / sizeof(steps[0]);
	     i++)
		if ((said = steps[i](t)) != SAID)
			return said;
	t->prepared = true;
	if (t->job->trial != NULL) {
		t->job->trial->offers = t->offers;
		t->job->trial->size_limit = t->size_limit;
		return SAID_SKIP;
	}
	if (!t->rules.sign || t->has_signature)
		return SAID_SKIP;
	t->wants_signature = true;
	return SAID_WAIT;
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
	settle_unreadable(t);
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
