/*
 * admin.c - see admin.h.
 *
 * A command that concerns many messages goes through them in slices, one in
 * a turn of the loop, so that a long queue can be looked at while it works.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "mail/msgid.h"
#include "queue/admin.h"
#include "queue/bodyfile.h"
#include "queue/byhand.h"
#include "queue/flow.h"
#include "queue/ids.h"
#include "queue/show.h"
#include "queue/t_journal.h"

#define LIST_MOST     500
#define SLICE         32   /* messages looked at in one turn */
#define SLICE_EVENTS  2000 /* of the journal */
#define BACKLOG_BYTES ((size_t)1 << 20)
#define PAUSE_MS      5
/* The journal may have an event a little before the id's own time. */
#define EVENTS_BEFORE_MS 10000

enum { CODE_OK = 0, CODE_USAGE = 2, CODE_NOT_FOUND = 5 };

struct operator
{
	struct channel channel;
	TAILQ_ENTRY(operator) link;
	char by[128];
	bool busy;    /* with cmd */
	bool writing; /* waits for the disk */
	bool gone;
	uint64_t tag;
	struct msg_queue_cmd cmd;
	uint64_t at; /* the next message to look at */
	uint64_t count;
	uint64_t shown; /* the last message listed */
	bool listed_all;
	/* Of QUEUE_SHOW. */
	uint64_t event_time, event_seq;
	bool row_sent;
};

struct deed {
	struct byhand hand; /* the first member */
	struct operator* op;
};

static TAILQ_HEAD(, operator) operators = TAILQ_HEAD_INITIALIZER(operators);
static struct timer again;

static void
wake_up(void *arg)
{
	(void)arg; /* admin_turn() does the rest */
}

static void operator_free(struct operator* op)
{
	channel_close(&op->channel);
	TAILQ_REMOVE(&operators, op, link);
	free(op);
}

static void
done(struct operator* op, uint32_t code, const char *text)
{
	struct msg m = { .type = MSG_CMD_DONE, .tag = op->tag };
	struct msg_cmd_done *d = &m.u.cmd_done;

	op->busy = false;
	d->exit_code = code;
	d->count = op->count;
	d->next = op->shown;
	d->more = op->cmd.verb == QUEUE_LIST && !op->listed_all;
	snprintf(d->text, sizeof(d->text), "%s", text);
	channel_send(&op->channel, &m, -1);
}

/* ---- which messages ---- */

struct found {
	const struct operator* op;
	unsigned looked, n;
	uint64_t last;
	struct msg_queue_row rows[SLICE];
};

static bool
selected(
    const struct msg_queue_cmd *q, uint64_t id, const struct message_row *m)
{
	if (q->id != 0)
		return id == q->id;
	return q->account[0] == '\0' || strcmp(q->account, m->account) == 0;
}

static bool
look_at(void *arg, uint64_t id, const struct message_row *m)
{
	struct found *f = arg;

	if (f->op->cmd.id != 0 && id != f->op->cmd.id)
		return false;
	f->last = id;
	if (selected(&f->op->cmd, id, m))
		show_message(&f->rows[f->n++], id, m);
	return ++f->looked < SLICE;
}

/*
 * The selected ones among the next messages; false when those were the last.
 */
static bool
find_some(struct operator* op, struct found *f)
{
	unsigned n = 0;
	bool more;

	f->op = op;
	f->looked = f->n = 0;
	f->last = op->at;
	more =
	    t_message_walk(op->cmd.id != 0 ? op->cmd.id : op->at, look_at, f);
	for (unsigned i = 0; i < f->n; i++)
		if (show_jobs(&f->rows[i], op->cmd.domain))
			f->rows[n++] = f->rows[i];
	f->n = n;
	op->at = f->last + 1;
	return more && op->cmd.id == 0;
}

/* ---- list ---- */

static void step_list(struct operator* op)
{
	static struct found f;
	bool more = find_some(op, &f);
	struct msg m = { .type = MSG_QUEUE_ROW, .tag = op->tag };

	for (unsigned i = 0; i < f.n; i++) {
		if (op->count == op->cmd.limit) {
			done(op, CODE_OK, "");
			return;
		}
		m.u.queue_row = f.rows[i];
		channel_send(&op->channel, &m, -1);
		op->shown = f.rows[i].id;
		op->count++;
	}
	if (!more) {
		op->listed_all = true;
		done(op, CODE_OK, "");
	}
}

/* ---- show ---- */

struct story {
	struct operator* op;
	unsigned looked;
	bool ended;
	uint64_t time, seq;
};

