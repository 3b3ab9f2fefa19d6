/*
 * ahead.c - see ahead.h.
 */
#include <stdlib.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "queue/ahead.h"
#include "queue/clock.h"
#include "queue/group.h"
#include "queue/intake.h"
#include "queue/job.h"
#include "queue/refill.h"
#include "queue/settings.h"

#define SLICE    100
#define AGAIN_MS 20
#define ROOM_MS  1000 /* the disk is nearly full: it can wait */
#define CALM_MS  600000
/* A clock may go back by that much, and nobody waits too long for it. */
#define HOUR_MS ((uint64_t)3600 * 1000)

struct slice {
	struct change change; /* the first member */
	unsigned n, moved;
	struct due_key keys[SLICE];
	struct due_row rows[SLICE];
};

static struct due_key at;
static unsigned moved;
static struct timer again, anew;

/* No retry is farther away. */
static uint64_t
farthest(void)
{
	int64_t longest = 0;

	for (size_t i = 0; i < settings->nretries; i++)
		if (settings->retry_s[i] > longest)
			longest = settings->retry_s[i];
	return (uint64_t)loop_wall_ms() + (uint64_t)longest * 1100 + HOUR_MS;
}

static void
put_back(struct txn *t, uint64_t id, struct message_row *m, uint64_t now)
{
	struct letter *l = letter_find(id);

	if (!clock_is_settled() ||
	    !letter_put_back(&m->accepted, &m->options, now))
		return;
	t_message_put(t, id, m);
	if (l == NULL)
		return;
	l->accepted = m->accepted;
	l->options = m->options;
	l->begun = letter_begun(m->accepted, &m->options);
}

static bool
move(struct txn *t, const struct due_key *k, const struct due_row *row)
{
	static uint8_t message[STORE_ROW_MAX], buf[STORE_ROW_MAX];
	struct due_key to = *k;
	struct message_row m;
	struct job_row job;
	struct job *j;

	if (!t_message_get(t, k->id, &m, message) ||
	    !t_job_get(t, k->id, k->n, &job, buf) || job.due != k->time)
		return false;
	to.time = (uint64_t)loop_wall_ms();
	put_back(t, k->id, &m, to.time);
	if (letter_waits(&m, to.time))
		to.time = letter_begun(m.accepted, &m.options);
	if (to.time >= k->time)
		return false; /* as its sender wants */
	job.due = to.time;
	t_job_put(t, k->id, k->n, &job);
	t_due_del(t, k);
	t_due_put(t, &to, row);
	if ((j = job_find(k->id, k->n)) != NULL)
		j->due = to.time;
	refill_expect(&to);
	return true;
}

static void
move_all(struct txn *t, struct totals *totals, struct change *c)
{
	struct slice *s = (struct slice *)c;

	(void)totals;
	for (unsigned i = 0; i < s->n; i++)
		s->moved += move(t, &s->keys[i], &s->rows[i]);
}

static void
forget(struct change *c)
{
	free(c);
}

static bool
gather(void *arg, const struct due_key *k, const struct due_row *row)
{
	struct slice *s = arg;

	s->keys[s->n] = *k;
	s->rows[s->n++] = *row;
	return s->n < SLICE;
}

static void
finish(void)
{
	if (moved > 0)
		log_event("warning", "text=%s jobs=%u",
		    log_quote("the clock was ahead: what it has put off for "
			      "long is tried now"),
		    moved);
	moved = 0;
	/* Times of messages are changed when the clock is believed. */
	if (!clock_is_settled())
		timer_set(&anew, CALM_MS);
}

static void
look(void *arg)
{
	struct slice *s;

	(void)arg;
	if (intake_get() == INTAKE_STOPPING)
		return;
	if (intake_get() == INTAKE_NO_ROOM) {
		timer_set(&again, ROOM_MS);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	s->change.apply = move_all;
	s->change.durable = forget;
	group_commit(); /* what is about to happen to the same rows */
	t_due_walk(&at, gather, s);
	if (s->n == 0) {
		free(s);
		finish();
		return;
	}
	at = s->keys[s->n - 1];
	at.n++;
	group_add(&s->change, HURRY_NOT);
	group_commit();
	moved += s->moved;
	timer_set(&again, AGAIN_MS);
}

static void
begin(void *arg)
{
	(void)arg;
	at = (struct due_key){ farthest(), 0, 0 };
	timer_set(&again, 0);
}

void
ahead_look(void)
{
	if (!again.ready) {
		timer_init(&again, look, NULL);
		timer_init(&anew, begin, NULL);
	}
	timer_clear(&anew);
	begin(NULL);
}
