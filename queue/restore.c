/*
 * restore.c - see restore.h.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/loop.h"
#include "mail/msgid.h"
#include "queue/refill.h"
#include "queue/restore_parts.h"
#include "queue/spool.h"

static void
message_free(struct message *m)
{
	if (m == NULL)
		return;
	for (unsigned i = 0; i < m->nparts; i++) {
		free((void *)(uintptr_t)m->parts[i].row.rcpts.data);
		free((void *)(uintptr_t)m->parts[i].row.answers.data);
	}
	free(m->parts);
	body_free(m->body);
	if (m->fd != -1)
		close(m->fd);
	free(m);
}

struct restore *
restore_new(void (*idle)(void *arg), void *arg)
{
	struct restore *r = calloc(1, sizeof(*r));

	if (r == NULL)
		abort();
	r->idle = idle;
	r->arg = arg;
	return r;
}

static void
drop_message(struct restore *r)
{
	if (r->now != NULL && r->now->fd != -1)
		bodyfile_remove(r->now->id);
	message_free(r->now);
	r->now = NULL;
}

void
restore_free(struct restore *r)
{
	if (r == NULL)
		return;
	drop_message(r);
	r->idle = NULL;
	if (r->pending == 0)
		free(r);
}

const char *
restore_fault(const struct restore *r)
{
	return r->fault[0] != '\0' ? r->fault : NULL;
}

uint64_t
restore_count(const struct restore *r)
{
	return r->done;
}

/* One is on the disk, or cannot be. */
static void
settle(struct restore *r)
{
	r->pending--;
	if (r->pending > 0)
		return;
	if (r->idle == NULL) {
		free(r);
	} else if (r->waited) {
		r->waited = false;
		r->idle(r->arg);
	}
}

void
restore_wait(struct restore *r)
{
	r->waited = true;
	r->pending++;
	settle(r);
}

void
restore_fail(struct restore *r, const char *fmt, ...)
{
	char id[MSGID_SIZE] = "";
	va_list ap;
	int n = 0;

	if (r->fault[0] != '\0')
		return;
	if (r->now != NULL) {
		msgid_format(r->now->id, id);
		n = snprintf(r->fault, sizeof(r->fault), "message %s: ", id);
	}
	va_start(ap, fmt);
	vsnprintf(r->fault + n, sizeof(r->fault) - (size_t)n, fmt, ap);
	va_end(ap);
	drop_message(r);
}

static void
write_part(struct txn *t, const struct message *m, const struct part_row *p)
{
	struct due_key key = { p->row.due, m->id, p->n };
	struct due_row due = { hash64(m->row.account), hash64(p->row.domain),
		(p->row.noticed ? DUE_NOTICED : 0) |
		    (m->row.options.by != 0 ? DUE_DEADLINE : 0) };

	t_job_put(t, m->id, p->n, &p->row);
	if (key.time != 0)
		t_due_put(t, &key, &due);
}

static void
write_event(struct txn *t, struct totals *totals, const struct message *m)
{
	char detail[128];

	snprintf(detail, sizeof(detail),
	    "restored from a backup; accepted=%" PRIu64
	    " rcpts=%u size=%" PRIu64,
	    m->row.accepted / 1000, m->row.rcpts, m->row.size);
	spool_note_accepted(
	    t, totals, m->id, &m->row, (uint64_t)loop_wall_ms(), detail);
}

static void
write_rows(struct txn *t, struct totals *totals, struct change *c)
{
	struct message *m = (struct message *)c;

	/* In the table at once: what is looked for in the log begins at an
	 * id, and these are old. */
	if (m->body != NULL) {
		t_body_put_rows(t, m->id, m->body->data, m->body->len);
		m->row.body = BODY_ROWS;
	}
	t_message_put(t, m->id, &m->row);
	for (unsigned i = 0; i < m->nparts; i++)
		write_part(t, m, &m->parts[i]);
	write_event(t, totals, m);
	totals->messages++;
	totals->waiting += m->waiting;
	if (m->id > totals->last_id)
		totals->last_id = m->id;
}

static void
visible(struct change *c)
{
	struct message *m = (struct message *)c;

	for (unsigned i = 0; i < m->nparts; i++) {
		struct due_key key = { m->parts[i].row.due, m->id,
			m->parts[i].n };

		if (key.time != 0)
			refill_expect(&key);
	}
}

static void
durable(struct change *c)
{
	struct message *m = (struct message *)c;
	struct restore *r = m->from;

	r->done++;
	message_free(m);
	settle(r);
}

static void
add(struct message *m)
{
	m->change.apply = write_rows;
	m->change.committed = visible;
	m->change.durable = durable;
	group_add(&m->change, HURRY_NOW);
}

static void
on_kept(struct bodyfile_keep *k)
{
	struct message *m =
	    (struct message *)((char *)k - offsetof(struct message, keep));
	struct restore *r = m->from;

	m->fd = k->fd;
	if (k->error == 0) {
		add(m);
		return;
	}
	if (r->fault[0] == '\0')
		snprintf(r->fault, sizeof(r->fault),
		    "a body cannot be kept: %s", strerror(k->error));
	bodyfile_remove(m->id);
	message_free(m);
	settle(r);
}

void
restore_keep(struct restore *r)
{
	struct message *m = r->now;

	r->now = NULL;
	r->pending++;
	if (m->body != NULL) {
		add(m);
		return;
	}
	m->keep = (struct bodyfile_keep){
		.id = m->id, .size = m->row.size, .fd = m->fd, .done = on_kept
	};
	m->fd = -1;
	bodyfile_keep(&m->keep);
}
