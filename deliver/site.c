/*
 * site.c - see site.h.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/dns.h"
#include "deliver/mx.h"
#include "deliver/site.h"

static_assert(MX_SITE_SIZE == SITE_SIZE, "a site's name fits its message");

struct question {
	char domain[256];
	site_found_fn *found;
	void *arg;
};

static void
take_mx(const struct answer *a, char site[SITE_SIZE])
{
	static struct exchanger hosts[ANSWER_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < a->n; i++)
		if (a->records[i].host[0] != '\0')
			memcpy(hosts[n++].host, a->records[i].host,
			    sizeof(hosts[0].host));
	mx_site(hosts, n, site);
}

static void
on_mx(void *arg, enum dns_result result, const struct answer *a, bool secure)
{
	struct question *q = arg;
	struct msg_site_is is = { 0 };

	(void)secure;
	memcpy(is.domain, q->domain, sizeof(is.domain));
	if (result == DNS_FOUND)
		take_mx(a, is.site);
	else if (result == DNS_NOTHING)
		memcpy(is.site, is.domain, sizeof(is.site));
	q->found(q->arg, &is);
	free(q);
}

void
site_ask(const char *domain, site_found_fn *found, void *arg)
{
	struct question *q = calloc(1, sizeof(*q));

	if (q == NULL)
		abort();
	snprintf(q->domain, sizeof(q->domain), "%s", domain);
	q->found = found;
	q->arg = arg;
	dns_ask(q->domain, RR_MX, on_mx, q);
}
