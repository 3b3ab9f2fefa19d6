/*
 * mx.h - the mail servers of a domain in the order to try them.
 */
#ifndef DELIVER_MX_H
#define DELIVER_MX_H

#include <stdint.h>

struct exchanger {
	unsigned preference;
	char host[256];
};

/*
 * Sort by preference, those of one preference in random order (RFC 5321 5.1).
 * below(n) is a random number under n.
 */
void mx_order(struct exchanger *, unsigned n, uint32_t (*below)(uint32_t));

/*
 * How many of an ordered list may be tried by the server `self`: all, or
 * those of a lower preference number than its own.  Others are no nearer to
 * the destination than it is and would only bring the mail back.
 */
unsigned mx_before(const struct exchanger *, unsigned n, const char *self);

/*
 * What all domains with these hosts have in common, whatever the order and
 * preferences: the hosts in alphabetical order with commas, or as many as fit
 * and "#" with a digest of all; "" for none.
 *
 *   hosts  in lower case
 */
#define MX_SITE_SIZE 256
void mx_site(const struct exchanger *hosts, unsigned n, char out[MX_SITE_SIZE]);

#endif
