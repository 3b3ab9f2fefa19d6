/*
 * identity.c - see identity.h.
 */
#include <assert.h>
#include <stddef.h>
#include <stdio.h>

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
	snprintf(id->dir, sizeof(id->dir), "%s/%s",
	    (const char *)c + table[p].base, table[p].below);
}
