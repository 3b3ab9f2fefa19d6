/*
 * dkim.h - the keys that sign mail: which there are, their life, and signing.
 *
 *   pending ── dkim_switch ── active ── dkim_switch ── retiring ── gone
 *
 * Domains are canonical: valid, lower case.  Every change is one transaction
 * and is told to deliver.
 */
#ifndef AUTH_DKIM_H
#define AUTH_DKIM_H

#include "auth/t_dkim.h"

/* Mail that a key signed may be looked at so long after. */
#define DKIM_REST_S (7 * 24 * 3600)

/* The keys that sign for a domain: its own, or those of the nearest domain
 * above it that has any (relaxed alignment, RFC 7489 3.1.1). */
void dkim_find(const char *domain, struct msg_dkim_keys_are *);

/* out[] is what the answer borrows. */
void dkim_sign(const struct msg_dkim_sign *, struct msg_dkim_signed *,
    uint8_t out[2][512]);

enum dkim_result {
	DKIM_DONE,
	DKIM_ABSENT,  /* there is no key to do that with */
	DKIM_EXISTS,  /* there are keys already */
	DKIM_EARLY,   /* dkim_retire(): not yet, see `when` */
	DKIM_NO_ROOM, /* the disk is full */
	DKIM_FAILED,  /* no key could be made */
};

struct dkim_change {
	const char *domain;
	const char *by;
	uint64_t now;   /* unix seconds */
	bool force;     /* dkim_retire() at once */
	unsigned kinds; /* dkim_add(): set of 1 << algorithm; 0 all */
	uint64_t when;  /* out: DKIM_EARLY: when it may be done */
};

/* An Ed25519 and an RSA key, or one of them, active, for a domain that has
 * none. */
enum dkim_result dkim_add(struct dkim_change *);
/* Keys of the same kinds as the active ones, pending; DKIM_EXISTS: there are
 * such. */
enum dkim_result dkim_prepare(struct dkim_change *);
/* Pending keys sign from now on, those that signed retire. */
enum dkim_result dkim_switch(struct dkim_change *);
/* Retiring keys are removed, when they have rested. */
enum dkim_result dkim_retire(struct dkim_change *);
/* All keys of the domain are. */
enum dkim_result dkim_remove(struct dkim_change *);

/* A row for the operator. */
void dkim_describe(const char *domain, const char *selector,
    const struct dkim_row *, struct msg_dkim_row *);

void dkim_close(void);

#endif
