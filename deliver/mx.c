/*
 * mx.c - see mx.h.
 */
#include <strings.h>

#include "deliver/mx.h"

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
