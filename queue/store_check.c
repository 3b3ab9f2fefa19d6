/*
 * store_check.c - a copy of the running store, and whether it is whole; see
 * store.h.
 *
 * The tables are copied as they lie on the disk, and the log behind them, from
 * which recovery brings the copy to one moment.  Berkeley DB's own hot backup
 * reads through the cache, and panics in the running environment when it finds
 * a page that is damaged; so a damaged copy can only upset the environment
 * that is opened on it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/copy.h"
#include "queue/store_env.h"

#define CACHE_BYTES (4 * 1024 * 1024)

/* clang-format off */
/* What a row refers to: the first `len` bytes of its key from `at` on are the
 * whole key of a row there. */
static const struct relation {
	enum table from, to;
	size_t at, len;
	const char *what;
} relations[] = {
	{ T_BODY, T_MESSAGE, 0, 8,  "part of a body belongs to no message" },
	{ T_JOB,  T_MESSAGE, 0, 8,  "job belongs to no message" },
	{ T_DUE,  T_JOB,     8, 12, "entry of the schedule belongs to no job" },
};

/* The other way: a row of `from` has at least one in `to` that begins so. */
static const struct relation parts[] = {
	{ T_MESSAGE, T_JOB, 0, 8, "message has no job" },
};
/* clang-format on */

static atomic_bool ending;
static _Thread_local struct store_check *current;
static _Thread_local const char *looking_at = ""; /* which file */

