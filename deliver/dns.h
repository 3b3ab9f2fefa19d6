/*
 * dns.h - the resolver: libunbound on the event loop, with its cache and its
 * DNSSEC validation.
 */
#ifndef DELIVER_DNS_H
#define DELIVER_DNS_H

#include <stdbool.h>
#include <stddef.h>

#include "deliver/answer.h"

enum dns_result {
	DNS_FOUND,   /* one record at least */
	DNS_NOTHING, /* the name exists and has no such record */
	DNS_NO_NAME, /* NXDOMAIN */
	DNS_BOGUS,   /* ask later: it contradicts DNSSEC; logged */
	DNS_FAILED,  /* ask later: no answer, SERVFAIL */
};

/*
 *   answer  borrowed for the call; on DNS_FOUND
 *   secure  the result was validated
 */
typedef void dns_answer_fn(
    void *arg, enum dns_result, const struct answer *answer, bool secure);

/*
 * Use this configuration from now on; questions that are open keep the old
 * one.
 *
 *   server        "192.0.2.1@53" to ask, or "" to resolve from the root on
 *   trust_anchor  DS or DNSKEY lines, or NULL to validate nothing; borrowed
 *
 * An anchor or server that libunbound refuses is logged and left out (a
 * server: fatal, for the answer would come from somewhere else).
 */
void dns_configure(const char *server, const char *trust_anchor);

/*
 * Ask for records of a name.  The answer comes exactly once, perhaps before
 * this returns, and perhaps only after minutes: who cannot wait remembers
 * that.
 */
void dns_ask(const char *name, enum rr_type, dns_answer_fn *, void *arg);

#endif
