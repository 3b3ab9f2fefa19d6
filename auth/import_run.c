/*
 * import_run.c - writing an import; see import.h.
 *
 * A hundred thousand accounts in one transaction would keep logins waiting
 * for seconds.  So the rows go into the store first, aside and in slices; then
 * a row that says "all of these", and from then on they are applied, in slices
 * again, whatever happens: after a crash the next start goes on
 * (import_recover()).  A slice never ends between the rows of one account.
 *
 * A body of a transaction may run twice, so it counts afresh.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "auth/accounts.h"
#include "auth/book.h"
#include "auth/import_slice.h"
#include "auth/peers.h"
#include "lib/log.h"
#include "lib/loop.h"

#define PACKS    30   /* put aside in one: some 500 rows */
#define LOOK     1000 /* rows looked at in one */
#define RETRY_MS 1000 /* for room on the disk */

/* Keys of certificates in the rows that were looked at, by their digests. */
struct key {
	UT_hash_handle hh;
	char owner[ADDR_SIZE];
	char digest[];
};

enum phase { CHECKING, STAGING, APPLYING, SWEEPING };

static struct work {
	bool busy;
	enum phase phase;
	const struct import *import; /* until it is staged */
	struct import_head head;
	size_t at;               /* the byte that comes next */
	char account[ADDR_SIZE]; /* CHECKING: whose rows come */
	bool skip;
	struct key *keys;
	uint64_t staged; /* rows */
	enum import_result result;
	struct import_sum sum;
	import_done_fn *done;
	void *arg; /* NULL: nobody waits any more */
	struct timer timer;
} work;

/* Call f for each login of a list. */
static void
each(const struct buf *logins, void (*f)(const char *login))
{
	const char *login = buf_data(logins), *end = login + logins->len;

	for (; login < end; login += strlen(login) + 1)
		f(login);
}

static void
tell_state(const char *login)
{
	struct account a;

	if (account_get(NULL, login, &a))
		peers_tell(login, (enum account_state)a.state);
}

static void
end_sessions(const char *login)
{
	peers_end_sessions(login, "");
}

static void
add_up(struct import_sum *to, const struct import_sum *s)
{
	to->added += s->added;
	to->updated += s->updated;
	to->existed += s->existed;
	to->grants += s->grants;
	to->left_out += s->left_out;
}

/* One slice; true when there is another.  *done is false when the disk was
 * full, and nothing was done. */
static bool
apply_next(const struct import_head *head, struct import_sum *sum, bool *done)
{
	struct import_slice r = { .head = *head };

	/* The last one takes those before it along to the disk. */
	*done = store_txn(STORE_SOON, import_slice_apply, &r) == V_OK;
	if (*done) {
		each(&r.touched, book_forget);
		each(&r.changed, tell_state);
		each(&r.replaced, end_sessions);
		add_up(sum, &r.sum);
	}
	buf_release(&r.touched);
	buf_release(&r.changed);
	buf_release(&r.replaced);
	return r.more || !*done;
}

static bool
nothing(struct txn *txn, void *arg)
{
	struct import_head none = { .by = "" };

	(void)arg;
	/* A commit without a change would flush nothing. */
	import_head_put(txn, &none);
	import_head_del(txn);
	return true;
}

static bool
sweep_slice(struct txn *txn, void *arg)
{
	bool *more = arg;
	struct bytes pack;
	uint64_t at = 0;
	unsigned n;

	*more = false;
	for (n = 0; import_pack_next(txn, &at, &pack); n++) {
		if (n == PACKS) {
			*more = true;
			break;
		}
		import_pack_del(txn, at);
	}
	return true;
}

static void
forget_keys(void)
{
	struct key *k, *next;

	HASH_ITER(hh, work.keys, k, next)
	{
		HASH_DEL(work.keys, k);
		free(k);
	}
}

static void
finish(enum import_result result)
{
	work.result = result;
	work.busy = false;
	forget_keys();
	timer_clear(&work.timer);
	if (work.arg != NULL)
		work.done(work.arg, result, &work.sum);
}

/* What was staged is taken out again before anybody is told. */
static void
give_up(enum import_result result)
{
	work.result = result;
	work.import = NULL;
	work.phase = SWEEPING;
}

/* Is the key another's, in the store or in a row before? */
static bool
check_key(const struct msg_item *i)
{
	size_t n = strlen(i->hash);
	struct key *k;

	if (i->kind != CREDENTIAL_KEY)
		return true;
	if (import_taken(NULL, i, &work.sum.refused))
		return false;
	HASH_FIND(hh, work.keys, i->hash, n, k);
	if (k != NULL && strcmp(k->owner, i->account) != 0) {
		import_say_taken(i, k->owner, &work.sum.refused);
		return false;
	}
	if (k != NULL)
		return true;
	k = calloc(1, sizeof(*k) + n + 1);
	if (k == NULL)
		abort();
	strcpy(k->owner, i->account);
	memcpy(k->digest, i->hash, n);
	HASH_ADD(hh, work.keys, digest, n, k);
	return true;
}

