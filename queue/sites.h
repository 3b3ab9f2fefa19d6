/*
 * sites.h - which domains share their mail servers, as deliver found out.
 *
 * A site is a set of MX hosts.  A thousand domains of one provider are one
 * site, and one destination.  What is known is bounded and grows old: it is
 * a copy of what is in DNS.
 */
#ifndef QUEUE_SITES_H
#define QUEUE_SITES_H

#include <stdint.h>

/* The name of the domain's site; NULL not known.  Borrowed until the next
 * call here. */
const char *sites_find(const char *domain, int64_t now_ms);

void sites_learn(const char *domain, const char *site, int64_t now_ms);
void sites_forget(const char *domain);

#endif
