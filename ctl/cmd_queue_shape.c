/*
 * cmd_queue_shape.c - postern queue shape.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/daemon.h"
#include "ctl/operand.h"
#include "ctl/text.h"
#include "lib/code.h"

/* Domains that are told apart; what comes behind them is added up. */
#define DOMAINS_MOST 20000
#define LIMIT        20

/* clang-format off */
static const struct column columns[] = {
	{ "domain",        "domain",      CELL_TEXT },
	{ "total",         "total",       CELL_NUMBER },
	{ "below_5m",      "<5m",         CELL_NUMBER },
	{ "below_20m",     "5-20m",       CELL_NUMBER },
	{ "below_1h",      "20-60m",      CELL_NUMBER },
	{ "below_4h",      "1-4h",        CELL_NUMBER },
	{ "below_1d",      "4-24h",       CELL_NUMBER },
	{ "older",         ">1d",         CELL_NUMBER },
	{ "held",          "held",        CELL_NUMBER },
	{ "last",          "last answer", CELL_TEXT },
	{ "last_time",     NULL,          CELL_MILLIS },
	{ "destination",   NULL,          CELL_TEXT },
	{ "silent_since",  NULL,          CELL_MILLIS },
	{ "next_probe",    NULL,          CELL_MILLIS },
};
/* clang-format on */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct line {
	struct msg_shape_row row;
	uint64_t total;
	UT_hash_handle hh;
};

struct shape {
	struct line *lines; /* by domain */
	struct line all, others;
};

static void
add(struct line *l, const struct msg_shape_row *r)
{
	for (int i = 0; i < SHAPE_AGES; i++) {
		l->row.age[i] += r->age[i];
		l->total += r->age[i];
	}
	l->row.held += r->held;
	if (r->when > l->row.when) {
		l->row.when = r->when;
		memcpy(l->row.last, r->last, sizeof(l->row.last));
	}
	if (r->silent != 0) {
		memcpy(l->row.dest, r->dest, sizeof(l->row.dest));
		l->row.silent = r->silent;
		l->row.probe = r->probe;
	}
}

static struct line *
line_for(struct shape *s, const char *domain)
{
	struct line *l;

	HASH_FIND_STR(s->lines, domain, l);
	if (l != NULL)
		return l;
	if (HASH_COUNT(s->lines) >= DOMAINS_MOST)
		return &s->others;
	if ((l = calloc(1, sizeof(*l))) == NULL)
		abort();
	snprintf(l->row.domain, sizeof(l->row.domain), "%s", domain);
	HASH_ADD_STR(s->lines, row.domain, l);
	return l;
}

static void
on_row(void *arg, const struct msg *m)
{
	const struct msg_shape_row *r = &m->u.shape_row;
	struct shape *s = arg;

	if (m->type != MSG_SHAPE_ROW)
		return;
	add(line_for(s, r->domain), r);
	add(&s->all, r);
}

static int
by_total(const struct line *a, const struct line *b)
{
	if (a->total != b->total)
		return a->total > b->total ? -1 : 1;
	return strcmp(a->row.domain, b->row.domain);
}

static void
print_line(struct output *o, const struct line *l, const char *name)
{
	const struct msg_shape_row *r = &l->row;
	char last[sizeof(r->last) + 128], when[TEXT_SHORT];
	struct cell cells[COUNT(columns)] = { { .text = name },
		{ .n = l->total } };
	struct cell *c = &cells[2];

	snprintf(last, sizeof(last), "%s", r->last);
	if (o->mode == OUTPUT_HUMAN && r->silent != 0)
		snprintf(last, sizeof(last), "no answer since %s; %.500s",
		    text_second(when, r->silent / 1000), r->last);
	for (int i = 0; i < SHAPE_AGES; i++)
		(c++)->n = r->age[i];
	(c++)->n = r->held;
	(c++)->text = last;
	(c++)->n = r->when;
	(c++)->text = r->dest;
	(c++)->n = r->silent;
	c->n = r->silent != 0 ? r->probe : 0;
	output_row(o, cells);
}

/* The longest lists, and what is behind them in one line. */
static void
print(struct output *o, struct shape *s, uint64_t limit)
{
	struct line *l, *next;
	uint64_t n = 0;

	HASH_SORT(s->lines, by_total);
	output_begin(o, columns, COUNT(columns));
	HASH_ITER(hh, s->lines, l, next)
	{
		if (l->total > 0 && n++ < limit)
			print_line(o, l, l->row.domain);
		else
			add(&s->others, &l->row);
		HASH_DEL(s->lines, l);
		free(l);
	}
	/* A program adds up by itself. */
	s->others.row.silent = s->others.row.when = 0;
	s->others.row.last[0] = '\0';
	s->all.row.silent = s->all.row.when = 0;
	s->all.row.last[0] = '\0';
	if (s->others.total > 0)
		print_line(o, &s->others, "(others)");
	if (n > 1 && o->mode == OUTPUT_HUMAN)
		print_line(o, &s->all, "(all)");
	output_end(o, "nothing waits");
}

int
cmd_queue_shape(struct ctl *c)
{
	struct msg m = { .type = MSG_QUEUE_CMD };
	const char *number = args_flag(&c->args, "limit");
	static struct shape shape;
	uint64_t limit = c->out.mode == OUTPUT_HUMAN ? LIMIT : UINT64_MAX;
	int code = CODE_OK;

	m.u.queue_cmd.verb = QUEUE_SHAPE;
	if (number != NULL)
		code = operand_number("limit", number, 1, UINT32_MAX, &limit);
	if (code == CODE_OK)
		code = daemon_find(&c->settings, c->file);
	if (code != CODE_OK)
		return code;
	code =
	    daemon_call_once(&c->settings, SERVICE_QUEUE, &m, on_row, &shape);
	if (code == CODE_OK)
		print(&c->out, &shape, limit);
	return code;
}
