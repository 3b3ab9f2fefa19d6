/*
 * keeper.c - see keeper.h.
 */
#include "deliver/keeper.h"
#include "deliver/secret.h"
#include "deliver/signer.h"
#include "ipc/channel.h"
#include "lib/log.h"

static struct channel auth = { .fd = -1 };

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	(void)c, (void)fd;
	switch (m->type) {
	case MSG_ROUTE_SECRET_IS:
		secret_answered(m);
		break;
	case MSG_DKIM_KEYS_ARE:
	case MSG_DKIM_SIGNED:
	case MSG_DKIM_CHANGED:
		signer_answered(m);
		break;
	default:
		fatal("auth sent %s", msg_name(m->type));
	}
}

static void
on_gone(struct channel *c)
{
	(void)c;
	secret_bereaved();
	signer_bereaved();
}

void
keeper_peer(int fd)
{
	if (channel_up(&auth)) {
		channel_close(&auth);
		on_gone(&auth);
	}
	channel_open(
	    &auth, fd, P_DELIVER, P_AUTH, 0, on_message, on_gone, NULL);
}

bool
keeper_send(const struct msg *m)
{
	return channel_send(&auth, m, -1);
}
