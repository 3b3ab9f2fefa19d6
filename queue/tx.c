/*
 * tx.c - see tx.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/rcpt.h"
#include "lib/log.h"
#include "queue/bodyfile.h"
#include "queue/envelope.h"
#include "queue/group.h"
#include "queue/settings.h"
#include "queue/tx.h"

#define TX_MOST   20000 /* begun by one smtpd */
#define LENT_MOST 2000  /* files lent to one smtpd */
/* Bytes of recipients of one smtpd: much more than its clients need, and less
 * than would hurt. */
#define AHEAD_MOST ((size_t)32 << 20)

static struct tx *txs;
static unsigned begun[CONF_WORKERS], lent[CONF_WORKERS];
static size_t ahead[CONF_WORKERS];

struct tx *
tx_find(unsigned smtpd, uint64_t tag)
{
	struct tx_key key = { smtpd, tag };
	struct tx *t;

	HASH_FIND(hh, txs, &key, sizeof(key), t);
	return t;
}

void
tx_drop(struct tx *t)
{
	if (t == NULL)
		return;
	if (t->fd != -1) {
		close(tx_take_file(t));
		bodyfile_remove(t->id);
	}
	HASH_DEL(txs, t);
	begun[t->key.smtpd]--;
	ahead[t->key.smtpd] -= t->rcpts_len;
	free(t->rcpts);
	free(t);
}

void
tx_drop_all(unsigned smtpd)
{
	struct tx *t, *next;

	HASH_ITER(hh, txs, t, next)
	{
		if (t->key.smtpd == smtpd)
			tx_drop(t);
	}
}

struct tx *
tx_begin(unsigned smtpd, uint64_t tag)
{
	struct tx *t = tx_find(smtpd, tag);

	if (t != NULL)
		return t;
	if (begun[smtpd] >= TX_MOST)
		fatal("smtpd broke the protocol: too many transactions");
	if ((t = calloc(1, sizeof(*t))) == NULL)
		abort();
	t->key.smtpd = smtpd;
	t->key.tag = tag;
	t->fd = -1;
	begun[smtpd]++;
	HASH_ADD(hh, txs, key, sizeof(t->key), t);
	return t;
}

void
tx_add_rcpts(struct tx *t, struct bytes more)
{
	size_t most = (size_t)envelope_most() * (RCPT_ITEM_MAX + 2);

	if (t->too_many || t->rcpts_len + more.len > most ||
	    ahead[t->key.smtpd] + more.len > AHEAD_MOST) {
		t->too_many = true;
		return;
	}
	t->rcpts = realloc(t->rcpts, t->rcpts_len + more.len + 1);
	if (t->rcpts == NULL)
		abort();
	if (more.len > 0)
		memcpy(t->rcpts + t->rcpts_len, more.data, more.len);
	t->rcpts_len += more.len;
	ahead[t->key.smtpd] += more.len;
}

int
tx_lend(struct tx *t)
{
	if (t->fd != -1)
		return EEXIST;
	if (lent[t->key.smtpd] >= LENT_MOST)
		return EMFILE;
	t->id = group_new_id();
	t->fd = bodyfile_new(t->id);
	if (t->fd == -1)
		return errno;
	lent[t->key.smtpd]++;
	return 0;
}

int
tx_take_file(struct tx *t)
{
	int fd = t->fd;

	if (fd != -1)
		lent[t->key.smtpd]--;
	t->fd = -1;
	return fd;
}
