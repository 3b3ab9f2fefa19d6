/*
 * envelope.c - see envelope.h.
 */
#include <stdlib.h>
#include <string.h>

#include "ipc/rcpt.h"
#include "mail/address.h"
#include "mail/utf8.h"
#include "queue/envelope.h"
#include "queue/settings.h"

/* Bytes of a packed recipient beside its item: length, state, answer. */
#define ITEM_EXTRA 4

static bool
ascii_valid(const char *s, size_t n)
{
	struct address a;
	char text[ADDRESS_MAX];

	return address_parse(&a, s, n) && a.domain[0] != '\0' &&
	    address_format(&a, text) == n && memcmp(text, s, n) == 0;
}

/*
 * To RFC 6531 every character over 127 of a local part is what a letter is,
 * so with letters in their places it is the same question.
 */
bool
envelope_address_valid(const char *s)
{
	char plain[ADDR_SIZE];
	size_t n = strlen(s), at = 0;
	bool eight_bit = false;

	if (n == 0 || n >= ADDR_SIZE)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '@')
			at = i;
		eight_bit |= (s[i] & 0x80) != 0;
		plain[i] = (char)((s[i] & 0x80) != 0 ? 'x' : s[i]);
	}
	if (!eight_bit)
		return ascii_valid(s, n);
	for (size_t i = at; i < n; i++)
		if ((s[i] & 0x80) != 0)
			return false;
	return utf8_text(s, n) && ascii_valid(plain, n);
}

static const char *
domain_of(const char *address)
{
	return strrchr(address, '@') + 1; /* there is one: it is valid */
}

static int
compare(const void *a, const void *b)
{
	const char *s = ((const struct addressee *)a)->address;
	const char *t = ((const struct addressee *)b)->address;
	int d = strcmp(domain_of(s), domain_of(t));

	if (d == 0)
		d = strcmp(s, t);
	/* Twins stand in the order they came. */
	return d != 0 ? d : (s > t) - (s < t);
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
copy_recipients(struct envelope *e, struct bytes list)
{
	struct rcpt_item r;
	struct bytes item;
	char *at = e->text;

	while (list_next(&list, &item)) {
		if (!rcpt_unpack(&r, item) ||
		    !envelope_address_valid(r.address) ||
		    !utf8_text(r.orcpt, strlen(r.orcpt)))
			return false;
		/* An address without options needs a NUL behind it. */
		memcpy(at, item.data, item.len);
		at[item.len] = '\0';
		e->rcpts[e->nrcpts].address = at;
		e->rcpts[e->nrcpts].item =
		    (struct bytes){ (const uint8_t *)at, item.len };
		e->nrcpts++;
		at += item.len + 1;
	}
	return true;
}

static void
remove_twins(struct envelope *e)
{
	unsigned n = 0;

	for (unsigned i = 0; i < e->nrcpts; i++)
		if (n == 0 ||
		    strcmp(e->rcpts[n - 1].address, e->rcpts[i].address) != 0)
			e->rcpts[n++] = e->rcpts[i];
	e->nrcpts = n;
}

static void
cut_into_parts(struct envelope *e)
{
	struct part *p = NULL;
	size_t packed = 0;

	for (unsigned i = 0; i < e->nrcpts; i++) {
		const char *domain = domain_of(e->rcpts[i].address);
		size_t n = e->rcpts[i].item.len + ITEM_EXTRA;

		if (p == NULL || p->count == JOB_RCPTS ||
		    packed + n > RCPTS_MAX || strcmp(p->domain, domain) != 0) {
			p = &e->parts[e->nparts++];
			p->domain = domain;
			p->first = i;
			packed = 0;
		}
		p->count++;
		packed += n;
	}
}

enum envelope_fault
envelope_read(struct envelope *e, struct bytes list, unsigned most)
{
	size_t count;

	memset(e, 0, sizeof(*e));
	if (!list_valid(list, RCPT_ITEM_MAX, &count))
		return ENVELOPE_BAD;
	if (count == 0)
		return ENVELOPE_EMPTY;
	if (count > most || count > ENVELOPE_MOST)
		return ENVELOPE_TOO_MANY;
	e->text = array(list.len, 1); /* two bytes of length hold a NUL */
	e->rcpts = array(count, sizeof(e->rcpts[0]));
	if (!copy_recipients(e, list)) {
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