static void found(struct store_check *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The first fault is told, and all are counted. */
static void
found(struct store_check *c, const char *fmt, ...)
{
	va_list ap;

	if (c->faults++ > 0)
		return;
	va_start(ap, fmt);
	vsnprintf(c->fault, sizeof(c->fault), fmt, ap);
	va_end(ap);
}

static void
on_error(const DB_ENV *e, const char *prefix, const char *text)
{
	(void)e, (void)prefix;
	if (current != NULL)
		found(current, "%s%s%s", looking_at,
		    *looking_at != '\0' ? ": " : "", text);
}

void
store_check_end(void)
{
	atomic_store(&ending, true);
}

bool
store_check_ended(void)
{
	return atomic_load(&ending);
}

static bool
is_table(const char *name)
{
	if (store_check_ended())
		return false;
	for (int t = 0; t < TABLES; t++)
		if (strcmp(name, store_file((enum table)t)) == 0)
			return true;
	return false;
}

static bool
is_log(const char *name)
{
	return !store_check_ended() && strncmp(name, "log.", 4) == 0;
}

int
store_copy(const char *to)
{
	int ret = ECANCELED;

	copy_remove(to);
	store_log_keep(true);
	/* The store may have been closed meanwhile, by a shutdown that waits
	 * no longer: from here on only files are touched. */
	if (!store_check_ended())
		ret = copy_files(store_home, to, is_table);
	if (ret == 0)
		ret = copy_files(store_home, to, is_log);
	store_log_keep(false);
	return ret;
}

/*
 * Bring the copy to one moment.  From the first log file that there is on: a
 * checkpoint may have come while the tables were copied, and what it wrote to
 * those that were copied already is only in the log before it.
 */
static int
recover(const char *dir)
{
	DB_ENV *e;
	int ret, closed;

	if ((ret = db_env_create(&e, 0)) != 0)
		return ret;
	e->set_errcall(e, on_error);
	ret = e->set_cachesize(e, 0, CACHE_BYTES, 1);
	if (ret == 0)
		ret = e->set_lg_bsize(e, STORE_LOG_BUFFER);
	if (ret == 0)
		ret = e->open(e, dir,
		    DB_CREATE | DB_INIT_LOG | DB_INIT_MPOOL | DB_INIT_TXN |
			DB_PRIVATE | DB_RECOVER_FATAL,
		    0600);
	closed = e->close(e, 0);
	return ret != 0 ? ret : closed;
}

/* Only a cache, and a place for what does not fit into it. */
static int
open_cache(const char *dir, DB_ENV **e)
{
	int ret;

	if ((ret = db_env_create(e, 0)) != 0)
		return ret;
	(*e)->set_errcall(*e, on_error);
	ret = (*e)->set_cachesize(*e, 0, CACHE_BYTES, 1);
	if (ret == 0)
		ret = (*e)->set_tmp_dir(*e, dir);
	if (ret == 0)
		ret = (*e)->open(
		    *e, dir, DB_CREATE | DB_INIT_MPOOL | DB_PRIVATE, 0600);
	return ret;
}

static int
verify(DB_ENV *e, enum table t)
{
	DB *db;
	int ret;

	looking_at = store_file(t);
	if ((ret = db_create(&db, e, 0)) != 0)
		return ret;
	return db->verify(db, store_file(t), NULL, NULL, 0); /* closes it */
}

/* NULL after telling why. */
static DB *
open_copy(DB_ENV *e, enum table t, struct store_check *c)
{
	DB *db;
	int ret;

	if ((ret = db_create(&db, e, 0)) == 0)
		ret = db->open(
		    db, NULL, store_file(t), NULL, DB_BTREE, DB_RDONLY, 0);
	if (ret == 0)
		return db;
	found(c, "%s: %s", store_file(t), db_strerror(ret));
	return NULL;
}

/* Is there a row with this key, or, if not `whole`, one that begins so? */
static int
look_up(DB *db, const uint8_t *key, size_t len, bool whole)
{
	DBT k = dbt(key, len), d = { .flags = DB_DBT_PARTIAL };
	DBC *cursor;
	int ret;

	if (whole)
		return db->get(db, NULL, &k, &d, 0);
	if ((ret = db->cursor(db, NULL, &cursor, 0)) != 0)
		return ret;
	ret = cursor->get(cursor, &k, &d, DB_SET_RANGE);
	if (ret == 0 && (k.size < len || memcmp(k.data, key, len) != 0))
		ret = DB_NOTFOUND;
	cursor->close(cursor);
	return ret;
}

static int
relate_row(DB *to, const struct relation *r, bool whole, const DBT *k,
    struct store_check *c)
{
	const uint8_t *key = k->data;
	int ret;

	if (k->size < r->at + r->len) {
		found(c, "%s: a key is too short", store_file(r->from));
		return 0;
	}
	ret = look_up(to, key + r->at, r->len, whole);
	if (ret != DB_NOTFOUND)
		return ret;
	found(c, "a %s (%s of %" PRIx64 ")", r->what, store_file(r->from),
	    key_get(key + r->at, 8));
	return 0;
}

/* Go through one table, and look every row up in the other. */
static int
relate(DB *dbs[TABLES], const struct relation *r, bool whole,
    struct store_check *c)
{
	DBT k = { 0 }, d = { .flags = DB_DBT_PARTIAL };
	DBC *cursor;
	int ret;

	if ((ret = dbs[r->from]->cursor(dbs[r->from], NULL, &cursor, 0)) != 0)
		return ret;
	while ((ret = cursor->get(cursor, &k, &d, DB_NEXT)) == 0) {
		if (store_is_pin(&k))
			continue;
		ret = relate_row(dbs[r->to], r, whole, &k, c);
		if (ret != 0 || store_check_ended())
			break;
	}
	cursor->close(cursor);
	return ret == DB_NOTFOUND ? 0 : ret;
}

static int
count(DB *db, uint64_t *n)
{
	DBT k = { 0 }, d = { .flags = DB_DBT_PARTIAL };
	DBC *cursor;
	int ret;

	*n = 0;
	if ((ret = db->cursor(db, NULL, &cursor, 0)) != 0)
		return ret;
	while ((ret = cursor->get(cursor, &k, &d, DB_NEXT)) == 0)
		*n += !store_is_pin(&k);
	cursor->close(cursor);
	return ret == DB_NOTFOUND ? 0 : ret;
}

static void
check_rows(DB_ENV *e, struct store_check *c)
{
	DB *dbs[TABLES] = { NULL };
	bool open = true;
	int ret = 0;

	for (int t = 0; t < TABLES; t++)
		open &= (dbs[t] = open_copy(e, (enum table)t, c)) != NULL;
	for (int t = 0; open && t < TABLES && ret == 0; t++)
		ret = count(dbs[t], &c->rows[t]);
	for (size_t i = 0;
	     open && ret == 0 && i < sizeof(relations) / sizeof(relations[0]);
	     i++)
		ret = relate(dbs, &relations[i], true, c);
	for (size_t i = 0;
	     open && ret == 0 && i < sizeof(parts) / sizeof(parts[0]); i++)
		ret = relate(dbs, &parts[i], false, c);
	if (ret != 0)
		found(c, "%s", db_strerror(ret));
	for (int t = 0; t < TABLES; t++)
		if (dbs[t] != NULL)
			dbs[t]->close(dbs[t], 0);
}

int
store_check(const char *dir, struct store_check *c)
{
	DB_ENV *e = NULL;
	int ret;

	memset(c, 0, sizeof(*c));
	current = c;
	ret = recover(dir);
	if (ret == 0)
		ret = open_cache(dir, &e);
	if (ret == ENOSPC || ret == EDQUOT)
		goto out;
	if (ret != 0)
		found(c, "recovery: %s", db_strerror(ret));
	for (int t = 0; t < TABLES && c->faults == 0 && !store_check_ended();
	     t++)
		if ((ret = verify(e, (enum table)t)) != 0)
			found(c, "%s: %s", store_file((enum table)t),
			    db_strerror(ret));
	/* Rows are looked at only on pages that are known to be sound. */
	if (c->faults == 0 && !store_check_ended())
		check_rows(e, c);
	ret = 0;
out:
	if (e != NULL)
		e->close(e, 0);
	current = NULL;
	looking_at = "";
	return ret;
}
