/*
 * digest.c - see digest.h.
 *
 * Memory has a heap for each sender with failures that wait, and a count for
 * each account that had notices in the last hour; the failures are rows.  So
 * are accounts that the guard froze: these have one heap, and no count, for
 * the postmaster hears of one at once and of the others by the hour.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "queue/digest.h"
#include "queue/frozen.h"
#include "queue/group.h"
#include "queue/notice.h"
#include "queue/settings.h"
#include "queue/t_digest.h"
#include "queue/t_due.h"

#define HOUR_MS 3600000
#define AT_ONCE 500          /* failures in one digest, */
#define BYTES   (200 * 1024) /* and their text, about */
#define HEAPS   50           /* told in one turn */
#define KEPT    TX_REQUIRETLS

struct heap {
	UT_hash_handle hh;
	uint64_t key;
	uint64_t due;
	uint64_t waiting;
};

struct rate {
	UT_hash_handle hh;
	uint64_t account; /* a hash */
	uint64_t since;
	unsigned told;
};

static struct heap *heaps;
static struct rate *rates;
static uint64_t swept;
static uint64_t freeze_told; /* the last mail about any, or 0 */
static struct timer timer;

static uint64_t
heap_key(const char *account, const char *sender, uint32_t flags)
{
	char text[2 * ADDR_SIZE + 16];

	snprintf(text, sizeof(text), "%s %x %s", account, flags & KEPT, sender);
	return hash64(text);
}

static uint64_t
now_ms(void)
{
	return (uint64_t)loop_wall_ms();
}

/* How long what waits gathers. */
static uint64_t
pause_ms(void)
{
	return (uint64_t)settings->digest_s * 1000;
}

/* A clock that went back must not keep anybody waiting for it. */
static uint64_t
latest(uint64_t due)
{
	uint64_t most = now_ms() + pause_ms();

	return due < most ? due : most;
}

static void
set_timer(void)
{
	uint64_t now = now_ms(), first = UINT64_MAX;
	struct heap *h, *next;

	HASH_ITER(hh, heaps, h, next)
	{
		h->due = latest(h->due);
		if (h->due < first)
			first = h->due;
	}
	if (first != UINT64_MAX)
		timer_set(&timer, first > now ? (int64_t)(first - now) : 0);
}

static struct heap *
find(uint64_t key)
{
	struct heap *h;

	HASH_FIND(hh, heaps, &key, sizeof(key), h);
	return h;
}

static struct heap *
add_heap(uint64_t key, uint64_t due)
{
	struct heap *h = calloc(1, sizeof(*h));

	if (h == NULL)
		abort();
	h->key = key;
	h->due = due;
	HASH_ADD(hh, heaps, key, sizeof(h->key), h);
	return h;
}

static void
drop_heap(struct heap *h)
{
	HASH_DEL(heaps, h);
	free(h);
}

/* Counts of an hour ago say nothing. */
static void
sweep(uint64_t now)
{
	struct rate *r, *next;

	if (now - swept < HOUR_MS)
		return;
	swept = now;
	HASH_ITER(hh, rates, r, next)
	if (now - r->since >= HOUR_MS) {
		HASH_DEL(rates, r);
		free(r);
	}
}

/* One more notice for this account in this hour? */
static bool
fits(const char *account)
{
	uint64_t now = now_ms(), key = hash64(account);
	struct rate *r;

	sweep(now);
	HASH_FIND(hh, rates, &key, sizeof(key), r);
	if (r == NULL) {
		r = calloc(1, sizeof(*r));
		if (r == NULL)
			abort();
		r->account = key;
		HASH_ADD(hh, rates, account, sizeof(r->account), r);
	}
	if (now - r->since >= HOUR_MS) {
		r->since = now;
		r->told = 0;
	}
	if (r->told >= settings->notices_hour)
		return false;
	r->told++;
	return true;
}

uint64_t
digest_due(const struct letter *l)
{
	uint64_t key = heap_key(l->account, l->sender, l->flags);
	struct heap *h = find(key);

	if (notice_returns_whole(l) || (h == NULL && fits(l->account)))
		return 0;
	if (h == NULL) {
		h = add_heap(key, now_ms() + pause_ms());
		set_timer();
	}
	return h->due;
}

bool
digest_may_tell(const struct letter *l)
{
	return find(heap_key(l->account, l->sender, l->flags)) == NULL &&
	    fits(l->account);
}

void
digest_add(struct txn *t, const struct totals *totals, const struct job *j,
    const struct rcpt *r, uint64_t due)
{
	const struct letter *l = j->letter;
	struct digest_key k = { heap_key(l->account, l->sender, l->flags),
		totals->journal_seq };
	static struct digest_row d;
	struct heap *h = find(k.heap);

	memset(&d, 0, sizeof(d));
	snprintf(d.sender, sizeof(d.sender), "%s", l->sender);
	snprintf(d.account, sizeof(d.account), "%s", l->account);
	d.flags = l->flags & KEPT;
	d.due = due;
	d.id = l->id;
	d.arrived = l->accepted;
	snprintf(d.msgid, sizeof(d.msgid), "%s", l->msgid);
	memcpy(d.envid, l->options.envid, sizeof(d.envid));
	snprintf(d.address, sizeof(d.address), "%s", r->address);
	snprintf(d.orcpt, sizeof(d.orcpt), "%s", r->orcpt);
	job_answer(j, r->answer, &d.answer);
	t_digest_put(t, &k, &d);
	/* What gathered before may have been told a moment ago. */
	if (h == NULL) {
		h = add_heap(k.heap, due);
		set_timer();
	}
	h->waiting++;
}

