/*
 * cmd_mail.c - MAIL (RFC 5321 4.1.1.2, RFC 1870).
 */
#include <inttypes.h>
#include <string.h>

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
		return reply(s, 501, "5.5.4", "bad value of a parameter");
	case ARGS_DUPLICATE_PARAM:
		return reply(s, 501, "5.5.4", "parameter given twice");
	case ARGS_ROUTE:
		return reply(s, 501, "5.1.7", "source routes are not taken");
	case ARGS_TOO_LONG:
		return reply(s, 501, "5.1.7", "address too long");
	default:
		return reply(s, 501, "5.1.7",
		    "write MAIL FROM:<address@domain>, then parameters");
	}
}

/* Whether there is any point in going on. */
static int
object(struct session *s, const struct mail_args *args)
{
	const struct surroundings *w = s->world;

	if (args->has_size && args->size > w->conf->message_size)
		return reply(s, 552, "5.3.4", TOO_LARGE, w->conf->message_size);
	if (!w->queue_up)
		return reply(s, 451, "4.3.0", QUEUE_AWAY);
	if (!w->accepting)
		return reply(s, 452, "4.3.1", "%s",
		    w->refusal[0] != '\0' ? w->refusal
					  : "no new mail for the moment");
	return 0;
}

int
cmd_mail(struct session *s, char *args, size_t n)
{
	struct msg m = { .type = MSG_SENDER_CHECK };
	struct msg_sender_check *c = &m.u.sender_check;
	struct mail_args mail;
	enum args_result r;
	char sender[ADDRESS_MAX];
	int code;

	r = command_mail(&mail, args, n);
	if (r != ARGS_OK)
		return misread(s, r);
	code = object(s, &mail);
	if (code != 0)
		return code;
	address_format(&mail.from, sender);
	s->tx = tx_new(sender, s->world->now_ms);
	s->tx->size_hint = mail.has_size ? mail.size : 0;
	text_copy(c->account, sizeof(c->account), s->account);
	text_copy(c->credential, sizeof(c->credential), s->credential);
	text_copy(c->sender, sizeof(c->sender), sender);
	return ask(s, &m);
}

int
mail_answered(struct session *s, const struct msg *m, int fd)
{
	const struct msg_allowed *a = &m->u.allowed;
	struct outcome o;

	(void)fd;
	if (a->verdict == V_OK)
		return reply(s, 250, "2.1.0", "sender ok");
	outcome_set(&o, a->verdict, a->code, a->status, a->text);
	return refuse(s, &o);
}
