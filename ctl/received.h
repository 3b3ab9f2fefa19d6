/*
 * received.h - the Received: lines of postern in a header that somebody sent.
 */
#ifndef CTL_RECEIVED_H
#define CTL_RECEIVED_H

#include <stddef.h>
#include <stdint.h>

#include "mail/msgid.h"

#define RECEIVED_MOST 10

struct received_line {
	uint64_t id;
	char tag[MSGID_SIZE]; /* "" none */
	char by[128];         /* the host that it names */
};

/*
 * Read text, which may hold anything: quoted mail, forwarded mail, headers
 * with or without CR, folded or with "> " in front.  Returns how many lines
 * there are, in their order.
 */
size_t received_read(
    const char *text, size_t len, struct received_line out[RECEIVED_MOST]);

#endif
