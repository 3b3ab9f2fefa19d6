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
/* Rows in one transaction, for who waits for it waits for them, too; more when
 * they pile up. */
#define PART       64
#define AGAIN_ROWS 2000 /* in one turn, when the index is made again */
#define AGAIN_MS   5
/* Events may be a little out of order, when the clock was set. */
#define AGAIN_BACK_MS 60000

/* Entries on their way into the index. */
struct noted {
	TAILQ_ENTRY(noted) link;
	/* Of the event up to which the index is whole with them; seq 0: it is
	 * being made again. */
	uint64_t time, seq;
	size_t n, room, taken;
	struct index_key *keys;
};

/* Some of them, in a transaction. */
struct part {
	struct change change; /* the first member */
	struct noted *of;
	size_t first, n;
};

static struct noted *noted; /* the latest */
static TAILQ_HEAD(noteds, noted) closed = TAILQ_HEAD_INITIALIZER(closed);
static unsigned closed_n;
static bool writing; /* each part brings the next one */
static struct timer timer, soon, again;
static uint64_t again_time, again_seq, whole_seq;
static bool making;

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
	t_index_put(t, p->of->keys + p->first, p->n);
	if (is_last(p) && p->of->seq != 0)
		t_index_mark_put(t, p->of->time, p->of->seq);
}

static void add_part(size_t rows);

/* The next part goes with the next group. */
static void
written(struct change *c)
{
	(void)c;
	add_part(PART * (size_t)(1 + closed_n / 4));
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

/* How many entries the next rows take.  No row is cut at the end of a part, so
 * that what a crash interrupts is made again in the same rows. */
static size_t
measure(const struct noted *n, size_t rows)
{
	size_t at = n->taken;

	for (; rows > 0 && at < n->n; rows--)
		at += t_index_span(n->keys + at, n->n - at);
	return at - n->taken;
}

static void
add_part(size_t rows)
{
	struct noted *n = TAILQ_FIRST(&closed);
	struct part *p;

	writing = n != NULL;
	if (!writing)
		return;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		abort();
	if (n->taken == 0)
		qsort(n->keys, n->n, sizeof(n->keys[0]), index_compare);
	p->change.apply = write_entries;
	p->change.committed = written;
	p->change.durable = safe;
	p->of = n;
	p->first = n->taken;
	p->n = measure(n, rows);
	n->taken += p->n;
	if (is_last(p)) {
		TAILQ_REMOVE(&closed, n, link);
		closed_n--;
	}
	group_add(&p->change, HURRY_NOT);
}

static void
close_noted(void)
{
	timer_clear(&timer);
	if (noted == NULL)
		return;
	TAILQ_INSERT_TAIL(&closed, noted, link);
	closed_n++;
	noted = NULL;
}

static void
write_closed(void)
{
	while (!TAILQ_EMPTY(&closed))
		add_part(SIZE_MAX);
}

/* All that there is, with the next group. */
static void
write_noted(void)
{
	close_noted();
	write_closed();
}

static void
on_soon(void *arg)
{
	(void)arg;
	if (!writing)
		add_part(PART);
}

static void
on_timer(void *arg)
{
	close_noted();
	on_soon(arg);
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
	if (!making) {
		noted->time = time;
		noted->seq = seq;
	}
	note(INDEX_ID, &j->id, sizeof(j->id), time, seq);
	note(INDEX_ADDRESS, j->rcpt, strlen(j->rcpt), time, seq);
	if (j->event == EVENT_ACCEPTED) {
		note(INDEX_MSGID, j->msgid, strlen(j->msgid), time, seq);
		note(INDEX_ACCOUNT, j->account, strlen(j->account), time, seq);
	}
	if (noted->n < NOTED_MOST)
		return;
	close_noted();
	/* Within a transaction nothing may be added to the next one; a timer
	 * that is due at once comes after it. */
	timer_set(&soon, 0);
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
	if (seq > whole_seq && seq <= s->last)
		note_event(time, seq, j);
	return true;
}

/* The index is whole with what is noted: what came meanwhile is in it, too. */
static void
made(void)
{
	struct noted *n = noted;

	if (n == NULL)
		n = TAILQ_LAST(&closed, noteds);
	if (n == NULL)
		return;
	n->time = again_time;
	n->seq = group_totals()->journal_seq;
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
	making = t_journal_walk(again_time, again_seq, note_again, &s);
	if (making) {
		timer_set(&again, AGAIN_MS);
		write_closed(); /* the next slice goes on with the batch */
		return;
	}
	made();
	write_noted();
}

void
history_start(void)
{
	timer_init(&timer, on_timer, NULL);
	timer_init(&soon, on_soon, NULL);
	timer_init(&again, make_again, NULL);
	t_index_mark_get(&again_time, &whole_seq);
	/* The clock was set back behind it: events may be anywhere before. */
	if (again_time > (uint64_t)loop_wall_ms())
		again_time = 0;
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
