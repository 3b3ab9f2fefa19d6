/*
 * store_check.c - a copy of the accounts, and whether it is whole; see
 * store.h.
 *
 * The tables are copied as they lie on the disk, and behind them the log, with
 * which recovery brings the copy to one moment.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "auth/store_env.h"
#include "auth/store_room.h"
#include "lib/copy.h"

#define CACHE_BYTES (4 * 1024 * 1024)

static struct store_check *current;

static void
found(struct store_check *c, const char *what, const char *why)
{
	if (c->faults++ == 0)
		snprintf(c->fault, sizeof(c->fault), "%s%s%s", what,
		    *why != '\0' ? ": " : "", why);
}

static void
on_error(const DB_ENV *e, const char *prefix, const char *text)
{
	(void)e, (void)prefix;
	found(current, STORE_FILE, text);
}

/* Bring the copy to one moment.  From the first log file that there is on: a
 * checkpoint may have come while the tables were copied. */
static int
recover(const char *dir)
{
	DB_ENV *e;
	int r, closed;

	if ((r = db_env_create(&e, 0)) != 0)
		return r;
	e->set_errcall(e, on_error);
	r = e->set_cachesize(e, 0, CACHE_BYTES, 1);
	if (r == 0)
		r = e->open(e, dir,
		    DB_CREATE | DB_INIT_LOG | DB_INIT_MPOOL | DB_INIT_TXN |
			DB_PRIVATE | DB_RECOVER_FATAL,
		    0600);
	closed = e->close(e, 0);
	return r != 0 ? r : closed;
}

/* Bytes of the files in the environment's directory. */
static uint64_t
size_of(const char *home)
{
	DIR *dir = opendir(home);
	uint64_t sum = 0;
	struct dirent *e;
	struct stat st;

	if (dir == NULL)
		return 0;
	while ((e = readdir(dir)) != NULL)
		if (fstatat(dirfd(dir), e->d_name, &st, 0) == 0)
			sum += (uint64_t)st.st_size;
	closedir(dir);
	return sum;
}

static bool
is_tables(const char *name)
{
	return strcmp(name, STORE_FILE) == 0;
}

static bool
is_log(const char *name)
{
	return strncmp(name, "log.", 4) == 0;
}

int
store_copy(const char *to)
{
	const char *home;
	int error;

	/* Recovery of the copy writes, too. */
	if (store_env->get_home(store_env, &home) != 0 ||
	    !store_room_for(2 * size_of(home)))
		return ENOSPC;
	copy_remove(to);
	error = copy_files(home, to, is_tables);
	return error != 0 ? error : copy_files(home, to, is_log);
}

/* Only a cache, and a place for what does not fit into it. */
static int
open_cache(const char *dir, DB_ENV **e)
{
	int r;

	if ((r = db_env_create(e, 0)) != 0)
		return r;
	(*e)->set_errcall(*e, on_error);
	r = (*e)->set_cachesize(*e, 0, CACHE_BYTES, 1);
	if (r == 0)
		r = (*e)->set_tmp_dir(*e, dir);
	if (r == 0)
		r = (*e)->open(
		    *e, dir, DB_CREATE | DB_INIT_MPOOL | DB_PRIVATE, 0600);
	return r;
}

static int
verify(DB_ENV *e)
{
	DB *db;
	int r;

	if ((r = db_create(&db, e, 0)) != 0)
		return r;
	return db->verify(db, STORE_FILE, NULL, NULL, 0); /* closes it */
}

static int
open_copy(DB_ENV *e, enum table t, DB **out)
{
	int r = db_create(out, e, 0);

	return r != 0 ? r
		      : (*out)->open(*out, NULL, STORE_FILE, store_name(t),
			    DB_BTREE, DB_RDONLY, 0);
}

/* Count the rows; those of other tables than the accounts begin with a login,
 * which has to be there. */
static int
walk(DB *db, enum table t, DB *accounts, struct store_check *c)
{
	DBT k = { 0 }, d = { .flags = DB_DBT_PARTIAL };
	DBT login = { 0 }, none = { .flags = DB_DBT_PARTIAL };
	DBC *cursor;
	int r = db->cursor(db, NULL, &cursor, 0);

	if (r != 0)
		return r;
	while ((r = cursor->get(cursor, &k, &d, DB_NEXT)) == 0) {
		c->rows[t]++;
		if (accounts == NULL)
			continue;
		login.data = k.data;
		login.size = (uint32_t)strnlen(k.data, k.size);
		r = accounts->get(accounts, NULL, &login, &none, 0);
		if (r == DB_NOTFOUND)
			found(c, store_name(t), "a row belongs to no account");
		else if (r != 0)
			break;
	}
	cursor->close(cursor);
	return r == DB_NOTFOUND ? 0 : r;
}

static int
check_rows(DB_ENV *e, struct store_check *c)
{
	static const enum table with_login[] = { TABLE_INACTIVE,
		TABLE_CREDENTIAL, TABLE_GRANT };
	DB *accounts = NULL, *other = NULL;
	int r = open_copy(e, TABLE_ACCOUNT, &accounts);

	if (r == 0)
		r = walk(accounts, TABLE_ACCOUNT, NULL, c);
	for (size_t i = 0;
	     i < sizeof(with_login) / sizeof(with_login[0]) && r == 0; i++) {
		if ((r = open_copy(e, with_login[i], &other)) == 0)
			r = walk(other, with_login[i], accounts, c);
		if (other != NULL)
			other->close(other, 0);
		other = NULL;
	}
	if (accounts != NULL)
		accounts->close(accounts, 0);
	return r;
}

int
store_check(const char *dir, struct store_check *c)
{
	DB_ENV *e = NULL;
	int r;

	memset(c, 0, sizeof(*c));
	current = c;
	r = recover(dir);
	if (r == 0)
		r = open_cache(dir, &e);
	if (r == ENOSPC || r == EDQUOT)
		goto out;
	if (r != 0)
		found(c, "recovery", db_strerror(r));
	if (c->faults == 0 && (r = verify(e)) != 0)
		found(c, STORE_FILE, db_strerror(r));
	/* Rows are looked at only on pages that are known to be sound. */
	if (c->faults == 0 && (r = check_rows(e, c)) != 0)
		found(c, STORE_FILE, db_strerror(r));
	r = 0;
out:
	if (e != NULL)
		e->close(e, 0);
	return r;
}
