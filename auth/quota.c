/*
 * quota.c - see quota.h.
 *
 * Only accounts that have proved themselves get here, so the table is bounded
 * by their number; whoever sent nothing for a day is swept out.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "auth/quota.h"

#define MINUTES 60
#define HOURS   24

/* Counts of the last `size` steps; count[step % size] is that step's. */
struct window {
	int64_t last; /* the newest step counted in */
	uint32_t total;
	uint32_t count[MINUTES];
};

static_assert(HOURS <= MINUTES, "one array serves both");

struct usage {
	UT_hash_handle hh;
	struct window hour, day;
	char login[];
};

static struct usage *usages;
static int64_t swept_hour;

/* Forget the steps that have fallen out by `step`. */
static void
advance(struct window *w, int size, int64_t step)
{
	if (step - w->last >= size) {
		memset(w->count, 0, sizeof(w->count));
		w->total = 0;
		w->last = step;
	}
	for (; w->last < step; w->last++) {
		uint32_t *oldest = &w->count[(w->last + 1) % size];

		w->total -= *oldest;
		*oldest = 0;
	}
}

static void
charge(struct window *w, int size, uint32_t n)
{
	w->count[w->last % size] += n;
	w->total += n;
}

/* How many steps until n more fit under the limit; -1 never. */
static int
steps_until(const struct window *w, int size, uint32_t n, uint32_t limit)
{
	uint64_t total = w->total;

	if (n > limit)
		return -1;
	for (int i = 0; i < size; i++) {
		if (total + n <= limit)
			return i;
		total -= w->count[(w->last + 1 + i) % size];
	}
	return size;
}

static struct usage *
find(const char *login)
{
	struct usage *u;

	HASH_FIND_STR(usages, login, u);
	return u;
}

static void
sweep(int64_t hour)
{
	struct usage *u, *next;

	if (hour == swept_hour)
		return;
	swept_hour = hour;
	HASH_ITER(hh, usages, u, next)
	if (hour - u->day.last >= HOURS) {
		HASH_DEL(usages, u);
		free(u);
	}
}

static struct usage *
find_or_add(const char *login)
{
	struct usage *u = find(login);
	size_t n = strlen(login) + 1;

	if (u != NULL)
		return u;
	u = calloc(1, sizeof(*u) + n);
	if (u == NULL)
		abort();
	memcpy(u->login, login, n);
	HASH_ADD_STR(usages, login, u);
	return u;
}

static void
advance_both(struct usage *u, int64_t now_s)
{
	advance(&u->hour, MINUTES, now_s / 60);
	advance(&u->day, HOURS, now_s / 3600);
}

/* Seconds until the step that is `steps` from now begins. */
static int64_t
seconds_until(int64_t now_s, int steps, int step_s)
{
	return steps <= 0 ? steps : (now_s / step_s + steps) * step_s - now_s;
}

enum quota
quota_charge(const char *login, uint32_t n, uint32_t per_hour, uint32_t per_day,
    int64_t now_s, int64_t *free_in_s)
{
	struct usage *u;
	int64_t hour, day;

	sweep(now_s / 3600);
	u = find_or_add(login);
	advance_both(u, now_s);
	hour = seconds_until(
	    now_s, steps_until(&u->hour, MINUTES, n, per_hour), 60);
	day =
	    seconds_until(now_s, steps_until(&u->day, HOURS, n, per_day), 3600);
	if (day < 0 || (day > hour && hour >= 0)) {
		*free_in_s = day;
		return QUOTA_DAY;
	}
	if (hour != 0) {
		*free_in_s = hour;
		return QUOTA_HOUR;
	}
	charge(&u->hour, MINUTES, n);
	charge(&u->day, HOURS, n);
	return QUOTA_OK;
}

void
quota_sent(const char *login, int64_t now_s, uint32_t *hour, uint32_t *day)
{
	struct usage *u = find(login);

	*hour = *day = 0;
	if (u == NULL)
		return;
	advance_both(u, now_s);
	*hour = u->hour.total;
	*day = u->day.total;
}

void
quota_close(void)
{
	struct usage *u, *next;

	HASH_ITER(hh, usages, u, next)
	{
		HASH_DEL(usages, u);
		free(u);
	}
}
