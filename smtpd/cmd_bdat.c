/*
 * cmd_bdat.c - BDAT (RFC 3030 2): the body in chunks of counted octets.
 *
 * Whatever is answered, the octets that were announced are eaten first, or
 * they would be read as commands.
 */
#include <inttypes.h>

#include "mail/command.h"
#include "smtpd/handler.h"
#include "smtpd/transaction.h"

/* Would this chunk make the message larger than it may be? */
static bool
too_large(const struct session *s, uint64_t size)
{
	uint64_t limit = body_most(s);

	return size > limit || s->tx->reader.size > limit - size;
}

static void
begin(struct session *s, const struct bdat_args *b)
{
	struct transaction *tx = s->tx;

	if (!tx->chunked) {
		data_init(&tx->reader);
		header_init(&tx->header);
		tx->chunked = true;
		tx->data_ms = s->world->now_ms;
		if (b->last && tx->size_hint == 0)
			tx->size_hint = b->size;
	} else {
		/* The time between chunks is not the body's. */
		tx->data_ms += s->world->now_ms - tx->chunk_end_ms;
	}
	tx->chunk_size = tx->chunk_left = b->size;
	tx->last_chunk = b->last;
}

int
cmd_bdat(struct session *s, char *args, size_t n)
{
	struct bdat_args b;

	if (!command_bdat(&b, args, n))
		return refuse_octets(s, &b, 501, "5.5.4",
		    "write BDAT and a number of octets, then perhaps LAST");
	if (too_large(s, b.size))
		return refuse_octets(s, &b, 552, "5.3.4",
		    "message too large; attachments take a third more than "
		    "their files: send less at a time");
	begin(s, &b);
	return GO;
}
