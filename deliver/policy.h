/*
 * policy.h - how a server must prove itself before it gets a mail: one
 * decision from everything that has a say.
 *
 * In this order: the operator's route, where it is explicit; "TLS-Required:
 * No" of the message (RFC 8689); DANE (RFC 7672); MTA-STS (RFC 8461);
 * REQUIRETLS of the message.  DANE wins over MTA-STS (RFC 8461 2), and what
 * cannot be known is never taken for "no".
 */
#ifndef DELIVER_POLICY_H
#define DELIVER_POLICY_H

#include <stdbool.h>

#include "deliver/dane.h"
#include "ipc/messages.h"
#include "lib/conf.h"
#include "mail/sts.h"

/* What a message demands of each server on its way (RFC 8689). */
enum demand {
	DEMAND_NOTHING,
	DEMAND_TLS,      /* REQUIRETLS */
	DEMAND_DELIVERY, /* "TLS-Required: No" */
};

struct policy_input {
	enum route_tls route;
	enum demand demand;
	bool by_mx;     /* found in MX records, not named by a route */
	bool secure_mx; /* those were validated */
	enum dane_state dane;
	enum sts_mode sts;   /* of the domain */
	bool sts_lists_host; /* and this host is in it */
};

enum policy_by {
	BY_NOBODY, /* in the clear by order */
	BY_OPPORTUNITY,
	BY_ROUTE,
	BY_DANE,
	BY_STS,
	BY_REQUIRETLS,
};

/* By what a certificate is believed. */
enum policy_proof {
	PROOF_NONE, /* any will do, for the choice is between that and none */
	PROOF_NAME, /* a known authority says that it is the host's */
	PROOF_TLSA,
};

struct policy {
	enum policy_by by;
	enum policy_proof proof;
	enum route_tls tls; /* as the conversation has to know it */
	bool requiretls;    /* the server must offer REQUIRETLS */
	bool watch;         /* look at the name, and only tell (testing) */
	/* V_OK: go and connect.  V_TEMP: not to this host now.  V_PERM: this
	 * message never to this host. */
	enum verdict verdict;
	const char *status, *why; /* when not V_OK */
};

/* What holds for a connection to this host. */
struct policy policy_decide(const struct policy_input *);

/* The flags of a message, as in MSG_JOB, as a demand.  Both at once is
 * REQUIRETLS (RFC 8689 4.1). */
enum demand policy_demand(uint32_t tx_flags);

/* A server that satisfies one satisfies the other, so that a connection may
 * be used again; the host is the same. */
bool policy_equal(const struct policy *, const struct policy *);

/* "dane", "sts", "route", "requiretls", "opportunistic" or "none": what
 * stands behind a connection that came about; tls: it is encrypted. */
const char *policy_name(const struct policy *, bool tls);

#endif
