/*
 * store.c - open, recover, commit, flush, checkpoint; see store.h.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "lib/crash.h"
#include "lib/log.h"
#include "queue/store_env.h"
#include "queue/store_sum.h"

#define LOG_FILE_MOST  (16 * 1024 * 1024)
#define LOG_FILE_LEAST (1024 * 1024)
#define PAGE_MAX       16384
#define CIFS_MAGIC     0xff534d42
#define SMB2_MAGIC     0xfe534d42
/* A disk smaller than this gives its files a sixteenth of the pages. */
#define SMALL_DISK   ((uint64_t)1 << 30)
#define PAGE_WAIT_NS 1000000

/*
 * When the page that a delete frees is the last one of its file, Berkeley DB
 * flushes the log on the spot and cuts the file: a queue that runs empty
 * would pay a disk flush, in the loop, for every mail.  So each file is given
 * some pages at its birth of which the last stays in use.
 */
static const struct {
	const char *file;
	unsigned page;
	unsigned spare; /* pages given at birth */
} tables[TABLES] = {
	/* clang-format off */
	[T_META]    = { "meta.db",    4096,  0 },
	[T_MESSAGE] = { "message.db", 8192,  128 },
	[T_BODY]    = { "body.db",    16384, 512 },
	[T_JOB]     = { "job.db",     8192,  64 },
	[T_DUE]     = { "due.db",     8192,  32 },
	[T_JOURNAL] = { "journal.db", 16384, 0 },
	[T_DOMAIN]  = { "domain.db",  4096,  0 },
	[T_INDEX]   = { "index.db",   8192,  0 },
	[T_TLSRPT]  = { "tlsrpt.db",  8192,  0 },
	[T_DIGEST]  = { "digest.db",  8192,  0 },
	/* clang-format on */
};

DB_ENV *store_env;
const uint8_t store_pin[STORE_PIN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 'p', 'i', 'n' };
DB *store_dbs[TABLES];
char store_home[1024];
bool store_unsynced;
static bool in_txn;
static bool failed; /* to open: Berkeley DB is not to be touched again */
static atomic_bool no_room;
static atomic_uint_fast64_t flushes;

void
store_fail(const char *what, int ret)
{
	fatal("store: %s: %s", what, db_strerror(ret));
}

const char *
store_file(enum table t)
{
	return tables[t].file;
}

static void
on_db_error(const DB_ENV *e, const char *prefix, const char *text)
{
	(void)e, (void)prefix;
	if (strstr(text, strerror(ENOSPC)) != NULL ||
	    strstr(text, strerror(EDQUOT)) != NULL)
		no_room = true;
	log_event("store.error", "text=%s", log_quote(text));
}

static void
cannot_enter(const char *home)
{
	fatal("%s: %s%s", home, strerror(errno),
	    errno == EACCES ? "; run it as its owner, or chown -R state/queue "
			      "to users.queue"
			    : "");
}

/* Regions, locks and flushes of a network file system are not to be trusted. */
static void
check_file_system(const char *home)
{
	struct statfs fs;

	if (statfs(home, &fs) == -1)
		cannot_enter(home);
	switch ((unsigned long)fs.f_type) {
	case NFS_SUPER_MAGIC:
	case SMB_SUPER_MAGIC:
	case CIFS_MAGIC:
	case SMB2_MAGIC:
		fatal("%s: the spool must be on a local file system", home);
	default:
		break;
	}
}

/*
 * Berkeley DB waits a second before it writes the pages of a checkpoint that
 * somebody was changing when their turn came.  They change for microseconds,
 * and meanwhile the log grows that recovery would have to read.  Where it waits
 * longer, it waits for the machine: for a descriptor, for room.
 */
static int
pause_briefly(unsigned long s, unsigned long us)
{
	struct timespec t = { (time_t)s, (long)us * 1000 };

	if (s == 0 && us == 0)
		return sched_yield();
	if (s == 1)
		t = (struct timespec){ 0, PAGE_WAIT_NS };
	return nanosleep(&t, NULL);
}

