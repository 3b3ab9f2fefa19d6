/*
 * cmd_data.c - DATA (RFC 5321 4.1.1.4); what comes behind it is body.c's.
 */
#include "smtpd/handler.h"
#include "smtpd/transaction.h"

int
cmd_data(struct session *s, char *args, size_t n)
{
	struct transaction *tx = s->tx;

	(void)args;
	if (n > 0)
		return reply(s, 501, "5.5.4", "DATA takes no parameter");
	/* RFC 3030 3: it cannot hold every octet. */
	if (tx->flags & TX_BINARY)
		return reply(
		    s, 503, "5.5.1", "BODY=BINARYMIME goes with BDAT only");
	data_init(&tx->reader);
	header_init(&tx->header);
	tx->data_ms = s->world->now_ms;
	return reply(s, 354, "", "end with <CRLF>.<CRLF>");
}

/* RFC 2920 3.1: all recipients were refused. */
int
cmd_data_early(struct session *s, char *args, size_t n)
{
	(void)args, (void)n;
	return reply(s, 503, "5.5.1", "no valid recipients");
}
