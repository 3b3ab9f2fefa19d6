/*
 * owed.c - see owed.h.
 */
#include <stdlib.h>
#include <uthash.h>

#include "smtpd/clients.h"
#include "smtpd/owed.h"
#include "smtpd/text.h"
#include "smtpd/transaction.h"

struct debt {
	uint64_t tag;
	struct msg_permit_return back; /* all but the permit */
	UT_hash_handle hh;
};

static struct debt *debts;

static void
drop(struct debt *d)
{
	HASH_DEL(debts, d);
	free(d);
}

void
owed_note(const struct session *s)
{
	struct debt *d;

	if (HASH_COUNT(debts) >= CLIENTS)
		return;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		abort();
	d->tag = s->id;
	text_copy(d->back.account, sizeof(d->back.account), s->account);
	text_copy(
	    d->back.credential, sizeof(d->back.credential), s->credential);
	text_copy(d->back.sender, sizeof(d->back.sender), s->tx->sender);
	HASH_ADD(hh, debts, tag, sizeof(d->tag), d);
}

void
owed_settle(const struct surroundings *world, const struct msg *m)
{
	struct msg back = { .type = MSG_PERMIT_RETURN, .tag = m->tag };
	struct debt *d;

	if (m->type != MSG_ALLOWED)
		return;
	HASH_FIND(hh, debts, &m->tag, sizeof(m->tag), d);
	if (d == NULL)
		return;
	back.u.permit_return = d->back;
	back.u.permit_return.permit = m->u.allowed.permit;
	drop(d);
	/* A queue that is away has nobody to give it to. */
	if (m->u.allowed.verdict == V_OK)
		(void)world->send(&back);
}

bool
owed_pending(void)
{
	return debts != NULL;
}

void
owed_forget(void)
{
	while (debts != NULL)
		drop(debts);
}
