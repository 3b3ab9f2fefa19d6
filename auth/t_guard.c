/*
 * t_guard.c - see t_guard.h.
 */
#include <assert.h>
#include <string.h>

#include "auth/t_guard.h"

/* clang-format off */
#define NETWORK(i) \
	F_U64(guard, network[i].id), F_U64(guard, network[i].first_s), \
	F_U64(guard, network[i].last_s), F_U32(guard, network[i].days)
#define BITS(i) F_U64(guard, sketch[i])

static_assert(GUARD_NETWORKS == 12 && GUARD_BITS == 1024, "all are listed");

#define LEARNED \
	F_U32(guard, usual_new), F_U32(guard, usual_rcpts), \
	F_U32(guard, usual_networks), F_U32(guard, days), \
	NETWORK(0), NETWORK(1), NETWORK(2), NETWORK(3), NETWORK(4), \
	NETWORK(5), NETWORK(6), NETWORK(7), NETWORK(8), NETWORK(9), \
	NETWORK(10), NETWORK(11)
#define DAY \
	F_U64(guard, began_s), F_U32(guard, rcpts), F_U32(guard, strange), \
	F_U32(guard, networks), F_U32(guard, delivered), \
	F_U32(guard, refused), F_U32(guard, failed), F_U32(guard, guessed), \
	BITS(0), BITS(1), BITS(2), BITS(3), BITS(4), BITS(5), BITS(6), \
	BITS(7), BITS(8), BITS(9), BITS(10), BITS(11), BITS(12), BITS(13), \
	BITS(14), BITS(15)

static const struct field fields[] = {
	LEARNED,
	F_U32(guard, usual_hour),
	DAY,
	F_U64(guard, hour_s),
	F_U32(guard, hour),
	F_U32(guard, hour_strange),
	F_U32(guard, hour_most),
	F_END,
};

/* The rows of format 2; format 1 had none. */
static const struct field fields_2[] = {
	LEARNED,
	DAY,
	F_END,
};
/* clang-format on */

static struct bytes
key_of(const char *login)
{
	return (struct bytes){ (const uint8_t *)login, strlen(login) };
}

void
guard_get(struct txn *txn, const char *login, struct guard *g)
{
	if (!store_get(txn, TABLE_GUARD, key_of(login), fields, g, sizeof(*g)))
		memset(g, 0, sizeof(*g));
}

void
guard_put(struct txn *txn, const char *login, const struct guard *g)
{
	store_put(txn, TABLE_GUARD, key_of(login), fields, g);
}

void
guard_del(struct txn *txn, const char *login)
{
	store_del(txn, TABLE_GUARD, key_of(login));
}

/* A busy day, all of it in one hour, is what can be said. */
static void
guess_hour(void *row)
{
	struct guard *g = row;

	g->usual_hour = g->usual_rcpts;
}

void
guard_upgrade(struct txn *txn)
{
	struct guard g;

	store_rewrite(
	    txn, TABLE_GUARD, fields_2, fields, &g, sizeof(g), guess_hour);
}
