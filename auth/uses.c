/*
 * uses.c - see uses.h.
 */
#include <stdio.h>
#include <string.h>
#include <uthash.h>

#include "auth/t_account.h"
#include "auth/t_credential.h"
#include "auth/t_logins.h"
#include "auth/uses.h"
#include "lib/log.h"
#include "lib/loop.h"

/* As many different ones as one transaction writes in a few milliseconds. */
#define USES     256
#define DELAY_MS 1000

/* What makes two of them the same; zeroed behind the strings. */
struct who {
	char login[ADDR_SIZE];
	char label[CREDENTIAL_LABEL];
	char why[24];
};

struct use {
	UT_hash_handle hh;
	struct who who;
	char ip[46];
	char mech[20];
	uint64_t time; /* unix seconds */
};

static struct use places[USES];
static struct use *uses; /* in the order of their last time */
static struct timer timer;

static bool
write_all(struct txn *txn, void *arg)
{
	struct credential c;
	struct account a;
	struct use *u;

	(void)arg;
	for (u = uses; u != NULL; u = u->hh.next) {
		/* It may have been removed in the meantime. */
		if (!account_get(txn, u->who.login, &a) ||
		    a.state == ACC_REMOVED)
			continue;
		logins_add(txn, u->who.login,
		    &(struct login_entry){
			u->time, u->ip, u->mech, u->who.why, u->who.label });
		if (u->who.why[0] != '\0')
			continue;
		if (!credential_get(txn, u->who.login, u->who.label, &c))
			continue;
		c.last_use = u->time;
		snprintf(c.last_ip, sizeof(c.last_ip), "%s", u->ip);
		credential_put(txn, u->who.login, u->who.label, &c);
	}
	return true;
}

void
uses_write(void)
{
	if (uses == NULL)
		return;
	/* On a full disk they are lost, and store_txn() has said so. */
	store_txn(STORE_SOON, write_all, NULL);
	HASH_CLEAR(hh, uses);
}

static void
on_timer(void *arg)
{
	(void)arg;
	uses_write();
}

void
uses_note(const char *login, const char *label, const char *ip,
    const char *mech, const char *why)
{
	struct who who = { 0 };
	struct use *use;
	unsigned hash;

	snprintf(who.login, sizeof(who.login), "%s", login);
	snprintf(who.label, sizeof(who.label), "%s", label);
	snprintf(who.why, sizeof(who.why), "%s", why);
	if (!timer.ready)
		timer_init(&timer, on_timer, NULL);
	HASH_VALUE(&who, sizeof(who), hash);
	HASH_FIND_BYHASHVALUE(hh, uses, &who, sizeof(who), hash, use);
	if (use != NULL) {
		HASH_DEL(uses, use); /* to the end */
	} else {
		if (HASH_COUNT(uses) == USES)
			uses_write();
		if (uses == NULL)
			timer_set(&timer, DELAY_MS);
		use = &places[HASH_COUNT(uses)];
		use->who = who;
	}
	snprintf(use->ip, sizeof(use->ip), "%s", ip);
	snprintf(use->mech, sizeof(use->mech), "%s", mech);
	use->time = (uint64_t)loop_wall_ms() / 1000;
	HASH_ADD_BYHASHVALUE(hh, uses, who, sizeof(who), hash, use);
}
