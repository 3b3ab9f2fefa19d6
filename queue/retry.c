/*
 * retry.c - see retry.h.
 */
#include <sys/random.h>

#include "queue/retry.h"

#define GREY_MS (5 * 60 * 1000)

int64_t
retry_wait_ms(const struct conf *c, uint32_t attempt, uint32_t chance)
{
	size_t i = attempt > 0 ? attempt - 1 : 0;
	int64_t ms;

	if (i >= c->nretries)
		i = c->nretries - 1;
	ms = c->retry_s[i] * 1000;
	return ms - ms / 10 + (int64_t)(chance % 1024) * (ms / 5) / 1023;
}

int64_t
retry_next_ms(const struct conf *c, int64_t accepted_ms, int64_t now_ms,
    uint32_t attempts, uint32_t chance)
{
	int64_t end = accepted_ms + c->give_up_s * 1000, next;

	if (now_ms >= end)
		return 0;
	next = now_ms + retry_wait_ms(c, attempts, chance);
	return next < end ? next : end;
}

int64_t
retry_grey_ms(int64_t now_ms, uint32_t chance)
{
	return now_ms + GREY_MS +
	    (int64_t)(chance % 1024) * (GREY_MS / 10) / 1023;
}

uint32_t
retry_chance(void)
{
	static uint64_t state;

	if (state == 0 &&
	    (getrandom(&state, sizeof(state), 0) == -1 || state == 0))
		state = 1;
	/* xorshift64: nothing secret hangs on it. */
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}
