/*
 * tokens.c - the key of the tokens (ipc/token.h), made once for each start.
 * auth and queue may be restarted meanwhile; sessions go on.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "lib/log.h"
#include "parent/parent.h"

void
tokens_send(struct channel *c)
{
	static struct msg m = { .type = MSG_TOKEN_KEY };
	static bool made;

	if (!made &&
	    getrandom(&m.u.token_key, sizeof(m.u.token_key), 0) !=
		sizeof(m.u.token_key))
		fatal("getrandom: %s", strerror(errno));
	made = true;
	channel_send(c, &m, -1);
}