/* A frozen account that joins those who wait. */
struct freezing {
	struct change change; /* the first member */
	struct digest_key k;
	struct digest_row d;
};

static void
write_freezing(struct txn *t, struct totals *totals, struct change *c)
{
	struct freezing *f = (struct freezing *)c;

	(void)totals;
	t_digest_put(t, &f->k, &f->d);
}

static void
free_freezing(struct change *c)
{
	free(c);
}

/* When those of now are told; 0: at once. */
static uint64_t
freezing_due(uint64_t heap)
{
	struct heap *h = find(heap);

	if (h != NULL)
		return h->due;
	if (freeze_told == 0 || now_ms() - freeze_told >= pause_ms())
		return 0;
	return freeze_told + pause_ms();
}

bool
digest_freeze(const char *to, const char *account, const char *why)
{
	uint64_t heap = hash64("frozen"), due = freezing_due(heap);
	struct freezing *f;
	struct heap *h;

	if (due == 0) {
		freeze_told = now_ms();
		return false;
	}
	if ((f = calloc(1, sizeof(*f))) == NULL)
		abort();
	f->change.apply = write_freezing;
	f->change.durable = free_freezing;
	f->k = (struct digest_key){ heap, group_new_id() };
	snprintf(f->d.sender, sizeof(f->d.sender), "%s", to);
	snprintf(f->d.address, sizeof(f->d.address), "%s", account);
	snprintf(f->d.answer.text, sizeof(f->d.answer.text), "%s", why);
	f->d.answer.when = now_ms();
	f->d.due = due;
	if ((h = find(heap)) == NULL) {
		h = add_heap(heap, due);
		set_timer();
	}
	h->waiting++;
	group_add(&f->change, HURRY_NOW);
	return true;
}

/* A digest that is being put together, and the rows that go with it. */
struct telling {
	struct change change; /* the first member */
	uint64_t heap;
	struct digest_row *rows;
	struct digest_key *keys;
	size_t n, bytes;
};

/* Of one heap: two senders can have the same number, if hardly ever. */
static bool
take(void *arg, const struct digest_key *k, const struct digest_row *d)
{
	struct telling *t = arg;
	const struct digest_row *first = t->rows;

	if (k->heap != t->heap || t->n == AT_ONCE || t->bytes >= BYTES)
		return false;
	if (t->n > 0 &&
	    (strcmp(first->sender, d->sender) != 0 ||
		strcmp(first->account, d->account) != 0 ||
		first->flags != d->flags))
		return true;
	t->rows = realloc(t->rows, (t->n + 1) * sizeof(*t->rows));
	t->keys = realloc(t->keys, (t->n + 1) * sizeof(*t->keys));
	if (t->rows == NULL || t->keys == NULL)
		abort();
	t->rows[t->n] = *d;
	t->keys[t->n++] = *k;
	t->bytes += notice_failure_size(d);
	return true;
}

static void
delete_rows(struct txn *txn, struct totals *totals, struct change *c)
{
	struct telling *t = (struct telling *)c;

	(void)totals;
	for (size_t i = 0; i < t->n; i++)
		t_digest_del(txn, &t->keys[i]);
}

static void
done(struct change *c)
{
	struct telling *t = (struct telling *)c;

	free(t->rows);
	free(t->keys);
	free(t);
}

static void
tell(struct heap *h)
{
	struct telling *t = calloc(1, sizeof(*t));
	struct digest_key from = { h->key, 0 };
	struct accept *digest = NULL;

	if (t == NULL)
		abort();
	t->heap = h->key;
	t->change.apply = delete_rows;
	t->change.durable = done;
	t_digest_walk(&from, take, t);
	if (t->n > 0 && t->rows->id == 0) {
		freeze_told = now_ms();
		digest = frozen_summary(t->rows, t->n);
	} else if (t->n > 0) {
		digest = notice_digest(t->rows, t->n);
	}
	h->waiting -= t->n < h->waiting ? t->n : h->waiting;
	if (h->waiting == 0 || t->n == 0)
		drop_heap(h);
	group_add(&t->change, HURRY_NOT);
	if (digest != NULL)
		spool_accept(digest);
}

/* One digest of each heap at a turn, and not of all when there are many; what
 * is left comes in the next one. */
static void
tell_due(uint64_t now)
{
	struct heap *h, *next;
	unsigned told = 0;

	group_commit();
	HASH_ITER(hh, heaps, h, next)
	if (h->due <= now && told++ < HEAPS)
		tell(h);
}

static void
on_timer(void *arg)
{
	(void)arg;
	tell_due(now_ms());
	set_timer();
}

void
digest_tell_all(void)
{
	while (heaps != NULL)
		tell_due(UINT64_MAX);
	group_commit();
}

static bool
know(void *arg, const struct digest_key *k, const struct digest_row *d)
{
	struct heap *h = find(k->heap);

	(void)arg;
	if (h == NULL)
		h = add_heap(k->heap, d->due);
	h->waiting++;
	return true;
}

void
digest_start(void)
{
	timer_init(&timer, on_timer, NULL);
	t_digest_walk(&(struct digest_key){ 0, 0 }, know, NULL);
	set_timer();
}

void
digest_stop(void)
{
	struct heap *h, *next_heap;
	struct rate *r, *next;

	timer_clear(&timer);
	HASH_ITER(hh, heaps, h, next_heap)
	drop_heap(h);
	HASH_ITER(hh, rates, r, next)
	{
		HASH_DEL(rates, r);
		free(r);
	}
}
