/*
 * spf.h - what a domain's SPF record says of an address (RFC 7208), as far as
 * one needs it to tell an operator whether his server is in it.
 */
#ifndef CTL_SPF_H
#define CTL_SPF_H

#include "ctl/lookup.h"

enum spf {
	SPF_NONE, /* no record */
	SPF_PASS,
	SPF_FAIL,    /* "-", "~", "?", or nothing matches */
	SPF_SEVERAL, /* two records: receivers take neither */
	SPF_DEEP,    /* over ten lookups: receivers give up */
	SPF_UNKNOWN, /* DNS gives no answer, or the record has macros */
};

/* May this address, as text, send mail from the domain (RFC 7208)? */
enum spf spf_check(struct lookup *, const char *domain, const char *address);

#endif
