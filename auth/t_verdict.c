/*
 * t_verdict.c - see t_verdict.h.
 */
#include <string.h>

#include "auth/t_verdict.h"

/* clang-format off */
#define NUMBER(f) F_U32(verdict_row, e.f)

static const struct field fields[] = {
	F_U64(verdict_row, when),
	F_U32(verdict_row, rule),
	NUMBER(news), NUMBER(news_usual), NUMBER(news_most), NUMBER(strange),
	NUMBER(rcpts), NUMBER(rcpts_usual),
	NUMBER(hour), NUMBER(hour_usual), NUMBER(hour_most),
	NUMBER(delivered), NUMBER(refused), NUMBER(refused_most),
	NUMBER(share_most),
	NUMBER(known), NUMBER(networks), NUMBER(networks_most),
	NUMBER(guessed), NUMBER(days),
	F_END,
};
/* clang-format on */

static struct bytes
key_of(const char *login)
{
	return (struct bytes){ (const uint8_t *)login, strlen(login) };
}

bool
verdict_get(struct txn *txn, const char *login, struct verdict_row *v)
{
	return store_get(
	    txn, TABLE_VERDICT, key_of(login), fields, v, sizeof(*v));
}

void
verdict_put(struct txn *txn, const char *login, const struct verdict_row *v)
{
	store_put(txn, TABLE_VERDICT, key_of(login), fields, v);
}

void
verdict_del(struct txn *txn, const char *login)
{
	store_del(txn, TABLE_VERDICT, key_of(login));
}
