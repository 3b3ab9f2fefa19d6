/*
 * import.c - see import.h.
 *
 * The rows wait as records, each behind its length, in one piece of memory.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/accounts.h"
#include "auth/import.h"
#include "auth/import_names.h"
#include "auth/login_name.h"
#include "auth/scope.h"
#include "auth/t_credential.h"
#include "auth/t_grant.h"
#include "lib/buf.h"
#include "lib/hex.h"
#include "lib/log.h"
#include "lib/sha256.h"

#define ITEMS_MOST 4000000
#define BYTES_MOST ((size_t)1 << 30)
#define TOLD_MOST  100 /* they tell enough */

/* A row of an account that one before has brought. */
struct again {
	uint32_t line, first;
	char text[ADDR_SIZE], name[ADDR_SIZE];
};

struct import {
	struct buf rows;
	size_t nitems, nrefused;
	struct import_name *names;
	struct buf again; /* the first of them */
	size_t nagain;
	char account[ADDR_SIZE]; /* the last row of its own */
	/* The last account, refused or not: as its rows call it, and as it is
	 * called. */
	char text[ADDR_SIZE], name[ADDR_SIZE];
	bool skip; /* it is one that was there before */
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
	buf_release(&im->again);
	import_names_free(&im->names);
	free(im);
}

static bool
canonical(const char *text)
{
	char same[ADDR_SIZE];

	return login_canonical(same, text) && strcmp(same, text) == 0;
}

/* An account is called as "account add" would call it.  What is no login
 * stays, and is refused. */
static void
name_account(char out[ADDR_SIZE], const char *text)
{
	if (canonical(text))
		accounts_name(out, text);
	else
		strcpy(out, text);
}

