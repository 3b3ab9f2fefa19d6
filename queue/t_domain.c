/*
 * t_domain.c - see t_domain.h.
 */
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "queue/t_domain.h"

#define ROW_MAX (sizeof(struct msg_domain) + 64)

/* clang-format off */
static const struct field fields[] = {
	F_STR(msg_domain, sts_id),
	F_U32(msg_domain, sts_mode),
	F_STR(msg_domain, sts_mx),
	F_U64(msg_domain, sts_fetched),
	F_U64(msg_domain, sts_expires),
	F_U64(msg_domain, seen_tls),
	F_U64(msg_domain, seen_dane),
	F_U64(msg_domain, seen_sts),
	F_END,
};
/* clang-format on */

void
t_domain_put(struct txn *t, const struct msg_domain *d)
{
	uint8_t row[ROW_MAX];
	size_t len = record_encode(fields, d, row, sizeof(row));

	if (d->domain[0] != '\0' && len > 0)
		store_put(t, T_DOMAIN, d->domain,
		    strnlen(d->domain, sizeof(d->domain) - 1), row, len);
}

/* It can be learnt anew, so a damaged one is as good as none. */
static bool
read_row(
    struct msg_domain *d, const char *domain, const uint8_t *row, size_t len)
{
	bool fine;

	memset(d, 0, sizeof(*d));
	fine = record_decode(fields, d, sizeof(*d), row, len);
	if (!fine) {
		memset(d, 0, sizeof(*d));
		log_event("warning", "text=%s domain=%s",
		    log_quote("what was known of a mail domain is damaged"),
		    log_quote(domain));
	}
	snprintf(d->domain, sizeof(d->domain), "%s", domain);
	return fine;
}

bool
t_domain_get(struct txn *t, const char *domain, struct msg_domain *d)
{
	uint8_t row[ROW_MAX];
	size_t len;

	memset(d, 0, sizeof(*d));
	snprintf(d->domain, sizeof(d->domain), "%s", domain);
	if (*domain == '\0' ||
	    !store_get(
		t, T_DOMAIN, domain, strlen(domain), row, sizeof(row), &len))
		return false;
	return read_row(d, domain, row, len);
}

struct walk {
	t_domain_fn *cb;
	void *arg;
};

static bool
on_row(void *arg, const uint8_t *key, size_t key_len, const uint8_t *row,
    size_t len)
{
	static struct msg_domain d;
	const struct walk *w = arg;
	char domain[sizeof(d.domain)];

	snprintf(
	    domain, sizeof(domain), "%.*s", (int)key_len, (const char *)key);
	read_row(&d, domain, row, len);
	return w->cb(w->arg, &d, key_len + len);
}

bool
t_domain_walk(const char *behind, t_domain_fn *cb, void *arg)
{
	struct walk w = { cb, arg };

	/* With its NUL it is the first name behind itself. */
	return store_walk(NULL, T_DOMAIN, behind,
	    *behind != '\0' ? strlen(behind) + 1 : 0, on_row, &w);
}

void
t_domain_del(struct txn *t, const char *domain)
{
	store_del(t, T_DOMAIN, domain, strlen(domain));
}