/* Can it be applied?  The same questions as apply() has. */
static bool
check_item(const struct msg_item *i)
{
	struct account a;

	if (i->item == ITEM_ACCOUNT) {
		strcpy(work.account, i->account);
		work.skip = import_exists(NULL, i->account, &a) &&
		    !(work.head.flags & IMPORT_UPDATE);
		return true;
	}
	if (strcmp(work.account, i->account) == 0)
		return work.skip || i->item != ITEM_CREDENTIAL || check_key(i);
	return i->item != ITEM_GRANT || (work.head.flags & IMPORT_KNOWN) ||
	    import_exists(NULL, i->account, &a);
}

static void
check_some(void)
{
	struct msg_item i;
	bool good = true, more = true;

	for (unsigned n = 0; n < LOOK && good && more; n++)
		if ((more = import_next(work.import, &work.at, &i)))
			good = check_item(&i);
	explicit_bzero(&i, sizeof(i));
	if (!good)
		give_up(IMPORT_REFUSED);
	if (!good || more)
		return;
	forget_keys();
	work.at = 0;
	work.phase = STAGING;
}

/* Where the slice ended. */
struct stage {
	size_t at;
	uint64_t staged;
	bool more;
};

/* As many rows as fit into one pack. */
static void
stage_pack(struct txn *txn, struct stage *s)
{
	uint8_t pack[IMPORT_PACK];
	struct bytes record;
	size_t len = 0, longer, at = s->at;

	while ((s->more = import_next_record(work.import, &at, &record)) &&
	    (longer = list_add(
		 pack, sizeof(pack), len, record.data, record.len)) > 0) {
		len = longer;
		s->at = at;
	}
	if (len > 0)
		import_pack_put(txn, ++s->staged, (struct bytes){ pack, len });
	explicit_bzero(pack, len);
}

static bool
stage_slice(struct txn *txn, void *arg)
{
	struct stage *s = arg;

	*s = (struct stage){ work.at, work.staged, true };
	for (unsigned n = 0; n < PACKS && s->more; n++)
		stage_pack(txn, s);
	if (!s->more)
		import_head_put(txn, &work.head);
	return true;
}

static void
stage_some(void)
{
	struct stage s;

	if (store_txn(STORE_SOON, stage_slice, &s) != V_OK) {
		give_up(IMPORT_NO_ROOM);
		return;
	}
	work.at = s.at;
	work.staged = s.staged;
	if (s.more)
		return;
	work.import = NULL;
	work.phase = APPLYING;
}

static void
on_timer(void *arg)
{
	int64_t wait = 0;
	bool more = true, done = true;

	(void)arg;
	if (work.phase == CHECKING) {
		check_some();
	} else if (work.phase == STAGING) {
		stage_some();
	} else if (work.phase == APPLYING) {
		if (!apply_next(&work.head, &work.sum, &done)) {
			store_txn(STORE_SYNC, nothing, NULL);
			finish(IMPORT_DONE);
			return;
		}
		wait = done ? 0 : RETRY_MS;
	} else if (store_txn(STORE_SOON, sweep_slice, &more) != V_OK || !more) {
		/* On a full disk the next start does it. */
		finish(work.result);
		return;
	}
	timer_set(&work.timer, wait);
}

bool
import_run(const struct import *im, uint32_t flags, const char *by,
    import_done_fn *done, void *arg)
{
	if (work.busy)
		return false;
	memset(&work, 0, sizeof(work));
	work.busy = true;
	work.import = im;
	work.head.flags = flags;
	work.head.now = (uint64_t)loop_wall_ms() / 1000;
	snprintf(work.head.by, sizeof(work.head.by), "%s", by);
	work.done = done;
	work.arg = arg;
	timer_init(&work.timer, on_timer, NULL);
	if (import_refused(im))
		give_up(IMPORT_REFUSED);
	timer_set(&work.timer, 0);
	return true;
}

void
import_leave(const void *arg)
{
	if (!work.busy || work.arg != arg)
		return;
	work.arg = NULL;
	if (work.import != NULL)
		give_up(IMPORT_REFUSED);
}

void
import_recover(void)
{
	struct import_sum sum = { 0 };
	struct import_head head;
	bool more = true, done;

	if (!import_head_get(NULL, &head)) {
		while (
		    more && store_txn(STORE_SOON, sweep_slice, &more) == V_OK)
			;
		return;
	}
	/* With a full disk it goes on when there is room. */
	while (apply_next(&head, &sum, &done) && done)
		;
	if (!done) {
		memset(&work, 0, sizeof(work));
		work.busy = true;
		work.phase = APPLYING;
		work.head = head;
		timer_init(&work.timer, on_timer, NULL);
		timer_set(&work.timer, RETRY_MS);
	}
	log_event("import.resumed", "by=%s added=%llu updated=%llu",
	    log_quote(head.by), (unsigned long long)sum.added,
	    (unsigned long long)sum.updated);
}

void
import_stop(void)
{
	if (work.busy)
		timer_clear(&work.timer);
	work.busy = false;
	forget_keys();
}