/* One that was an account of ours keeps the name that its mail has. */
static void
name_row(struct import *im, struct msg_item *i)
{
	char text[ADDR_SIZE];

	strcpy(text, i->account);
	if (i->item != ITEM_ACCOUNT && strcmp(text, im->text) == 0)
		strcpy(i->account, im->name);
	else if (i->item != ITEM_ACCOUNT || i->created == 0)
		name_account(i->account, text);
	if (i->item == ITEM_ACCOUNT) {
		strcpy(im->text, text);
		strcpy(im->name, i->account);
	}
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
	if (i->kind != CREDENTIAL_CRYPT &&
	    !hex_is_written(i->hash, SHA256_SIZE))
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

/* False when it is refused. */
static bool
add(struct import *im, const struct msg_item *i)
{
	const char *why = object(im, i);
	struct msg_item refused = { .item = ITEM_KINDS, .line = i->line };

	if (why == NULL) {
		if (i->item == ITEM_ACCOUNT)
			strcpy(im->account, i->account);
		keep(im, i);
		return true;
	}
	if (im->nrefused++ >= TOLD_MOST)
		return false;
	strcpy(refused.account, i->account);
	snprintf(refused.reason, sizeof(refused.reason), "%s", why);
	keep(im, &refused);
	return false;
}

/* Has a row before, that was taken, brought this account?  Then it is told, and what belongs to
 * it is not looked at: whose password would be the right one? */
static bool
is_again(struct import *im, const struct msg_item *named)
{
	struct again a = { .line = named->line };

	if (!import_names_find(im->names, named->account, &a.first))
		return false;
	strcpy(a.text, im->text);
	strcpy(a.name, named->account);
	if (im->nagain++ < TOLD_MOST)
		buf_add(&im->again, &a, sizeof(a));
	return true;
}

void
import_add(struct import *im, const struct msg_item *i)
{
	struct msg_item named = *i;

	name_row(im, &named);
	if (i->item == ITEM_ACCOUNT)
		im->skip = is_again(im, &named);
	if (im->skip && strcmp(i->account, im->text) == 0) {
		explicit_bzero(&named, sizeof(named));
		return;
	}
	if (add(im, &named) && i->item == ITEM_ACCOUNT)
		import_names_add(&im->names, named.account, i->line);
	/* Its own address is that of its name, and that of the file's. */
	if (i->item == ITEM_GRANT && strcmp(i->name, i->account) == 0 &&
	    strcmp(i->name, named.account) != 0) {
		strcpy(named.name, named.account);
		add(im, &named);
	}
	explicit_bzero(&named, sizeof(named));
}

bool
import_next_record(const struct import *im, size_t *at, struct bytes *record)
{
	const uint8_t *p = (const uint8_t *)im->rows.base + im->rows.off;
	uint32_t n;

	if (*at == im->rows.len)
		return false;
	memcpy(&n, p + *at, sizeof(n));
	*record = (struct bytes){ p + *at + sizeof(n), n };
	*at += sizeof(n) + n;
	return true;
}

void
import_read(struct bytes record, struct msg_item *i)
{
	const struct field *fields;
	size_t size;

	fields = msg_fields(MSG_ITEM, &size);
	if (!record_decode(fields, i, size, record.data, record.len))
		fatal("import: a row of our own is damaged");
}

bool
import_next(const struct import *im, size_t *at, struct msg_item *i)
{
	struct bytes record;

	if (!import_next_record(im, at, &record))
		return false;
	import_read(record, i);
	return true;
}

bool
import_exists(struct txn *txn, const char *login, struct account *a)
{
	return account_get(txn, login, a) && a->state != ACC_REMOVED;
}

void
import_say_taken(
    const struct msg_item *i, const char *owner, struct msg_import_row *row)
{
	memset(row, 0, sizeof(*row));
	row->line = i->line;
	strcpy(row->account, i->account);
	strcpy(row->action, "refused");
	snprintf(row->why, sizeof(row->why),
	    "the key of its certificate %.40s is %.100s's already", i->name,
	    owner);
}

/* A key is one's own. */
bool
import_taken(
    struct txn *txn, const struct msg_item *i, struct msg_import_row *row)
{
	char owner[ADDR_SIZE], label[CREDENTIAL_LABEL];

	if (i->kind != CREDENTIAL_KEY ||
	    !credential_of_key(txn, i->hash, owner, label) ||
	    (strcmp(owner, i->account) == 0 && strcmp(label, i->name) == 0))
		return false;
	import_say_taken(i, owner, row);
	return true;
}

static void
describe_account(struct import *im, size_t at, const struct msg_item *i,
    uint32_t flags, struct msg_import_row *row)
{
	struct msg_item c;
	struct account a;

	strcpy(row->action,
	    !import_exists(NULL, i->account, &a) ? "add"
		: flags & IMPORT_UPDATE          ? "update"
						 : "exists");
	while (import_next(im, &at, &c) && c.item != ITEM_ACCOUNT) {
		if (c.item != ITEM_CREDENTIAL)
			continue;
		if (strcmp(row->action, "exists") != 0 &&
		    import_taken(NULL, &c, row))
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
	if (!import_exists(NULL, i->account, &a)) {
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
	bool found;

	/* Rows that stand alone: an account's, and grants behind none. */
	while (*at < im->rows.len && import_next(im, at, &i)) {
		memset(row, 0, sizeof(*row));
		row->line = i.line;
		strcpy(row->account, i.account);
		if (i.item == ITEM_ACCOUNT) {
			describe_account(im, *at, &i, flags, row);
			/* Skip what is its own. */
			strcpy(account, i.account);
			for (size_t k = *at; import_next(im, &k, &i) &&
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
	*at -= im->rows.len;
	found = import_again(im, at, row);
	*at += im->rows.len;
	return found;
}

bool
import_again(const struct import *im, size_t *n, struct msg_import_row *row)
{
	struct again a;

	if (*n >= im->again.len / sizeof(a))
		return false;
	memcpy(&a, buf_data(&im->again) + (*n)++ * sizeof(a), sizeof(a));
	memset(row, 0, sizeof(*row));
	row->line = a.line;
	strcpy(row->account, a.text);
	strcpy(row->action, "left out");
	snprintf(row->why, sizeof(row->why), "line %u brings %.150s already",
	    (unsigned)a.first, a.name);
	return true;
}

size_t
import_nagain(const struct import *im)
{
	return im->nagain;
}

bool
import_refused(const struct import *im)
{
	return im->nrefused > 0;
}
