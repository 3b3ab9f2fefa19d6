/*
 * answer.h - a DNS response in wire form (RFC 1035 4), read within bounds.
 */
#ifndef DELIVER_ANSWER_H
#define DELIVER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/net.h"

#define ANSWER_MAX 20 /* records kept; RFC 5321 5.1 asks for no more */

enum rr_type {
	RR_A = 1,
	RR_CNAME = 5,
	RR_PTR = 12,
	RR_MX = 15,
	RR_TXT = 16,
	RR_AAAA = 28,
	RR_TLSA = 52
};

/* One record of the type that was asked for. */
struct record {
	unsigned preference; /* MX */
	char host[256]; /* MX, PTR, CNAME: lower case, no dot; "" is the root */
	struct net_address address; /* A, AAAA; port 0 */
	const uint8_t *data;        /* TXT, TLSA: as it is; in the packet */
	size_t len;
};

struct answer {
	unsigned rcode;      /* 0 no error, 3 no such domain */
	bool alias;          /* the name asked for is one */
	char canonical[256]; /* what it stands for in the end, or itself */
	unsigned n;
	struct record records[ANSWER_MAX];
};

/*
 * Read the answer section: records of `type` and class IN, in their order;
 * those over ANSWER_MAX and those whose host name is not printable are left
 * out.  The resolver has dealt with CNAMEs, so owners of other records are
 * not looked at.  TXT and TLSA data borrow from the packet.
 * False when the packet is cut short or contradicts itself.
 */
bool
answer_parse(struct answer *, enum rr_type, const uint8_t *packet, size_t n);

/*
 * Walk through the answer section of any packet: `each` gets where the data of
 * a record of this type and class IN lies, and says whether it makes sense.
 * False when it does not, or the packet does not.
 */
typedef bool answer_each_fn(
    void *arg, const uint8_t *packet, size_t n, size_t at, size_t len);
bool answer_walk(const uint8_t *packet, size_t n, unsigned type,
    answer_each_fn *each, void *arg);

/* The name at *at, in lower case and without the dot at its end; *at moves
 * behind it.  A byte that no host name has is "?". */
bool answer_name(const uint8_t *packet, size_t n, size_t *at, char out[256]);

/* The strings of TXT data, joined; false when they are not printable ASCII,
 * do not fit or the data is malformed. */
bool answer_text(const struct record *, char *out, size_t size);

#endif
