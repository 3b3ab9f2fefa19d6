/*
 * places.c - see places.h.
 */
#include "deliver/places.h"
#include "deliver/self.h"

void
places_clear(struct places *p)
{
	p->n = p->norder = p->next = 0;
}

void
places_add(struct places *p, unsigned host, const struct net_address *a)
{
	if (p->n < PLACES_MAX)
		p->all[p->n++] = (struct place){ host, *a };
}

void
places_add_answer(
    struct places *p, unsigned host, const struct answer *a, unsigned port)
{
	for (unsigned i = 0; i < a->n && i < PLACES_FAMILY; i++) {
		struct net_address address = a->records[i].address;

		net_set_port(&address, port);
		places_add(p, host, &address);
	}
}

bool
places_has_self(const struct places *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (self_listens(
			(const struct sockaddr *)&p->all[i].address.ss))
			return true;
	return false;
}

/* The nth address of a host and family becomes the next in order. */
static void
line_up(struct places *p, unsigned host, int family, unsigned n)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->all[i].host == host &&
		    p->all[i].address.ss.ss_family == family && n-- == 0)
			p->order[p->norder++] = (uint8_t)i;
}

void
places_line_up(struct places *p, unsigned first, unsigned end)
{
	for (unsigned host = first; host < end; host++)
		for (unsigned n = 0; n < PLACES_FAMILY; n++) {
			line_up(p, host, AF_INET6, n);
			line_up(p, host, AF_INET, n);
		}
}

const struct place *
places_next(struct places *p)
{
	return p->next < p->norder ? &p->all[p->order[p->next++]] : NULL;
}

const struct place *
places_swap(struct places *p, unsigned host)
{
	uint8_t swap;

	for (unsigned i = p->next; p->next > 0 && i < p->norder; i++) {
		swap = p->order[i];
		if (p->all[swap].host != host)
			continue;
		p->order[i] = p->order[p->next - 1];
		p->order[p->next - 1] = swap;
		return &p->all[swap];
	}
	return NULL;
}
