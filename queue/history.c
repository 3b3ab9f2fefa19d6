/*
 * history.c - see history.h.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/loop.h"
#include "queue/group.h"
#include "queue/history.h"
#include "queue/settings.h"

#define NOTED_MOST 1000 /* and then they are written */
#define NOTED_MS   5000
/* In one transaction, for who waits for it waits for them, too; more when they
 * pile up. */
#define PART       64
#define AGAIN_ROWS 2000 /* in one turn, when the index is made again */
#define AGAIN_MS   5
/* Events may be a little out of order, when the clock was set. */
#define AGAIN_BACK_MS 60000

/* Entries on their way into the index. */
struct noted {
	TAILQ_ENTRY(noted) link;
	uint64_t time, seq; /* of the last event */
	size_t n, room, taken;
	struct index_key *keys;
};

/* Some of them, in a transaction. */
struct part {
	struct change change; /* the first member */
	struct noted *of;
	size_t first, n;
};

static struct noted *noted;
static TAILQ_HEAD(, noted) sorted = TAILQ_HEAD_INITIALIZER(sorted);
static unsigned sorted_n;
static struct timer timer, again;
static uint64_t again_time, again_seq;
static bool making;

static int
compare(const void *a, const void *b)
{
	const struct index_key *s = a, *t = b;

	if (s->period != t->period)
		return s->period < t->period ? -1 : 1;
	if (s->hash != t->hash)
		return s->hash < t->hash ? -1 : 1;
	return s->seq < t->seq ? -1 : s->seq > t->seq;
}

static bool
is_last(const struct part *p)
{
	return p->first + p->n == p->of->n;
}

static void
write_entries(struct txn *t, struct totals *totals, struct change *c)
{
	const struct part *p = (const struct part *)c;

	(void)totals;
	for (size_t i = 0; i < p->n; i++)
		t_index_put(t, &p->of->keys[p->first + i]);
	if (is_last(p))
		t_index_mark_put(t, p->of->time, p->of->seq);
}

static void add_part(size_t most);

/* The next part goes with the next group. */
static void
written(struct change *c)
{
	(void)c;
	add_part(PART * (size_t)sorted_n);
}

static void
safe(struct change *c)
{
	struct part *p = (struct part *)c;

	if (is_last(p)) {
		free(p->of->keys);
		free(p->of);
	}
	free(p);
}

static void
add_part(size_t most)
{
	struct noted *n = TAILQ_FIRST(&sorted);
	struct part *p;

	if (n == NULL)
		return;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		abort();
	p->change.apply = write_entries;
	p->change.committed = written;
	p->change.durable = safe;
	p->of = n;
	p->first = n->taken;
	p->n = n->n - n->taken < most ? n->n - n->taken : most;
	n->taken += p->n;
	if (is_last(p)) {
		TAILQ_REMOVE(&sorted, n, link);
		sorted_n--;
	}
	group_add(&p->change, HURRY_NOT);
}

static void
sort_noted(void)
{
	struct noted *n = noted;

	noted = NULL;
	timer_clear(&timer);
	if (n == NULL)
		return;
	qsort(n->keys, n->n, sizeof(n->keys[0]), compare);
	TAILQ_INSERT_TAIL(&sorted, n, link);
	sorted_n++;
}

/* All that there is, with the next group. */
static void
write_noted(void)
{
	sort_noted();
	while (!TAILQ_EMPTY(&sorted))
		add_part(SIZE_MAX);
}

static void
on_timer(void *arg)
{
	bool busy = !TAILQ_EMPTY(&sorted);

	(void)arg;
	sort_noted();
	if (!busy)
		add_part(PART);
}

static void
note(enum index_kind kind, const void *name, size_t n, uint64_t time,
    uint64_t seq)
{
	struct noted *to = noted;

	if (n == 0)
		return;
	if (to->n == to->room) {
		to->room = to->room > 0 ? 2 * to->room : NOTED_MOST + 4;
		to->keys = realloc(to->keys, to->room * sizeof(to->keys[0]));
		if (to->keys == NULL)
			abort();
	}
	to->keys[to->n++] = (struct index_key){
		.period = index_period(time),
		.hash = index_hash(kind, name, n),
		.time = time,
		.seq = seq,
	};
}

static void
note_event(uint64_t time, uint64_t seq, const struct journal_row *j)
{
	if (noted == NULL) {
		noted = calloc(1, sizeof(*noted));
		if (noted == NULL)
			abort();
		timer_set(&timer, NOTED_MS);
	}
	noted->time = time;
	noted->seq = seq;
	note(INDEX_ID, &j->id, sizeof(j->id), time, seq);
	note(INDEX_ADDRESS, j->rcpt, strlen(j->rcpt), time, seq);
	if (j->event == EVENT_ACCEPTED) {
		note(INDEX_MSGID, j->msgid, strlen(j->msgid), time, seq);
		note(INDEX_ACCOUNT, j->account, strlen(j->account), time, seq);
	}
	/* Within a transaction nothing may be added to the next one; a timer
	 * that is due at once comes after it. */
	if (noted->n >= NOTED_MOST)
		timer_set(&timer, 0);
}

void
history_add(struct txn *t, struct totals *totals, uint64_t time,
    const struct journal_row *j)
{
	t_journal_add(t, time, &totals->journal_seq, j);
	note_event(time, totals->journal_seq, j);
}

struct slice {
	unsigned n;
	uint64_t last; /* of the events that are noted in any case */
};

static bool
note_again(void *arg, uint64_t time, uint64_t seq, const struct journal_row *j)
{
	struct slice *s = arg;

	if (s->n == AGAIN_ROWS)
		return false;
	s->n++;
	again_time = time;
	again_seq = seq + 1;
	if (seq <= s->last)
		note_event(time, seq, j);
	return true;
}

/* A slice of what a crash left out. */
static void
make_again(void *arg)
{
	static uint64_t last;
	struct slice s = { 0 };

	(void)arg;
	if (last == 0)
		last = group_totals()->journal_seq;
	s.last = last;
	if (t_journal_walk(again_time, again_seq, note_again, &s))
		timer_set(&again, AGAIN_MS);
	else
		making = false;
	write_noted();
}

void
history_start(void)
{
	timer_init(&timer, on_timer, NULL);
	timer_init(&again, make_again, NULL);
	t_index_mark_get(&again_time, &again_seq);
	again_time -= again_time > AGAIN_BACK_MS ? AGAIN_BACK_MS : again_time;
	again_seq = 0;
	making = true;
	make_again(NULL);
}

void
history_stop(void)
{
	timer_clear(&again);
	write_noted();
}

bool
history_settle(void)
{
	write_noted();
	group_commit();
	return !making;
}

uint64_t
history_since(void)
{
	int64_t since = loop_wall_ms() - settings->journal_s * 1000;

	return since > 0 ? (uint64_t)since : 0;
}
