/*
 * t_credential.c - see t_credential.h.
 *
 * credential_put() overwrites.  Table key is an index that it keeps in the
 * same transaction: SHA-256 of a public key -> whose it is.
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "auth/t_credential.h"
#include "lib/log.h"

#define LIMIT(l) F_U64(credential, limit[l])

static const struct field fields[] = {
	F_U32(credential, kind),
	F_STR(credential, hash),
	F_STR(credential, scram),
	F_STR(credential, networks),
	F_STR(credential, senders),
	LIMIT(LIMIT_RECIPIENTS),
	LIMIT(LIMIT_SIZE),
	LIMIT(LIMIT_HOUR),
	LIMIT(LIMIT_DAY),
	LIMIT(LIMIT_MESSAGES_HOUR),
	LIMIT(LIMIT_MESSAGES_DAY),
	LIMIT(LIMIT_NEW),
	F_U64(credential, expires),
	F_U64(credential, created),
	F_U64(credential, last_use),
	F_STR(credential, last_ip),
	F_STR(credential, by),
	F_END,
};

/* The rows of format 2. */
struct credential_2 {
	struct credential now;
	uint32_t per_day; /* recipients */
};

static_assert(offsetof(struct credential_2, now) == 0, "it begins with one");

static const struct field fields_2[] = {
	F_U32(credential_2, now.kind),
	F_STR(credential_2, now.hash),
	F_STR(credential_2, now.scram),
	F_STR(credential_2, now.networks),
	F_STR(credential_2, now.senders),
	F_U32(credential_2, per_day),
	F_U64(credential_2, now.expires),
	F_U64(credential_2, now.created),
	F_U64(credential_2, now.last_use),
	F_STR(credential_2, now.last_ip),
	F_STR(credential_2, now.by),
	F_END,
};

/* The rows of format 1. */
static const struct field fields_1[] = {
	F_U32(credential, kind),
	F_STR(credential, hash),
	F_U64(credential, created),
	F_U64(credential, last_use),
	F_STR(credential, last_ip),
	F_END,
};

struct owner {
	char login[ADDR_SIZE];
	char label[CREDENTIAL_LABEL];
};

static const struct field owner_fields[] = {
	F_STR(owner, login),
	F_STR(owner, label),
	F_END,
};

static struct bytes
key_of(const char *hash)
{
	return (struct bytes){ (const uint8_t *)hash, strlen(hash) };
}

bool
credential_get(
    struct txn *txn, const char *login, const char *label, struct credential *c)
{
	uint8_t key[STORE_KEY_MAX];

	return store_get(txn, TABLE_CREDENTIAL, store_pair(key, login, label),
	    fields, c, sizeof(*c));
}

/* Take the row that is about to go out of the index. */
static void
forget_key(struct txn *txn, const char *login, const char *label)
{
	struct credential old;

	if (credential_get(txn, login, label, &old) &&
	    old.kind == CREDENTIAL_KEY)
		store_del(txn, TABLE_KEY, key_of(old.hash));
}

void
credential_put(struct txn *txn, const char *login, const char *label,
    const struct credential *c)
{
	uint8_t key[STORE_KEY_MAX];
	struct owner owner;

	/* The label of a password is nobody else's. */
	if (strcmp(label, CREDENTIAL_PASSWORD) != 0)
		forget_key(txn, login, label);
	store_put(
	    txn, TABLE_CREDENTIAL, store_pair(key, login, label), fields, c);
	if (c->kind != CREDENTIAL_KEY)
		return;
	strcpy(owner.login, login);
	strcpy(owner.label, label);
	store_put(txn, TABLE_KEY, key_of(c->hash), owner_fields, &owner);
}

bool
credential_del(struct txn *txn, const char *login, const char *label)
{
	uint8_t key[STORE_KEY_MAX];

	forget_key(txn, login, label);
	return store_del(txn, TABLE_CREDENTIAL, store_pair(key, login, label));
}

bool
credential_next(struct txn *txn, char login[ADDR_SIZE],
    char label[CREDENTIAL_LABEL], struct credential *c)
{
	uint8_t start[STORE_KEY_MAX], key[STORE_KEY_MAX];
	size_t n;

	if (!store_next(txn, TABLE_CREDENTIAL, store_pair(start, login, label),
		key, &n, fields, c, sizeof(*c)))
		return false;
	if (!store_unpair(key, n, login, ADDR_SIZE, label, CREDENTIAL_LABEL))
		fatal("store: a credential without an owner");
	return true;
}

void
credential_del_all(struct txn *txn, const char *login)
{
	char owner[ADDR_SIZE], label[CREDENTIAL_LABEL];
	struct credential c;

	for (;;) {
		strcpy(owner, login);
		label[0] = '\0';
		if (!credential_next(txn, owner, label, &c) ||
		    strcmp(owner, login) != 0)
			return;
		credential_del(txn, login, label);
	}
}

size_t
credential_count(struct txn *txn, const char *login)
{
	char owner[ADDR_SIZE], label[CREDENTIAL_LABEL] = "";
	struct credential c;
	size_t n = 0;

	strcpy(owner, login);
	while (
	    credential_next(txn, owner, label, &c) && strcmp(owner, login) == 0)
		n += strcmp(label, CREDENTIAL_PASSWORD) != 0;
	return n;
}

bool
credential_of_key(struct txn *txn, const char *hash, char login[ADDR_SIZE],
    char label[CREDENTIAL_LABEL])
{
	struct owner owner;

	if (!store_get(txn, TABLE_KEY, key_of(hash), owner_fields, &owner,
		sizeof(owner)))
		return false;
	strcpy(login, owner.login);
	strcpy(label, owner.label);
	return true;
}

static void
take_per_day(void *row)
{
	struct credential_2 *c = row;

	c->now.limit[LIMIT_DAY] = c->per_day;
}

void
credential_upgrade(struct txn *txn, unsigned from)
{
	struct credential_2 c;

	store_rewrite(txn, TABLE_CREDENTIAL, from == 1 ? fields_1 : fields_2,
	    fields, &c, sizeof(c), from == 1 ? NULL : take_per_day);
	explicit_bzero(&c, sizeof(c));
}
