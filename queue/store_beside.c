/*
 * store_beside.c - flushes of the log beside Berkeley DB's own; see store.h.
 *
 * Berkeley DB flushes its log once at a time.  What is in the file is made
 * durable by any fdatasync(2) of it that begins later, though, and when the
 * log goes on in a new file Berkeley DB has flushed the one before; so others
 * may flush the file beside it, as long as what is not durable lies in one.
 *
 * An error is reported once to each open file: so each flusher has its own,
 * and opens it while no flush is under way that could have met an error which
 * nobody has heard of yet.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/crash.h"
#include "queue/store_env.h"

static int fds[STORE_BESIDE] = { -1, -1, -1 };
static uint32_t prepared; /* the log file that they are of; 0 none */

static void
ends(uint32_t *durable, uint32_t *current)
{
	DB_LOG_STAT *lg;
	int ret;

	if ((ret = store_env->log_stat(store_env, &lg, 0)) != 0)
		store_fail("log", ret);
	*durable = lg->st_disk_file;
	*current = lg->st_cur_file;
	free(lg);
}

void
store_beside_close(void)
{
	for (int i = 0; i < STORE_BESIDE; i++) {
		if (fds[i] != -1)
			close(fds[i]);
		fds[i] = -1;
	}
	prepared = 0;
}

void
store_beside_prepare(void)
{
	char path[PATH_MAX];
	uint32_t durable, current;
	int ret;

	ends(&durable, &current);
	if (current == prepared)
		return;
	store_beside_close();
	DB_LSN at = { current, 0 };
	if ((ret = store_env->log_file(store_env, &at, path, sizeof(path))) !=
	    0)
		store_fail("log", ret);
	for (int i = 0; i < STORE_BESIDE; i++)
		if ((fds[i] = open(path, O_WRONLY | O_CLOEXEC)) == -1) {
			store_beside_close(); /* it is done without */
			return;
		}
	prepared = current;
}

bool
store_beside_covers(void)
{
	uint32_t durable, current;

	if (prepared == 0)
		return false;
	ends(&durable, &current);
	return durable == prepared && current == prepared;
}

void
store_flush_beside(unsigned i)
{
	CRASH_POINT("before-flush");
	if (!store_unsynced && fdatasync(fds[i]) == -1)
		store_fail("log flush", errno);
	store_count_flush();
	CRASH_POINT("after-flush");
}
