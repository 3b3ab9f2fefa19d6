/*
 * mx.c - see mx.h.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "deliver/mx.h"
#include "lib/fnv.h"

void
mx_order(struct exchanger *x, unsigned n, uint32_t (*below)(uint32_t))
{
	struct exchanger swap;
	unsigned j;

	for (unsigned i = n; i > 1; i--) {
		j = below(i);
		swap = x[i - 1];
		x[i - 1] = x[j];
		x[j] = swap;
	}
	for (unsigned i = 1; i < n; i++) {
		swap = x[i];
		for (j = i; j > 0 && x[j - 1].preference > swap.preference; j--)
			x[j] = x[j - 1];
		x[j] = swap;
	}
}

unsigned
mx_before(const struct exchanger *x, unsigned n, const char *self)
{
	for (unsigned i = 0; i < n; i++) {
		if (strcasecmp(x[i].host, self) != 0)
			continue;
		while (i > 0 && x[i - 1].preference == x[i].preference)
			i--;
		return i;
	}
	return n;
}

/* The next host behind `last` in the alphabet; NULL none. */
static const char *
next_host(const struct exchanger *x, unsigned n, const char *last)
{
	const char *best = NULL;

	for (unsigned i = 0; i < n; i++)
		if ((last == NULL || strcmp(x[i].host, last) > 0) &&
		    (best == NULL || strcmp(x[i].host, best) < 0))
			best = x[i].host;
	return best;
}

void
mx_site(const struct exchanger *x, unsigned n, char out[MX_SITE_SIZE])
{
	const size_t room = MX_SITE_SIZE - sizeof("#0123456789abcdef");
	uint64_t h = FNV_BASIS;
	const char *host = NULL;
	size_t len = 0, k;
	bool all = true;

	out[0] = '\0';
	while ((host = next_host(x, n, host)) != NULL) {
		h = fnv_add(h, host, strlen(host) + 1);
		k = strlen(host) + (len > 0);
		all = all && len + k < room;
		if (all)
			len += (size_t)sprintf(
			    out + len, "%s%s", len > 0 ? "," : "", host);
	}
	if (!all)
		sprintf(out + len, "#%016llx", (unsigned long long)h);
}
