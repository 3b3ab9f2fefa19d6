/*
 * transaction.c - see transaction.h.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "mail/ascii.h"
#include "mail/trace.h"
#include "smtpd/text.h"
#include "smtpd/transaction.h"

struct transaction *
tx_new(const char *sender, int64_t now_ms)
{
	struct transaction *tx = malloc(sizeof(*tx));

	if (tx == NULL)
		abort();
	/* The scanner at the end is large and has its own header_init(). */
	memset(tx, 0, offsetof(struct transaction, header));
	text_copy(tx->sender, sizeof(tx->sender), sender);
	tx->began_ms = now_ms;
	tx->fd = -1;
	return tx;
}

void
tx_close_file(struct transaction *tx)
{
	if (tx->fd != -1)
		close(tx->fd);
	tx->fd = -1;
}

void
tx_free(struct transaction *tx)
{
	if (tx == NULL)
		return;
	tx_close_file(tx);
	sha256_free(tx->hash);
	buf_release(&tx->rcpts);
	buf_release(&tx->hashes);
	buf_release(&tx->body);
	free(tx);
}

bool
tx_has_room(const struct transaction *tx, size_t n)
{
	return tx->rcpts.len + 2 + n <= RCPTS_MAX;
}

void
tx_add_rcpt(struct transaction *tx, const uint8_t *item, size_t n)
{
	size_t len;

	buf_reserve(&tx->rcpts, n + 2);
	len = list_add((uint8_t *)buf_data(&tx->rcpts), tx->rcpts.len + n + 2,
	    tx->rcpts.len, item, n);
	assert(len == tx->rcpts.len + n + 2);
	buf_commit(&tx->rcpts, n + 2);
	tx->nrcpts++;
}

void
tx_add_hash(struct transaction *tx, const char *address)
{
	static struct sha256 *hash; /* one for all, for ever */
	uint8_t digest[SHA256_SIZE];
	char folded[ADDR_SIZE];
	size_t n;

	if (tx->hashes.len >= RCPT_HASH * RCPT_HASHES)
		return;
	for (n = 0; address[n] != '\0' && n < sizeof(folded); n++)
		folded[n] = ascii_lower(address[n]);
	if (hash == NULL)
		hash = sha256_new();
	else
		sha256_reset(hash);
	sha256_feed(hash, folded, n);
	sha256_end(hash, digest);
	buf_add(&tx->hashes, digest, RCPT_HASH);
}

static void
put(void *hash, const char *s, size_t n)
{
	sha256_feed(hash, s, n);
}

void
tx_hash(struct transaction *tx, const char *s, size_t n)
{
	uint64_t body = tx->reader.size - tx->header.bytes;

	if (!tx->header.ended)
		return;
	if (tx->hash == NULL) {
		tx->hash = sha256_new();
		dkim_body_init(&tx->dkim, put, tx->hash);
	}
	/* Of the octets that ended the header, those behind it. */
	if (n > body) {
		s += n - body;
		n = (size_t)body;
	}
	dkim_body_feed(&tx->dkim, s, n);
}

void
tx_flush(struct transaction *tx)
{
	ssize_t n;

	/* What the header's scanner may still take back stays. */
	while (tx->body.len > tx->header.held) {
		n = write(tx->fd, buf_data(&tx->body),
		    tx->body.len - tx->header.held);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			log_event("body.failed", "error=%s",
			    log_quote(strerror(n == 0 ? ENOSPC : errno)));
			outcome_set(&tx->trouble, V_TEMP, 452, "4.3.1",
			    "not enough room for this message");
			tx_doom(tx);
			return;
		}
		tx->written += (uint64_t)n;
		buf_consume(&tx->body, (size_t)n);
	}
}

void
tx_doom(struct transaction *tx)
{
	tx->doomed = true;
	buf_release(&tx->body);
}

void
tx_commit(struct transaction *tx, const struct session *s, struct msg *m)
{
	struct msg_tx_commit *c = &m->u.tx_commit;

	memset(m, 0, sizeof(*m));
	m->type = MSG_TX_COMMIT;
	text_copy(c->account, sizeof(c->account), s->account);
	text_copy(c->credential, sizeof(c->credential), s->credential);
	text_copy(c->sender, sizeof(c->sender), tx->sender);
	c->permit = tx->permit;
	text_copy(c->ip, sizeof(c->ip), s->ip);
	c->port = s->port;
	text_copy(c->tls, sizeof(c->tls), s->tls);
	text_copy(c->mech, sizeof(c->mech), s->mech);
	text_copy(c->with, sizeof(c->with),
	    trace_protocol(s->esmtp, true, true, tx->flags & TX_SMTPUTF8));
	text_copy(c->msgid, sizeof(c->msgid), tx->header.message_id);
	c->flags = tx->flags;
	c->options = tx->options;
	if (tx->reader.eight_bit)
		c->flags |= TX_8BIT;
	if (tx->header.eight_bit)
		c->flags |= TX_UTF8_HEADER;
	/* RFC 8689 4.1: the field gives way to the parameter. */
	if (tx->header.tls_optional && !(tx->flags & TX_REQUIRETLS))
		c->flags |= TX_TLS_OPTIONAL;
	if (!tx->header.has_date)
		c->flags |= TX_ADD_DATE;
	if (!tx->header.has_message_id)
		c->flags |= TX_ADD_MSGID;
	if (tx->hash != NULL) {
		dkim_body_end(&tx->dkim);
		sha256_end(tx->hash, tx->body_hash);
		c->body_hash = (struct bytes){ tx->body_hash, SHA256_SIZE };
	}
	c->size = tx->reader.size - tx->header.dropped;
	c->rcpts.data = (const uint8_t *)buf_data(&tx->rcpts);
	c->rcpts.len = tx->rcpts.len;
	if (tx->fd != -1) {
		assert(tx->body.len == 0 && tx->written == c->size);
		c->flags |= TX_IN_FILE;
	} else {
		assert(tx->body.len == c->size);
		c->body.data = (const uint8_t *)buf_data(&tx->body);
		c->body.len = tx->body.len;
	}
}

void
tx_give_back(struct transaction *tx, const struct session *s)
{
	struct msg m = { .type = MSG_PERMIT_RETURN, .tag = s->id };
	struct msg_permit_return *u = &m.u.permit_return;

	if (!tx->charged)
		return;
	tx->charged = false;
	text_copy(u->account, sizeof(u->account), s->account);
	text_copy(u->credential, sizeof(u->credential), s->credential);
	text_copy(u->sender, sizeof(u->sender), tx->sender);
	u->permit = tx->permit;
	(void)s->world->send(&m);
}
