/*
 * dane.h - the TLSA records of a host (RFC 6698, 7671) as far as SMTP uses
 * them (RFC 7672 3.1): DANE-TA(2) and DANE-EE(3).
 */
#ifndef DELIVER_DANE_H
#define DELIVER_DANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver/answer.h"

enum dane_state {
	DANE_NONE,     /* none, or not validated: there is no DANE here */
	DANE_USABLE,   /* one at least to authenticate by */
	DANE_UNUSABLE, /* records, but none that we can use: encrypt */
	DANE_FAILED,   /* nobody knows: this host is not to be used now */
};

struct tlsa {
	uint8_t usage, selector, matching;
	const uint8_t *data;
	size_t len;
};

/* The usable records of one name. */
struct dane {
	char base[256]; /* the TLSA base domain: SNI, first reference name */
	unsigned n;
	struct tlsa records[ANSWER_MAX];
};

/* Read TLSA data; false when it is cut short.  Borrows from it. */
bool dane_read(struct tlsa *, const uint8_t *data, size_t len);

/* Whether a certificate can be checked against it: usage, selector, matching
 * type known, data of the right length and form. */
bool dane_usable(const struct tlsa *);

/* What a validated answer for _PORT._tcp.BASE holds: DANE_USABLE with *out
 * set (free with free()), or DANE_UNUSABLE. */
enum dane_state
dane_take(const struct answer *, const char *base, struct dane **out);

#endif
