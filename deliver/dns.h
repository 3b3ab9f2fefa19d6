/*
 * dns.h - the resolver: libunbound on the event loop, with its cache and its
 * DNSSEC validation.
 */
#ifndef DELIVER_DNS_H
#define DELIVER_DNS_H

#include <stdbool.h>
#include <stddef.h>

#include "deliver/answer.h"
#include "ipc/messages.h"

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

/* The same for any type of record, with the packet as it came (borrowed; on
 * DNS_FOUND, which here says no more than that there was no error). */
typedef void dns_packet_fn(
    void *arg, enum dns_result, const uint8_t *packet, size_t n, bool secure);
void
dns_ask_packet(const char *name, unsigned type, dns_packet_fn *, void *arg);

#endif
