/*
 * admin_trace.c - the stories of messages: queue show, trace, log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/loop.h"
#include "queue/admin_command.h"
#include "queue/group.h"
#include "queue/history.h"
#include "queue/ids.h"
#include "queue/show.h"

#define SLICE_PERIODS 32    /* of the index, in one turn */
#define SLICE_EVENTS  1000  /* of the journal, in one turn */
#define PERIOD_MOST   20000 /* entries looked at in one period */
/* The journal may have an event a little before the id's own time. */
#define BEFORE_MS 10000
#define DAY_MS    ((int64_t)86400 * 1000)

/* A clock that was ahead has left ids and events in what is the future now. */
static uint32_t
last_period(void)
{
	int64_t now = loop_wall_ms(), id = id_time_ms(group_totals()->last_id);

	return index_period(
	    (uint64_t)(id > now ? id + DAY_MS : now) + BEFORE_MS);
}

static void
send_event(struct admin *op, uint64_t time, const struct journal_row *j)
{
	struct msg m = { .type = MSG_EVENT_ROW, .tag = op->tag };
	struct msg_event_row *r = &m.u.event_row;

	r->time = time;
	r->id = j->id;
	snprintf(r->event, sizeof(r->event), "%s", event_name(j->event));
	memcpy(r->account, j->account, sizeof(r->account));
	memcpy(r->rcpt, j->rcpt, sizeof(r->rcpt));
	memcpy(r->detail, j->detail, sizeof(r->detail));
	channel_send(&op->channel, &m, -1);
}

/* The label in "... credential=LABEL rcpts=..."; it may have any letters. */
static void
read_credential(struct msg_queue_row *r, const char *detail)
{
	const char *label = strstr(detail, " credential="), *end = NULL;

	if (label == NULL)
		return;
	label += strlen(" credential=");
	for (const char *p = label; (p = strstr(p, " rcpts=")) != NULL; p++)
		end = p;
	if (end != NULL && (size_t)(end - label) < sizeof(r->credential) &&
	    strncmp(label, "- ", 2) != 0)
		memcpy(r->credential, label, (size_t)(end - label));
}

/* A message that left the queue, as far as the journal remembers it. */
static void
send_departed(struct admin *op, uint64_t time, const struct journal_row *j)
{
	struct msg m = { .type = MSG_QUEUE_ROW, .tag = op->tag };
	struct msg_queue_row *r = &m.u.queue_row;

	r->id = j->id;
	r->accepted = time;
	memcpy(r->account, j->account, sizeof(r->account));
	if (j->event == EVENT_ACCEPTED) {
		memcpy(r->sender, j->rcpt, sizeof(r->sender));
		memcpy(r->msgid, j->msgid, sizeof(r->msgid));
		read_credential(r, j->detail);
	}
	channel_send(&op->channel, &m, -1);
	op->story.known = true;
}

static bool
tell_event(void *arg, uint64_t time, uint64_t seq)
{
	struct admin *op = arg;
	struct journal_row j;

	if (!t_journal_get(time, seq, &j) || j.id != op->story.id)
		return true; /* pruned, or another of the same hash */
	if (!op->story.known)
		send_departed(op, time, &j);
	send_event(op, time, &j);
	op->story.ended = j.final != 0;
	return !op->story.ended;
}

/* Tell one message: rows of the queue and its recipients, then, in slices,
 * its events. */
static void
begin_story(struct admin *op, uint64_t id)
{
	static uint8_t buf[STORE_ROW_MAX];
	struct msg m = { .type = MSG_QUEUE_ROW, .tag = op->tag };
	uint64_t born = (uint64_t)id_time_ms(id);
	struct message_row row;

	memset(&op->story, 0, sizeof(op->story));
	op->story.id = id;
	op->story.known = t_message_get(NULL, id, &row, buf);
	op->story.whole = op->story.known;
	if (op->story.known && row.accepted < born)
		born = row.accepted; /* ids ran ahead of the clock */
	if (born < history_since() || born > (uint64_t)loop_wall_ms()) {
		born = history_since();
		op->story.whole = true;
	}
	op->story.first = op->story.period =
	    index_period(born > BEFORE_MS ? born - BEFORE_MS : 0);
	op->story.last = last_period();
	if (!op->story.known)
		return;
	show_message(&m.u.queue_row, id, &row);
	show_jobs(&m.u.queue_row, "");
	channel_send(&op->channel, &m, -1);
	show_rcpts(&op->channel, op->tag, id, &row);
}

/* False when all is told. */
static bool
go_on(struct admin *op)
{
	struct story *s = &op->story;
	uint64_t hash = index_hash(INDEX_ID, &s->id, sizeof(s->id));

	for (unsigned i = 0; i < SLICE_PERIODS && !s->ended; i++) {
		if (s->period > s->last) {
			if (s->whole)
				return false;
			/* What is over has an end; not behind the time of its
			 * id, so ids ran ahead of the clock then. */
			s->whole = true;
			s->last = s->first - 1;
			s->period = index_period(history_since());
		}
		t_index_walk(s->period++, hash, tell_event, op);
	}
	return !s->ended;
}

