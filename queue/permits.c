/*
 * permits.c - see permits.h.
 *
 * A window over auth's serial numbers, a bit for each: what slides out of it
 * is not believed any more.
 */
#include <string.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "queue/permits.h"

static uint8_t spent[PERMITS_WINDOW / 8];
static uint64_t next; /* above the highest serial seen */
static int64_t began_ms;
static struct channel *line;

static uint8_t
bit_of(uint64_t serial)
{
	return (uint8_t)(1u << serial % 8);
}

static uint8_t *
octet_of(uint64_t serial)
{
	return &spent[serial % PERMITS_WINDOW / 8];
}

/* The window ends behind this serial; whose numbers return are unspent. */
static void
slide(uint64_t serial)
{
	if (serial - next >= PERMITS_WINDOW)
		memset(spent, 0, sizeof(spent));
	else
		for (uint64_t s = next; s <= serial; s++)
			*octet_of(s) &= (uint8_t)~bit_of(s);
	next = serial + 1;
}

enum token_fault
permits_spend(const struct permit *p, const struct permit_claim *c,
    uint32_t rcpts, uint64_t size)
{
	enum token_fault fault = permit_verify(p, c, loop_now_ms());

	if (fault != TOKEN_FINE)
		return fault;
	if (rcpts > p->rcpts || (p->size != 0 && size > p->size))
		return TOKEN_TOO_LOW;
	if ((int64_t)p->when < began_ms)
		return TOKEN_OLD;
	if (p->serial >= next)
		slide(p->serial);
	else if (next - p->serial > PERMITS_WINDOW)
		return TOKEN_OLD;
	if (*octet_of(p->serial) & bit_of(p->serial))
		return TOKEN_SPENT;
	*octet_of(p->serial) |= bit_of(p->serial);
	return TOKEN_FINE;
}

void
permits_restore(const struct permit *p)
{
	if (p->serial < next && next - p->serial <= PERMITS_WINDOW)
		*octet_of(p->serial) &= (uint8_t)~bit_of(p->serial);
}

void
permits_start(void)
{
	began_ms = loop_now_ms();
}

void
permits_line(struct channel *c)
{
	line = c;
}

void
permits_return(const struct channel *smtpd, const struct msg *m)
{
	const struct msg_permit_return *r = &m->u.permit_return;
	struct permit_claim claim = {
		{ smtpd->index, m->tag, r->account, r->credential }, r->sender
	};
	struct msg undo = { .type = MSG_SUBMIT_UNDO };

	if (permits_spend(&r->permit, &claim, 0, 0) != TOKEN_FINE)
		return;
	memcpy(undo.u.submit_undo.account, r->account, ADDR_SIZE);
	memcpy(undo.u.submit_undo.credential, r->credential, CREDENTIAL_LABEL);
	undo.u.submit_undo.rcpts = r->permit.rcpts;
	/* While auth is away it counts one that was not. */
	if (line != NULL && channel_up(line))
		channel_send(line, &undo, -1);
}
