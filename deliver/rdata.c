/*
 * rdata.c - see rdata.h.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "deliver/answer.h"
#include "deliver/rdata.h"
#include "lib/record.h"

#define TEXT_MAX 8192 /* of one record */

/* Where one record's data lies, and where its text goes. */
struct rdata {
	const uint8_t *packet;
	size_t n, at, end;
	char *out;
	size_t len;
};

static bool
put_address(struct rdata *r, int family, size_t bytes)
{
	if (r->end - r->at != bytes ||
	    inet_ntop(family, r->packet + r->at, r->out, TEXT_MAX) == NULL)
		return false;
	r->len = strlen(r->out);
	return true;
}

static bool
put_a(struct rdata *r)
{
	return put_address(r, AF_INET, 4);
}

static bool
put_aaaa(struct rdata *r)
{
	return put_address(r, AF_INET6, 16);
}

/* Some 16-bit numbers, each with a blank behind it, and a name. */
static bool
put_numbers(struct rdata *r, unsigned count)
{
	char host[256];

	if (r->end - r->at < 2 * (size_t)count)
		return false;
	for (; count > 0; count--, r->at += 2)
		r->len += (size_t)sprintf(r->out + r->len, "%u ",
		    (unsigned)r->packet[r->at] << 8 | r->packet[r->at + 1]);
	if (!answer_name(r->packet, r->n, &r->at, host) || r->at != r->end)
		return false;
	r->len += (size_t)sprintf(r->out + r->len, "%s", host);
	return true;
}

static bool
put_name(struct rdata *r)
{
	return put_numbers(r, 0);
}

static bool
put_mx(struct rdata *r)
{
	return put_numbers(r, 1);
}

static bool
put_srv(struct rdata *r)
{
	return put_numbers(r, 3);
}

static bool
put_txt(struct rdata *r)
{
	while (r->at < r->end) {
		size_t n = r->packet[r->at++], k = TEXT_MAX - r->len;

		if (r->end - r->at < n)
			return false;
		if (k > n)
			k = n;
		memcpy(r->out + r->len, r->packet + r->at, k);
		r->len += k;
		r->at += n;
	}
	return true;
}

static const struct kind {
	unsigned type;
	bool (*put)(struct rdata *);
} kinds[] = {
	{ 1, put_a },
	{ 2, put_name },
	{ 5, put_name },
	{ 12, put_name },
	{ 15, put_mx },
	{ 16, put_txt },
	{ 28, put_aaaa },
	{ 33, put_srv },
};

static const struct kind *
find(unsigned type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].type == type)
			return &kinds[i];
	return NULL;
}

bool
rdata_knows(unsigned type)
{
	return find(type) != NULL;
}

struct listing {
	const struct kind *kind;
	uint8_t *list;
	size_t size, len;
};

static bool
add(void *arg, const uint8_t *packet, size_t n, size_t at, size_t len)
{
	struct listing *l = arg;
	char text[TEXT_MAX];
	struct rdata r = { packet, n, at, at + len, text, 0 };
	size_t total;

	if (!l->kind->put(&r))
		return false;
	total = list_add(l->list, l->size, l->len, text, r.len);
	if (total != 0)
		l->len = total;
	return true;
}

bool
rdata_list(unsigned type, const uint8_t *packet, size_t n, uint8_t *list,
    size_t size, size_t *len)
{
	struct listing l = { find(type), list, size, 0 };

	*len = 0;
	if (l.kind == NULL || !answer_walk(packet, n, type, add, &l))
		return false;
	*len = l.len;
	return true;
}