static const char *
unknown(const struct admin *op)
{
	return op->settled ? "neither the queue nor the journal knows this "
			     "message"
			   : "the journal's index is being made again after a "
			     "crash, and does not have this yet; try again in "
			     "a minute";
}

void
admin_show_begin(struct admin *op)
{
	op->settled = history_settle();
	begin_story(op, op->cmd.id);
}

void
admin_show(struct admin *op)
{
	if (go_on(op))
		return;
	if (op->story.known)
		admin_done(op, CODE_OK, "");
	else
		admin_done(op, CODE_MISSING, unknown(op));
}

/* QUEUE_TRACE with words: the messages that they mean, newest period first. */

void
admin_trace_begin(struct admin *op)
{
	struct hunt *h = &op->hunt;

	op->settled = history_settle();
	memset(h, 0, sizeof(*h));
	h->most = op->cmd.limit < HUNT_MOST ? op->cmd.limit : HUNT_MOST;
	if (op->cmd.id != 0) {
		h->ids[h->n++] = op->cmd.id;
		h->found = true;
		begin_story(op, h->ids[0]);
		return;
	}
	h->period = last_period();
	h->since = index_period(
	    op->cmd.after > history_since() ? op->cmd.after : history_since());
}

static bool
is_meant(const struct admin *op, const struct journal_row *j)
{
	const char *text = op->cmd.text;

	return strcmp(j->rcpt, text) == 0 || strcmp(j->msgid, text) == 0 ||
	    strcmp(j->account, text) == 0;
}

static bool
is_known(const struct hunt *h, uint64_t id)
{
	for (unsigned i = 0; i < h->n; i++)
		if (h->ids[i] == id)
			return true;
	return false;
}

/* Of many, the last ones stay. */
static void
keep(struct hunt *h, uint64_t id)
{
	if (h->n == h->most) {
		h->more = true;
		if (h->n == h->older)
			return; /* all are from a later period */
		memmove(h->ids + h->older, h->ids + h->older + 1,
		    (h->n - h->older - 1) * sizeof(h->ids[0]));
		h->n--;
	}
	h->ids[h->n++] = id;
}

static bool
on_entry(void *arg, uint64_t time, uint64_t seq)
{
	struct admin *op = arg;
	struct journal_row j;

	if (time >= op->cmd.after && t_journal_get(time, seq, &j) &&
	    is_meant(op, &j) && !is_known(&op->hunt, j.id))
		keep(&op->hunt, j.id);
	return ++op->hunt.looked < PERIOD_MOST;
}

static int
newest_first(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x < y) - (x > y);
}

/* One period; false when all have been looked at. */
static bool
look_into_period(struct admin *op)
{
	static const enum index_kind kinds[] = { INDEX_MSGID, INDEX_ACCOUNT,
		INDEX_ADDRESS };
	struct hunt *h = &op->hunt;
	size_t len = strlen(op->cmd.text);

	h->older = h->n;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		h->looked = 0;
		t_index_walk(h->period, index_hash(kinds[i], op->cmd.text, len),
		    on_entry, op);
	}
	if (h->period == 0 || h->period == h->since || h->n == h->most)
		return false;
	h->period--;
	return true;
}

void
admin_trace(struct admin *op)
{
	struct hunt *h = &op->hunt;

	for (unsigned i = 0; i < SLICE_PERIODS && !h->found; i++)
		if (!look_into_period(op)) {
			h->found = true;
			qsort(h->ids, h->n, sizeof(h->ids[0]), newest_first);
			if (h->n > 0)
				begin_story(op, h->ids[0]);
		}
	if (!h->found)
		return;
	if (h->told < h->n) {
		if (go_on(op))
			return;
		op->count += op->story.known;
		if (++h->told < h->n)
			begin_story(op, h->ids[h->told]);
		return;
	}
	if (op->count > 0)
		admin_done(
		    op, CODE_OK, h->more || h->period > h->since ? "more" : "");
	else
		admin_done(op, CODE_MISSING, unknown(op));
}

/* QUEUE_LOG: events as they came. */

static bool
on_log(void *arg, uint64_t time, uint64_t seq, const struct journal_row *j)
{
	struct admin *op = arg;
	const struct msg_queue_cmd *q = &op->cmd;

	if (op->count == q->limit || op->log.looked++ == SLICE_EVENTS)
		return false;
	op->log.time = time;
	op->log.seq = seq + 1;
	if ((q->id == 0 || j->id == q->id) &&
	    (q->account[0] == '\0' || strcmp(j->account, q->account) == 0)) {
		send_event(op, time, j);
		op->count++;
	}
	return true;
}

void
admin_log_begin(struct admin *op)
{
	op->log.time = op->cmd.after;
	op->log.seq = op->cmd.seq;
}

void
admin_log(struct admin *op)
{
	op->log.looked = 0;
	if (t_journal_walk(op->log.time, op->log.seq, on_log, op) &&
	    op->count < op->cmd.limit)
		return;
	admin_done(op, CODE_OK, "");
}
