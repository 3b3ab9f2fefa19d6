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

#include "deliver/talk_steps.h"
#include "lib/log.h"

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
	if (t->begun && !t->again)
		return SAID_WAIT;
	t->begun = true;
	t->again = t->refused = t->dot_sent = false;
	t->accepted = t->next_rcpt = 0;
	t->transactions++;
	memset(t->said, UNSAID, sizeof(t->said));
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

/* Nobody can get this message from this server. */
static enum said
refuse(struct talk *t, int code, const char *status, const char *why)
{
	struct outcome o =
	    outcome_make(V_PERM, SCOPE_RCPT, code, status, "%s", why);

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

/* An 8-bit message for a server that reads seven (RFC 6152 3). */
static enum said
convert(struct talk *t)
{
	const char *problem;
	char why[200];

	switch (reading_downgrade(&t->reading, &problem)) {
	case DOWNGRADE_NONE:
	case DOWNGRADE_READY:
		return SAID;
	case DOWNGRADE_CANNOT:
		snprintf(why, sizeof(why),
		    "the server takes no 8-bit mail, "
		    "and this message cannot be converted: %s",
		    problem);
		return refuse(t, 554, "5.6.3", why);
	case DOWNGRADE_ERROR:
		break;
	}
	settle_unreadable(t);
	return SAID_GIVE_UP;
}

/* RFC 8689 4.2.1: another server of the domain may offer it. */
static enum said
refuse_requiretls(struct talk *t)
{
	struct outcome o;

	o = outcome_make(V_PERM, SCOPE_DEST, 0, "5.7.30",
	    "the message requires TLS on its whole way (REQUIRETLS), and the "
	    "server does not promise that");
	talk_blame(t, &o);
	return SAID_FAIL;
}

enum said
say_mail(struct talk *t)
{
	const struct letter *l = &t->job->letter;
	uint64_t size = letter_size(l);
	char param[64] = "", why[120];
	enum said said;

	if (t->rules.requiretls && !(t->offers & OFFERS_REQUIRETLS))
		return refuse_requiretls(t);
	if (t->size_limit > 0 && size > t->size_limit) {
		snprintf(why, sizeof(why),
		    "the message has %llu bytes, the server takes %llu",
		    (unsigned long long)size,
		    (unsigned long long)t->size_limit);
		return refuse(t, 552, "5.3.4", why);
	}
	if (l->eight_bit && !(t->offers & OFFERS_8BITMIME)) {
		said = convert(t);
		if (said != SAID)
			return said;
	}
	/* The size after a conversion is not known (RFC 1870 6.1: an
	 * estimate that is too small may be refused later, so say none). */
	if ((t->offers & OFFERS_SIZE) && t->reading.seven == NULL)
		snprintf(param, sizeof(param), " SIZE=%llu",
		    (unsigned long long)size);
	talk_say(t, "MAIL FROM:<%s>%s%s%s", t->job->sender, param,
	    l->eight_bit && (t->offers & OFFERS_8BITMIME) ? " BODY=8BITMIME"
							  : "",
	    t->rules.requiretls ? " REQUIRETLS" : "");
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
	next_open(t);
	if (t->next_rcpt == t->job->nrcpts)
		return SAID_SKIP;
	talk_say(t, "RCPT TO:<%s>", t->job->rcpts[t->next_rcpt++]);
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

enum heard
hear_rcpt(struct talk *t, const struct owed *o)
{
	struct outcome out;

	if (t->refused)
		return HEARD_FINE;
	if (talk_class(t) == 3)
		return talk_absurd(t);
	if (talk_class(t) == 2) {
		t->said[o->rcpt] = ACCEPTED;
		t->accepted++;
	} else if (too_many(t)) {
		t->said[o->rcpt] = LATER;
	} else {
		out = talk_outcome(t, SCOPE_RCPT);
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

enum said
say_body(struct talk *t)
{
	if (t->refused || t->accepted == 0) {
		talk_say(t, "."); /* RFC 2920 3.1: a lone dot */
		return SAID_SKIP;
	}
	if (t->out->len > 0)
		return SAID_WAIT;
	switch (reading_next(&t->reading, t->out)) {
	case READING_MORE:
		return SAID_WAIT;
	case READING_DONE:
		t->dot_sent = true;
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
	settle(t, ACCEPTED, &out);
	/* Those who were too many get the same message: if it was refused,
	 * it is refused to them. */
	if (talk_class(t) != 2)
		settle(t, LATER, &out);
	else if (t->job->open > 0)
		t->again = t->partly = true;
	return HEARD_FINE;
}

void
mail_leave(struct talk *t)
{
	struct outcome o;

	reading_clear(&t->reading);
	if (!t->dot_sent || t->out->len > 0 || !t->failed)
		return;
	o = outcome_make(V_TEMP, SCOPE_RCPT, 0, "4.4.2",
	    "%.300s, after the end of the message: it may have arrived",
	    t->failure.text);
	talk_sign(t, &o);
	settle(t, ACCEPTED, &o);
}
