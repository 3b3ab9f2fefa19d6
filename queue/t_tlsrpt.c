/*
 * t_tlsrpt.c - see t_tlsrpt.h.
 */
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "mail/tlsrpt.h"
#include "queue/t_tlsrpt.h"

#define DETAIL_MAX (sizeof(struct tlsrpt_detail) + 16)
#define ROW_MAX    (sizeof(struct tlsrpt_row) + 16 * TLSRPT_DETAILS + 64)

/* What is stored of a row: the details are a packed list. */
struct packed {
	struct tlsrpt_row row;
	struct bytes details;
};

/* clang-format off */
static const struct field fields[] = {
	F_STR(packed, row.rua),
	F_U32(packed, row.policy),
	F_STR(packed, row.lines),
	F_U64(packed, row.good),
	F_U64(packed, row.bad),
	F_U32(packed, row.done),
	F_BYTES(packed, details, TLSRPT_DETAILS * (DETAIL_MAX + 2)),
	F_END,
};

static const struct field detail_fields[] = {
	F_U32(tlsrpt_detail, result),
	F_U64(tlsrpt_detail, sessions),
	F_STR(tlsrpt_detail, ip),
	F_STR(tlsrpt_detail, mx),
	F_STR(tlsrpt_detail, mx_ip),
	F_STR(tlsrpt_detail, reason),
	F_END,
};
/* clang-format on */

/* Day, domain, NUL, n; 0 for a domain that is too long for a key. */
static size_t
make_key(
    uint8_t key[STORE_KEY_MAX], uint32_t day, const char *domain, unsigned n)
{
	size_t len = strlen(domain) + 1;

	if (len == 1 || 4 + len + 1 > STORE_KEY_MAX)
		return 0;
	key_u32(key, day);
	memcpy(key + 4, domain, len);
	key[4 + len] = (uint8_t)n;
	return 4 + len + 1;
}

bool
t_tlsrpt_get(struct txn *t, uint32_t day, const char *domain, unsigned n,
    struct tlsrpt_row *row)
{
	static struct packed p;
	uint8_t buf[ROW_MAX], key[STORE_KEY_MAX];
	struct bytes item;
	size_t key_len = make_key(key, day, domain, n), len;

	if (key_len == 0 ||
	    !store_get(t, T_TLSRPT, key, key_len, buf, sizeof(buf), &len))
		return false;
	if (!record_decode(fields, &p, sizeof(p), buf, len))
		fatal("a row of TLS results is damaged");
	while (p.row.ndetails < TLSRPT_DETAILS && list_next(&p.details, &item))
		if (!record_decode(detail_fields,
			&p.row.details[p.row.ndetails++],
			sizeof(struct tlsrpt_detail), item.data, item.len))
			fatal("a row of TLS results is damaged");
	*row = p.row;
	return true;
}

static void
put_row(struct txn *t, uint32_t day, const char *domain, unsigned n,
    const struct tlsrpt_row *row)
{
	static struct packed p;
	static uint8_t list[TLSRPT_DETAILS * (DETAIL_MAX + 2)];
	uint8_t buf[ROW_MAX], key[STORE_KEY_MAX], one[DETAIL_MAX];
	size_t key_len = make_key(key, day, domain, n), len = 0, k;

	for (unsigned i = 0; i < row->ndetails; i++) {
		k = record_encode(
		    detail_fields, &row->details[i], one, sizeof(one));
		len = list_add(list, sizeof(list), len, one, k);
	}
	p.row = *row;
	p.details = (struct bytes){ list, len };
	len = record_encode(fields, &p, buf, sizeof(buf));
	if (key_len > 0 && len > 0)
		store_put(t, T_TLSRPT, key, key_len, buf, len);
}

static bool
is_same(const struct tlsrpt_detail *d, const struct msg_tls_sessions *s)
{
	return d->result == s->result && strcmp(d->ip, s->ip) == 0 &&
	    strcmp(d->mx, s->mx) == 0 && strcmp(d->mx_ip, s->mx_ip) == 0 &&
	    strcmp(d->reason, s->reason) == 0;
}

static void
add_failure(struct tlsrpt_row *row, const struct msg_tls_sessions *s)
{
	struct tlsrpt_detail *d = row->details;
	const struct tlsrpt_detail *end = d + row->ndetails;

	row->bad += s->sessions;
	while (d < end && !is_same(d, s))
		d++;
	if (d == end) {
		if (row->ndetails == TLSRPT_DETAILS)
			return;
		row->ndetails++;
		memset(d, 0, sizeof(*d));
		d->result = s->result;
		memcpy(d->ip, s->ip, sizeof(d->ip));
		memcpy(d->mx, s->mx, sizeof(d->mx));
		memcpy(d->mx_ip, s->mx_ip, sizeof(d->mx_ip));
		memcpy(d->reason, s->reason, sizeof(d->reason));
	}
	d->sessions += s->sessions;
}

void
t_tlsrpt_add(struct txn *t, uint32_t day, const struct msg_tls_sessions *s)
{
	static struct tlsrpt_row row;

	for (unsigned n = 0; n < TLSRPT_ROWS; n++) {
		if (!t_tlsrpt_get(t, day, s->domain, n, &row)) {
			memset(&row, 0, sizeof(row));
			row.policy = s->policy;
			memcpy(row.lines, s->lines, sizeof(row.lines));
		} else if (row.policy != s->policy ||
		    strcmp(row.lines, s->lines) != 0) {
			continue;
		}
		memcpy(row.rua, s->rua, sizeof(row.rua));
		if (s->result == TLSRPT_SUCCESS)
			row.good += s->sessions;
		else
			add_failure(&row, s);
		put_row(t, day, s->domain, n, &row);
		return;
	}
}

void
t_tlsrpt_done(struct txn *t, uint32_t day, const char *domain, uint32_t bits)
{
	static struct tlsrpt_row row;

	if (!t_tlsrpt_get(t, day, domain, 0, &row))
		return;
	row.done |= bits;
	put_row(t, day, domain, 0, &row);
}

void
t_tlsrpt_forget(struct txn *t, uint32_t day, const char *domain)
{
	uint8_t key[STORE_KEY_MAX];
	size_t len;

	for (unsigned n = 0; n < TLSRPT_ROWS; n++)
		if ((len = make_key(key, day, domain, n)) > 0)
			store_del(t, T_TLSRPT, key, len);
}

struct found {
	uint32_t day;
	char domain[256];
};

static bool
take_key(void *arg, const uint8_t *key, size_t key_len, const uint8_t *row,
    size_t len)
{
	struct found *f = arg;

	(void)row, (void)len;
	if (key_len < 7 || key_len > STORE_KEY_MAX)
		return true;
	f->day = (uint32_t)key_get(key, 4);
	snprintf(f->domain, sizeof(f->domain), "%.*s", (int)(key_len - 6),
	    (const char *)key + 4);
	return false;
}

bool
t_tlsrpt_next(uint32_t *day, char domain[256])
{
	uint8_t key[STORE_KEY_MAX];
	struct found f;

	/* Behind the last row that the domain can have. */
	if (!store_walk(NULL, T_TLSRPT, key,
		make_key(key, *day, domain, TLSRPT_ROWS), take_key, &f))
		return false;
	*day = f.day;
	memcpy(domain, f.domain, sizeof(f.domain));
	return true;
}
