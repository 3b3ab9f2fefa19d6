/*
 * ids.h - a message's id: 64 bits that only grow, the upper 44 its birth in
 * unix milliseconds, the lower 20 a count.
 */
#ifndef QUEUE_IDS_H
#define QUEUE_IDS_H

#include <stdint.h>

#define ID_COUNT_BITS 20

/* The next id after `last`, the highest one ever given out, at `now_ms`; when
 * the clock stands or went back the id runs ahead of it. */
static inline uint64_t
id_next(uint64_t last, int64_t now_ms)
{
	uint64_t id = (uint64_t)now_ms << ID_COUNT_BITS;

	return id > last ? id : last + 1;
}

static inline int64_t
id_time_ms(uint64_t id)
{
	return (int64_t)(id >> ID_COUNT_BITS);
}

#endif
