/*
 * store_log.c - bytes in the log itself; see store.h.
 *
 * A record of a type above DB_user_BEGIN that belongs to no transaction is
 * carried in the log and passed by in recovery, also by Berkeley DB's own
 * utilities.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crash.h"
#include "lib/log.h"
#include "queue/store_env.h"

#define RECORD_TYPE (DB_user_BEGIN + 1)
#define LENGTH_MOST 65536
/* To free the blocks of a large file at once takes a disk that is told of it
 * (discard) ten milliseconds, and flushes wait behind that. */
#define CUT_BYTES ((off_t)1 << 20)
#define CUT_US    2000
#define OLD       "old." /* instead of "log.": on its way out */

struct record {
	uint32_t type;   /* as the log wants it: type, transaction, previous */
	uint32_t txn;    /* 0 none */
	DB_LSN previous; /* none */
	uint64_t id;
	uint8_t data[LENGTH_MOST];
};

#define HEAD offsetof(struct record, data)

static pthread_mutex_t removal = PTHREAD_MUTEX_INITIALIZER;
static bool keep; /* all of the log: it is being copied */

uint64_t
store_log_put(uint64_t id, const void *data, size_t len)
{
	static struct record r;
	DBT d = dbt(&r, HEAD + len);
	DB_LSN at;
	int ret;

	assert(len <= LENGTH_MOST);
	r.type = RECORD_TYPE;
	r.id = id;
	memcpy(r.data, data, len);
	if ((ret = store_env->log_put(store_env, &at, &d, 0)) != 0)
		store_fail("log", ret);
	store_count(HEAD + len);
	return (uint64_t)at.file << 32 | at.offset;
}

bool
store_log_get(uint64_t place, uint64_t id, void *data, size_t n)
{
	static struct record r;
	DB_LSN at = { store_log_file(place), (uint32_t)place };
	DBT d = dbt_room(&r, sizeof(r));
	DB_LOGC *cursor;
	int ret;

	if ((ret = store_env->log_cursor(store_env, &cursor, 0)) != 0)
		store_fail("log", ret);
	ret = cursor->get(cursor, &at, &d, DB_SET);
	cursor->close(cursor, 0);
	if (ret == EIO || ret == ENOMEM)
		store_fail("log", ret); /* it may be there */
	if (ret != 0 || d.size < HEAD + n || r.type != RECORD_TYPE ||
	    r.id != id)
		return false;
	memcpy(data, r.data, n);
	return true;
}

uint32_t
store_log_file(uint64_t place)
{
	return (uint32_t)(place >> 32);
}

/* "log.0000000012" */
static uint32_t
number_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL ? (uint32_t)strtoul(dot + 1, NULL, 10) : 0;
}

uint32_t
store_log_unneeded(void)
{
	uint32_t last = 0;
	char **list;
	int ret;

	if ((ret = store_env->log_archive(store_env, &list, 0)) != 0)
		store_fail("log", ret);
	for (char **name = list; name != NULL && *name != NULL; name++)
		if (number_of(*name) > last)
			last = number_of(*name);
	free(list);
	return last;
}

/* "old.0000000012", which Berkeley DB takes for nothing of its own. */
static void
rename_log(const char *path, char *old, size_t size)
{
	const char *name = strrchr(path, '/');

	assert(name != NULL && strncmp(name, "/log.", 5) == 0);
	if ((size_t)snprintf(old, size, "%.*s/" OLD "%s", (int)(name - path),
		path, name + 5) >= size)
		store_fail("log removal", ENAMETOOLONG);
	if (rename(path, old) == -1)
		store_fail("log removal", errno);
}

/* Piece by piece from its end. */
static void
remove_slowly(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	struct stat st = { .st_size = 0 };

	if (fd == -1 || fstat(fd, &st) == -1)
		store_fail("log removal", errno);
	for (off_t left = st.st_size - CUT_BYTES; left > 0; left -= CUT_BYTES) {
		if (ftruncate(fd, left) == -1)
			store_fail("log removal", errno);
		usleep(CUT_US);
	}
	close(fd);
	if (unlink(path) == -1)
		store_fail("log removal", errno);
}

static void
remove_up_to(uint32_t last)
{
	char old[PATH_MAX], **list;
	int ret;

	ret = store_env->log_archive(store_env, &list, DB_ARCH_ABS);
	if (ret != 0)
		store_fail("log", ret);
	for (char **name = list; name != NULL && *name != NULL; name++)
		if (number_of(*name) <= last) {
			rename_log(*name, old, sizeof(old));
			remove_slowly(old);
		}
	free(list);
	CRASH_POINT("after-log-removal");
}

void
store_log_sweep(const char *home)
{
	DIR *d = opendir(home);
	struct dirent *e;

	if (d == NULL)
		fatal("%s: %s", home, strerror(errno));
	while ((e = readdir(d)) != NULL)
		if (strncmp(e->d_name, OLD, strlen(OLD)) == 0 &&
		    unlinkat(dirfd(d), e->d_name, 0) == -1)
			store_fail("log removal", errno);
	closedir(d);
}

void
store_log_keep(bool on)
{
	pthread_mutex_lock(&removal);
	keep = on;
	pthread_mutex_unlock(&removal);
}

void
store_log_remove(uint32_t last)
{
	/* What is kept now goes with the next removal. */
	pthread_mutex_lock(&removal);
	if (!keep)
		remove_up_to(last);
	pthread_mutex_unlock(&removal);
}
