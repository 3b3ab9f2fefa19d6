/*
 * store_env.h - what the store's own files share.
 */
#ifndef AUTH_STORE_ENV_H
#define AUTH_STORE_ENV_H

#include <db.h>

#include "auth/store.h"

#define STORE_FILE "accounts.db" /* all tables */

/* Open between store_open() and store_close(). */
extern DB_ENV *store_env;

/* The name of a table within the file. */
const char *store_name(enum table);

#endif
