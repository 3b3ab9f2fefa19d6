/*
 * accounts.c - see accounts.h.
 *
 * A body may run twice, so it computes `result` afresh from what it reads.
 */
#include <stdio.h>
#include <string.h>

#include "auth/accounts.h"
#include "auth/book.h"
#include "auth/login_name.h"
#include "auth/t_grant.h"
#include "auth/t_guard.h"
#include "auth/t_known.h"
#include "auth/t_legacy.h"
#include "auth/t_limits.h"
#include "auth/t_logins.h"
#include "auth/t_usage.h"
#include "auth/t_verdict.h"
#include "auth/tally.h"
#include "lib/loop.h"

void
accounts_name(char out[ADDR_SIZE], const char *login)
{
	struct account a, other;

	login_spell(out, login);
	if (strcmp(out, login) != 0 && account_get(NULL, login, &a) &&
	    (a.state != ACC_REMOVED || !account_get(NULL, out, &other) ||
		other.state == ACC_REMOVED))
		strcpy(out, login);
}

typedef enum change_result body_fn(struct txn *, struct change *, uint64_t now);

struct running {
	struct change *c;
	body_fn *body;
	bool there; /* is the account, or nothing is done */
	enum change_result result;
};

static bool
find(struct txn *txn, struct change *c)
{
	bool there = account_get(txn, c->login, &c->account);

	c->state = (enum account_state)c->account.state;
	return there && c->state != ACC_REMOVED;
}

static bool
run_body(struct txn *txn, void *arg)
{
	struct running *r = arg;
	uint64_t now = (uint64_t)loop_wall_ms() / 1000;

	if (r->there && !find(txn, r->c))
		r->result = CHANGE_ABSENT;
	else
		r->result = r->body(txn, r->c, now);
	return r->result == CHANGE_DONE;
}

static enum change_result
run(struct change *c, body_fn *body, bool there)
{
	struct running r = { .c = c, .body = body, .there = there };

	if (store_txn(STORE_SYNC, run_body, &r) == V_TEMP)
		return CHANGE_NO_ROOM;
	if (r.result == CHANGE_DONE)
		book_forget(c->login);
	return r.result;
}

/* Of an account that is there; the body finds it in c->account. */
static enum change_result
alter(struct change *c, body_fn *body)
{
	return run(c, body, true);
}

/* Write the account with a new state; c->account stays what it was. */
static void
put_state(struct txn *txn, struct change *c, enum account_state state,
    const char *reason, uint64_t now)
{
	struct account a = c->account;

	a.state = c->state = state;
	a.since = now;
	snprintf(a.by, sizeof(a.by), "%s", c->by);
	snprintf(a.reason, sizeof(a.reason), "%s", reason);
	account_put(txn, c->login, &a);
}

static void
put_password(struct txn *txn, const struct change *c, uint64_t now)
{
	struct credential row = { .kind = CREDENTIAL_CRYPT, .created = now };

	snprintf(row.hash, sizeof(row.hash), "%s", c->hash);
	if (c->scram != NULL)
		snprintf(row.scram, sizeof(row.scram), "%s", c->scram);
	snprintf(row.by, sizeof(row.by), "%s", c->by);
	credential_put(txn, c->login, CREDENTIAL_PASSWORD, &row);
}

static void
put_grant(
    struct txn *txn, const struct change *c, const char *address, uint64_t now)
{
	struct grant g = { .created = now };

	snprintf(g.by, sizeof(g.by), "%s", c->by);
	grant_put(txn, c->login, address, &g);
}

static enum change_result
add(struct txn *txn, struct change *c, uint64_t now)
{
	if (find(txn, c))
		return CHANGE_EXISTS;
	if (c->account.state != ACC_REMOVED)
		c->account = (struct account){ .created = now };
	c->account.grown = 0;
	put_state(txn, c, ACC_ACTIVE, "", now);
	if (c->hash[0] != '\0')
		put_password(txn, c, now);
	put_grant(txn, c, c->login, now);
	if (c->typed != NULL)
		put_grant(txn, c, c->typed, now);
	return CHANGE_DONE;
}

enum change_result
accounts_add(struct change *c)
{
	memset(&c->account, 0, sizeof(c->account));
	return run(c, add, false);
}

static enum change_result
passwd(struct txn *txn, struct change *c, uint64_t now)
{
	put_password(txn, c, now);
	return CHANGE_DONE;
}

enum change_result
accounts_passwd(struct change *c)
{
	return alter(c, passwd);
}

static enum change_result
upgrade(struct txn *txn, struct change *c, uint64_t now)
{
	struct credential row;

	(void)now; /* the secret stays as old as it is */
	if (!credential_get(txn, c->login, CREDENTIAL_PASSWORD, &row))
		return CHANGE_ABSENT;
	if (strcmp(row.hash, c->old_hash) != 0)
		return CHANGE_NONE;
	snprintf(row.hash, sizeof(row.hash), "%s", c->hash);
	if (c->scram != NULL && c->scram[0] != '\0')
		snprintf(row.scram, sizeof(row.scram), "%s", c->scram);
	credential_put(txn, c->login, CREDENTIAL_PASSWORD, &row);
	return CHANGE_DONE;
}

