/*
 * dns_plan.c - see dns_plan.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/client.h"
#include "ctl/dns_plan.h"
#include "lib/net.h"

/* Each answers without an account, and says how to get off it. */
static const char *const blocklists[] = {
	"zen.spamhaus.org",
	"bl.spamcop.net",
	"psbl.surriel.com",
};

static struct wish *add(struct plan *, enum wish_kind, enum need,
    const char *type, const char *why);

static struct wish *
add(struct plan *p, enum wish_kind kind, enum need need, const char *type,
    const char *why)
{
	struct wish *w;

	p->wishes = reallocarray(p->wishes, p->n + 1, sizeof(p->wishes[0]));
	if (p->wishes == NULL)
		abort();
	w = &p->wishes[p->n++];
	memset(w, 0, sizeof(*w));
	w->kind = kind;
	w->need = need;
	w->type = type;
	w->why = why;
	return w;
}

static void say(struct wish *, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
say(struct wish *w, const char *name, const char *fmt, ...)
{
	va_list ap;

	snprintf(w->name, sizeof(w->name), "%s", name);
	va_start(ap, fmt);
	vsnprintf(w->value, sizeof(w->value), fmt, ap);
	va_end(ap);
}

/* Is it one that only its own network can reach? */
static bool
is_private(const char *address)
{
	static const char *const networks[] = { "10.0.0.0/8", "127.0.0.0/8",
		"172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
		"100.64.0.0/10", "fc00::/7", "fe80::/10", "::1" };
	struct net_network n;
	struct net_address a;

	if (!net_parse(&a, address, strlen(address), 25))
		return true;
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++)
		if (net_network_parse(&n, networks[i]) == NULL &&
		    net_network_has(&n, (const struct sockaddr *)&a.ss))
			return true;
	return false;
}

static void
plan_host(struct plan *p, const struct conf *conf, const struct addresses *a,
    bool lists)
{
	const char *why = "clients and servers find this server by it";
	char name[256];

	if (a == NULL || a->n == 0)
		say(add(p, WISH_ADDRESS, NEED_MUST, "A", why), conf->hostname,
		    "(the address of this server)");
	for (size_t i = 0; a != NULL && i < a->n; i++)
		say(add(p, WISH_ADDRESS, NEED_MUST,
			strchr(a->list[i], ':') != NULL ? "AAAA" : "A", why),
		    conf->hostname, "%s", a->list[i]);
	for (size_t i = 0; a != NULL && i < a->n; i++) {
		if (is_private(a->list[i]) ||
		    !lookup_reverse(
			a->list[i], "in-addr.arpa", "ip6.arpa", name))
			continue;
		say(add(p, WISH_PTR, NEED_MUST, "PTR",
			"receivers refuse servers whose address has no name; "
			"whoever rents you the address sets it"),
		    name, "%s.", conf->hostname);
	}
	for (size_t i = 0; lists && a != NULL && i < a->n; i++)
		for (size_t k = 0;
		     k < sizeof(blocklists) / sizeof(blocklists[0]); k++) {
			if (is_private(a->list[i]) ||
			    !lookup_reverse(
				a->list[i], blocklists[k], blocklists[k], name))
				continue;
			say(add(p, WISH_UNLISTED, NEED_MAY, "A",
				"receivers that ask this block list refuse "
				"the mail"),
			    name, "(%s is not listed)", a->list[i]);
		}
}

static void
plan_keys(struct plan *p, const char *domain, const struct dkim_keys *keys)
{
	struct wish *w;
	char name[DKIM_NAME], value[DKIM_VALUE];

	if (keys->n == 0) {
		snprintf(name, sizeof(name), "_domainkey.%s", domain);
		say(add(p, WISH_DKIM, NEED_SHOULD, "TXT",
			"DKIM: the mail is not signed"),
		    name, "(none: \"postern dkim add %s\" makes keys)", domain);
	}
	for (size_t i = 0; i < keys->n; i++) {
		const struct msg_dkim_row *row = &keys->rows[i];

		if (row->state == DKIM_ACTIVE)
			w = add(p, WISH_DKIM, NEED_MUST, "TXT",
			    "DKIM: signs the mail of this domain");
		else if (row->state == DKIM_PENDING)
			w = add(p, WISH_DKIM, NEED_SHOULD, "TXT",
			    "DKIM: the next key, waits to be seen");
		else
			w = add(p, WISH_DKIM, NEED_MAY, "TXT",
			    "DKIM: the last key, for mail on its way");
		w->key = *row;
		dkim_record(row, name, value);
		say(w, name, "%s", value);
	}
}

