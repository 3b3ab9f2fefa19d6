/*
 * answer.c - see answer.h.
 */
#include <netinet/in.h>
#include <string.h>

#include "deliver/answer.h"
#include "mail/ascii.h"

#define HEADER   12
#define CLASS_IN 1

struct reader {
	const uint8_t *packet;
	size_t n, at;
};

static bool
number(struct reader *r, size_t bytes, uint32_t *v)
{
	if (r->n - r->at < bytes)
		return false;
	for (*v = 0; bytes > 0; bytes--)
		*v = *v << 8 | r->packet[r->at++];
	return true;
}

/* Append a label; a byte that no host name has spoils it. */
static bool
add_label(char out[256], size_t *len, const uint8_t *label, size_t n)
{
	if (*len + n + 2 > 256)
		return false;
	if (*len > 0)
		out[(*len)++] = '.';
	for (size_t i = 0; i < n; i++) {
		char c = ascii_lower((char)label[i]);

		out[(*len)++] = c > ' ' && c <= '~' && c != '.' ? c : '?';
	}
	out[*len] = '\0';
	return true;
}

/*
 * Read a name; out may be NULL.  A pointer only ever goes back to before the
 * place where the name so far began, so that there is no circle (RFC 1035
 * 4.1.4: "a prior occurrence").
 */
static bool
name(struct reader *r, char out[256])
{
	char scrap[256];
	size_t at = r->at, start = r->at, len = 0;
	bool jumped = false;

	if (out == NULL)
		out = scrap;
	out[0] = '\0';
	for (;;) {
		unsigned c;

		if (at >= r->n)
			return false;
		c = r->packet[at++];
		if (c >= 0xc0) {
			if (at >= r->n)
				return false;
			c = (c & 0x3f) << 8 | r->packet[at++];
			if (!jumped)
				r->at = at;
			jumped = true;
			if (c >= start)
				return false;
			at = start = c;
		} else if (c > 63 || r->n - at < c) {
			return false;
		} else if (c == 0) {
			if (!jumped)
				r->at = at;
			return true;
		} else {
			if (!add_label(out, &len, r->packet + at, c))
				return false;
			at += c;
		}
	}
}

static void
set_address(struct net_address *a, enum rr_type type, const uint8_t *data)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&a->ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a->ss;

	memset(a, 0, sizeof(*a));
	if (type == RR_A) {
		in->sin_family = AF_INET;
		memcpy(&in->sin_addr, data, 4);
		a->len = sizeof(*in);
	} else {
		in6->sin6_family = AF_INET6;
		memcpy(&in6->sin6_addr, data, 16);
		a->len = sizeof(*in6);
	}
}

/* The data of a record of the type asked for, at r->at, `len` bytes. */
static bool
data(struct reader *r, enum rr_type type, size_t len, struct record *rec)
{
	size_t end = r->at + len;
	uint32_t preference;

	if (type != RR_MX) {
		if (len != (type == RR_A ? 4 : 16))
			return false;
		set_address(&rec->address, type, r->packet + r->at);
		return true;
	}
	if (!number(r, 2, &preference) || !name(r, rec->host))
		return false;
	rec->preference = preference;
	return r->at == end;
}

bool
answer_walk(const uint8_t *packet, size_t n, unsigned type,
    answer_each_fn *each, void *arg)
{
	struct reader r = { packet, n, HEADER };
	uint32_t questions, answers, rtype, class, ttl, len;

	if (n < HEADER)
		return false;
	questions = (uint32_t)packet[4] << 8 | packet[5];
	answers = (uint32_t)packet[6] << 8 | packet[7];
	while (questions-- > 0)
		if (!name(&r, NULL) || !number(&r, 2, &rtype) ||
		    !number(&r, 2, &class))
			return false;
	while (answers-- > 0) {
		if (!name(&r, NULL) || !number(&r, 2, &rtype) ||
		    !number(&r, 2, &class) || !number(&r, 4, &ttl) ||
		    !number(&r, 2, &len) || r.n - r.at < len)
			return false;
		if (rtype == type && class == CLASS_IN &&
		    !each(arg, packet, n, r.at, len))
			return false;
		r.at += len;
	}
	return true;
}

bool
answer_name(const uint8_t *packet, size_t n, size_t *at, char out[256])
{
	struct reader r = { packet, n, *at };

	if (!name(&r, out))
		return false;
	*at = r.at;
	return true;
}

struct parse {
	struct answer *answer;
	enum rr_type type;
};

static bool
keep(void *arg, const uint8_t *packet, size_t n, size_t at, size_t len)
{
	const struct parse *p = arg;
	struct answer *a = p->answer;
	struct reader r = { packet, n, at };

	if (a->n == ANSWER_MAX)
		return true;
	if (!data(&r, p->type, len, &a->records[a->n]))
		return false;
	if (p->type != RR_MX || strchr(a->records[a->n].host, '?') == NULL)
		a->n++;
	return true;
}

bool
answer_parse(
    struct answer *a, enum rr_type type, const uint8_t *packet, size_t n)
{
	struct parse p = { a, type };

	a->n = 0;
	if (n < HEADER)
		return false;
	a->rcode = packet[3] & 0xf;
	return answer_walk(packet, n, (unsigned)type, keep, &p);
}