static int
open_env(const char *home, uint64_t cache, uint64_t disk)
{
	uint64_t file = disk / 16;
	int ret;

	store_sum_check();
	if ((ret = db_env_set_func_yield(pause_briefly)) != 0)
		store_fail("environment", ret);
	if (file > LOG_FILE_MOST)
		file = LOG_FILE_MOST;
	if (file < LOG_FILE_LEAST)
		file = LOG_FILE_LEAST;

	if ((ret = db_env_create(&store_env, 0)) != 0)
		store_fail("environment", ret);
	store_env->set_errcall(store_env, on_db_error);
	if ((ret = store_env->set_cachesize(store_env, (uint32_t)(cache >> 30),
		 (uint32_t)(cache & 0x3fffffff), 1)) != 0 ||
	    (ret = store_env->set_lg_bsize(store_env, (uint32_t)file / 8)) !=
		0 ||
	    (ret = store_env->set_lg_max(store_env, (uint32_t)file)) != 0)
		store_fail("settings", ret);
	return store_env->open(store_env, home,
	    DB_CREATE | DB_INIT_LOG | DB_INIT_MPOOL | DB_INIT_TXN | DB_THREAD |
		DB_PRIVATE | DB_RECOVER,
	    0600);
}

/* Fill the file with pages, keep the last, free the others. */
static int
give_pages(DB *db, unsigned page, unsigned spare)
{
	static uint8_t filling[PAGE_MAX];
	uint8_t number[4];
	DBT key, data = dbt(filling, page / 2); /* a page of its own each */
	int ret = 0;

	for (unsigned i = 0; i < spare && ret == 0; i++) {
		key_u32(number, i);
		key = dbt(number, sizeof(number));
		ret = db->put(db, NULL, &key, &data, 0);
	}
	key = dbt(store_pin, sizeof(store_pin));
	if (ret == 0)
		ret = db->put(db, NULL, &key, &data, 0);
	for (unsigned i = 0; i < spare && ret == 0; i++) {
		key_u32(number, i);
		key = dbt(number, sizeof(number));
		ret = db->del(db, NULL, &key, 0);
	}
	return ret;
}

static int
set_up(DB *db, enum table t)
{
	int ret = db->set_flags(db, DB_CHKSUM);

	return ret != 0 ? ret : db->set_pagesize(db, tables[t].page);
}

/*
 * A table's file is born outside of the environment, where its pages cost no
 * log, and gets its name when it is whole.
 */
static int
bear_table(enum table t, unsigned share)
{
	char path[sizeof(store_home) + 32], born[sizeof(path) + 8];
	DB *db;
	int ret, closed;

	snprintf(path, sizeof(path), "%s/%s", store_home, tables[t].file);
	if (access(path, F_OK) == 0)
		return 0;
	snprintf(born, sizeof(born), "%s.new", path);
	unlink(born);
	if ((ret = db_create(&db, NULL, 0)) != 0)
		return ret;
	db->set_errcall(db, on_db_error);
	if ((ret = set_up(db, t)) == 0)
		ret = db->open(
		    db, NULL, born, NULL, DB_BTREE, DB_CREATE | DB_EXCL, 0600);
	if (ret == 0 && tables[t].spare > 0)
		ret = give_pages(db, tables[t].page, tables[t].spare / share);
	closed = db->close(db, 0);
	if (ret == 0)
		ret = closed;
	if (ret == 0 && rename(born, path) == -1)
		ret = errno;
	if (ret != 0)
		unlink(born);
	return ret;
}

static int
open_table(enum table t)
{
	DB *db;
	int ret;

	if ((ret = db_create(&db, store_env, 0)) != 0)
		return ret;
	store_dbs[t] = db;
	if ((ret = set_up(db, t)) != 0)
		return ret;
	return db->open(db, NULL, tables[t].file, NULL, DB_BTREE,
	    DB_AUTO_COMMIT | DB_THREAD, 0600);
}