static void
plan_clients(struct plan *p, const char *domain, const struct conf *conf)
{
	static const struct {
		enum tls_mode tls;
		const char *service;
	} kinds[] = { { TLS_MODE_IMPLICIT, "_submissions._tcp" },
		{ TLS_MODE_STARTTLS, "_submission._tcp" } };
	static const char *const guesses[] = { "autoconfig", "autodiscover" };
	char name[DKIM_NAME];
	unsigned port;

	for (size_t k = 0; k < 2; k++) {
		if ((port = client_port(conf, kinds[k].tls)) == 0)
			continue;
		snprintf(name, sizeof(name), "%s.%s", kinds[k].service, domain);
		say(add(p, WISH_SRV, NEED_SHOULD, "SRV",
			"mail programs find the server by it (RFC 6186, "
			"RFC 8314)"),
		    name, "0 1 %u %s.", port, conf->hostname);
	}
	for (size_t i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s.%s", guesses[i], domain);
		say(add(p, WISH_CNAME, NEED_MAY, "CNAME",
			"mail programs ask a web server of this name for their "
			"settings"),
		    name, "%s.", conf->hostname);
	}
}

static void
plan_policies(struct plan *p, const char *domain)
{
	char name[DKIM_NAME], day[16];
	time_t now = time(NULL);
	struct tm tm;

	snprintf(name, sizeof(name), "_dmarc.%s", domain);
	say(add(p, WISH_DMARC, NEED_SHOULD, "TXT",
		"DMARC: large receivers ask for it; p=quarantine or p=reject, "
		"once reports show that nothing good is lost, stops forgers"),
	    name, "v=DMARC1; p=none; rua=mailto:postmaster@%s", domain);
	snprintf(name, sizeof(name), "_mta-sts.%s", domain);
	strftime(day, sizeof(day), "%Y%m%d", gmtime_r(&now, &tm));
	say(add(p, WISH_TXT, NEED_MAY, "TXT",
		"MTA-STS, for whoever takes this domain's mail, and with a "
		"policy on https://mta-sts.DOMAIN"),
	    name, "v=STSv1; id=%s", day);
	snprintf(name, sizeof(name), "_smtp._tls.%s", domain);
	say(add(p, WISH_TXT, NEED_MAY, "TXT",
		"TLSRPT: reports about TLS on the way to this domain"),
	    name, "v=TLSRPTv1; rua=mailto:postmaster@%s", domain);
}

void
plan_make(struct plan *p, const char *domain, const struct conf *conf,
    const struct dkim_keys *keys, const struct addresses *a, bool lists)
{
	memset(p, 0, sizeof(*p));
	say(add(p, WISH_MX, NEED_SHOULD, "MX",
		"answers and bounces come by it; without one many receivers "
		"take the sender for forged"),
	    domain, "(the server that takes this domain's mail)");
	say(add(p, WISH_SPF, NEED_MUST, "TXT",
		"SPF: says that this server may send for the domain"),
	    domain, "v=spf1 a:%s ~all", conf->hostname);
	plan_keys(p, domain, keys);
	plan_policies(p, domain);
	plan_clients(p, domain, conf);
	plan_host(p, conf, a, lists);
}

void
plan_clear(struct plan *p)
{
	free(p->wishes);
	memset(p, 0, sizeof(*p));
}

const char *
need_name(enum need n)
{
	static const char *const names[] = {
		[NEED_MUST] = "needed",
		[NEED_SHOULD] = "advised",
		[NEED_MAY] = "optional",
	};

	return names[n];
}
