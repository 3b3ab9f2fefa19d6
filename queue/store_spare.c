/*
 * store_spare.c - the log's next file, made before it is needed; see
 * store_env.h.
 *
 * To a log file of its own making Berkeley DB gives its length at once, but
 * blocks only as it is written, so each flush waits for the file system's
 * journal, too: for other people's writes, and on a disk with a head for
 * another way there and back.  Where a file of zeros has the next one's name
 * it is taken as it is; recovery passes it by, for it must do so with what
 * DB_LOG_ZERO leaves.  The zeros must be there: octets of an older file behind
 * the end of the log would look like its continuation.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crash.h"
#include "queue/store_env.h"

/* Other flushes go on meanwhile. */
#define PIECE_BYTES ((off_t)256 << 10)
#define PIECE_US    2000
#define MAKING      "old.spare" /* swept at a start */

/* What the next log file is called. */
static void
name_next(char *path, size_t size)
{
	DB_LOG_STAT *lg;
	DB_LSN at = { 0, 0 };
	int ret;

	if ((ret = store_env->log_stat(store_env, &lg, 0)) != 0)
		store_fail("log", ret);
	at.file = lg->st_cur_file + 1;
	free(lg);
	if ((ret = store_env->log_file(store_env, &at, path, size)) != 0)
		store_fail("log", ret);
}

static off_t
log_file_bytes(void)
{
	uint32_t bytes;
	int ret;

	if ((ret = store_env->get_lg_max(store_env, &bytes)) != 0)
		store_fail("log", ret);
	return (off_t)bytes;
}

/* False: there is no room, or the disk does not take it. */
static bool
fill(int fd, off_t size)
{
	static const char zeros[PIECE_BYTES];
	struct stat st;

	if (fstat(fd, &st) == -1 || st.st_size > size)
		return false; /* when that was cut, log files were longer */
	for (off_t at = 0; at < size; at += PIECE_BYTES) {
		size_t n =
		    (size_t)(size - at < PIECE_BYTES ? size - at : PIECE_BYTES);

		if (pwrite(fd, zeros, n, at) != (ssize_t)n ||
		    fdatasync(fd) == -1)
			return false;
		usleep(PIECE_US);
	}
	return true;
}

/* False: Berkeley DB was quicker each time. */
static bool
give_name(const char *path)
{
	char next[PATH_MAX];

	for (int tries = 0; tries < 3; tries++) {
		name_next(next, sizeof(next));
		if (link(path, next) == 0) {
			CRASH_POINT("spare-named");
			if (unlink(path) == -1)
				store_fail("log", errno);
			return true;
		}
		if (errno != EEXIST)
			return false;
	}
	return false;
}

bool
store_spare_wanted(void)
{
	char next[PATH_MAX];

	name_next(next, sizeof(next));
	return access(next, F_OK) == -1 && errno == ENOENT;
}

bool
store_spare_make_of(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	bool made;
	int ret;

	if (fd == -1)
		return false;
	made = fill(fd, log_file_bytes());
	close(fd);
	CRASH_POINT("spare-filled");
	if (!made || !give_name(path))
		return false;
	if ((ret = store_sync_home()) != 0)
		store_fail("log", ret);
	return true;
}

void
store_spare_make(void)
{
	const char *home;
	char path[PATH_MAX];
	int ret;

	if ((ret = store_env->get_home(store_env, &home)) != 0)
		store_fail("log", ret);
	if ((size_t)snprintf(path, sizeof(path), "%s/" MAKING, home) >=
	    sizeof(path))
		store_fail("log", ENAMETOOLONG);
	if (!store_spare_make_of(path))
		unlink(path);
}
