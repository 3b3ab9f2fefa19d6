/*
 * import.h - the account files of other servers, line by line, as items for
 * auth (struct msg_item).  Pure: no I/O; the day comes from the caller.
 *
 *   shadow       /etc/shadow; an expired entry is locked.  /etc/passwd too,
 *                where its passwords are still in it
 *   htpasswd     name:hash
 *   passwd-file  Dovecot's; with {SCHEME}s, and "nologin" among the extra fields
 *   sasldb       db_dump of Cyrus SASL's sasldb2 (both of its formats)
 *   csv          a first line that names the columns, with commas, semicolons
 *                or tabs between them: account (address, email, user, login,
 *                name), password (plain), hash, grants (separated by spaces),
 *                locked (yes), active (no)
 *   json         "account export" again: one object a line
 *
 * And who may send as what:
 *
 *   aliases      /etc/aliases: the local names on the right may send as the
 *                name on the left
 *   map          Postfix's virtual and sender_login_maps: the same, without
 *                the colon
 */
#ifndef CTL_IMPORT_H
#define CTL_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"

enum import_format {
	IMPORT_AUTO, /* the first line that says something decides */
	IMPORT_SHADOW,
	IMPORT_HTPASSWD,
	IMPORT_PASSWD_FILE,
	IMPORT_SASLDB,
	IMPORT_CSV,
	IMPORT_JSON,
	/* Of grants. */
	IMPORT_ALIASES,
	IMPORT_MAP,
	IMPORT_FORMATS
};

#define IMPORT_COLUMNS 32
#define IMPORT_LINE    65536 /* bytes of a line at most */

typedef void import_item_fn(void *arg, const struct msg_item *);

struct import {
	enum import_format format;
	const char *domain; /* of names without one; "" they are an error */
	bool insist;        /* it goes before a realm of the file */
	bool grants;        /* a file of grants, not of accounts */
	int64_t today;      /* days since 1970 */
	import_item_fn *item;
	void *arg;

	uint32_t line;     /* read so far */
	uint64_t accounts; /* told so far */
	uint64_t left_out; /* entries without any password */
	uint64_t shadowed; /* of them those whose password is in another file */
	char error[300];

	/* Of a map: the address whose logins come. */
	char key[ADDR_SIZE];
	/* Of sasldb: behind its header, and the key of the pair under way. */
	bool data, hex, have_key;
	char name[256], realm[256];
	/* Of csv: what each column is. */
	unsigned char columns[IMPORT_COLUMNS];
	size_t ncolumns;
	char separator;
};

/* The format of this name, of accounts or of grants; false when there is
 * none. */
bool import_format_named(enum import_format *, const char *name, bool grants);
const char *import_format_name(enum import_format);

/*
 * Eat a line without its end; its items go to im->item.  The line is
 * overwritten.  False, with im->error set, when it cannot be understood: the
 * next one can still be read.
 */
bool import_line(struct import *im, char *line, size_t n);

/* For the files that each read one format.  False. */
bool import_fail(struct import *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* "alice", or "alice@example.org", as a login; or it fails. */
bool import_login(struct import *, const char *name, char out[ADDR_SIZE]);
/* An account with the password field of a file; its own address is granted. */
bool import_account(
    struct import *, const char *login, const char *password, bool locked);
/* The same with a plain password. */
bool import_plain(
    struct import *, const char *login, const char *password, bool locked);
bool import_grant(struct import *, const char *login, const char *address);

bool import_colons(struct import *, char *line, size_t n);
bool import_sasldb(struct import *, char *line, size_t n);
bool import_csv(struct import *, char *line, size_t n);
bool import_json(struct import *, char *line, size_t n);
bool import_map(struct import *, char *line, size_t n);

#endif
