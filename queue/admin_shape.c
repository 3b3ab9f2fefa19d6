/*
 * admin_shape.c - queue shape: how old what waits is, by recipient domain.
 *
 * The jobs are gone through in slices.  What a slice has of each domain is one
 * row; whoever asked adds the rows up, so that the queue remembers nothing of
 * a million of them.
 */
#include <stdio.h>
#include <string.h>

#include "lib/loop.h"
#include "queue/admin_command.h"
#include "queue/ids.h"
#include "queue/show.h"

#define JOBS_MOST    200
#define DOMAINS_MOST 64

struct slice {
	uint64_t now, id;
	uint32_t n; /* of the job behind the last one that was looked at */
	unsigned jobs, ndomains;
	struct message_row message; /* of the job at hand */
	uint64_t message_id;
	struct msg_shape_row rows[DOMAINS_MOST];
};

static unsigned
class_of(uint64_t now, uint64_t id)
{
	static const uint64_t below_s[] = SHAPE_BELOW_S;
	uint64_t born = (uint64_t)id_time_ms(id);
	uint64_t age_s = now > born ? (now - born) / 1000 : 0;
	unsigned i = 0;

	while (i < SHAPE_AGES - 1 && age_s >= below_s[i])
		i++;
	return i;
}

/* The slice's row of a domain; NULL when there is no room for another. */
static struct msg_shape_row *
row_for(struct slice *s, const char *domain)
{
	struct msg_shape_row *r;

	for (unsigned i = 0; i < s->ndomains; i++)
		if (strcmp(s->rows[i].domain, domain) == 0)
			return &s->rows[i];
	if (s->ndomains == DOMAINS_MOST)
		return NULL;
	r = &s->rows[s->ndomains++];
	memset(r, 0, sizeof(*r));
	snprintf(r->domain, sizeof(r->domain), "%s", domain);
	show_silence(&(struct conf_mail){ domain, s->message.account,
			 s->message.sender },
	    r->dest, sizeof(r->dest), &r->silent, &r->probe);
	return r;
}

static void
look_up(struct slice *s, uint64_t id)
{
	static uint8_t buf[STORE_ROW_MAX];

	if (id == s->message_id)
		return;
	if (!t_message_get(NULL, id, &s->message, buf))
		memset(&s->message, 0, sizeof(s->message));
	s->message_id = id;
}

static bool
count_job(void *arg, uint64_t id, uint32_t n, const struct job_row *row)
{
	struct slice *s = arg;
	struct msg_shape_row *r;
	struct bytes rest = row->rcpts, item;
	char text[sizeof(r->last)];
	uint64_t waiting = 0, when;
	int last = -1;

	look_up(s, id);
	r = row_for(s, row->domain);
	if (r == NULL)
		return false;
	s->id = id;
	s->n = n + 1;
	while (list_next(&rest, &item)) {
		if (item.len < 2 || item.data[0] != RCPT_WAITING)
			continue;
		waiting++;
		if (item.data[1] == last)
			continue; /* most fared like the one before */
		last = item.data[1];
		when = show_answer(row, item.data[1], text, sizeof(text));
		if (when > r->when) {
			r->when = when;
			memcpy(r->last, text, sizeof(text));
		}
	}
	r->age[class_of(s->now, id)] += waiting;
	if (s->message.held)
		r->held += waiting;
	return ++s->jobs < JOBS_MOST;
}

void
admin_shape(struct admin *op)
{
	static struct slice s;
	struct msg m = { .type = MSG_SHAPE_ROW, .tag = op->tag };
	bool more;

	s.now = (uint64_t)loop_wall_ms();
	s.jobs = s.ndomains = 0;
	s.message_id = 0; /* it may have changed */
	s.id = op->at;
	s.n = op->at_n;
	more = t_job_walk(NULL, op->at, op->at_n, count_job, &s);
	for (unsigned i = 0; i < s.ndomains; i++) {
		m.u.shape_row = s.rows[i];
		channel_send(&op->channel, &m, -1);
	}
	op->count += s.jobs;
	op->at = s.id;
	op->at_n = s.n;
	if (!more)
		admin_done(op, CODE_OK, "");
}
