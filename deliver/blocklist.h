/*
 * blocklist.h - block lists in the DNS (RFC 5782), and whether they can be
 * believed.
 *
 * A list must have 127.0.0.2 and must not have 127.0.0.1 (for IPv6
 * ::ffff:7f00:2 and ::ffff:7f00:1).  One that is dead and forsaken answers
 * nothing or everything: it is left alone for ten minutes, and the log says
 * so.  One that does not answer in time is for half a minute.
 */
#ifndef DELIVER_BLOCKLIST_H
#define DELIVER_BLOCKLIST_H

#include <stdbool.h>
#include <stdint.h>

#include "deliver/answer.h"

enum listing_state {
	LISTING_UNKNOWN, /* it did not answer, or not in time */
	LISTING_IGNORED, /* it fails its tests: it says nothing */
	LISTING_KNOWN,
};

/*
 * The answer, exactly once, perhaps before blocklist_ask() returns, and
 * perhaps only after minutes.
 *
 *   codes  the addresses of the list's answer, in host byte order; none when
 *          it does not have the address, or nobody knows
 */
typedef void blocklist_fn(void *arg, const char *zone, enum listing_state,
    const uint32_t *codes, unsigned n);

/* Does the list at this zone have the address?  zone is borrowed. */
void blocklist_ask(const char *zone, const char *ip, blocklist_fn *, void *arg);

/* Somebody has given up waiting for this list. */
void blocklist_is_late(const char *zone, const char *ip);

#endif
