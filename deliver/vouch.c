/*
 * vouch.c - see vouch.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/vouch.h"

void
vouch_clear(struct vouch *v)
{
	free(v->tlsa);
	*v = (struct vouch){ 0 };
}

void
vouch_address(struct vouch *v, const struct answer *a, bool secure)
{
	v->found = true;
	v->insecure |= !secure;
	v->alias = a->alias;
	memcpy(v->canonical, a->canonical, sizeof(v->canonical));
}

/* An alias into a zone without DNSSEC: the alias itself may be secure, and
 * then its own name has a say (RFC 7672 2.2.2). */
void
vouch_begin(struct vouch *v)
{
	if (!v->found || (v->insecure && !v->alias))
		return;
	v->dane = DANE_FAILED;
	if (v->insecure)
		v->step = VOUCH_ALIAS;
	else
		v->step = v->alias ? VOUCH_EXPANDED : VOUCH_NAME;
}

bool
vouch_asks(const struct vouch *v, const char *host, unsigned port,
    char question[VOUCH_QUESTION], enum rr_type *type)
{
	if (v->step == VOUCH_SAID)
		return false;
	if (v->step == VOUCH_ALIAS) {
		*type = RR_CNAME;
		snprintf(question, VOUCH_QUESTION, "%s", host);
		return true;
	}
	*type = RR_TLSA;
	snprintf(question, VOUCH_QUESTION, "_%u._tcp.%s", port,
	    v->step == VOUCH_EXPANDED ? v->canonical : host);
	return true;
}

/* RFC 7672 2.2.2: the expanded name first, then the one in the MX record.
 * Until that has answered, too, nobody knows. */
void
vouch_hear(struct vouch *v, const char *host, enum dns_result result,
    const struct answer *a, bool secure)
{
	enum vouch_step step = v->step;
	bool yes = result == DNS_FOUND && secure;

	v->step = VOUCH_SAID;
	if (result == DNS_BOGUS || result == DNS_FAILED)
		return;
	if (yes && step != VOUCH_ALIAS)
		v->dane = dane_take(
		    a, step == VOUCH_EXPANDED ? v->canonical : host, &v->tlsa);
	else if (yes || step == VOUCH_EXPANDED)
		v->step = VOUCH_NAME;
	else
		v->dane = DANE_NONE;
}
