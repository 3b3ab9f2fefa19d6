/*
 * metric.c - see metric.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/metric.h"

#define CELLS 512 /* label values beyond count as "other" */

#define MS(...)    { __VA_ARGS__ }, 1000
#define BYTES(...) { __VA_ARGS__ }, 1
#define KIB        1024
#define MIB        (1024 * 1024)

/* clang-format off */
const struct metric_row metric_rows[METRICS] = {
[METRIC_CONNECTIONS]       = { "connections", METRIC_GAUGE, "Clients connected now.", { "port" }, { 0 }, 1 },
[METRIC_CONNECTIONS_TOTAL] = { "connections_total", METRIC_COUNTER, "Connections of clients, and what became of them at the door.", { "port", "result" }, { 0 }, 1 },
[METRIC_SCREENED]          = { "screened_total", METRIC_COUNTER, "Connections that a rule of [screen] matched.", { "action" }, { 0 }, 1 },
[METRIC_HANDSHAKES]        = { "tls_handshakes_total", METRIC_COUNTER, "TLS handshakes with clients.", { "version", "result" }, { 0 }, 1 },
[METRIC_ACCEPTED]          = { "messages_accepted_total", METRIC_COUNTER, "Messages that got their 250.", { NULL }, { 0 }, 1 },
[METRIC_REJECTED]          = { "messages_rejected_total", METRIC_COUNTER, "Messages refused, by enhanced status code.", { "reason" }, { 0 }, 1 },
[METRIC_SIZE]              = { "message_size_bytes", METRIC_HISTOGRAM, "Size of accepted messages.", { NULL }, BYTES(KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB) },
[METRIC_ACCEPT_TIME]       = { "accept_duration_seconds", METRIC_HISTOGRAM, "From the end of the data to its 250.", { NULL }, MS(2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000) },
[METRIC_AUTH]              = { "auth_attempts_total", METRIC_COUNTER, "Logins, by mechanism and result.", { "mechanism", "result" }, { 0 }, 1 },
[METRIC_AUTH_TIME]         = { "auth_duration_seconds", METRIC_HISTOGRAM, "From a login's question to its result, without the delay for wrong ones.", { NULL }, MS(1, 5, 20, 50, 100, 200, 500, 1000, 5000) },
[METRIC_FROZEN]            = { "guard_frozen_total", METRIC_COUNTER, "Accounts that the guard froze.", { NULL }, { 0 }, 1 },
[METRIC_DELIVERIES]        = { "delivery_attempts_total", METRIC_COUNTER, "Recipients that a delivery was tried for.", { "result", "tls", "policy" }, { 0 }, 1 },
[METRIC_DELIVERY_TIME]     = { "delivery_duration_seconds", METRIC_HISTOGRAM, "From a job's arrival at deliver to its last verdict.", { NULL }, MS(50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 300000) },
[METRIC_DNS]               = { "dns_queries_total", METRIC_COUNTER, "Questions to the DNS.", { "type", "security" }, { 0 }, 1 },
};
/* clang-format on */

struct cell {
	enum metric metric;
	char labels[METRIC_LABELS][METRIC_LABEL];
	uint64_t value;
};

static struct cell cells[CELLS];
static size_t ncells;
static size_t newest[METRICS]; /* a cell of it, as one more than its index */
static uint64_t (*histograms[METRICS])[METRIC_SUM + 1];

static bool
is_same(const struct cell *c, const char *const labels[METRIC_LABELS])
{
	for (int i = 0; i < METRIC_LABELS; i++)
		if (strncmp(c->labels[i], labels[i] == NULL ? "" : labels[i],
			METRIC_LABEL - 1) != 0)
			return false;
	return true;
}

static struct cell *
find(enum metric m, const char *const labels[METRIC_LABELS])
{
	static const char *const other[METRIC_LABELS] = { "other", "other",
		"other" };
	struct cell *c;

	/* Most often it is the one that was counted last. */
	if (newest[m] > 0 && is_same(&cells[newest[m] - 1], labels))
		return &cells[newest[m] - 1];
	for (c = cells; c < cells + ncells; c++)
		if (c->metric == m && is_same(c, labels))
			break;
	if (c == cells + CELLS)
		return NULL;
	if (c == cells + ncells) {
		/* The last places are for what nobody thought of. */
		if (ncells >= CELLS - METRICS && labels[0] != NULL &&
		    labels != other)
			return find(m, other);
		c->metric = m;
		for (int i = 0; i < METRIC_LABELS; i++)
			snprintf(c->labels[i], METRIC_LABEL, "%s",
			    metric_rows[m].labels[i] == NULL ||
				    labels[i] == NULL
				? ""
				: labels[i]);
		ncells++;
	}
	newest[m] = (size_t)(c - cells) + 1;
	return c;
}

void
metric_add(
    enum metric m, const char *a, const char *b, const char *c, int64_t n)
{
	const char *const labels[METRIC_LABELS] = { a, b, c };
	struct cell *cell = find(m, labels);

	if (cell != NULL)
		cell->value += (uint64_t)n;
}

void
metric_observe(enum metric m, uint64_t value)
{
	const struct metric_row *row = &metric_rows[m];
	unsigned i = 0;

	if (histograms[m] == NULL &&
	    (histograms[m] = calloc(1, sizeof(*histograms[m]))) == NULL)
		abort();
	while (i < METRIC_STEPS && row->steps[i] != 0 && value > row->steps[i])
		i++;
	if (i < METRIC_STEPS && row->steps[i] == 0)
		i = METRIC_REST;
	(*histograms[m])[i]++;
	(*histograms[m])[METRIC_SUM] += value;
}

void
metric_each(void (*cb)(void *arg, enum metric, unsigned part,
		const char labels[METRIC_LABELS][METRIC_LABEL], uint64_t value),
    void *arg)
{
	static const char none[METRIC_LABELS][METRIC_LABEL];

	for (size_t i = 0; i < ncells; i++)
		cb(arg, cells[i].metric, 0,
		    (const char(*)[METRIC_LABEL])cells[i].labels,
		    cells[i].value);
	for (unsigned m = 0; m < METRICS; m++)
		for (unsigned i = 0; histograms[m] != NULL && i <= METRIC_SUM;
		     i++)
			if ((*histograms[m])[i] != 0)
				cb(arg, (enum metric)m, i, none,
				    (*histograms[m])[i]);
}
