/*
 * import.c - see import.h.
 *
 * The rows wait as records, each behind its length, in one piece of memory.
 * The transaction may run twice, so it counts afresh.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/accounts.h"
#include "auth/book.h"
#include "auth/import.h"
#include "auth/login_name.h"
#include "auth/peers.h"
#include "auth/scope.h"
#include "auth/t_credential.h"
#include "auth/t_grant.h"
#include "auth/t_legacy.h"
#include "auth/t_limits.h"
#include "lib/buf.h"
#include "lib/log.h"
#include "lib/loop.h"

#define ITEMS_MOST 4000000
#define BYTES_MOST ((size_t)1 << 30)

struct import {
	struct buf rows;
	size_t nitems, nrefused;
	char account[ADDR_SIZE]; /* the last row of its own */
};

/* What a transaction is doing. */
struct run {
	const struct import *import;
	const char *by;
	uint32_t flags;
	uint64_t now;
	struct import_sum sum;
	char account[ADDR_SIZE]; /* whose rows come */
	bool skip;               /* it is there and is left alone */
	struct buf changed;      /* logins, with NULs, whose state is news */
	struct buf replaced; /* the same, whose credentials are others now */
};

struct import *
import_new(void)
{
	struct import *im = calloc(1, sizeof(*im));

	if (im == NULL)
		abort();
	return im;
}

void
import_free(struct import *im)
{
	if (im == NULL)
		return;
	OPENSSL_cleanse(buf_data(&im->rows), im->rows.len);
	buf_release(&im->rows);
	free(im);
}

static bool
canonical(const char *text)
{
	char same[ADDR_SIZE];

	return login_canonical(same, text) && strcmp(same, text) == 0;
}

