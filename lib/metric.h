/*
 * metric.h - what a process counts for whoever watches the server.
 *
 * The table in metric.c says what each number is called, in the words of
 * Prometheus.  A process counts for itself and tells when it is asked; the
 * sum over all processes is the server's.  No label ever has an account, an
 * address or a domain: their number has no bound.
 *
 * Counting costs some comparisons of short strings, and nothing waits for it.
 * One thread of a process counts.
 */
#ifndef LIB_METRIC_H
#define LIB_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METRIC_LABELS 3
#define METRIC_LABEL  24 /* of a label's value as text, with its NUL */
#define METRIC_STEPS  12 /* of a histogram at most */

enum metric {
	/* smtpd */
	METRIC_CONNECTIONS,
	METRIC_CONNECTIONS_TOTAL,
	METRIC_SCREENED,
	METRIC_HANDSHAKES,
	METRIC_ACCEPTED,
	METRIC_REJECTED,
	METRIC_SIZE,
	METRIC_ACCEPT_TIME,
	/* auth */
	METRIC_AUTH,
	METRIC_AUTH_TIME,
	METRIC_FROZEN,
	/* deliver */
	METRIC_DELIVERIES,
	METRIC_DELIVERY_TIME,
	METRIC_DNS,
	METRICS
};

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* What a number is. */
struct metric_row {
	const char *name; /* behind "postern_" */
	enum metric_kind kind;
	const char *help;
	const char *labels[METRIC_LABELS]; /* NULL behind the last */
	/* Of a histogram: upper bounds, 0 behind the last, in the unit that is
	 * counted in; and how many of those make the unit that is told. */
	uint64_t steps[METRIC_STEPS];
	unsigned scale;
};

extern const struct metric_row metric_rows[METRICS];

/* The parts of a histogram: one for each step, then these. */
enum { METRIC_REST = METRIC_STEPS, METRIC_SUM };

/* Count n more, or fewer of a gauge.  Labels are NULL where there are none. */
void
metric_add(enum metric, const char *a, const char *b, const char *c, int64_t n);

/* Something took so many milliseconds, or has so many bytes. */
void metric_observe(enum metric, uint64_t value);

/* Every number there is. */
void
metric_each(void (*cb)(void *arg, enum metric, unsigned part,
		const char labels[METRIC_LABELS][METRIC_LABEL], uint64_t value),
    void *arg);

#endif
