/*
 * store_env.h - what the store's own files share.
 */
#ifndef AUTH_STORE_ENV_H
#define AUTH_STORE_ENV_H

#include <db.h>

#include "auth/store.h"
#include "lib/log.h"

#define STORE_FILE "accounts.db" /* all tables */

/* Open between store_open() and store_close(). */
extern DB_ENV *store_env;
extern DB *store_dbs[TABLES];

struct txn {
	DB_TXN *id;
	bool again; /* a deadlock: nothing counts, run the body anew */
};

/* Every result of Berkeley DB that is not an answer comes here. */
static inline void
check(int r, const char *what)
{
	if (r != 0)
		fatal("store: %s: %s", what, db_strerror(r));
}

/* The name of a table within the file. */
const char *store_name(enum table);

#endif
