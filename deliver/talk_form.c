/*
 * talk_form.c - the step before a transaction: can this server take the
 * message, in what form does it leave, and is that signed?
 */
#include <stdio.h>

#include "deliver/talk_steps.h"

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
	mail_unreadable(t);
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
