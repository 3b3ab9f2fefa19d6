/*
 * store_env.h - what the store's own files share.
 */
#ifndef QUEUE_STORE_ENV_H
#define QUEUE_STORE_ENV_H

#include <db.h>

#include "queue/store.h"

/* Open between store_open() and store_close(). */
extern DB_ENV *store_env;

/* Any error but "not found" ends the process. */
void store_fail(const char *what, int ret) __attribute__((noreturn));

#endif
