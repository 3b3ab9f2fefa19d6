/*
 * cmd_rcpt.c - RCPT (RFC 5321 4.1.1.3).
 */

#include "mail/command.h"
#include "smtpd/session.h"
#include "smtpd/text.h"
#include "smtpd/transaction.h"

static int
misread(struct session *s, enum args_result r)
{
	switch (r) {
	case ARGS_UNKNOWN_PARAM:
		return reply(s, 555, "5.5.4", "parameter not recognised");
	case ARGS_BAD_PARAM:
	case ARGS_DUPLICATE_PARAM:
		return reply(s, 501, "5.5.4", "bad parameter");
	case ARGS_ROUTE:
		return reply(s, 501, "5.1.3", "source routes are not taken");
	case ARGS_TOO_LONG:
		return reply(s, 501, "5.1.3", "address too long");
	default:
		return reply(s, 501, "5.1.3", "write RCPT TO:<address@domain>");
	}
}

/* Recipients that do not fit into one record go ahead. */
static bool
send_ahead(struct session *s)
{
	struct transaction *tx = s->tx;
	struct msg m = { .type = MSG_TX_RCPTS, .tag = s->id };

	m.u.tx_rcpts.rcpts.data = (const uint8_t *)buf_data(&tx->rcpts);
	m.u.tx_rcpts.rcpts.len = tx->rcpts.len;
	if (tx->lost || !s->world->send(&m))
		return false;
	tx->known = true;
	buf_consume(&tx->rcpts, tx->rcpts.len);
	return true;
}

int
cmd_rcpt(struct session *s, char *args, size_t n)
{
	const struct conf *conf = s->world->conf;
	struct rcpt_args rcpt;
	enum args_result r;
	char text[ADDRESS_MAX];
	size_t len;

	r = command_rcpt(&rcpt, args, n);
	if (r != ARGS_OK)
		return misread(s, r);
	/* RFC 5321 4.5.3.1.10: 452, and the client sends to the rest later. */
	if (s->tx->nrcpts >= conf->recipients)
		return reply(s, 452, "4.5.3",
		    "too many recipients: %u in one message at most",
		    conf->recipients);
	/* RFC 5321 4.5.1: <Postmaster> is ours. */
	if (rcpt.to.domain[0] == '\0')
		text_copy(
		    rcpt.to.domain, sizeof(rcpt.to.domain), conf->hostname);
	len = address_format(&rcpt.to, text);
	if (!tx_has_room(s->tx, len) && !send_ahead(s))
		return reply(s, 451, "4.3.0", QUEUE_AWAY);
	tx_add_rcpt(s->tx, text, len);
	return reply(s, 250, "2.1.5", "recipient ok");
}