/* A message that left the queue, as far as the journal remembers it. */
static void
send_departed(struct operator* op, uint64_t time, const struct journal_row *j)
{
	struct msg m = { .type = MSG_QUEUE_ROW, .tag = op->tag };
	struct msg_queue_row *r = &m.u.queue_row;

	r->id = j->id;
	r->accepted = time;
	if (j->event == EVENT_ACCEPTED) {
		memcpy(r->sender, j->rcpt, sizeof(r->sender));
		memcpy(r->account, j->account, sizeof(r->account));
		memcpy(r->msgid, j->msgid, sizeof(r->msgid));
	}
	channel_send(&op->channel, &m, -1);
	op->row_sent = true;
}

static bool
tell_event(void *arg, uint64_t time, uint64_t seq, const struct journal_row *j)
{
	struct story *s = arg;
	struct msg m = { .type = MSG_EVENT_ROW, .tag = s->op->tag };
	struct msg_event_row *r = &m.u.event_row;

	s->time = time;
	s->seq = seq;
	if (j->id == s->op->cmd.id) {
		if (!s->op->row_sent)
			send_departed(s->op, time, j);
		r->time = time;
		r->id = j->id;
		snprintf(
		    r->event, sizeof(r->event), "%s", event_name(j->event));
		memcpy(r->rcpt, j->rcpt, sizeof(r->rcpt));
		memcpy(r->detail, j->detail, sizeof(r->detail));
		channel_send(&s->op->channel, &m, -1);
		s->ended = j->final != 0;
	}
	return !s->ended && ++s->looked < SLICE_EVENTS;
}

static void begin_show(struct operator* op)
{
	static uint8_t buf[STORE_ROW_MAX];
	struct msg m = { .type = MSG_QUEUE_ROW, .tag = op->tag };
	uint64_t born = (uint64_t)id_time_ms(op->cmd.id);
	struct message_row row;

	op->event_time = born > EVENTS_BEFORE_MS ? born - EVENTS_BEFORE_MS : 0;
	op->event_seq = 0;
	op->row_sent = false;
	if (!t_message_get(NULL, op->cmd.id, &row, buf))
		return;
	show_message(&m.u.queue_row, op->cmd.id, &row);
	show_jobs(&m.u.queue_row, "");
	channel_send(&op->channel, &m, -1);
	op->row_sent = true;
	show_rcpts(&op->channel, op->tag, op->cmd.id);
}

static void step_show(struct operator* op)
{
	struct story s = { .op = op };
	bool more =
	    t_journal_walk(op->event_time, op->event_seq, tell_event, &s);

	if (more && !s.ended) {
		op->event_time = s.time;
		op->event_seq = s.seq + 1;
		return;
	}
	if (op->row_sent)
		done(op, CODE_OK, "");
	else
		done(op, CODE_NOT_FOUND,
		    "neither the queue nor the journal knows this message");
}

/* ---- retry, hold, release, remove ---- */

/* clang-format off */
static const struct {
	const char *what;  /* of admin.change */
	const char *did;   /* "%llu messages" follows */
	const char *undo;  /* the verb, or NULL */
	const char *hint;
} verbs[QUEUE_VERBS] = {
	[QUEUE_RETRY]   = { "queue.retry",   "Trying again now:", NULL, "" },
	[QUEUE_HOLD]    = { "queue.hold",    "Held:", "release", "" },
	[QUEUE_RELEASE] = { "queue.release", "Released:", "hold", "" },
	[QUEUE_REMOVE]  = { "queue.remove",  "Removed without a bounce:", NULL,
	    " This cannot be undone." },
};
/* clang-format on */

static void
describe_selection(const struct msg_queue_cmd *q, char *out, size_t size)
{
	char id[MSGID_SIZE];

	msgid_format(q->id, id);
	if (q->id != 0)
		snprintf(out, size, "%s", id);
	else if (q->account[0] != '\0')
		snprintf(out, size, "--account %s", q->account);
	else if (q->domain[0] != '\0')
		snprintf(out, size, "--domain %s", q->domain);
	else
		snprintf(out, size, "--all");
}

static void finish_change(struct operator* op)
{
	const struct msg_queue_cmd *q = &op->cmd;
	char which[ADDR_SIZE + 16], undo[ADDR_SIZE + 64] = "", text[600];

	describe_selection(q, which, sizeof(which));
	if (!q->count_only)
		log_event("admin.change",
		    "by=%s what=%s selection=%s count=%llu", log_quote(op->by),
		    verbs[q->verb].what, log_quote(which),
		    (unsigned long long)op->count);
	if (q->id != 0 && op->count == 0 && !op->row_sent) {
		done(op, CODE_NOT_FOUND,
		    "there is no such message in the queue");
		return;
	}
	if (q->verb == QUEUE_RETRY && !q->count_only)
		flow_wake_all();
	if (verbs[q->verb].undo != NULL)
		snprintf(undo, sizeof(undo), " Undo: postern queue %s %s",
		    verbs[q->verb].undo, which);
	snprintf(text, sizeof(text), "%s %llu message%s.%s%s",
	    q->count_only ? "Would concern" : verbs[q->verb].did,
	    (unsigned long long)op->count, op->count == 1 ? "" : "s",
	    q->count_only ? "" : undo,
	    q->count_only ? "" : verbs[q->verb].hint);
	done(op, CODE_OK, text);
}

