/*
 * metrics.c - see metrics.h.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "ipc/metrics.h"
#include "lib/metric.h"

static_assert(
    sizeof(((struct msg_metric_row *)0)->label) == METRIC_LABELS * METRIC_LABEL,
    "the labels fit");

struct console {
	struct channel line;
	LIST_ENTRY(console) link;
};

struct telling {
	struct channel *to;
	uint64_t tag;
};

static LIST_HEAD(, console) consoles = LIST_HEAD_INITIALIZER(consoles);

static void
tell_row(void *arg, enum metric metric, unsigned part,
    const char labels[METRIC_LABELS][METRIC_LABEL], uint64_t value)
{
	const struct telling *t = arg;
	struct msg m = { .type = MSG_METRIC_ROW, .tag = t->tag };
	struct msg_metric_row *r = &m.u.metric_row;

	r->metric = metric;
	r->part = part;
	for (int i = 0; i < METRIC_LABELS; i++)
		snprintf(r->label[i], METRIC_LABEL, "%s", labels[i]);
	r->value = value;
	channel_send(t->to, &m, -1);
}

void
metrics_tell(struct channel *c, uint64_t tag)
{
	struct msg done = { .type = MSG_CMD_DONE, .tag = tag };
	struct telling t = { c, tag };

	metric_each(tell_row, &t);
	channel_send(c, &done, -1);
}

static void
end(struct console *con)
{
	channel_close(&con->line);
	LIST_REMOVE(con, link);
	free(con);
}

static void
on_gone(struct channel *c)
{
	end(c->arg);
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	(void)fd; /* none may ride with this */
	if (m->type == MSG_METRICS)
		metrics_tell(c, m->tag);
	else
		end(c->arg);
}

void
metrics_open(int fd, enum process self)
{
	struct console *con = calloc(1, sizeof(*con));

	if (con == NULL)
		abort();
	LIST_INSERT_HEAD(&consoles, con, link);
	channel_open(&con->line, fd, self, P_CTL, 0, on_message, on_gone, con);
}

void
metrics_close(void)
{
	struct console *con;

	while ((con = LIST_FIRST(&consoles)) != NULL)
		end(con);
}