enum change_result
accounts_upgrade(struct change *c)
{
	return run(c, upgrade, false);
}

static enum change_result
suspend(struct txn *txn, struct change *c, uint64_t now)
{
	/* Who was first, and why, is what one will want to know. */
	if (c->account.state == ACC_SUSPENDED)
		return CHANGE_NONE;
	put_state(txn, c, ACC_SUSPENDED, c->reason, now);
	return CHANGE_DONE;
}

enum change_result
accounts_suspend(struct change *c)
{
	return alter(c, suspend);
}

static enum change_result
resume(struct txn *txn, struct change *c, uint64_t now)
{
	if (c->account.state == ACC_ACTIVE)
		return CHANGE_NONE;
	put_state(txn, c, ACC_ACTIVE, "", now);
	return CHANGE_DONE;
}

enum change_result
accounts_resume(struct change *c)
{
	return alter(c, resume);
}

static enum change_result
erase(struct txn *txn, struct change *c, uint64_t now)
{
	put_state(txn, c, ACC_REMOVED, "", now);
	credential_del_all(txn, c->login);
	logins_del(txn, c->login);
	grant_del_all(txn, c->login);
	legacy_del(txn, c->login);
	limits_del(txn, c->login);
	usage_del_all(txn, c->login);
	known_del_all(txn, c->login);
	guard_del(txn, c->login);
	verdict_del(txn, c->login);
	return CHANGE_DONE;
}

enum change_result
accounts_remove(struct change *c)
{
	tally_forget(c->login);
	return alter(c, erase);
}

static enum change_result
set_limits(struct txn *txn, struct change *c, uint64_t now)
{
	struct limits l;

	(void)now;
	limits_get(txn, c->login, &l);
	for (int i = 0; i < LIMITS; i++)
		if (c->limit[i] != LIMIT_AS_IT_IS)
			l.limit[i] = c->limit[i];
	limits_put(txn, c->login, &l);
	return CHANGE_DONE;
}

enum change_result
accounts_limits(struct change *c)
{
	return alter(c, set_limits);
}

static enum change_result
allow_legacy(struct txn *txn, struct change *c, uint64_t now)
{
	struct legacy l = { .created = now }, old;

	if (legacy_get(txn, c->login, &old))
		return CHANGE_NONE;
	snprintf(l.by, sizeof(l.by), "%s", c->by);
	legacy_put(txn, c->login, &l);
	return CHANGE_DONE;
}

static enum change_result
forbid_legacy(struct txn *txn, struct change *c, uint64_t now)
{
	(void)now;
	return legacy_del(txn, c->login) ? CHANGE_DONE : CHANGE_NONE;
}

enum change_result
accounts_legacy_on(struct change *c)
{
	return alter(c, allow_legacy);
}

enum change_result
accounts_legacy_off(struct change *c)
{
	return alter(c, forbid_legacy);
}

static enum change_result
grant(struct txn *txn, struct change *c, uint64_t now)
{
	struct grant g;

	if (grant_get(txn, c->login, c->address, &g))
		return CHANGE_EXISTS;
	if (grant_count(txn, c->login) >= GRANTS_MAX)
		return CHANGE_TOO_MANY;
	put_grant(txn, c, c->address, now);
	return CHANGE_DONE;
}

enum change_result
accounts_grant(struct change *c)
{
	return alter(c, grant);
}

static enum change_result
revoke(struct txn *txn, struct change *c, uint64_t now)
{
	(void)now;
	return grant_del(txn, c->login, c->address) ? CHANGE_DONE
						    : CHANGE_NOTHING;
}

enum change_result
accounts_revoke(struct change *c)
{
	return alter(c, revoke);
}

static enum change_result
add_credential(struct txn *txn, struct change *c, uint64_t now)
{
	char label[CREDENTIAL_LABEL];
	struct credential row;

	if (credential_get(txn, c->login, c->label, &row))
		return CHANGE_EXISTS;
	if (credential_count(txn, c->login) >= CREDENTIALS_MAX)
		return CHANGE_TOO_MANY;
	row = *c->credential;
	if (row.kind == CREDENTIAL_KEY &&
	    credential_of_key(txn, row.hash, c->owner, label))
		return CHANGE_TAKEN;
	row.created = now;
	snprintf(row.by, sizeof(row.by), "%s", c->by);
	credential_put(txn, c->login, c->label, &row);
	return CHANGE_DONE;
}

enum change_result
accounts_credential(struct change *c)
{
	return alter(c, add_credential);
}

static enum change_result
revoke_credential(struct txn *txn, struct change *c, uint64_t now)
{
	struct credential row;

	(void)now;
	if (!credential_get(txn, c->login, c->label, &row) ||
	    row.kind != c->credential->kind)
		return CHANGE_NOTHING;
	credential_del(txn, c->login, c->label);
	return CHANGE_DONE;
}

enum change_result
accounts_credential_revoke(struct change *c)
{
	return alter(c, revoke_credential);
}