static void
written(struct change *c)
{
	struct deed *d = (struct deed *)c;
	struct operator* op = d->op;

	for (unsigned i = 0; i < d->hand.nfiles; i++)
		bodyfile_remove(d->hand.files[i]);
	free(d);
	op->writing = false;
	if (op->gone)
		operator_free(op);
	else if (op->listed_all)
		finish_change(op);
}

static void step_change(struct operator* op)
{
	static struct found f;
	struct deed *d;

	op->listed_all = !find_some(op, &f);
	op->row_sent |= f.n > 0;
	if (op->cmd.count_only)
		op->count += f.n;
	if (f.n == 0 || op->cmd.count_only) {
		if (op->listed_all)
			finish_change(op);
		return;
	}
	if ((d = calloc(1, sizeof(*d))) == NULL)
		abort();
	d->op = op;
	d->hand.change.durable = written;
	d->hand.verb = (enum queue_verb)op->cmd.verb;
	memcpy(d->hand.by, op->by, sizeof(op->by));
	memcpy(d->hand.domain, op->cmd.domain, sizeof(op->cmd.domain));
	for (unsigned i = 0; i < f.n; i++)
		d->hand.ids[d->hand.n++] = f.rows[i].id;
	op->writing = true;
	byhand_do(&d->hand);
	op->count += d->hand.changed;
}

/* ---- operators ---- */

static const char *
fault_of(const struct msg_queue_cmd *q)
{
	if (q->verb >= QUEUE_VERBS)
		return "unknown verb";
	if (q->verb == QUEUE_STATUS || q->verb == QUEUE_LIST)
		return NULL;
	if (q->verb == QUEUE_SHOW)
		return NULL;
	if (q->id == 0 && q->account[0] == '\0' && q->domain[0] == '\0' &&
	    !q->all)
		return "nothing is selected";
	return NULL;
}

static void
begin(struct operator* op, const struct msg *m)
{
	const char *fault = fault_of(&m->u.queue_cmd);

	op->cmd = m->u.queue_cmd;
	op->tag = m->tag;
	op->busy = true;
	op->count = 0;
	op->row_sent = op->listed_all = false;
	op->shown = op->cmd.after;
	op->at = op->cmd.verb == QUEUE_LIST ? op->cmd.after + 1 : 0;
	if (op->cmd.limit == 0 || op->cmd.limit > LIST_MOST)
		op->cmd.limit = LIST_MOST;
	if (fault != NULL) {
		/* Not even 0 is a message's id. */
		done(op, CODE_NOT_FOUND, fault);
	} else if (op->cmd.verb == QUEUE_STATUS) {
		show_status(&op->channel, op->tag);
		done(op, CODE_OK, "");
	} else if (op->cmd.verb == QUEUE_SHOW) {
		begin_show(op);
	}
}

static void step(struct operator* op)
{
	switch (op->cmd.verb) {
	case QUEUE_LIST:
		step_list(op);
		break;
	case QUEUE_SHOW:
		step_show(op);
		break;
	default:
		step_change(op);
		break;
	}
}

static void
on_gone(struct channel *c)
{
	struct operator* op = c->arg;

	op->gone = true;
	if (!op->writing)
		operator_free(op);
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	struct operator* op = c->arg;

	if (fd != -1)
		close(fd);
	if (m->type != MSG_QUEUE_CMD || op->busy) {
		channel_close(c); /* one question at a time */
		on_gone(c);
		return;
	}
	begin(op, m);
}

void
admin_client(const struct msg_ctl_client *who, int fd)
{
	struct operator* op = calloc(1, sizeof(*op));

	if (op == NULL)
		abort();
	if (!again.ready)
		timer_init(&again, wake_up, NULL);
	memcpy(op->by, who->by, sizeof(op->by));
	TAILQ_INSERT_TAIL(&operators, op, link);
	channel_open(
	    &op->channel, fd, P_QUEUE, P_CTL, 0, on_message, on_gone, op);
}

void
admin_turn(void)
{
	struct operator* op, *next;

	for (op = TAILQ_FIRST(&operators); op != NULL; op = next) {
		next = TAILQ_NEXT(op, link);
		if (op->busy && !op->writing && !op->gone) {
			if (channel_backlog(&op->channel) < BACKLOG_BYTES)
				step(op);
			if (op->busy && !op->writing)
				timer_set(&again,
				    channel_backlog(&op->channel) <
					    BACKLOG_BYTES
					? 0
					: PAUSE_MS);
		}
		if (!op->gone && channel_backlog(&op->channel) > 0)
			channel_flush(&op->channel);
	}
}
