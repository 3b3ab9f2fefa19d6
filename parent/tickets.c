/*
 * tickets.c - session-ticket keys (RFC 5077): made here so that a client may
 * resume with any smtpd, and after one was restarted.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "lib/log.h"
#include "parent/parent.h"

#define KEY_BYTES 80
#define KEYS      3
#define CHANGE_MS (12 * 3600 * 1000)

static uint8_t keys[KEYS][KEY_BYTES]; /* newest first */
static size_t nkeys;
static struct timer timer;

void
tickets_send(struct channel *c)
{
	struct msg m = { .type = MSG_TICKET_KEYS };

	m.u.ticket_keys.keys.data = keys[0];
	m.u.ticket_keys.keys.len = nkeys * KEY_BYTES;
	channel_send(c, &m, -1);
}

static void
change(void *arg)
{
	struct worker *w;

	(void)arg;
	memmove(keys[1], keys[0], sizeof(keys) - KEY_BYTES);
	if (getrandom(keys[0], KEY_BYTES, 0) != KEY_BYTES)
		fatal("getrandom: %s", strerror(errno));
	if (nkeys < KEYS)
		nkeys++;
	for (size_t i = 0; i < workers_count(); i++) {
		w = workers_get(i);
		if (w->process == P_SMTPD && w->pid != 0)
			tickets_send(&w->channel);
	}
	timer_set(&timer, CHANGE_MS);
}

void
tickets_init(void)
{
	timer_init(&timer, change, NULL);
	change(NULL);
}
