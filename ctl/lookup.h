/*
 * lookup.h - asking DNS as the running server sees it: its resolver, its
 * cache, its validation.
 */
#ifndef CTL_LOOKUP_H
#define CTL_LOOKUP_H

#include "ctl/daemon.h"

struct ctl;

enum {
	TYPE_A = 1,
	TYPE_PTR = 12,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	TYPE_SRV = 33
};

#define FOUND_MAX 32 /* records kept of one answer */

/* What there is; texts as deliver/rdata.h has them. */
struct found {
	enum dns_result result;
	bool secure;
	size_t n;
	char *texts[FOUND_MAX]; /* NUL-terminated */
};

struct lookup {
	struct daemon line;
	bool open;
};

/* CODE_OK, or the reason is on stderr: CODE_DOWN when no server runs. */
int lookup_open(struct lookup *, struct ctl *);
void lookup_close(struct lookup *);

/* Ask.  CODE_OK with *found set, to be cleared; else the reason is on stderr
 * and *found says DNS_FAILED. */
int
lookup_ask(struct lookup *, const char *name, unsigned type, struct found *);
void found_clear(struct found *);

/* The name that an address has in the reverse tree; false: no address. */
bool lookup_reverse(const char *address, const char *suffix4,
    const char *suffix6, char out[256]);

#endif
