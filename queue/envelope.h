/*
 * envelope.h - the recipients of a message, sorted into parts that go to one
 * destination each.
 */
#ifndef QUEUE_ENVELOPE_H
#define QUEUE_ENVELOPE_H

#include <stdbool.h>

#include "lib/record.h"

#define ENVELOPE_MOST 10000 /* recipients, whatever the configuration says */

struct part {
	const char *domain;    /* what its recipients share */
	unsigned first, count; /* of the recipients; JOB_RCPTS at most */
};

struct addressee {
	const char *address; /* canonical */
	struct bytes item;   /* with its options: ipc/rcpt.h */
};

struct envelope {
	unsigned nrcpts;
	struct addressee *rcpts; /* sorted by domain, each once */
	unsigned nparts;
	struct part *parts;
	char *text; /* what the pointers above point into */
};

enum envelope_fault {
	ENVELOPE_FINE,
	ENVELOPE_EMPTY,
	ENVELOPE_TOO_MANY,
	ENVELOPE_BAD, /* not a list, or an address is not canonical */
};

/*
 * Read a packed list of recipients, of `most` at most.  Nothing is believed:
 * each must parse, with a domain, and be in canonical form, and its options
 * must be in their ranges.  Of one that comes twice the first counts.  On
 * ENVELOPE_FINE the envelope is the caller's to clear.
 *
 * A part packs into RCPTS_MAX, also with a job's two bytes for each (t_job.h).
 */
enum envelope_fault
envelope_read(struct envelope *, struct bytes list, unsigned most);
void envelope_clear(struct envelope *);

/* Recipients that a message may have, as configured. */
unsigned envelope_most(void);

/* Is this canonical text of an address with a domain?  The local part may be
 * UTF-8 (RFC 6531 3.3), the domain is in A-labels. */
bool envelope_address_valid(const char *);

#endif
