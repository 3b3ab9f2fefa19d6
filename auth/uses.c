/*
 * uses.c - see uses.h.
 */
#include <stdio.h>
#include <string.h>

#include "auth/t_account.h"
#include "auth/t_credential.h"
#include "auth/t_logins.h"
#include "auth/uses.h"
#include "lib/log.h"
#include "lib/loop.h"

#define USES     64
#define DELAY_MS 1000

struct use {
	char login[ADDR_SIZE];
	char label[CREDENTIAL_LABEL];
	char ip[46];
	char mech[20];
	char why[24];
	uint64_t time; /* unix seconds */
};

static struct use uses[USES];
static size_t nuses;
static struct timer timer;

static bool
write_all(struct txn *txn, void *arg)
{
	struct credential c;
	struct account a;

	(void)arg;
	for (size_t i = 0; i < nuses; i++) {
		/* It may have been removed in the meantime. */
		if (!account_get(txn, uses[i].login, &a) ||
		    a.state == ACC_REMOVED)
			continue;
		logins_add(txn, uses[i].login,
		    &(struct login_entry){ uses[i].time, uses[i].ip,
			uses[i].mech, uses[i].why, uses[i].label });
		if (uses[i].why[0] != '\0')
			continue;
		if (!credential_get(txn, uses[i].login, uses[i].label, &c))
			continue;
		c.last_use = uses[i].time;
		snprintf(c.last_ip, sizeof(c.last_ip), "%s", uses[i].ip);
		credential_put(txn, uses[i].login, uses[i].label, &c);
	}
	return true;
}

void
uses_write(void)
{
	if (nuses == 0)
		return;
	/* On a full disk they are lost, and store_txn() has said so. */
	store_txn(STORE_SOON, write_all, NULL);
	nuses = 0;
}

static void
on_timer(void *arg)
{
	(void)arg;
	uses_write();
}

static struct use *
find(const char *login, const char *label, const char *why)
{
	for (size_t i = 0; i < nuses; i++)
		if (strcmp(uses[i].login, login) == 0 &&
		    strcmp(uses[i].label, label) == 0 &&
		    strcmp(uses[i].why, why) == 0)
			return &uses[i];
	return NULL;
}

/* The newest is the last. */
static void
move_to_end(struct use *use)
{
	struct use copy = *use;

	memmove(use, use + 1, (size_t)(uses + nuses - use - 1) * sizeof(*use));
	uses[nuses - 1] = copy;
}

void
uses_note(const char *login, const char *label, const char *ip,
    const char *mech, const char *why)
{
	struct use *use = find(login, label, why);

	if (!timer.ready)
		timer_init(&timer, on_timer, NULL);
	if (use != NULL) {
		move_to_end(use);
	} else {
		if (nuses == USES)
			uses_write();
		if (nuses == 0)
			timer_set(&timer, DELAY_MS);
		nuses++;
	}
	use = &uses[nuses - 1];
	snprintf(use->login, sizeof(use->login), "%s", login);
	snprintf(use->label, sizeof(use->label), "%s", label);
	snprintf(use->why, sizeof(use->why), "%s", why);
	snprintf(use->ip, sizeof(use->ip), "%s", ip);
	snprintf(use->mech, sizeof(use->mech), "%s", mech);
	use->time = (uint64_t)loop_wall_ms() / 1000;
}
