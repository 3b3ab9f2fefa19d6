/*
 * admin_dkim_copy.c - see admin_dkim.h: keys of DKIM into a backup and back.
 */
#include <stdio.h>
#include <string.h>

#include "auth/admin_dkim.h"
#include "auth/dkim.h"
#include "auth/dkim_key.h"
#include "auth/peers.h"
#include "lib/log.h"
#include "mail/ascii.h"
#include "mail/domain.h"
#include "mail/utf8.h"

static bool
next_key(struct console *con)
{
	struct msg m = { .type = MSG_DKIM_KEY };
	struct msg_dkim_key *k = &m.u.dkim_key;
	struct dkim_row row;

	if (!dkim_next(NULL, con->at_login, con->at_address, &row))
		return false;
	snprintf(k->domain, sizeof(k->domain), "%.255s", con->at_login);
	snprintf(k->selector, sizeof(k->selector), "%.63s", con->at_address);
	k->algorithm = row.algorithm;
	k->state = row.state;
	k->created = row.created;
	k->changed = row.changed;
	memcpy(k->by, row.by, sizeof(k->by));
	memcpy(k->secret, row.secret, sizeof(k->secret));
	console_row(con, &m);
	explicit_bzero(&m, sizeof(m));
	explicit_bzero(&row, sizeof(row));
	return true;
}

void
admin_dkim_export(struct console *con)
{
	if (!con->root) {
		console_done(con, CODE_DENIED,
		    "a backup holds mail and keys: only root may make one");
		return;
	}
	log_event("admin.dkim-export", "by=%s", log_quote(con->by));
	con->at_login[0] = con->at_address[0] = '\0';
	console_list(con, next_key);
}

static bool
domain_canonical(const char *domain)
{
	for (const char *p = domain; *p != '\0'; p++)
		if (*p != ascii_lower(*p))
			return false;
	return domain_valid(domain, strlen(domain), 0);
}

/* The secret is a key, and of the kind that its row says. */
static bool
secret_fits(const struct msg_dkim_key *k)
{
	EVP_PKEY *key = dkim_key_read(k->secret);
	int kind = key != NULL ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE;
	bool fits = k->algorithm == DKIM_RSA
	    ? kind == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) <= 2048
	    : kind == EVP_PKEY_ED25519;

	EVP_PKEY_free(key);
	return fits;
}

static const char *
object(const struct msg_dkim_key *k)
{
	if (!domain_canonical(k->domain))
		return "a key belongs to no domain";
	if (!domain_canonical(k->selector))
		return "a selector is malformed";
	if (k->algorithm >= DKIM_ALGORITHMS || k->state >= DKIM_STATES)
		return "a key is of an unknown kind";
	if (!utf8_text(k->by, strlen(k->by)))
		return "a control character is in a key's history";
	return secret_fits(k) ? NULL : "a private key is none of its kind";
}

/* False when there is such a key. */
static bool
write_key(struct txn *txn, void *arg)
{
	const struct msg_dkim_key *k = arg;
	struct dkim_row row;
	bool fresh = !dkim_get(txn, k->domain, k->selector, &row);

	if (fresh) {
		row = (struct dkim_row){ .algorithm = k->algorithm,
			.state = k->state,
			.created = k->created,
			.changed = k->changed };
		memcpy(row.by, k->by, sizeof(row.by));
		memcpy(row.secret, k->secret, sizeof(row.secret));
		dkim_put(txn, k->domain, k->selector, &row);
	}
	explicit_bzero(&row, sizeof(row));
	return fresh;
}

void
admin_dkim_keep(struct console *con, const struct msg_dkim_key *given)
{
	struct msg_dkim_key k = *given;
	const char *why = object(&k);

	if (!con->root) {
		console_done(con, CODE_DENIED, "only root may bring keys");
	} else if (why != NULL) {
		console_done(con, CODE_NO, "%s", why);
	} else {
		switch (store_txn(STORE_SYNC, write_key, &k)) {
		case V_OK:
			log_event("admin.change",
			    "by=%s what=dkim.restore selector=%s domain=%s",
			    log_quote(con->by), k.selector, k.domain);
			dkim_close();
			peers_dkim_changed();
			console_done(con, CODE_OK, "kept");
			break;
		case V_PERM:
			console_done(con, CODE_EXISTS,
			    "%s has the selector %s already", k.domain,
			    k.selector);
			break;
		default:
			console_done(con, CODE_TEMP, "the disk is full");
		}
	}
	explicit_bzero(&k, sizeof(k));
}