/* The names of new files survive power loss before anything refers to them. */
static int
sync_home(void)
{
	int fd = open(store_home, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;

	if (fd == -1)
		return errno;
	ret = fsync(fd) == -1 ? errno : 0;
	close(fd);
	return ret;
}

enum store_opened
store_open(const char *home, uint64_t cache_bytes, uint64_t disk_bytes)
{
	unsigned share = disk_bytes < SMALL_DISK ? 16 : 1;
	int ret = 0;

	assert(store_env == NULL && !failed && home[0] == '/');
	if (mkdir(home, 0700) == -1 && errno != EEXIST)
		cannot_enter(home);
	check_file_system(home);
	snprintf(store_home, sizeof(store_home), "%s", home);
	no_room = false;
	store_unsynced = getenv("POSTERN_UNSYNCED") != NULL;
	if (store_unsynced)
		log_event("warning", "text=%s",
		    log_quote("POSTERN_UNSYNCED is set: the log is not flushed "
			      "and a power cut loses accepted mail"));
	store_log_sweep(home);
	for (int t = 0; t < TABLES && ret == 0; t++)
		ret = bear_table((enum table)t, share);
	if (ret == 0)
		ret = sync_home();
	if (ret == 0)
		ret = open_env(home, cache_bytes, disk_bytes);
	for (int t = 0; t < TABLES && ret == 0; t++)
		ret = open_table((enum table)t);
	if (ret == 0)
		ret = store_env->txn_checkpoint(store_env, 0, 0, DB_FORCE);
	if (ret == 0)
		return STORE_OPENED;
	if (ret != ENOSPC && ret != EDQUOT && !no_room)
		store_fail(home, ret);
	failed = true;
	return STORE_NO_ROOM;
}

void
store_close(void)
{
	int ret;

	assert(!in_txn);
	if (store_env == NULL || failed)
		return;
	store_beside_close();
	if ((ret = store_env->txn_checkpoint(store_env, 0, 0, DB_FORCE)) != 0)
		store_fail("checkpoint", ret);
	for (int t = 0; t < TABLES; t++) {
		store_dbs[t]->close(store_dbs[t], 0);
		store_dbs[t] = NULL;
	}
	store_env->close(store_env, 0);
	store_env = NULL;
}

void
store_txn(
    void (*body)(struct txn *, void *arg), void *arg, enum store_commit how)
{
	struct txn t;
	int ret;

	assert(!in_txn);
	in_txn = true;
	if ((ret = store_env->txn_begin(store_env, NULL, &t.db, 0)) != 0)
		store_fail("begin", ret);
	body(&t, arg);
	CRASH_POINT("before-commit");
	if ((ret = t.db->commit(t.db,
		 how == COMMIT_WRITTEN ? DB_TXN_WRITE_NOSYNC
				       : DB_TXN_NOSYNC)) != 0)
		store_fail("commit", ret);
	CRASH_POINT("after-commit");
	in_txn = false;
}

void
store_flush(void)
{
	int ret;

	CRASH_POINT("before-flush");
	if (!store_unsynced &&
	    (ret = store_env->log_flush(store_env, NULL)) != 0)
		store_fail("log flush", ret);
	store_count_flush();
	CRASH_POINT("after-flush");
}

void
store_count_flush(void)
{
	flushes++;
}

void
store_checkpoint(void)
{
	int ret;

	if ((ret = store_env->txn_checkpoint(store_env, 0, 0, 0)) != 0)
		store_fail("checkpoint", ret);
	CRASH_POINT("after-checkpoint");
}

void
store_debt(struct store_debt *debt)
{
	DB_MPOOL_STAT *pool;
	DB_LOG_STAT *lg;
	int ret;

	if ((ret = store_env->memp_stat(store_env, &pool, NULL, 0)) != 0)
		store_fail("cache", ret);
	if ((ret = store_env->log_stat(store_env, &lg, 0)) != 0)
		store_fail("log", ret);
	debt->dirty = (uint64_t)pool->st_page_dirty * PAGE_MAX;
	debt->log = (uint64_t)lg->st_wc_mbytes * 1048576 + lg->st_wc_bytes;
	free(pool);
	free(lg);
}

uint64_t
store_flushes(void)
{
	return flushes;
}

void
store_sizes(uint64_t *table_bytes, uint64_t *log_bytes)
{
	char path[sizeof(store_home) + 32], **list, **name;
	struct stat st;
	int ret;

	*table_bytes = *log_bytes = 0;
	for (int t = 0; t < TABLES; t++) {
		snprintf(
		    path, sizeof(path), "%s/%s", store_home, tables[t].file);
		if (stat(path, &st) == 0)
			*table_bytes += (uint64_t)st.st_blocks * 512;
	}
	if ((ret = store_env->log_archive(
		 store_env, &list, DB_ARCH_LOG | DB_ARCH_ABS)) != 0)
		store_fail("log", ret);
	for (name = list; name != NULL && *name != NULL; name++)
		if (stat(*name, &st) == 0)
			*log_bytes += (uint64_t)st.st_blocks * 512;
	free(list);
}
