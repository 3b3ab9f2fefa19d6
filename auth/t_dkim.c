/*
 * t_dkim.c - see t_dkim.h.
 */
#include "auth/t_dkim.h"
#include "lib/log.h"

static const struct field fields[] = {
	F_U32(dkim_row, algorithm),
	F_U32(dkim_row, state),
	F_U64(dkim_row, created),
	F_U64(dkim_row, changed),
	F_STR(dkim_row, by),
	F_STR(dkim_row, secret),
	F_END,
};

bool
dkim_get(struct txn *txn, const char *domain, const char *selector,
    struct dkim_row *row)
{
	uint8_t key[STORE_KEY_MAX];

	return store_get(txn, TABLE_DKIM, store_pair(key, domain, selector),
	    fields, row, sizeof(*row));
}

void
dkim_put(struct txn *txn, const char *domain, const char *selector,
    const struct dkim_row *row)
{
	uint8_t key[STORE_KEY_MAX];

	store_put(
	    txn, TABLE_DKIM, store_pair(key, domain, selector), fields, row);
}

bool
dkim_del(struct txn *txn, const char *domain, const char *selector)
{
	uint8_t key[STORE_KEY_MAX];

	return store_del(txn, TABLE_DKIM, store_pair(key, domain, selector));
}

bool
dkim_next(struct txn *txn, char domain[256], char selector[SELECTOR],
    struct dkim_row *row)
{
	uint8_t start[STORE_KEY_MAX], key[STORE_KEY_MAX];
	size_t n;

	if (!store_next(txn, TABLE_DKIM, store_pair(start, domain, selector),
		key, &n, fields, row, sizeof(*row)))
		return false;
	if (!store_unpair(key, n, domain, 256, selector, SELECTOR))
		fatal("store: a key without a domain");
	return true;
}
