/*
 * t_account.c - see t_account.h.
 *
 * account_put() overwrites.  Table inactive is an index that it keeps in the
 * same transaction: one row for each account that is not active, so that a
 * new neighbour is told about a handful and not a walk over everybody.
 */
#include <string.h>

#include "auth/t_account.h"
#include "lib/log.h"

static const struct field fields[] = {
	F_U32(account, state),
	F_STR(account, reason),
	F_STR(account, by),
	F_U64(account, since),
	F_U64(account, created),
	F_U32(account, grown),
	F_END,
};

/* The rows of formats 1 and 2. */
static const struct field fields_2[] = {
	F_U32(account, state),
	F_STR(account, reason),
	F_STR(account, by),
	F_U64(account, since),
	F_U64(account, created),
	F_END,
};

struct inactive {
	uint32_t state;
};

static const struct field inactive_fields[] = {
	F_U32(inactive, state),
	F_END,
};

static struct bytes
key_of(const char *login)
{
	return (struct bytes){ (const uint8_t *)login, strlen(login) };
}

bool
account_get(struct txn *txn, const char *login, struct account *a)
{
	return store_get(
	    txn, TABLE_ACCOUNT, key_of(login), fields, a, sizeof(*a));
}

void
account_put(struct txn *txn, const char *login, const struct account *a)
{
	struct inactive row = { a->state };

	store_put(txn, TABLE_ACCOUNT, key_of(login), fields, a);
	if (a->state == ACC_ACTIVE)
		store_del(txn, TABLE_INACTIVE, key_of(login));
	else
		store_put(
		    txn, TABLE_INACTIVE, key_of(login), inactive_fields, &row);
}

static bool
next(struct txn *txn, enum table t, char login[ADDR_SIZE],
    const struct field *f, void *row, size_t row_size)
{
	uint8_t key[STORE_KEY_MAX];
	size_t n;

	if (!store_next(txn, t, key_of(login), key, &n, f, row, row_size))
		return false;
	if (n >= ADDR_SIZE)
		fatal("store: a login of %zu bytes", n);
	memcpy(login, key, n);
	login[n] = '\0';
	return true;
}

bool
account_next(struct txn *txn, char login[ADDR_SIZE], struct account *a)
{
	return next(txn, TABLE_ACCOUNT, login, fields, a, sizeof(*a));
}

bool
account_next_inactive(
    struct txn *txn, char login[ADDR_SIZE], enum account_state *state)
{
	struct inactive row;

	if (!next(
		txn, TABLE_INACTIVE, login, inactive_fields, &row, sizeof(row)))
		return false;
	*state = (enum account_state)row.state;
	return true;
}

void
account_upgrade(struct txn *txn)
{
	struct account a;

	store_rewrite(
	    txn, TABLE_ACCOUNT, fields_2, fields, &a, sizeof(a), NULL);
}
