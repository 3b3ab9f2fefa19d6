/*
 * envelope.c - see envelope.h.
 */
#include <stdlib.h>
#include <string.h>

#include "ipc/messages.h"
#include "mail/address.h"
#include "queue/envelope.h"
#include "queue/settings.h"

bool
envelope_address_valid(const char *s)
{
	struct address a;
	char text[ADDRESS_MAX];
	size_t n = strlen(s);

	return n > 0 && n < ADDR_SIZE && address_parse(&a, s, n) &&
	    a.domain[0] != '\0' && address_format(&a, text) == n &&
	    memcmp(text, s, n) == 0;
}

static const char *
domain_of(const char *address)
{
	return strrchr(address, '@') + 1; /* there is one: it is valid */
}

static int
compare(const void *a, const void *b)
{
	const char *s = *(const char *const *)a, *t = *(const char *const *)b;
	int d = strcmp(domain_of(s), domain_of(t));

	return d != 0 ? d : strcmp(s, t);
}

static void *
array(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL)
		abort();
	return p;
}

static bool
copy_addresses(struct envelope *e, struct bytes list)
{
	struct bytes item;
	char *at = e->text;

	while (list_next(&list, &item)) {
		memcpy(at, item.data, item.len);
		at[item.len] = '\0';
		if (strlen(at) != item.len || !envelope_address_valid(at))
			return false;
		e->rcpts[e->nrcpts++] = at;
		at += item.len + 1;
	}
	return true;
}

static void
remove_twins(struct envelope *e)
{
	unsigned n = 0;

	for (unsigned i = 0; i < e->nrcpts; i++)
		if (n == 0 || strcmp(e->rcpts[n - 1], e->rcpts[i]) != 0)
			e->rcpts[n++] = e->rcpts[i];
	e->nrcpts = n;
}

static void
cut_into_parts(struct envelope *e)
{
	struct part *p = NULL;

	for (unsigned i = 0; i < e->nrcpts; i++) {
		const char *domain = domain_of(e->rcpts[i]);

		if (p == NULL || p->count == JOB_RCPTS ||
		    strcmp(p->domain, domain) != 0) {
			p = &e->parts[e->nparts++];
			p->domain = domain;
			p->first = i;
		}
		p->count++;
	}
}

enum envelope_fault
envelope_read(struct envelope *e, struct bytes list, unsigned most)
{
	size_t count;

	memset(e, 0, sizeof(*e));
	if (!list_valid(list, ADDR_SIZE - 1, &count))
		return ENVELOPE_BAD;
	if (count == 0)
		return ENVELOPE_EMPTY;
	if (count > most || count > ENVELOPE_MOST)
		return ENVELOPE_TOO_MANY;
	e->text = array(list.len, 1); /* two bytes of length hold a NUL */
	e->rcpts = array(count, sizeof(e->rcpts[0]));
	if (!copy_addresses(e, list)) {
		envelope_clear(e);
		return ENVELOPE_BAD;
	}
	if (count > 1) {
		qsort(e->rcpts, count, sizeof(e->rcpts[0]), compare);
		remove_twins(e);
	}
	e->parts = array(e->nrcpts, sizeof(e->parts[0]));
	cut_into_parts(e);
	return ENVELOPE_FINE;
}

void
envelope_clear(struct envelope *e)
{
	free(e->text);
	free(e->rcpts);
	free(e->parts);
	memset(e, 0, sizeof(*e));
}

unsigned
envelope_most(void)
{
	return settings->recipients < ENVELOPE_MOST ? settings->recipients
						    : ENVELOPE_MOST;
}
