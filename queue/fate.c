/*
 * fate.c - see fate.h.
 */
#include <stdio.h>

#include "queue/fate.h"
#include "queue/results.h"
#include "queue/settings.h"

static bool
nobody_to_tell(const struct letter *l)
{
	return l->sender[0] == '\0';
}

static void
fail(const struct letter *l, struct rcpt *r)
{
	bool told = !nobody_to_tell(l) && rcpt_wants(r, NOTIFY_FAILURE);

	r->state = told ? RCPT_BOUNCED : RCPT_DROPPED;
	r->event = told ? EVENT_BOUNCED : EVENT_DROPPED;
}

/*
 * Must the sender be told that a server took the message?  When it asked for
 * that and the server will not do it (RFC 3461 5.2.2), when it follows the
 * message hop by hop, or when the server knows nothing of its deadline (RFC
 * 2852 4).
 */
static bool
relay_is_news(const struct letter *l, const struct rcpt *r)
{
	if (nobody_to_tell(l) || r->notify == NOTIFY_NEVER)
		return false;
	return ((r->relayed & RELAYED_NO_DSN) &&
		   rcpt_wants(r, NOTIFY_SUCCESS)) ||
	    (l->flags & TX_BY_TRACE) ||
	    ((l->flags & TX_BY_NOTIFY) && (r->relayed & RELAYED_NO_DELIVERBY));
}

/* What an admin removed meanwhile has ended already, but for those who got
 * it all the same. */
void
fate_judge(struct job *j)
{
	for (unsigned i = 0; i < j->nrcpts; i++) {
		struct rcpt *r = &j->rcpts[i];

		r->event = EVENT_NONE;
		if (r->state != RCPT_WAITING || r->verdict == NO_VERDICT)
			continue;
		if (r->verdict != V_TEMP)
			results_add(j->letter->account, r->verdict == V_OK,
			    r->verdict == V_PERM);
		if (r->verdict == V_OK) {
			r->state = RCPT_DELIVERED;
			r->event = EVENT_DELIVERED;
			r->tell = relay_is_news(j->letter, r);
		} else if (j->removed) {
			r->event = EVENT_NONE;
		} else if (r->verdict == V_PERM) {
			fail(j->letter, r);
		} else {
			r->event =
			    r->uncertain ? EVENT_UNCERTAIN : EVENT_DEFERRED;
		}
		r->verdict = NO_VERDICT;
		r->uncertain = false;
	}
}

void
fate_fail_waiting(struct job *j)
{
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].state == RCPT_WAITING)
			fail(j->letter, &j->rcpts[i]);
}

bool
fate_too_late(const struct letter *l, int64_t now)
{
	return (l->flags & TX_BY_RETURN) && now >= (int64_t)l->options.by;
}

/* What all who wait have heard last, or "". */
static void
last_words(const struct job *j, char *out, size_t size)
{
	struct answer_row a;
	int of = -1;

	out[0] = '\0';
	for (unsigned i = 0; i < j->nrcpts; i++) {
		if (j->rcpts[i].state != RCPT_WAITING)
			continue;
		if (of != -1 && of != j->rcpts[i].answer)
			return;
		of = j->rcpts[i].answer;
	}
	if (of != -1 && job_answer(j, (uint8_t)of, &a))
		snprintf(out, size, "; the last attempt: %.300s", a.text);
}

/* RFC 2852 4. */
void
fate_fail_too_late(struct job *j, int64_t now)
{
	struct answer_row a = { .status = "5.4.7", .when = (uint64_t)now };
	char last[400];
	uint8_t answer;

	last_words(j, last, sizeof(last));
	snprintf(a.text, sizeof(a.text),
	    "the time that its sender gave for the delivery is over "
	    "(DELIVERBY)%s",
	    last);
	answer = job_add_answer(j, &a);
	for (unsigned i = 0; i < j->nrcpts; i++) {
		struct rcpt *r = &j->rcpts[i];

		if (r->state != RCPT_WAITING)
			continue;
		r->answer = answer;
		fail(j->letter, r);
	}
}

bool
fate_any(const struct job *j, enum event_kind e)
{
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].event == e)
			return true;
	return false;
}

bool
fate_any_to_tell(const struct job *j)
{
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].event == EVENT_DELIVERED && j->rcpts[i].tell)
			return true;
	return false;
}

/* From when on a delay is worth telling (RFC 2852 4: the deadline, if the
 * sender gave one for that). */
static int64_t
delay_time(const struct letter *l)
{
	if (l->flags & TX_BY_NOTIFY)
		return (int64_t)l->options.by;
	return (int64_t)l->begun + settings->delay_notice_s * 1000;
}

bool
fate_delay_is_news(const struct job *j, int64_t now)
{
	if (j->noticed || nobody_to_tell(j->letter) ||
	    now < delay_time(j->letter))
		return false;
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].state == RCPT_WAITING &&
		    rcpt_wants(&j->rcpts[i], NOTIFY_DELAY))
			return true;
	return false;
}
