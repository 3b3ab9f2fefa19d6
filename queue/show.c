/*
 * show.c - see show.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/loop.h"
#include "queue/flight.h"
#include "queue/flow.h"
#include "queue/group.h"
#include "queue/ids.h"
#include "queue/intake.h"
#include "queue/refill.h"
#include "queue/room.h"
#include "queue/settings.h"
#include "queue/show.h"
#include "queue/spooled.h"
#include "queue/upkeep.h"

void
show_message(
    struct msg_queue_row *out, uint64_t id, const struct message_row *m)
{
	memset(out, 0, sizeof(*out));
	out->id = id;
	if (letter_waits(m, (uint64_t)loop_wall_ms()))
		out->release = m->options.hold_until * 1000;
	memcpy(out->account, m->account, sizeof(out->account));
	memcpy(out->credential, m->credential, sizeof(out->credential));
	memcpy(out->sender, m->sender, sizeof(out->sender));
	memcpy(out->msgid, m->msgid, sizeof(out->msgid));
	out->size = m->size;
	out->accepted = m->accepted;
	out->rcpts = m->rcpts;
	out->held = m->held              ? HELD_BY_ADMIN
	    : flow_suspended(m->account) ? HELD_BY_SUSPENSION
					 : HELD_NO;
}

/* The i-th packed answer of a row. */
static bool
answer_of(const struct job_row *row, uint8_t i, struct answer_row *a)
{
	struct bytes rest = row->answers, item;

	do {
		if (!list_next(&rest, &item))
			return false;
	} while (i-- > 0);
	return answer_unpack(a, item);
}

uint64_t
show_answer(const struct job_row *row, uint8_t i, char *out, size_t size)
{
	struct answer_row a;

	out[0] = '\0';
	if (!answer_of(row, i, &a))
		return 0;
	if (a.code != 0)
		snprintf(out, size, "%u %.400s", a.code, a.text);
	else
		snprintf(out, size, "%.400s", a.text);
	return a.when;
}

struct jobs {
	struct msg_queue_row *out;
	const char *domain;
	uint64_t last;
	bool match;
};

static bool
add_job(void *arg, uint64_t id, uint32_t n, const struct job_row *row)
{
	struct jobs *s = arg;
	struct bytes rest = row->rcpts, item;
	char text[sizeof(s->out->last)];
	uint64_t when;

	(void)n;
	if (id != s->out->id)
		return false;
	s->match |= s->domain[0] == '\0' || strcmp(s->domain, row->domain) == 0;
	if (row->attempts > s->out->attempts)
		s->out->attempts = row->attempts;
	if (row->due != 0 && s->out->held != HELD_BY_ADMIN &&
	    (s->out->next == 0 || row->due < s->out->next))
		s->out->next = row->due;
	if (row->due == 0 && s->out->held == HELD_NO)
		s->out->held = HELD_UNCERTAIN;
	while (list_next(&rest, &item)) {
		if (item.len < 2 || item.data[0] != RCPT_WAITING)
			continue;
		s->out->waiting++;
		when = show_answer(row, item.data[1], text, sizeof(text));
		if (when > s->last) {
			s->last = when;
			memcpy(s->out->last, text, sizeof(text));
		}
	}
	return true;
}

bool
show_jobs(struct msg_queue_row *out, const char *domain)
{
	struct jobs s = { out, domain, 0, false };

	t_job_walk(NULL, out->id, 0, add_job, &s);
	return s.match;
}

struct rcpts {
	struct channel *to;
	uint64_t tag, id;
	const struct message_row *row;
};

static const char *
state_name(
    const struct job_row *row, const uint8_t rcpt[2], const struct job *j)
{
	struct answer_row a;

	if (rcpt[0] != RCPT_WAITING && rcpt[0] < RCPT_STATES)
		return spooled_state_name(rcpt[0]);
	if (j != NULL && j->state == JOB_FLYING)
		return "active";
	if (answer_of(row, rcpt[1], &a) && answer_how(&a).uncertain)
		return "uncertain";
	return row->attempts > 0 ? "deferred" : "waiting";
}

/* By which it would go now. */
static void
put_route(const struct rcpts *s, const char *domain, struct msg_rcpt_row *out)
{
	struct conf_mail m = { domain, s->row->account, s->row->sender };

	if (out->next != 0)
		conf_route_text(conf_route(settings, &m), out->route);
}

