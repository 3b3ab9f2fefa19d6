/*
 * store.c - see store.h.
 *
 * All tables are databases of one file, so that a checkpoint syncs one file.
 * Reads and writes outside a transaction never meet one: there is one thread,
 * and a transaction begins and ends inside store_txn().
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "auth/store_env.h"
#include "auth/store_room.h"
#include "auth/t_account.h"
#include "auth/t_credential.h"
#include "auth/t_guard.h"
#include "lib/conf.h"
#include "lib/log.h"

#define FORMAT          3 /* of the rows; counts up when they change */
#define CACHE_BYTES     (8 * 1024 * 1024)
#define LOG_FILE_BYTES  (1024 * 1024)
#define LOG_BUFFER      (128 * 1024)
#define CHECKPOINT      (4 * 1024 * 1024) /* bytes of log */
#define PAGE_BYTES      4096
#define LOCKS           1000000 /* an import of a million accounts */
#define RETRIES         16
#define LOCK_PATIENCE_S 2

struct meta {
	uint32_t format;
};

struct formats {
	unsigned from;
	struct meta to;
};

static const struct field meta_fields[] = {
	F_U32(meta, format),
	F_END,
};

static const char *const names[TABLES] = {
	[TABLE_META] = "meta",
	[TABLE_ACCOUNT] = "account",
	[TABLE_INACTIVE] = "inactive",
	[TABLE_CREDENTIAL] = "credential",
	[TABLE_GRANT] = "grant",
	[TABLE_KEY] = "key",
	[TABLE_LOGINS] = "logins",
	[TABLE_DKIM] = "dkim",
	[TABLE_LEGACY] = "legacy",
	[TABLE_LIMITS] = "limits",
	[TABLE_USAGE] = "usage",
	[TABLE_KNOWN] = "known",
	[TABLE_GUARD] = "guard",
	[TABLE_VERDICT] = "verdict",
	[TABLE_IMPORT] = "import",
};

DB_ENV *store_env;
DB *store_dbs[TABLES];
static int lock_fd = -1;
static bool keep_logs; /* somebody copies them */
static bool failed;    /* to open: nothing is touched any more */

const char *
store_name(enum table t)
{
	return names[t];
}

static void
on_error(const DB_ENV *e, const char *prefix, const char *text)
{
	(void)e, (void)prefix;
	log_event("store.error", "error=%s", log_quote(text));
}

static void
cannot_enter(const char *home)
{
	fatal("%s: %s%s", home, strerror(errno),
	    errno == EACCES
		? "; run it as its owner, or chown -R state/auth to users.auth"
		: "");
}

/*
 * The lock is on the directory, so it needs no file.  The process that has it
 * may be about to end: the one before us, or another `postern account`.
 */
static void
lock_directory(const char *home)
{
	const struct timespec nap = { .tv_nsec = 20 * 1000 * 1000 };

	if (mkdir(home, 0700) == -1 && errno != EEXIST)
		cannot_enter(home);
	lock_fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock_fd == -1)
		cannot_enter(home);
	for (int i = 0; flock(lock_fd, LOCK_EX | LOCK_NB) == -1; i++) {
		if (errno != EWOULDBLOCK || i > LOCK_PATIENCE_S * 50)
			fatal("%s: in use by another process", home);
		nanosleep(&nap, NULL);
	}
}

static int
open_env(const char *home)
{
	check(db_env_create(&store_env, 0), "make");
	store_env->set_errcall(store_env, on_error);
	check(store_env->set_cachesize(store_env, 0, CACHE_BYTES, 1), "cache");
	check(store_env->set_lg_max(store_env, LOG_FILE_BYTES), "log size");
	check(store_env->set_lg_bsize(store_env, LOG_BUFFER), "log buffer");
	check(store_env->set_lk_max_locks(store_env, LOCKS), "locks");
	check(store_env->set_lk_max_objects(store_env, LOCKS), "locks");
	check(
	    store_env->set_lk_detect(store_env, DB_LOCK_DEFAULT), "deadlocks");
	return store_env->open(store_env, home,
	    DB_CREATE | DB_RECOVER | DB_PRIVATE | DB_INIT_LOCK | DB_INIT_LOG |
		DB_INIT_MPOOL | DB_INIT_TXN,
	    0600);
}

static int
open_tables(void)
{
	DB_TXN *id;
	int r;

	r = store_env->txn_begin(store_env, NULL, &id, 0);
	for (int t = 0; t < TABLES && r == 0; t++) {
		check(db_create(&store_dbs[t], store_env, 0), "table");
		check(store_dbs[t]->set_flags(store_dbs[t], DB_CHKSUM),
		    "checksums");
		check(store_dbs[t]->set_pagesize(store_dbs[t], PAGE_BYTES),
		    "pages");
		r = store_dbs[t]->open(store_dbs[t], id, STORE_FILE, names[t],
		    DB_BTREE, DB_CREATE, 0600);
	}
	return r == 0 ? id->commit(id, DB_TXN_SYNC) : r;
}

