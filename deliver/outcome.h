/*
 * outcome.h - how it ended for some recipients, or why a destination could
 * not be used.
 */
#ifndef DELIVER_OUTCOME_H
#define DELIVER_OUTCOME_H

#include <stdbool.h>

#include "ipc/messages.h"

/* The fields of struct msg_job_verdict. */
struct outcome {
	enum verdict verdict;
	enum scope scope;
	int code;        /* the server's, 0 when it was not asked */
	char status[12]; /* its class fits the verdict */
	char mx[300];
	char tls[16]; /* "TLSv1.3", "" in the clear */
	char cipher[40];
	char policy[16]; /* policy_name(), "" no connection */
	char text[512];
	unsigned relayed; /* enum relayed */
	bool uncertain;   /* not V_OK, and yet it may have arrived */
	unsigned signs;   /* a set of enum sign */
};

/*
 * A fresh outcome with empty mx and tls.
 *
 *   status  "4.4.2"; its first digit becomes that of the verdict
 */
struct outcome
outcome_make(enum verdict, enum scope, int code, const char *status,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The same, but for another time: 5yz from a place that we depend on, whose
 * answer is about us and not about the mail. */
void outcome_soften(struct outcome *);

bool outcome_equal(const struct outcome *, const struct outcome *);

#endif
