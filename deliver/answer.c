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
 * Read a name.  A pointer only ever goes back to before the
 * place where the name so far began, so that there is no circle (RFC 1035
 * 4.1.4: "a prior occurrence").
 */
static bool
name(struct reader *r, char out[256])
{
	size_t at = r->at, start = r->at, len = 0;
	bool jumped = false;

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

/* An alias moves the name that stands for the one asked for. */
static bool
follow(struct reader *r, struct answer *a, const char *owner)
{
	char target[256];

	if (!name(r, target))
		return false;
	if (strcmp(owner, a->canonical) != 0)
		return true;
	a->alias = true;
	memcpy(a->canonical, target, sizeof(target));
	return true;
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
	uint32_t preference = 0;

	switch (type) {
	case RR_A:
	case RR_AAAA:
		if (len != (type == RR_A ? 4 : 16))
			return false;
		set_address(&rec->address, type, r->packet + r->at);
		return true;
	case RR_TXT:
	case RR_TLSA:
		rec->data = r->packet + r->at;
		rec->len = len;
		return true;
	case RR_MX:
	case RR_PTR:
	case RR_CNAME:
		break;
	}
	if ((type == RR_MX && !number(r, 2, &preference)) ||
	    !name(r, rec->host))
		return false;
	rec->preference = preference;
	return r->at == end;
}

/*
 * A server's name is one of host names: it becomes part of lists and of words
 * in the log, where a comma would make two of it.  With another one a domain
 * still has a mail server (RFC 5321 5.1), which nobody can find (RFC 6761 6.4).
 */
static bool
usable(enum rr_type type, struct record *rec)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
	bool host = rec->host[strspn(rec->host, letters)] == '\0';

	if (type == RR_MX && !host)
		strcpy(rec->host, "invalid");
	if (type == RR_PTR)
		return host;
	return type != RR_CNAME || strchr(rec->host, '?') == NULL;
}

/* A record of class IN: its type, its owner, where its data lies. */
typedef bool each_fn(
    void *arg, struct reader *, unsigned type, const char *owner, size_t len);

/* The name asked for into question. */
static bool
walk(const uint8_t *packet, size_t n, char question[256], each_fn *each,
    void *arg)
{
	struct reader r = { packet, n, HEADER }, at;
	uint32_t questions, answers, type, class, ttl, len;
	char owner[256];

	question[0] = '\0';
	if (n < HEADER)
		return false;
	questions = (uint32_t)packet[4] << 8 | packet[5];
	answers = (uint32_t)packet[6] << 8 | packet[7];
	while (questions-- > 0)
		if (!name(&r, question) || !number(&r, 2, &type) ||
		    !number(&r, 2, &class))
			return false;
	while (answers-- > 0) {
		if (!name(&r, owner) || !number(&r, 2, &type) ||
		    !number(&r, 2, &class) || !number(&r, 4, &ttl) ||
		    !number(&r, 2, &len) || r.n - r.at < len)
			return false;
		at = r;
		if (class == CLASS_IN && !each(arg, &at, type, owner, len))
			return false;
		r.at += len;
	}
	return true;
}

struct any {
	unsigned type;
	answer_each_fn *each;
	void *arg;
};

static bool
hand_on(
    void *arg, struct reader *r, unsigned type, const char *owner, size_t len)
{
	const struct any *any = arg;

	(void)owner;
	return type != any->type ||
	    any->each(any->arg, r->packet, r->n, r->at, len);
}

bool
answer_walk(const uint8_t *packet, size_t n, unsigned type,
    answer_each_fn *each, void *arg)
{
	struct any any = { type, each, arg };
	char question[256];

	return walk(packet, n, question, hand_on, &any);
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
keep(void *arg, struct reader *r, unsigned type, const char *owner, size_t len)
{
	const struct parse *p = arg;
	struct answer *a = p->answer;

	if (type == RR_CNAME && p->type != RR_CNAME)
		return follow(r, a, owner);
	if (type != p->type || a->n == ANSWER_MAX)
		return true;
	if (!data(r, p->type, len, &a->records[a->n]))
		return false;
	a->n += usable(p->type, &a->records[a->n]);
	return true;
}

bool
answer_parse(
    struct answer *a, enum rr_type type, const uint8_t *packet, size_t n)
{
	struct parse p = { a, type };

	a->n = 0;
	a->alias = false;
	if (n < HEADER)
		return false;
	a->rcode = packet[3] & 0xf;
	return walk(packet, n, a->canonical, keep, &p);
}

bool
answer_text(const struct record *rec, char *out, size_t size)
{
	size_t at = 0, len = 0, n;

	while (at < rec->len) {
		n = rec->data[at++];
		if (n > rec->len - at || len + n + 1 > size)
			return false;
		for (; n > 0; n--, at++) {
			if (!ascii_print((char)rec->data[at]))
				return false;
			out[len++] = (char)rec->data[at];
		}
	}
	out[len] = '\0';
	return true;
}