/* 64 digits, as a key or an app password has them. */
static bool
is_digest(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static const char *
object_to_credential(const struct msg_item *i)
{
	struct scram_verifier v;
	const char *kind;

	if (!scope_label_valid(i->name))
		return "the label of a credential is not one";
	if (i->kind >= CREDENTIAL_KINDS ||
	    (i->kind == CREDENTIAL_CRYPT) !=
		(strcmp(i->name, CREDENTIAL_PASSWORD) == 0))
		return "a credential is of an unknown kind";
	if (i->kind != CREDENTIAL_CRYPT && !is_digest(i->hash))
		return "the digest of a credential is not 64 digits";
	kind = password_kind(i->hash);
	if (i->kind == CREDENTIAL_CRYPT && strcmp(kind, "unknown") == 0)
		return "the password hash is of a kind that cannot be checked";
	if (i->scram[0] != '\0' &&
	    !scram_verifier_parse(&v, i->scram, SCRAM_KEY))
		return "the SCRAM verifier is malformed";
	if (!scope_networks_valid(i->networks))
		return "a network is malformed";
	if (!scope_senders_valid(i->senders))
		return "a sender is neither an address nor @ and a domain";
	return NULL;
}

/* What is wrong with a row, or NULL. */
static const char *
object(const struct import *im, const struct msg_item *i)
{
	char address[ADDR_SIZE];

	if (im->nitems >= ITEMS_MOST || im->rows.len > BYTES_MOST)
		return "there are too many of them: split the file";
	if (!canonical(i->account))
		return "it is not an address: an account is called like "
		       "alice@example.org";
	for (int l = 0; l < LIMITS; l++)
		if (i->limit[l] > LIMIT_HIGHEST)
			return "a limit of it is too high";
	switch (i->item) {
	case ITEM_ACCOUNT:
		return i->state < ACC_STATES ? NULL : "its state is unknown";
	case ITEM_CREDENTIAL:
		if (strcmp(im->account, i->account) != 0)
			return "a credential without its account";
		return object_to_credential(i);
	case ITEM_GRANT:
		return grant_canonical(address, i->name) &&
			strcmp(address, i->name) == 0
		    ? NULL
		    : "a grant is neither an address nor @ and a domain";
	default:
		return "a row of an unknown kind";
	}
}

static void
keep(struct import *im, const struct msg_item *i)
{
	uint8_t record[sizeof(*i) + 64];
	const struct field *fields;
	size_t size;
	uint32_t n;

	fields = msg_fields(MSG_ITEM, &size);
	n = (uint32_t)record_encode(fields, i, record, sizeof(record));
	buf_add(&im->rows, &n, sizeof(n));
	buf_add(&im->rows, record, n);
	explicit_bzero(record, sizeof(record));
	im->nitems++;
}

void
import_add(struct import *im, const struct msg_item *i)
{
	const char *why = object(im, i);
	struct msg_item refused = { .item = ITEM_KINDS, .line = i->line };

	if (why == NULL) {
		if (i->item == ITEM_ACCOUNT)
			strcpy(im->account, i->account);
		keep(im, i);
		return;
	}
	/* The first hundred tell enough. */
	if (im->nrefused++ >= 100)
		return;
	strcpy(refused.account, i->account);
	snprintf(refused.reason, sizeof(refused.reason), "%s", why);
	keep(im, &refused);
}

static bool
next(const struct import *im, size_t *at, struct msg_item *i)
{
	const uint8_t *p = (const uint8_t *)im->rows.base + im->rows.off;
	const struct field *fields;
	size_t size;
	uint32_t n;

	if (*at == im->rows.len)
		return false;
	memcpy(&n, p + *at, sizeof(n));
	fields = msg_fields(MSG_ITEM, &size);
	if (!record_decode(fields, i, size, p + *at + sizeof(n), n))
		fatal("import: a row of our own is damaged");
	*at += sizeof(n) + n;
	return true;
}

static bool
exists(struct txn *txn, const char *login, struct account *a)
{
	return account_get(txn, login, a) && a->state != ACC_REMOVED;
}

/* A key is one's own. */
static bool
is_taken(struct txn *txn, const struct msg_item *i, struct msg_import_row *row)
{
	char owner[ADDR_SIZE], label[CREDENTIAL_LABEL];

	if (i->kind != CREDENTIAL_KEY ||
	    !credential_of_key(txn, i->hash, owner, label) ||
	    (strcmp(owner, i->account) == 0 && strcmp(label, i->name) == 0))
		return false;
	memset(row, 0, sizeof(*row));
	row->line = i->line;
	strcpy(row->account, i->account);
	strcpy(row->action, "refused");
	snprintf(row->why, sizeof(row->why),
	    "the key of its certificate %.40s is %.100s's already", i->name,
	    owner);
	return true;
}

static void
describe_account(struct import *im, size_t at, const struct msg_item *i,
    uint32_t flags, struct msg_import_row *row)
{
	struct msg_item c;
	struct account a;

	strcpy(row->action,
	    !exists(NULL, i->account, &a) ? "add"
		: flags & IMPORT_UPDATE   ? "update"
					  : "exists");
	while (next(im, &at, &c) && c.item != ITEM_ACCOUNT) {
		if (c.item != ITEM_CREDENTIAL)
			continue;
		if (strcmp(row->action, "exists") != 0 &&
		    is_taken(NULL, &c, row))
			return;
		if (c.kind == CREDENTIAL_CRYPT) {
			snprintf(row->hash, sizeof(row->hash), "%s",
			    password_kind(c.hash));
			row->weak = password_weak(c.hash);
		}
	}
}

static void
describe_grant(
    const struct msg_item *i, uint32_t flags, struct msg_import_row *row)
{
	struct account a;
	struct grant g;

	strcpy(row->address, i->name);
	if (!exists(NULL, i->account, &a)) {
		strcpy(
		    row->action, flags & IMPORT_KNOWN ? "left out" : "refused");
		strcpy(row->why, "there is no such account");
	} else {
		strcpy(row->action,
		    grant_get(NULL, i->account, i->name, &g) ? "exists"
							     : "add");
	}
}

bool
import_look(
    struct import *im, size_t *at, uint32_t flags, struct msg_import_row *row)
{
	char account[ADDR_SIZE] = "";
	struct msg_item i;

	/* Rows that stand alone: an account's, and grants behind none. */
	while (next(im, at, &i)) {
		memset(row, 0, sizeof(*row));
		row->line = i.line;
		strcpy(row->account, i.account);
		if (i.item == ITEM_ACCOUNT) {
			describe_account(im, *at, &i, flags, row);
			/* Skip what is its own. */
			strcpy(account, i.account);
			for (size_t k = *at; next(im, &k, &i) &&
			     (i.item == ITEM_CREDENTIAL ||
				 i.item == ITEM_GRANT) &&
			     strcmp(i.account, account) == 0;)
				*at = k;
			return true;
		}
		if (i.item == ITEM_GRANT) {
			describe_grant(&i, flags, row);
			return true;
		}
		if (i.item == ITEM_KINDS) {
			strcpy(row->action, "refused");
			strcpy(row->why, i.reason);
			return true;
		}
	}
	return false;
}

/* Who made a row: whoever imports, unless it has a history of its own. */
static const char *
maker(const struct run *r, const struct msg_item *i)
{
	return i->created != 0 ? i->by : r->by;
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
is_grown(const struct run *r, const struct msg_item *i)
{
	return i->grown != 0 || (i->created == 0 && !(r->flags & IMPORT_NEW));
}

static void
put_account(struct txn *txn, struct run *r, const struct msg_item *i)
{
	struct legacy l = { .created = r->now };
	struct account a;
	bool was_removed =
	    account_get(txn, i->account, &a) && a.state == ACC_REMOVED;
	bool there = exists(txn, i->account, &a);

	strcpy(r->account, i->account);
	r->skip = there && !(r->flags & IMPORT_UPDATE);
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
		.since = i->since != 0 ? i->since : r->now,
		.created = i->created != 0 ? i->created : r->now,
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

static bool
put_credential(struct txn *txn, struct run *r, const struct msg_item *i)
{
	struct credential c = { .kind = i->kind,
		.expires = i->expires,
		.created = i->created != 0 ? i->created : r->now,
		.last_use = i->last_use };

	if (is_taken(txn, i, &r->sum.refused))
		return false;
	memcpy(c.limit, i->limit, sizeof(c.limit));
	strcpy(c.hash, i->hash);
	strcpy(c.scram, i->scram);
	strcpy(c.networks, i->networks);
	strcpy(c.senders, i->senders);
	strcpy(c.last_ip, i->last_ip);
	snprintf(c.by, sizeof(c.by), "%s", maker(r, i));
	credential_put(txn, i->account, i->name, &c);
	return true;
}

static bool
put_grant(struct txn *txn, struct run *r, const struct msg_item *i)
{
	struct grant g;
	struct account a;

	if (strcmp(r->account, i->account) != 0 &&
	    !exists(txn, i->account, &a)) {
		r->sum.left_out++;
		return r->flags & IMPORT_KNOWN;
	}
	if (grant_get(txn, i->account, i->name, &g))
		return true;
	g.created = i->created != 0 ? i->created : r->now;
	snprintf(g.by, sizeof(g.by), "%s", maker(r, i));
	grant_put(txn, i->account, i->name, &g);
	r->sum.grants++;
	return true;
}

static bool
write_all(struct txn *txn, void *arg)
{
	struct run *r = arg;
	struct msg_item i;
	size_t at = 0;
	bool ok = true;

	memset(&r->sum, 0, sizeof(r->sum));
	buf_release(&r->changed);
	buf_release(&r->replaced);
	r->account[0] = '\0';
	r->skip = false;
	while (ok && next(r->import, &at, &i)) {
		if (i.item == ITEM_ACCOUNT)
			put_account(txn, r, &i);
		else if (r->skip && strcmp(r->account, i.account) == 0)
			continue;
		else if (i.item == ITEM_CREDENTIAL)
			ok = put_credential(txn, r, &i);
		else
			ok = put_grant(txn, r, &i);
	}
	explicit_bzero(&i, sizeof(i));
	return ok;
}

/* The book forgets what it knew, the neighbours learn of what has changed. */
static void
tell_all(const struct run *r)
{
	const char *login = buf_data(&r->changed), *end;
	struct account a;
	struct msg_item i;
	size_t at = 0;

	while (next(r->import, &at, &i))
		book_forget(i.account);
	explicit_bzero(&i, sizeof(i));
	for (end = login + r->changed.len; login < end;
	     login += strlen(login) + 1)
		if (account_get(NULL, login, &a))
			peers_tell(login, (enum account_state)a.state);
	login = buf_data(&r->replaced);
	for (end = login + r->replaced.len; login < end;
	     login += strlen(login) + 1)
		peers_end_sessions(login, "");
}

enum import_result
import_run(
    struct import *im, uint32_t flags, const char *by, struct import_sum *sum)
{
	struct run r = { .import = im,
		.by = by,
		.flags = flags,
		.now = (uint64_t)loop_wall_ms() / 1000 };
	enum verdict v;

	memset(sum, 0, sizeof(*sum));
	if (im->nrefused > 0)
		return IMPORT_REFUSED;
	v = store_txn(STORE_SYNC, write_all, &r);
	*sum = r.sum;
	if (v == V_OK)
		tell_all(&r);
	buf_release(&r.changed);
	buf_release(&r.replaced);
	return v == V_OK  ? IMPORT_DONE
	    : v == V_TEMP ? IMPORT_NO_ROOM
			  : IMPORT_REFUSED;
}
