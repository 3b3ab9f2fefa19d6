/*
 * policy.c - see policy.h.
 */
#include "deliver/policy.h"

static struct policy
refuse(
    struct policy p, enum verdict verdict, const char *status, const char *why)
{
	p.verdict = verdict;
	p.status = status;
	p.why = why;
	return p;
}

static struct policy
demand(struct policy p, enum policy_by by, enum policy_proof proof)
{
	p.by = by;
	p.proof = proof;
	p.tls = proof == PROOF_NONE ? ROUTE_TLS_REQUIRED : ROUTE_TLS_VERIFIED;
	return p;
}

/* The operator has said it in so many words. */
static bool
is_explicit(enum route_tls tls)
{
	return tls == ROUTE_TLS_NEVER || tls == ROUTE_TLS_VERIFIED ||
	    tls == ROUTE_TLS_IMPLICIT;
}

static struct policy
by_route(struct policy p)
{
	switch (p.tls) {
	case ROUTE_TLS_NEVER:
		p.by = BY_NOBODY;
		break;
	case ROUTE_TLS_MAY:
		p.by = BY_OPPORTUNITY;
		break;
	case ROUTE_TLS_REQUIRED:
		p.by = BY_ROUTE;
		break;
	case ROUTE_TLS_VERIFIED:
	case ROUTE_TLS_IMPLICIT:
		p.by = BY_ROUTE;
		p.proof = PROOF_NAME;
		break;
	}
	return p;
}

static struct policy
by_sts(struct policy p, const struct policy_input *in)
{
	/* RFC 8461 4.1: before any connection. */
	if (!in->sts_lists_host)
		return refuse(demand(p, BY_STS, PROOF_NAME), V_TEMP, "4.7.5",
		    "the MTA-STS policy of the domain does not list this "
		    "server");
	return demand(p, BY_STS, PROOF_NAME);
}

/* What the receiving side asks for. */
static struct policy
by_domain(struct policy p, const struct policy_input *in)
{
	switch (in->dane) {
	case DANE_FAILED:
		/* RFC 7672 2.1.2: an attacker can make a lookup fail. */
		return refuse(demand(p, BY_DANE, PROOF_TLSA), V_TEMP, "4.7.5",
		    "its TLSA records cannot be looked up or validated");
	case DANE_USABLE:
		return demand(p, BY_DANE, PROOF_TLSA);
	case DANE_UNUSABLE:
		if (in->sts == STS_ENFORCE)
			return by_sts(p, in);
		return demand(p, BY_DANE, PROOF_NONE);
	case DANE_NONE:
		break;
	}
	if (in->sts == STS_ENFORCE)
		return by_sts(p, in);
	p = by_route(p);
	p.watch = in->sts == STS_TESTING;
	return p;
}

/* RFC 8689 4.2.1: the way to the host is known for sure, and so is the host;
 * if neither DANE nor MTA-STS says so, its certificate must. */
static struct policy
for_requiretls(struct policy p, const struct policy_input *in)
{
	p.requiretls = true;
	if (p.verdict != V_OK)
		return p;
	if (p.tls == ROUTE_TLS_NEVER)
		return refuse(p, V_PERM, "5.7.30",
		    "the message requires TLS (REQUIRETLS), and the route "
		    "has tls = never");
	if (p.proof != PROOF_NONE && (p.by == BY_DANE || p.by == BY_STS))
		return p;
	if (in->by_mx && !in->secure_mx)
		return refuse(p, V_PERM, "5.7.30",
		    "the message requires TLS (REQUIRETLS), and neither "
		    "DNSSEC nor MTA-STS vouches for this server");
	if (p.proof == PROOF_NONE)
		p = demand(p, BY_REQUIRETLS, PROOF_NAME);
	return p;
}

struct policy
policy_decide(const struct policy_input *in)
{
	struct policy p = { .tls = in->route, .verdict = V_OK };

	if (is_explicit(in->route) || in->demand == DEMAND_DELIVERY)
		p = by_route(p);
	else
		p = by_domain(p, in);
	if (in->demand == DEMAND_TLS)
		p = for_requiretls(p, in);
	return p;
}

enum demand
policy_demand(uint32_t tx_flags)
{
	/* RFC 8689 5: a notice is not lost for want of it. */
	if ((tx_flags & TX_REQUIRETLS) && !(tx_flags & TX_BOUNCE))
		return DEMAND_TLS;
	return tx_flags & TX_TLS_OPTIONAL ? DEMAND_DELIVERY : DEMAND_NOTHING;
}

bool
policy_equal(const struct policy *a, const struct policy *b)
{
	return a->by == b->by && a->proof == b->proof && a->tls == b->tls &&
	    a->requiretls == b->requiretls && a->watch == b->watch;
}

const char *
policy_name(const struct policy *p, bool tls)
{
	if (!tls)
		return "none";
	switch (p->by) {
	case BY_ROUTE:
		return "route";
	case BY_DANE:
		/* Records that we cannot use made it encrypted, no more. */
		return p->proof == PROOF_TLSA ? "dane" : "opportunistic";
	case BY_STS:
		return "sts";
	case BY_REQUIRETLS:
		return "requiretls";
	case BY_NOBODY:
	case BY_OPPORTUNITY:
		break;
	}
	return "opportunistic";
}
