/*
 * settle.c - see settle.h.
 */
#include <assert.h>
#include <stdlib.h>

#include "lib/crash.h"
#include "lib/loop.h"
#include "queue/bodyfile.h"
#include "queue/clock.h"
#include "queue/digest.h"
#include "queue/fate.h"
#include "queue/flow.h"
#include "queue/notice.h"
#include "queue/outcome.h"
#include "queue/refill.h"
#include "queue/retry.h"
#include "queue/settings.h"
#include "queue/settle.h"

struct settle {
	struct change change;   /* the first member */
	struct outcome outcome; /* its job: NULL once committed */
	uint64_t id;
	bool in_file;
};

static void
write_rows(struct txn *t, struct totals *totals, struct change *c)
{
	struct settle *s = (struct settle *)c;

	outcome_write(t, totals, &s->outcome);
}

static void
tell(struct change *c)
{
	struct settle *s = (struct settle *)c;
	struct job *j = s->outcome.job;
	struct due_key key;

	outcome_log(&s->outcome);
	if (!s->outcome.ended && !j->removed && j->due != 0) {
		key = job_due_key(j);
		refill_expect(&key);
	}
	s->outcome.job = NULL;
	flow_leave(j);
	job_free(j);
}

static void
clean_up(struct change *c)
{
	struct settle *s = (struct settle *)c;

	CRASH_POINT("settle-durable");
	if (s->outcome.left && s->in_file)
		bodyfile_remove(s->id);
	free(s);
}

static void
put_off(struct job *j, int64_t next)
{
	j->due = j->letter->held ? 0 : (uint64_t)next;
}

/* May the sender be told of the delay?  Who made it a matter of time hears of
 * it in any case (RFC 2852 4); who has a thousand late messages does not want to
 * hear of each. */
static bool
may_tell_delay(const struct letter *l)
{
	return (l->flags & TX_BY_NOTIFY) || digest_may_tell(l);
}

static void
settle(struct job *j, uint64_t was_due, bool noticed)
{
	struct settle *s = calloc(1, sizeof(*s));
	struct accept *notices[DSN_KINDS] = { NULL };

	if (s == NULL)
		abort();
	noticed = noticed && may_tell_delay(j->letter);
	s->change.apply = write_rows;
	s->change.committed = tell;
	s->change.durable = clean_up;
	s->outcome.job = j;
	s->outcome.now = (uint64_t)loop_wall_ms();
	s->outcome.was_due = was_due;
	s->outcome.ended = job_waiting(j) == 0;
	s->outcome.noticed = noticed;
	s->id = j->key.id;
	s->in_file = j->letter->at.kind == BODY_FILE;
	if (fate_any(j, EVENT_BOUNCED) && !j->removed &&
	    (s->outcome.digest = digest_due(j->letter)) == 0)
		notices[DSN_FAILED] = notice_new(j, DSN_FAILED);
	if (fate_any_to_tell(j))
		notices[DSN_RELAYED] = notice_new(j, DSN_RELAYED);
	if (noticed)
		notices[DSN_DELAYED] = notice_new(j, DSN_DELAYED);
	j->letter->gathered++;
	group_add(&s->change, HURRY_NOT);
	for (int kind = 0; kind < DSN_KINDS; kind++)
		if (notices[kind] != NULL)
			spool_accept(notices[kind]);
}

/* Is somebody put off because his server does not know us yet? */
static bool
is_grey(const struct job *j)
{
	for (unsigned i = 0; j->attempts <= RETRY_GREY && i < j->nrcpts; i++)
		if (j->rcpts[i].state == RCPT_WAITING && j->rcpts[i].grey)
			return true;
	return false;
}

/* When to try again; 0: not any more.  An attempt falls on the sender's
 * deadline, too. */
static int64_t
next_attempt(const struct job *j, bool counted, int64_t now)
{
	const struct letter *l = j->letter;
	int64_t by = (int64_t)l->options.by, next, grey;

	if (!counted)
		return now;
	next = retry_next_ms(settings, clock_begun((int64_t)l->begun), now,
	    j->attempts, retry_chance());
	if (next != 0 && is_grey(j)) {
		grey = retry_grey_ms(now, retry_chance());
		next = grey < next ? grey : next;
	}
	return by > now && by < next ? by : next;
}

/* The clock was ahead when it came: its time counts from now on. */
static void
mind_clock(struct letter *l, int64_t now)
{
	if (!clock_is_settled() ||
	    !letter_put_back(&l->accepted, &l->options, (uint64_t)now))
		return;
	l->begun = letter_begun(l->accepted, &l->options);
	l->ahead = true;
}

static bool
is_too_late(const struct letter *l, int64_t now)
{
	return fate_too_late(l, now) && !clock_is_doubtful();
}

void
settle_job(struct job *j, bool counted)
{
	int64_t now = loop_wall_ms(), next;
	uint64_t was_due = j->due;
	bool news = false;

	assert(j->state == JOB_SETTLING);
	mind_clock(j->letter, now);
	fate_judge(j);
	if (counted)
		j->attempts++;
	if (job_waiting(j) > 0 && !j->removed) {
		next = next_attempt(j, counted, now);
		if (settings->hold_uncertain && fate_any(j, EVENT_UNCERTAIN)) {
			j->due = 0; /* until an operator lets it go */
		} else if (is_too_late(j->letter, now)) {
			fate_fail_too_late(j, now);
		} else if (next == 0) {
			fate_fail_waiting(j);
		} else {
			put_off(j, next);
			news = counted && fate_delay_is_news(j, now);
			j->noticed |= news;
		}
	}
	settle(j, was_due, news);
}

static bool
is_over(const struct letter *l, int64_t now)
{
	return now - clock_begun((int64_t)l->begun) >=
	    settings->give_up_s * 1000;
}

bool
settle_is_due(const struct job *j)
{
	int64_t now = loop_wall_ms();

	return is_over(j->letter, now) || is_too_late(j->letter, now) ||
	    fate_delay_is_news(j, now);
}

void
settle_unattempted(struct job *j)
{
	int64_t now = loop_wall_ms();
	uint64_t was_due = j->due;
	bool news = false;

	j->state = JOB_SETTLING;
	for (unsigned i = 0; i < j->nrcpts; i++)
		j->rcpts[i].event = EVENT_NONE;
	if (is_too_late(j->letter, now))
		fate_fail_too_late(j, now);
	else if (is_over(j->letter, now))
		fate_fail_waiting(j);
	else
		news = fate_delay_is_news(j, now);
	j->noticed = true;
	settle(j, was_due, news);
}
