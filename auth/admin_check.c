/*
 * admin_check.c - see admin_check.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "auth/admin_check.h"
#include "auth/store.h"
#include "ipc/child.h"
#include "lib/copy.h"
#include "lib/log.h"

/* The loop's own clock stands still meanwhile. */
static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
copy_path(char *out, size_t size)
{
	const char *dir = child_directory();

	snprintf(out, size, "%s/check", strcmp(dir, "/") == 0 ? "" : dir);
}

void
admin_check_sweep(void)
{
	char path[CONF_PATH + 8];

	copy_path(path, sizeof(path));
	copy_remove(path);
}

void
admin_check(struct console *con)
{
	char path[CONF_PATH + 8];
	struct store_check c;
	int64_t began = now_ms();
	int error;

	copy_path(path, sizeof(path));
	error = store_copy(path);
	if (error == 0)
		error = store_check(path, &c);
	copy_remove(path);
	if (error != 0) {
		console_done(con, CODE_TEMP, "they could not be copied: %s",
		    strerror(error));
		return;
	}
	if (c.faults > 0) {
		log_event("store.damaged", "faults=%u error=%s", c.faults,
		    log_quote(c.fault));
		console_done(con, CODE_NO,
		    "%u fault%s, the first: %s; end the server and keep a "
		    "copy of its directory before anything else",
		    c.faults, c.faults == 1 ? "" : "s", c.fault);
		return;
	}
	console_done(con, CODE_OK,
	    "whole: %" PRIu64 " accounts, %" PRIu64 " credentials, %" PRIu64
	    " grants; in %.1f s",
	    c.rows[TABLE_ACCOUNT], c.rows[TABLE_CREDENTIAL],
	    c.rows[TABLE_GRANT], (double)(now_ms() - began) / 1000);
}
