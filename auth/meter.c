/*
 * meter.c - see meter.h.
 */
#include "auth/meter.h"

#define ONE  1000000000.0
#define MOST 1000000000.0 /* of a limit, so that nothing overflows */

static double
limit_of(struct meter_rate r)
{
	return r.limit < MOST ? (double)r.limit : MOST;
}

static double
level(const struct meter *m, struct meter_rate r, uint64_t now_ms)
{
	double used = (double)m->used / ONE;
	double passed = now_ms > m->at_ms ? (double)(now_ms - m->at_ms) : 0;

	used -= passed * limit_of(r) / (double)r.period_ms;
	return used > 0 ? used : 0;
}

static uint64_t
round_up(double v)
{
	uint64_t n = (uint64_t)v;

	/* A millionth is what rounding left. */
	return v - (double)n > 1e-6 ? n + 1 : n;
}

uint64_t
meter_level(const struct meter *m, struct meter_rate r, uint64_t now_ms)
{
	return round_up(level(m, r, now_ms));
}

int64_t
meter_wait_ms(
    const struct meter *m, struct meter_rate r, uint64_t n, uint64_t now_ms)
{
	double over = level(m, r, now_ms) + (double)n - limit_of(r);

	if ((double)n > limit_of(r))
		return -1;
	if (over <= 1e-6)
		return 0;
	return (int64_t)round_up(over * (double)r.period_ms / limit_of(r));
}

void
meter_add(struct meter *m, struct meter_rate r, uint64_t n, uint64_t now_ms)
{
	double used = level(m, r, now_ms) + (double)n;

	m->used = (uint64_t)((used < 8 * MOST ? used : 8 * MOST) * ONE);
	m->at_ms = now_ms;
}

void
meter_undo(struct meter *m, uint64_t n)
{
	uint64_t most = n < 1000000 ? n * (uint64_t)ONE : m->used;

	m->used -= most < m->used ? most : m->used;
}
