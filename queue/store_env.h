/*
 * store_env.h - what the store's own files share.
 */
#ifndef QUEUE_STORE_ENV_H
#define QUEUE_STORE_ENV_H

#include <db.h>
#include <stdbool.h>
#include <string.h>

#include "queue/store.h"

struct txn {
	DB_TXN *db;
};

/* Open between store_open() and store_close(). */
extern DB_ENV *store_env;
extern DB *store_dbs[TABLES];
/* Its directory, which stays known after store_close(). */
extern char store_home[1024];

/* The key of a row that keeps a table's last page in use (store.c).  Sorts
 * behind every other key; one of a table's own may be as long. */
#define STORE_PIN 11
extern const uint8_t store_pin[STORE_PIN];

static inline bool
store_is_pin(const DBT *key)
{
	return key->size == STORE_PIN &&
	    memcmp(key->data, store_pin, STORE_PIN) == 0;
}

#define STORE_LOG_BUFFER (128 * 1024) /* of an environment for a while */

/* The file of a table, within the environment's directory. */
const char *store_file(enum table);

/* Remove what a crash left of log files that were being removed. */
void store_log_sweep(const char *home);

extern bool store_unsynced; /* POSTERN_UNSYNCED: the log is not flushed */
void store_count_flush(void);
void store_beside_close(void);

/* Remove no log files until told otherwise, for they are being copied. */
void store_log_keep(bool);

/* Any error but "not found" ends the process. */
void store_fail(const char *what, int ret) __attribute__((noreturn));

static inline DBT
dbt(const void *data, size_t len)
{
	DBT d;

	memset(&d, 0, sizeof(d));
	/* Berkeley DB does not write through a key or data to be stored. */
	d.data = (void *)(uintptr_t)data;
	d.size = (uint32_t)len;
	return d;
}

static inline DBT
dbt_room(void *data, size_t size)
{
	DBT d = dbt(data, 0);

	d.ulen = (uint32_t)size;
	d.flags = DB_DBT_USERMEM;
	return d;
}

#endif
