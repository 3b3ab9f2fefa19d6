/*
 * quota.c - see quota.h.
 */
#include <assert.h>
#include <string.h>

#include "auth/quota.h"
#include "auth/t_known.h"
#include "auth/tally.h"
#include "lib/loop.h"

#define HOUR_MS ((uint64_t)3600 * 1000)
#define DAY_MS  (24 * HOUR_MS)

static const uint64_t periods_ms[LIMITS] = {
	[LIMIT_HOUR] = HOUR_MS,
	[LIMIT_DAY] = DAY_MS,
	[LIMIT_MESSAGES_HOUR] = HOUR_MS,
	[LIMIT_MESSAGES_DAY] = DAY_MS,
	[LIMIT_NEW] = DAY_MS,
};

/* Which of the recipients are to be noted, in fresh[], and how many of all
 * are new. */
static void
sort_out(const struct tally *t, const struct quota_ask *q, bool fresh[],
    struct quota_answer *a)
{
	static uint8_t hashes[RCPT_HASH * RCPT_HASHES];
	size_t n = q->hashes.len / RCPT_HASH;
	uint32_t days;
	uint32_t news = n < q->rcpts ? q->rcpts - (uint32_t)n : 0;

	for (size_t i = 0; i < n; i++) {
		days = tally_age(t, q->hashes.data + i * RCPT_HASH);
		fresh[i] = days >= KNOWN_FRESH;
		if (days <= KNOWN_DAYS)
			continue;
		memcpy(hashes + a->new_hashes.len,
		    q->hashes.data + i * RCPT_HASH, RCPT_HASH);
		a->new_hashes.len += RCPT_HASH;
		news++;
	}
	a->new_hashes.data = hashes;
	a->news = news;
}

static struct meter_rate
rate(const uint64_t limit[LIMITS], enum limit l)
{
	return (struct meter_rate){ limit[l], periods_ms[l] };
}

static uint64_t
amount(enum limit l, const struct quota_ask *q, uint32_t news)
{
	switch (l) {
	case LIMIT_HOUR:
	case LIMIT_DAY:
		return q->rcpts;
	case LIMIT_MESSAGES_HOUR:
	case LIMIT_MESSAGES_DAY:
		return 1;
	case LIMIT_NEW:
		return news;
	default:
		return 0;
	}
}

/* Keep the worse of two: what never fits is worst. */
static void
blame(struct quota_answer *a, enum limit l, bool of_label, uint64_t limit,
    uint64_t n, int64_t wait_ms)
{
	if (wait_ms == 0 || a->wait_ms == -1 ||
	    (wait_ms != -1 && wait_ms <= a->wait_ms))
		return;
	a->which = l;
	a->of_label = of_label;
	a->limit = limit;
	a->n = n;
	a->wait_ms = wait_ms;
}

/* Does it fit into what the account, or one credential of it, may? */
static void
weigh(struct tally *t, const struct quota_ask *q, bool of_label,
    struct quota_answer *a)
{
	const uint64_t *limit = of_label ? q->label_limit : q->limit;
	const struct meter *meter = tally_meters(t);
	uint64_t n;

	for (int l = 0; l < LIMITS; l++)
		if (limit[l] != 0 && (n = amount(l, q, a->news)) > 0)
			blame(a, l, of_label, limit[l], n,
			    meter_wait_ms(
				&meter[l], rate(limit, l), n, q->now_ms));
}

static void
charge(struct tally *t, const struct quota_ask *q, const uint64_t limit[LIMITS],
    uint32_t news)
{
	struct meter *meter = tally_meters(t);
	uint64_t n;

	for (int l = 0; l < LIMITS; l++)
		if (limit[l] != 0 && (n = amount(l, q, news)) > 0)
			meter_add(&meter[l], rate(limit, l), n, q->now_ms);
	tally_touch(t);
}

bool
quota_charge(const struct quota_ask *q, struct quota_answer *a)
{
	struct tally *t = tally_find(q->login, NULL, q->now_ms), *lt = NULL;
	bool fresh[RCPT_HASHES];

	assert(q->hashes.len <= RCPT_HASH * RCPT_HASHES);
	memset(a, 0, sizeof(*a));
	sort_out(t, q, fresh, a);
	weigh(t, q, false, a);
	if (q->label != NULL) {
		lt = tally_find(q->login, q->label, q->now_ms);
		weigh(lt, q, true, a);
	}
	if (a->wait_ms != 0)
		return false;
	charge(t, q, q->limit, a->news);
	if (lt != NULL)
		charge(lt, q, q->label_limit, a->news);
	for (size_t i = 0; i < q->hashes.len / RCPT_HASH; i++)
		if (fresh[i])
			tally_note(t, q->hashes.data + i * RCPT_HASH);
	return true;
}

static void
undo(struct tally *t, uint32_t rcpts)
{
	struct meter *meter = tally_meters(t);

	meter_undo(&meter[LIMIT_HOUR], rcpts);
	meter_undo(&meter[LIMIT_DAY], rcpts);
	meter_undo(&meter[LIMIT_MESSAGES_HOUR], 1);
	meter_undo(&meter[LIMIT_MESSAGES_DAY], 1);
	tally_touch(t);
}

void
quota_undo(const char *login, const char *label, uint32_t rcpts)
{
	uint64_t now_ms = (uint64_t)loop_wall_ms();

	undo(tally_find(login, NULL, now_ms), rcpts);
	if (label != NULL)
		undo(tally_find(login, label, now_ms), rcpts);
}

void
quota_used(const char *login, const char *label, const uint64_t limit[LIMITS],
    uint64_t now_ms, uint64_t used[LIMITS])
{
	struct usage u;

	tally_read(login, label, &u);
	for (int l = 0; l < LIMITS; l++)
		used[l] = periods_ms[l] == 0 || limit[l] == 0
		    ? 0
		    : meter_level(&u.meter[l], rate(limit, l), now_ms);
}
