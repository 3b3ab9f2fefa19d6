/*
 * cmd_rcpt.c - RCPT (RFC 5321 4.1.1.3, RFC 3461 4.1, 4.2).
 */
#include <assert.h>
#include <string.h>

#include "ipc/rcpt.h"
#include "mail/command.h"
#include "smtpd/handler.h"
#include "smtpd/text.h"
#include "smtpd/transaction.h"

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

/* It goes to the queue as the client's words say it. */
static_assert((int)ON_NEVER == (int)NOTIFY_NEVER &&
	(int)ON_SUCCESS == (int)NOTIFY_SUCCESS &&
	(int)ON_FAILURE == (int)NOTIFY_FAILURE &&
	(int)ON_DELAY == (int)NOTIFY_DELAY,
    "mail/ and ipc/ name them alike");

/* Returns its length in the packed list. */
static size_t
pack(const struct rcpt_args *rcpt, uint8_t out[RCPT_ITEM_MAX],
    char address[ADDR_SIZE])
{
	struct rcpt_item item;

	address_format(&rcpt->to, item.address);
	text_copy(address, ADDR_SIZE, item.address);
	item.notify = (uint8_t)rcpt->notify;
	text_copy(item.orcpt, sizeof(item.orcpt), rcpt->orcpt);
	return rcpt_pack(&item, out);
}

/*
 * RFC 6409 4.2: a domain of one word means something in one house only.  Where
 * it does here, a [route] has its name.
 */
static bool
is_incomplete(const struct conf *conf, const char *domain)
{
	if (domain[0] == '[' || strchr(domain, '.') != NULL)
		return false;
	for (size_t i = 0; i < conf->nroutes; i++)
		if (strcmp(conf->routes[i].name, domain) == 0)
			return false;
	return true;
}

int
cmd_rcpt(struct session *s, char *args, size_t n)
{
	const struct conf *conf = s->world->conf;
	struct rcpt_args rcpt;
	enum args_result r;
	uint8_t item[RCPT_ITEM_MAX];
	char address[ADDR_SIZE];
	size_t len;

	r = command_rcpt(&rcpt, args, n, s->tx->flags & TX_SMTPUTF8);
	if (r != ARGS_OK)
		return reply_misread(s, r, "5.1.3",
		    "write RCPT TO:<address@domain>, then parameters");
	/* RFC 5321 4.5.3.1.10: 452, and the client sends to the rest later. */
	if (s->tx->nrcpts >= s->tx->most_rcpts)
		return reply(s, 452, "4.5.3",
		    "too many recipients: %u in one message at most",
		    s->tx->most_rcpts);
	/* RFC 5321 4.5.1: <Postmaster> is ours. */
	if (rcpt.to.domain[0] == '\0')
		text_copy(
		    rcpt.to.domain, sizeof(rcpt.to.domain), conf->hostname);
	else if (is_incomplete(conf, rcpt.to.domain))
		return reply(s, 554, "5.1.2",
		    "%s is not a whole domain; write the address in full, like "
		    "name@example.net",
		    rcpt.to.domain);
	len = pack(&rcpt, item, address);
	if (!tx_has_room(s->tx, len) && !send_ahead(s))
		return reply(s, 451, "4.3.0", QUEUE_AWAY);
	tx_add_rcpt(s->tx, item, len);
	tx_add_hash(s->tx, address);
	return reply(s, 250, "2.1.5", "recipient ok");
}