static struct bytes
meta_key(void)
{
	static const uint8_t key[] = "format";

	return (struct bytes){ key, sizeof(key) - 1 };
}

static bool
write_format(struct txn *txn, const struct meta *meta)
{
	store_put(txn, TABLE_META, meta_key(), meta_fields, meta);
	return true;
}

static bool
begin_format(struct txn *txn, void *arg)
{
	return write_format(txn, arg);
}

static bool
upgrade(struct txn *txn, void *arg)
{
	const struct formats *f = arg;

	credential_upgrade(txn, f->from);
	account_upgrade(txn);
	guard_upgrade(txn);
	return write_format(txn, &f->to);
}

void
store_keep_logs(bool yes)
{
	keep_logs = yes;
}

/* Old logs go only here, behind a checkpoint. */
static void
checkpoint(uint32_t flags)
{
	char **removed;

	check(store_env->txn_checkpoint(store_env, 0, 0, flags), "checkpoint");
	if (keep_logs)
		return;
	check(store_env->log_archive(store_env, &removed, DB_ARCH_REMOVE),
	    "old logs");
}

/* What the older postern needs, if somebody wants to go back. */
static void
keep_copy(const char *directory, unsigned format)
{
	char to[CONF_PATH + 32];
	int error;

	snprintf(to, sizeof(to), "%s/before-upgrade-%u",
	    strcmp(directory, "/") == 0 ? "" : directory, format);
	checkpoint(0);
	error = store_copy(to);
	if (error != 0)
		fatal_conf("the accounts of format %u could not be copied to "
			   "%s before they are written anew: %s; nothing was "
			   "changed",
		    format, to, strerror(error));
	log_event("store.copy", "format=%u path=%s", format, log_quote(to));
}

static void
check_format(const char *directory)
{
	struct formats change = { .to = { FORMAT } };
	struct meta meta;

	if (!store_get(NULL, TABLE_META, meta_key(), meta_fields, &meta,
		sizeof(meta))) {
		meta.format = FORMAT;
		store_txn(STORE_SYNC, begin_format, &meta);
	}
	if (meta.format > FORMAT)
		fatal_conf("the accounts are of format %u and this postern "
			   "knows %d: run the postern that wrote them, or a "
			   "newer one; or go back to how they were before the "
			   "upgrade, if before-upgrade-%d is there: mv it to "
			   "the place of env, both in auth of [paths] state",
		    meta.format, FORMAT, FORMAT);
	if (meta.format == FORMAT)
		return;
	keep_copy(directory, meta.format);
	log_event("store.upgrade", "from=%u to=%d", meta.format, FORMAT);
	change.from = meta.format;
	if (store_txn(STORE_SYNC, upgrade, &change) != V_OK)
		fatal("no room on the disk to write the store in format %d",
		    FORMAT);
}

bool
store_open(const char *directory)
{
	char home[CONF_PATH + 8];
	int r;

	assert(directory[0] == '/' && store_env == NULL);
	snprintf(home, sizeof(home), "%s/env",
	    strcmp(directory, "/") == 0 ? "" : directory);
	lock_directory(home);
	store_room_open(directory);
	r = open_env(home);
	if (r == 0)
		r = open_tables();
	if (r != 0 && !store_room()) {
		failed = true;
		return false;
	}
	check(r, "open");
	check_format(directory);
	return true;
}

static void
checkpoint_if_due(void)
{
	DB_LOG_STAT *stat;
	uint64_t bytes;

	check(store_env->log_stat(store_env, &stat, 0), "log");
	bytes = ((uint64_t)stat->st_wc_mbytes << 20) + stat->st_wc_bytes;
	free(stat);
	if (bytes >= CHECKPOINT)
		checkpoint(0);
}

void
store_close(void)
{
	if (store_env == NULL || failed)
		return;
	checkpoint(0);
	for (int t = 0; t < TABLES; t++) {
		check(store_dbs[t]->close(store_dbs[t], 0), "close");
		store_dbs[t] = NULL;
	}
	check(store_env->close(store_env, 0), "close");
	store_env = NULL;
	close(lock_fd);
	lock_fd = -1;
}

enum verdict
store_txn(enum durability how, bool (*body)(struct txn *, void *arg), void *arg)
{
	struct txn txn;
	bool yes;

	if (!store_room())
		return V_TEMP;
	for (int i = 0; i < RETRIES; i++) {
		txn.again = false;
		check(
		    store_env->txn_begin(store_env, NULL, &txn.id, 0), "begin");
		yes = body(&txn, arg);
		if (yes && !txn.again) {
			check(txn.id->commit(txn.id,
				  how == STORE_SYNC ? DB_TXN_SYNC
						    : DB_TXN_WRITE_NOSYNC),
			    "commit");
			checkpoint_if_due();
			return V_OK;
		}
		check(txn.id->abort(txn.id), "abort");
		if (!txn.again)
			return V_PERM;
	}
	fatal("store: deadlocked %d times with nobody", RETRIES);
}
