/*
 * target.h - a server to connect to: one address of one host, and what the
 * way on which it was found says of it.
 */
#ifndef DELIVER_TARGET_H
#define DELIVER_TARGET_H

#include <stdbool.h>

#include "deliver/dane.h"
#include "lib/net.h"

struct target {
	char host[256];             /* a name, or an address as text */
	bool literal;               /* it is an address */
	struct net_address address; /* with port */
	bool by_mx;                 /* found in MX records */
	bool secure_mx;             /* those were validated */
	enum dane_state dane;
	const struct dane *tlsa; /* with DANE_USABLE; the search's own */
};

/* "mx.example.net[192.0.2.25]:25", or "[192.0.2.25]:25". */
#define TARGET_NAME 300
void target_name(const struct target *, char out[TARGET_NAME]);

#endif