/* The wall clock's time of what dest.h keeps. */
static uint64_t
as_wall(int64_t at_ms)
{
	return at_ms != 0 ? (uint64_t)(loop_wall_ms() - loop_now_ms() + at_ms)
			  : 0;
}

void
show_silence(const struct conf_mail *m, char *dest, size_t size,
    uint64_t *silent, uint64_t *probe)
{
	const struct dest *d = dest_look(m);

	if (d == NULL || d->pace.since == 0)
		return;
	snprintf(dest, size, "%s", d->name);
	*silent = as_wall(d->pace.since);
	*probe = as_wall(d->pace.retry_at);
}

static bool
send_rcpts(void *arg, uint64_t id, uint32_t n, const struct job_row *row)
{
	struct rcpts *s = arg;
	const struct job *j = job_find(id, n);
	struct bytes rest = row->rcpts, item;

	if (id != s->id)
		return false;
	while (list_next(&rest, &item)) {
		struct msg m = { .type = MSG_RCPT_ROW, .tag = s->tag };
		struct msg_rcpt_row *r = &m.u.rcpt_row;

		if (item.len < 2)
			continue;
		r->id = id;
		snprintf(r->address, sizeof(r->address), "%.*s",
		    (int)strnlen((const char *)item.data + 2, item.len - 2),
		    (const char *)item.data + 2);
		snprintf(r->domain, sizeof(r->domain), "%s", row->domain);
		snprintf(r->state, sizeof(r->state), "%s",
		    state_name(row, item.data, j));
		r->attempts = row->attempts;
		r->next = item.data[0] == RCPT_WAITING ? row->due : 0;
		put_route(s, row->domain, r);
		if (r->next != 0)
			show_silence(&(struct conf_mail){ row->domain,
					 s->row->account, s->row->sender },
			    r->dest, sizeof(r->dest), &r->silent, &r->probe);
		show_answer(row, item.data[1], r->last, sizeof(r->last));
		channel_send(s->to, &m, -1);
	}
	return true;
}

void
show_rcpts(struct channel *to, uint64_t tag, uint64_t id,
    const struct message_row *row)
{
	struct rcpts s = { to, tag, id, row };

	t_job_walk(NULL, id, 0, send_rcpts, &s);
}

static void
number(struct channel *to, uint64_t tag, const char *key, uint64_t value)
{
	struct msg m = { .type = MSG_STATUS_ROW, .tag = tag };

	snprintf(m.u.status_row.key, sizeof(m.u.status_row.key), "%s", key);
	snprintf(m.u.status_row.value, sizeof(m.u.status_row.value), "%" PRIu64,
	    value);
	m.u.status_row.numeric = 1;
	channel_send(to, &m, -1);
}

static bool
first_id(void *arg, const uint8_t *key, size_t key_len, const uint8_t *row,
    size_t len)
{
	(void)key_len, (void)row, (void)len;
	*(uint64_t *)arg = key_get(key, 8);
	return false;
}

void
show_status(struct channel *to, uint64_t tag)
{
	const struct totals *t = group_totals();
	uint64_t first = 0, table_bytes, log_bytes;
	int64_t oldest = 0;

	store_walk(NULL, T_MESSAGE, NULL, 0, first_id, &first);
	if (first != 0)
		oldest = loop_wall_ms() - id_time_ms(first);
	store_sizes(&table_bytes, &log_bytes);
	number(to, tag, "messages", t->messages);
	number(to, tag, "recipients_waiting", t->waiting);
	number(to, tag, "active", flight_count());
	number(to, tag, "in_memory", job_count());
	/* A clock that was set back may be behind its id. */
	number(to, tag, "oldest_seconds",
	    oldest > 0 ? (uint64_t)oldest / 1000 : 0);
	number(to, tag, "accepted_total", t->accepted);
	number(to, tag, "delivered_total", t->delivered);
	number(to, tag, "bounced_total", t->bounced);
	number(to, tag, "log_flushes", store_flushes());
	number(to, tag, "groups", group_count());
	number(to, tag, "checkpoints", upkeep_checkpoints());
	number(to, tag, "accepting", intake_get() == INTAKE_OPEN);
	number(to, tag, "free_bytes", room_free());
	number(to, tag, "table_bytes", table_bytes);
	number(to, tag, "log_bytes", log_bytes);
	number(to, tag, "destinations_waiting", dest_count_waiting());
	number(to, tag, "accounts_suspended", account_count_suspended());
}
