/*
 * import_slice.c - see import_slice.h.
 *
 * A body of a transaction may run twice, so it counts afresh.
 */
#include <stdio.h>
#include <string.h>

#include "auth/import_slice.h"
#include "auth/t_credential.h"
#include "auth/t_grant.h"
#include "auth/t_legacy.h"
#include "auth/t_limits.h"

#define SLICE 300 /* rows applied in one turn of the loop, about */

/* Who made a row: whoever imports, unless it has a history of its own. */
static const char *
maker(const struct import_slice *r, const struct msg_item *i)
{
	return i->created != 0 ? i->by : r->head.by;
}

static void
put_limits(struct txn *txn, const struct msg_item *i)
{
	struct limits own, none = { 0 };

	memcpy(own.limit, i->limit, sizeof(own.limit));
	if (memcmp(&own, &none, sizeof(own)) != 0)
		limits_put(txn, i->account, &own);
}

/* Its history says so; one that comes without is from another server, where
 * it has long been used. */
static bool
is_grown(const struct import_slice *r, const struct msg_item *i)
{
	return i->grown != 0 ||
	    (i->created == 0 && !(r->head.flags & IMPORT_NEW));
}

static void
put_account(struct txn *txn, struct import_slice *r, const struct msg_item *i)
{
	struct legacy l = { .created = r->head.now };
	struct account a;
	bool known = account_get(txn, i->account, &a);
	bool was_removed = known && a.state == ACC_REMOVED;
	bool there = known && !was_removed;

	strcpy(r->account, i->account);
	r->skip = there && !(r->head.flags & IMPORT_UPDATE);
	if (r->skip) {
		r->sum.existed++;
		return;
	}
	if (there) {
		buf_add(&r->replaced, i->account, strlen(i->account) + 1);
		r->sum.updated++;
		return;
	}
	a = (struct account){ .state = i->state,
		.since = i->since != 0 ? i->since : r->head.now,
		.created = i->created != 0 ? i->created : r->head.now,
		.grown = is_grown(r, i) };
	strcpy(a.reason, i->reason);
	snprintf(a.by, sizeof(a.by), "%s", maker(r, i));
	account_put(txn, i->account, &a);
	if (i->legacy) {
		snprintf(l.by, sizeof(l.by), "%s", maker(r, i));
		legacy_put(txn, i->account, &l);
	}
	put_limits(txn, i);
	r->sum.added++;
	/* One that nobody knew is taken for active. */
	if (was_removed || a.state != ACC_ACTIVE)
		buf_add(&r->changed, i->account, strlen(i->account) + 1);
}

static void
put_credential(
    struct txn *txn, struct import_slice *r, const struct msg_item *i)
{
	struct msg_import_row row;
	struct credential c = { .kind = i->kind,
		.expires = i->expires,
		.created = i->created != 0 ? i->created : r->head.now,
		.last_use = i->last_use };

	/* Only when somebody bound it a moment ago. */
	if (import_taken(txn, i, &row)) {
		r->sum.left_out++;
		return;
	}
	memcpy(c.limit, i->limit, sizeof(c.limit));
	strcpy(c.hash, i->hash);
	strcpy(c.scram, i->scram);
	strcpy(c.networks, i->networks);
	strcpy(c.senders, i->senders);
	strcpy(c.last_ip, i->last_ip);
	snprintf(c.by, sizeof(c.by), "%s", maker(r, i));
	credential_put(txn, i->account, i->name, &c);
}

static void
put_grant(struct txn *txn, struct import_slice *r, const struct msg_item *i)
{
	struct grant g;
	struct account a;

	if (strcmp(r->account, i->account) != 0 &&
	    !import_exists(txn, i->account, &a)) {
		r->sum.left_out++;
		return;
	}
	if (grant_get(txn, i->account, i->name, &g))
		return;
	g.created = i->created != 0 ? i->created : r->head.now;
	snprintf(g.by, sizeof(g.by), "%s", maker(r, i));
	grant_put(txn, i->account, i->name, &g);
	r->sum.grants++;
}

static void
apply(struct txn *txn, struct import_slice *r, const struct msg_item *i)
{
	if (i->item == ITEM_ACCOUNT)
		put_account(txn, r, i);
	else if (r->skip && strcmp(r->account, i->account) == 0)
		return;
	else if (i->item == ITEM_CREDENTIAL)
		put_credential(txn, r, i);
	else
		put_grant(txn, r, i);
	if (strcmp(r->last, i->account) != 0)
		buf_add(&r->touched, i->account, strlen(i->account) + 1);
	strcpy(r->last, i->account);
}

/* Apply the items of a pack: how many there were. */
static unsigned
apply_pack(struct txn *txn, struct import_slice *r, struct bytes pack)
{
	struct bytes rest = { r->pack, pack.len }, item;
	struct msg_item i;
	unsigned n = 0;

	memcpy(r->pack, pack.data, pack.len);
	for (; list_next(&rest, &item); n++) {
		import_read(item, &i);
		apply(txn, r, &i);
	}
	explicit_bzero(&i, sizeof(i));
	explicit_bzero(r->pack, pack.len);
	return n;
}

/* Does it begin with rows of the account under way? */
static bool
goes_on(const struct import_slice *r, struct bytes pack)
{
	struct bytes item;
	struct msg_item i;
	bool same = false;

	if (list_next(&pack, &item)) {
		import_read(item, &i);
		same = strcmp(i.account, r->account) == 0;
		explicit_bzero(&i, sizeof(i));
	}
	return same;
}

bool
import_slice_apply(struct txn *txn, void *arg)
{
	struct import_slice *r = arg;
	struct bytes pack;
	uint64_t at = 0;
	unsigned n = 0;

	memset(&r->sum, 0, sizeof(r->sum));
	buf_release(&r->touched);
	buf_release(&r->changed);
	buf_release(&r->replaced);
	r->account[0] = r->last[0] = '\0';
	r->skip = r->more = false;
	while (import_pack_next(txn, &at, &pack)) {
		if (n >= SLICE && !goes_on(r, pack)) {
			r->more = true;
			break;
		}
		n += apply_pack(txn, r, pack);
		import_pack_del(txn, at);
	}
	if (!r->more)
		import_head_del(txn);
	return true;
}
