/*
 * pace.c - see pace.h.
 */
#include <assert.h>
#include <limits.h>
#include <string.h>

#include "queue/pace.h"
#include "queue/retry.h"

/* A rate of hundreds a second is kept in bursts that a timer can serve; no
 * window of time sees more than one job too many for it. */
#define SLACK_US 50000
/* Of successes, for one more at once. */
#define ROUNDS 10

void
pace_init(struct pace *p)
{
	memset(p, 0, sizeof(*p));
	p->limit = PACE_START;
	p->threshold = UINT_MAX;
	p->doubt = true;
}

unsigned
pace_width(const struct pace *p, const struct pace_bounds *b)
{
	return p->limit < b->most ? p->limit : b->most;
}

bool
pace_may(const struct pace *p, const struct pace_bounds *b, int64_t now_ms)
{
	if (p->retry_at != 0)
		return false;
	if (p->flying >= pace_width(p, b) || (p->doubt && p->fresh > 0))
		return false;
	return b->interval_us == 0 || p->free_us <= now_ms * 1000 + SLACK_US;
}

int64_t
pace_free_ms(const struct pace *p)
{
	return (p->free_us - SLACK_US + 999) / 1000;
}

uint32_t
pace_take_off(struct pace *p, const struct pace_bounds *b, int64_t now_ms)
{
	int64_t from = now_ms * 1000;

	p->flying++;
	p->fresh++;
	if (b->interval_us > 0)
		p->free_us =
		    (p->free_us > from ? p->free_us : from) + b->interval_us;
	return p->epoch;
}

void
pace_land(struct pace *p, uint32_t epoch)
{
	assert(p->flying > 0);
	p->flying--;
	if (epoch == p->epoch) {
		assert(p->fresh > 0);
		p->fresh--;
	}
}

static void
next_epoch(struct pace *p)
{
	p->epoch++;
	p->fresh = 0;
}

static void
halve(struct pace *p)
{
	p->limit = p->limit > 1 ? p->limit / 2 : 1;
	p->threshold = p->limit;
	p->credit = 0;
	next_epoch(p);
}

/* Quickly up to where it went wrong last time, then slowly: a server that
 * says 421 means it, and will say so again. */
static void
widen(struct pace *p, unsigned most)
{
	if (p->limit < p->threshold || ++p->credit >= ROUNDS * p->limit) {
		p->limit++;
		p->credit = 0;
	}
	if (p->limit > most)
		p->limit = most;
}

static void
answers(struct pace *p, int64_t now_ms)
{
	p->answered = true;
	p->doubt = false;
	p->failures = 0;
	p->since = 0;
	if (p->retry_at > now_ms)
		p->retry_at = now_ms; /* a flight that took long found it */
}

/* Nobody there, or nobody with time. */
static bool
fail(struct pace *p, bool certain, const struct conf *conf, int64_t now_ms,
    uint32_t chance)
{
	if (p->failures++ == 0)
		p->since = now_ms;
	p->doubt = true;
	/* One lost connection among many is no reason to stop. */
	if (!certain && p->failures == 1 && p->answered)
		return false;
	p->limit = PACE_START;
	p->retry_at = now_ms + retry_wait_ms(conf, p->failures, chance);
	return true;
}

void
pace_contact(struct pace *p)
{
	p->answered = true;
	p->doubt = false;
}

bool
pace_hear(struct pace *p, const struct pace_bounds *b, enum landing how,
    uint32_t epoch, bool demand, const struct conf *conf, int64_t now_ms,
    uint32_t chance)
{
	bool stale = epoch != p->epoch;

	switch (how) {
	case LANDED_WELL:
		answers(p, now_ms);
		if (demand)
			widen(p, b->most);
		return false;
	case LANDED_SQUEEZED:
		answers(p, now_ms);
		if (!stale)
			halve(p);
		return false;
	case LANDED_ANSWERED:
		answers(p, now_ms);
		return false;
	case LANDED_BUSY:
		if (stale || p->retry_at != 0)
			return false;
		if (p->limit > 1 && !p->doubt) {
			halve(p);
			p->answered = true;
			return false;
		}
		halve(p);
		return fail(p, true, conf, now_ms, chance);
	case LANDED_NOWHERE:
	case LANDED_ASTRAY:
		if (stale || p->retry_at != 0)
			return false;
		halve(p);
		return fail(p, false, conf, now_ms, chance);
	case LANDED_UNKNOWN:
		break;
	}
	return false;
}

void
pace_wake(struct pace *p)
{
	p->retry_at = 0;
	p->doubt = true;
	next_epoch(p);
}

void
pace_forgive(struct pace *p)
{
	p->failures = 0;
	p->since = 0;
	pace_wake(p);
}
