/*
 * identity.c - see identity.h.
 */
#include <assert.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ipc/identity.h"

/* clang-format off */
static const struct {
	size_t user;  /* where struct conf has its name */
	size_t base;  /* and the directory that holds its own */
	const char *below;
} table[P_COUNT] = {
	[P_SMTPD]   = { offsetof(struct conf, user_smtpd),
			offsetof(struct conf, run),   "empty" },
	[P_AUTH]    = { offsetof(struct conf, user_auth),
			offsetof(struct conf, state), "auth" },
	[P_QUEUE]   = { offsetof(struct conf, user_queue),
			offsetof(struct conf, state), "queue" },
	[P_DELIVER] = { offsetof(struct conf, user_deliver),
			offsetof(struct conf, run),   "empty" },
	[P_STS]     = { offsetof(struct conf, user_sts),
			offsetof(struct conf, run),   "empty" },
};
/* clang-format on */

void
identity_of(enum process p, const struct conf *c, struct identity *id)
{
	assert(p < P_COUNT && table[p].below != NULL);
	id->user = (const char *)c + table[p].user;
	id->tied = false;
	snprintf(id->dir, sizeof(id->dir), "%s/%s",
	    (const char *)c + table[p].base, table[p].below);
}

void
identity_become(const struct identity *id, const char *path, unsigned index,
    int line, const char *attempt)
{
	const char *argv[11] = { strrchr(path, '/') + 1 };
	char number[16];
	size_t n = 1;

	snprintf(number, sizeof(number), "%u", index);
	argv[n++] = "-i";
	argv[n++] = number;
	argv[n++] = "-d";
	argv[n++] = id->dir;
	if (geteuid() == 0) {
		argv[n++] = "-u";
		argv[n++] = id->user;
	}
	if (id->tied)
		argv[n++] = "-k";
	if (attempt != NULL) {
		argv[n++] = "-t";
		argv[n++] = attempt;
	}
	if (line == CHILD_LINE ? fcntl(line, F_SETFD, 0) == -1
			       : dup2(line, CHILD_LINE) == -1)
		return;
	close_range(CHILD_LINE + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	execv(path, (char *const *)argv);
}
