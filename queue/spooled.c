/*
 * spooled.c - see spooled.h.
 */
#include <string.h>

#include "lib/conf.h"
#include "lib/loop.h"
#include "mail/utf8.h"
#include "queue/commit.h"
#include "queue/envelope.h"
#include "queue/ids.h"
#include "queue/spooled.h"

/* A clock that was ahead has left such ids, also where it is right by now. */
#define AHEAD_MS ((int64_t)CONF_TIME_MOST * 1000)

static const char *const states[RCPT_STATES] = {
	[RCPT_WAITING] = "waiting",
	[RCPT_DELIVERED] = "delivered",
	[RCPT_BOUNCED] = "bounced",
	[RCPT_DROPPED] = "dropped",
};

void
spooled_pack(
    struct msg_spool_message *s, uint64_t id, const struct message_row *r)
{
	s->id = id;
	memcpy(s->account, r->account, sizeof(s->account));
	memcpy(s->credential, r->credential, sizeof(s->credential));
	memcpy(s->sender, r->sender, sizeof(s->sender));
	memcpy(s->ip, r->ip, sizeof(s->ip));
	s->port = r->port;
	memcpy(s->tls, r->tls, sizeof(s->tls));
	memcpy(s->mech, r->mech, sizeof(s->mech));
	memcpy(s->msgid, r->msgid, sizeof(s->msgid));
	s->flags = r->flags;
	s->size = r->size;
	s->accepted = r->accepted;
	s->rcpts = r->rcpts;
	s->delivered = r->delivered;
	s->bounced = r->bounced;
	s->dropped = r->dropped;
	s->held = r->held;
	memcpy(s->envid, r->options.envid, sizeof(s->envid));
	s->hold_until = r->options.hold_until;
	s->by = r->options.by;
	s->priority = r->options.priority;
	s->added = r->added;
}

void
spooled_unpack(struct message_row *r, const struct msg_spool_message *s)
{
	memset(r, 0, sizeof(*r));
	memcpy(r->account, s->account, sizeof(r->account));
	memcpy(r->credential, s->credential, sizeof(r->credential));
	memcpy(r->sender, s->sender, sizeof(r->sender));
	memcpy(r->ip, s->ip, sizeof(r->ip));
	r->port = s->port;
	memcpy(r->tls, s->tls, sizeof(r->tls));
	memcpy(r->mech, s->mech, sizeof(r->mech));
	memcpy(r->msgid, s->msgid, sizeof(r->msgid));
	utf8_clean(r->msgid); /* it was anything, once */
	r->flags = s->flags;
	r->size = s->size;
	r->accepted = s->accepted;
	r->rcpts = s->rcpts;
	r->delivered = s->delivered;
	r->bounced = s->bounced;
	r->dropped = s->dropped;
	r->held = s->held;
	memcpy(r->options.envid, s->envid, sizeof(r->options.envid));
	r->options.hold_until = s->hold_until;
	r->options.by = s->by;
	r->options.priority = s->priority;
	r->added = s->added;
}

const char *
spooled_fault(const struct msg_spool_message *s, uint64_t after)
{
	struct tx_options o = { .hold_until = s->hold_until,
		.by = s->by,
		.priority = s->priority };
	int64_t latest = loop_wall_ms() + AHEAD_MS;

	memcpy(o.envid, s->envid, sizeof(o.envid));
	if (s->id <= after || id_time_ms(s->id) > latest)
		return "its id is not one that comes now";
	if (s->accepted > (uint64_t)latest)
		return "it is from the future";
	if ((s->account[0] != '\0' && !envelope_address_valid(s->account)) ||
	    (s->sender[0] != '\0' && !envelope_address_valid(s->sender)))
		return "its account or sender is no address";
	if (!utf8_text(s->credential, strlen(s->credential)) ||
	    !utf8_text(s->ip, strlen(s->ip)) ||
	    !utf8_text(s->tls, strlen(s->tls)) ||
	    !utf8_text(s->mech, strlen(s->mech)))
		return "a control character is in its envelope";
	if ((s->flags & ~(uint32_t)TX_KEPT) != 0 ||
	    !commit_options_valid(s->flags, &o))
		return "what its sender asked for contradicts itself";
	if (s->rcpts > ENVELOPE_MOST || s->delivered > s->rcpts ||
	    s->bounced > s->rcpts || s->dropped > s->rcpts || s->held > 1)
		return "a number is out of its range";
	if (s->added.len > 0 &&
	    (s->added.len < 2 ||
		memcmp(s->added.data + s->added.len - 2, "\r\n", 2) != 0 ||
		memchr(s->added.data, 0, s->added.len) != NULL))
		return "the lines in front of it do not end";
	return NULL;
}

void
spooled_pack_answer(struct msg_spool_answer *s, const struct answer_row *a)
{
	s->code = a->code;
	memcpy(s->status, a->status, sizeof(s->status));
	memcpy(s->mx, a->mx, sizeof(s->mx));
	memcpy(s->tls, a->tls, sizeof(s->tls));
	memcpy(s->text, a->text, sizeof(s->text));
	s->when = a->when;
}

void
spooled_unpack_answer(struct answer_row *a, const struct msg_spool_answer *s)
{
	a->code = s->code;
	memcpy(a->status, s->status, sizeof(a->status));
	memcpy(a->mx, s->mx, sizeof(a->mx));
	memcpy(a->tls, s->tls, sizeof(a->tls));
	memcpy(a->text, s->text, sizeof(a->text));
	a->when = s->when;
}

const char *
spooled_state_name(unsigned state)
{
	return states[state];
}

bool
spooled_state_find(const char *name, enum rcpt_state *state)
{
	for (unsigned i = 0; i < RCPT_STATES; i++)
		if (strcmp(name, states[i]) == 0) {
			*state = (enum rcpt_state)i;
			return true;
		}
	return false;
}
