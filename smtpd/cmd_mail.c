/*
 * cmd_mail.c - MAIL (RFC 5321 4.1.1.2) and what a client may say of a message
 * there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mail/command.h"
#include "smtpd/handler.h"
#include "smtpd/text.h"
#include "smtpd/transaction.h"

static int64_t
now_s(const struct surroundings *w)
{
	return w->wall_ms() / 1000;
}

/* Perhaps long ago, which is the same as now. */
static int64_t
hold_until_s(const struct surroundings *w, const struct mail_args *args)
{
	return args->hold_for_s > 0 ? now_s(w) + args->hold_for_s
				    : args->hold_until_s;
}

/* RFC 1870 6.1: what it says of itself is too much already. */
static void
too_large(struct outcome *o, uint64_t most)
{
	char text[sizeof(o->text)];

	snprintf(text, sizeof(text), TOO_LARGE, most);
	outcome_set(o, V_PERM, 552, "5.3.4", text);
}

/* Why there is no point in going on; false: there is. */
static bool
object(const struct session *s, const struct mail_args *args, struct outcome *o)
{
	const struct surroundings *w = s->world;
	char text[sizeof(o->text)];

	o->verdict = V_OK;
	if (args->has_size && args->size > w->conf->message_size)
		too_large(o, w->conf->message_size);
	/* RFC 4865 5. */
	else if (args->holds &&
	    hold_until_s(w, args) > now_s(w) + w->conf->hold_s) {
		snprintf(text, sizeof(text),
		    "cannot hold mail for more than %" PRId64 " seconds",
		    w->conf->hold_s);
		outcome_set(o, V_PERM, 501, "5.5.4", text);
	} else if (!w->queue_up)
		outcome_set(o, V_TEMP, 451, "4.3.0", QUEUE_AWAY);
	else if (!w->accepting)
		outcome_set(o, V_TEMP, 452, "4.3.1",
		    w->refusal[0] != '\0' ? w->refusal
					  : "no new mail for the moment");
	return o->verdict != V_OK;
}

/* What was said of the message, as the queue wants it. */
static void
note_options(struct session *s, const struct mail_args *args)
{
	static const uint32_t by[] = {
		[BY_RETURN] = TX_BY_RETURN,
		[BY_NOTIFY] = TX_BY_NOTIFY,
	};
	static const uint32_t ret[] = {
		[RET_FULL] = TX_RET_FULL,
		[RET_HDRS] = TX_RET_HDRS,
	};
	struct transaction *tx = s->tx;
	struct tx_options *o = &tx->options;
	int64_t hold;

	tx->size_hint = args->has_size ? args->size : 0;
	tx->flags |= by[args->by] | ret[args->ret];
	if (args->smtputf8)
		tx->flags |= TX_SMTPUTF8;
	if (args->requiretls)
		tx->flags |= TX_REQUIRETLS;
	if (args->body == BODY_BINARYMIME)
		tx->flags |= TX_BINARY;
	text_copy(o->envid, sizeof(o->envid), args->envid);
	if (args->has_priority)
		o->priority = (uint32_t)(args->priority + 10);
	if (args->holds && (hold = hold_until_s(s->world, args)) > 0)
		o->hold_until = (uint64_t)hold;
	if (args->by != BY_NONE)
		o->by = (uint64_t)(s->world->wall_ms() +
		    (int64_t)args->by_s * 1000);
	if (args->by_trace)
		tx->flags |= TX_BY_TRACE;
}

int
cmd_mail(struct session *s, char *args, size_t n)
{
	struct msg m = { .type = MSG_SENDER_CHECK };
	struct msg_sender_check *c = &m.u.sender_check;
	struct mail_args mail;
	enum args_result r;
	char sender[ADDRESS_MAX];
	struct outcome no;

	r = command_mail(&mail, args, n);
	if (r != ARGS_OK)
		return reply_misread(s, r, "5.1.7",
		    "write MAIL FROM:<address@domain>, then parameters");
	address_format(&mail.from, sender);
	if (object(s, &mail, &no))
		return refuse_sender(s, sender, &no);
	s->tx = tx_new(sender, s->world->now_ms);
	s->tx->most_rcpts = s->world->conf->recipients;
	s->tx->most_size = UINT64_MAX;
	note_options(s, &mail);
	text_copy(c->account, sizeof(c->account), s->account);
	text_copy(c->credential, sizeof(c->credential), s->credential);
	c->token = s->token;
	text_copy(c->sender, sizeof(c->sender), sender);
	return ask(s, &m);
}

/* Auth has said what the account may. */
static int
mail_begins(struct session *s, const struct msg_allowed *a)
{
	struct transaction *tx = s->tx;
	struct outcome no;

	if (a->rcpts != 0)
		tx->most_rcpts = s->most_rcpts = a->rcpts;
	if (a->size != 0)
		tx->most_size = s->most_size = a->size;
	if (tx->size_hint > tx->most_size) {
		too_large(&no, tx->most_size);
		return refuse(s, &no);
	}
	return reply(s, 250, "2.1.0", "sender ok");
}

int
mail_answered(struct session *s, const struct msg *m, int fd)
{
	const struct msg_allowed *a = &m->u.allowed;
	struct outcome o;

	(void)fd;
	if (a->verdict == V_OK)
		return mail_begins(s, a);
	outcome_set(&o, a->verdict, a->code, a->status, a->text);
	return refuse(s, &o);
}
