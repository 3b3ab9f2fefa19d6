/*
 * t_limits.c - see t_limits.h.
 */
#include <string.h>

#include "auth/t_limits.h"

static const struct field fields[] = {
	F_U64(limits, limit[LIMIT_RECIPIENTS]),
	F_U64(limits, limit[LIMIT_SIZE]),
	F_U64(limits, limit[LIMIT_HOUR]),
	F_U64(limits, limit[LIMIT_DAY]),
	F_U64(limits, limit[LIMIT_MESSAGES_HOUR]),
	F_U64(limits, limit[LIMIT_MESSAGES_DAY]),
	F_U64(limits, limit[LIMIT_NEW]),
	F_END,
};

static struct bytes
key_of(const char *login)
{
	return (struct bytes){ (const uint8_t *)login, strlen(login) };
}

void
limits_get(struct txn *txn, const char *login, struct limits *l)
{
	if (!store_get(txn, TABLE_LIMITS, key_of(login), fields, l, sizeof(*l)))
		memset(l, 0, sizeof(*l));
}

void
limits_put(struct txn *txn, const char *login, const struct limits *l)
{
	store_put(txn, TABLE_LIMITS, key_of(login), fields, l);
}

void
limits_del(struct txn *txn, const char *login)
{
	store_del(txn, TABLE_LIMITS, key_of(login));
}
