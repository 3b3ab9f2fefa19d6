/*
 * peers.c - see peers.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/dkim.h"
#include "auth/exchange.h"
#include "auth/guard.h"
#include "auth/login.h"
#include "auth/peers.h"
#include "auth/permit.h"
#include "auth/secrets.h"
#include "auth/t_account.h"
#include "ipc/channel.h"
#include "ipc/token.h"
#include "lib/log.h"

#define BACKLOG_BYTES (64 * 1024)
#define ROWS_A_TURN   200
#define NAP_MS        5

struct line {
	struct channel channel;
	bool telling;         /* not all inactive accounts were told yet */
	char told[ADDR_SIZE]; /* the last one that was */
};

/* Who was frozen while there was no queue to write letters. */
struct untold {
	STAILQ_ENTRY(untold) link;
	struct msg_frozen frozen;
};

static STAILQ_HEAD(, untold) untolds = STAILQ_HEAD_INITIALIZER(untolds);
static struct line *smtpds[CONF_WORKERS];
static struct line queue = { .channel.fd = -1 };
static struct line deliver = { .channel.fd = -1 };
static const struct conf *conf;
static struct timer timer;

void
peers_use_conf(const struct conf *c)
{
	conf = c;
}

const struct conf *
peers_conf(void)
{
	return conf;
}

static void
send_state(struct line *line, const char *login, enum account_state state)
{
	struct msg m = { .type = MSG_ACCOUNT_STATE };

	snprintf(m.u.account_state.account, ADDR_SIZE, "%s", login);
	m.u.account_state.state = state;
	channel_send(&line->channel, &m, -1);
}

/* Go on with the inactive accounts; true while there are more to tell. */
static bool
tell_some(struct line *line)
{
	struct msg done = { .type = MSG_ACCOUNTS_DONE };
	enum account_state state;

	if (!line->telling || !channel_up(&line->channel))
		return false;
	for (int i = 0; i < ROWS_A_TURN; i++) {
		if (channel_backlog(&line->channel) > BACKLOG_BYTES)
			return true;
		if (!account_next_inactive(NULL, line->told, &state)) {
			line->telling = false;
			channel_send(&line->channel, &done, -1);
			return false;
		}
		send_state(line, line->told, state);
	}
	return true;
}

static void
on_timer(void *arg)
{
	bool more = tell_some(&queue);

	(void)arg;
	for (int i = 0; i < CONF_WORKERS; i++)
		if (smtpds[i] != NULL && tell_some(smtpds[i]))
			more = true;
	if (more)
		timer_set(&timer, NAP_MS);
}

/* Has this session logged in as that?  When not, *r is the refusal. */
static bool
logged_in(const struct channel *c, uint64_t tag, const char *account,
    const char *credential, const struct token *t, struct msg_allowed *r)
{
	struct token_claim claim = { c->index, tag, account, credential };
	enum token_fault fault = token_check(t, &claim, loop_now_ms());

	if (fault == TOKEN_FINE)
		return true;
	log_event("token.refused", "smtpd=%u reason=%s account=%s", c->index,
	    token_fault_name(fault), log_quote(account));
	r->verdict = V_TEMP;
	r->code = 421;
	strcpy(r->status, "4.7.0");
	strcpy(r->text, "this login is not valid any more; log in again");
	return false;
}

static void
submit(const struct channel *c, const struct msg *m, struct msg_allowed *r)
{
	const struct msg_submit_check *s = &m->u.submit_check;
	struct permit_claim claim = {
		{ c->index, m->tag, s->account, s->credential }, s->sender
	};

	permit_submit(s, conf, r);
	if (r->verdict == V_OK)
		permit_seal(&r->permit, &claim, loop_now_ms());
}

static void
on_smtpd(struct channel *c, const struct msg *m, int fd)
{
	const struct msg_sender_check *s = &m->u.sender_check;
	const struct msg_submit_check *h = &m->u.submit_check;
	struct msg r = { .type = MSG_ALLOWED, .tag = m->tag };

	(void)fd;
	switch (m->type) {
	case MSG_AUTH_CHECK:
		login_check(c, m);
		return;
	case MSG_SASL_STEP:
		exchange_step(c, m);
		return;
	case MSG_SENDER_CHECK:
		if (logged_in(c, m->tag, s->account, s->credential, &s->token,
			&r.u.allowed))
			permit_sender(s, conf, &r.u.allowed);
		break;
	case MSG_SUBMIT_CHECK:
		if (logged_in(c, m->tag, h->account, h->credential, &h->token,
			&r.u.allowed))
			submit(c, m, &r.u.allowed);
		break;
	default:
		channel_breach(P_SMTPD, "not on its line for logins");
	}
	channel_send(c, &r, -1);
}

static void
on_deliver(struct channel *c, const struct msg *m, int fd)
{
	struct msg r = { .type = msg_answer_to(m->type), .tag = m->tag };
	uint8_t signatures[2][512];

	(void)fd;
	switch (m->type) {
	case MSG_ROUTE_SECRET:
		secrets_find(&m->u.route_secret, &r.u.route_secret_is);
		break;
	case MSG_DKIM_KEYS:
		dkim_find(m->u.dkim_keys.domain, &r.u.dkim_keys_are);
		break;
	case MSG_DKIM_SIGN:
		dkim_sign(&m->u.dkim_sign, &r.u.dkim_signed, signatures);
		break;
	default:
		fatal("deliver sent %s", msg_name(m->type));
	}
	channel_send(c, &r, -1);
	explicit_bzero(&r, sizeof(r));
}

static void
on_queue(struct channel *c, const struct msg *m, int fd)
{
	(void)c, (void)fd;
	if (m->type == MSG_SUBMIT_UNDO)
		permit_undo(&m->u.submit_undo);
	else if (m->type == MSG_ACCOUNT_RESULTS)
		guard_hear(&m->u.account_results, conf);
	else
		fatal("queue sent %s", msg_name(m->type));
}

/* The parent starts it again and sends a new line. */
static void
on_gone(struct channel *c)
{
	channel_close(c);
}

static struct line *
smtpd_line(unsigned index)
{
	if (index >= CONF_WORKERS)
		fatal("smtpd number %u", index);
	if (smtpds[index] == NULL) {
		smtpds[index] = calloc(1, sizeof(struct line));
		if (smtpds[index] == NULL)
			abort();
		smtpds[index]->channel.fd = -1;
	}
	return smtpds[index];
}

static void
tell_frozen(void)
{
	struct msg m = { .type = MSG_FROZEN };
	struct untold *u;

	if (!channel_up(&queue.channel))
		return;
	while ((u = STAILQ_FIRST(&untolds)) != NULL) {
		STAILQ_REMOVE_HEAD(&untolds, link);
		m.u.frozen = u->frozen;
		free(u);
		channel_send(&queue.channel, &m, -1);
	}
	channel_flush(&queue.channel);
}

void
peers_open(enum process process, unsigned index, int fd)
{
	channel_message_fn *handler;
	struct line *line;

	switch (process) {
	case P_SMTPD:
		line = smtpd_line(index);
		handler = on_smtpd;
		login_prepare();
		break;
	case P_QUEUE:
		line = &queue;
		handler = on_queue;
		break;
	case P_DELIVER:
		line = &deliver;
		handler = on_deliver;
		break;
	default:
		fatal("a line to %s", process_name(process));
	}
	channel_close(&line->channel);
	channel_open(
	    &line->channel, fd, P_AUTH, process, index, handler, on_gone, line);
	if (process == P_DELIVER)
		return;
	if (process == P_QUEUE)
		tell_frozen();
	line->telling = true;
	line->told[0] = '\0';
	if (!timer.ready)
		timer_init(&timer, on_timer, NULL);
	timer_set(&timer, 0);
}

static void
tell(struct line *line, const char *login, enum account_state state)
{
	if (!channel_up(&line->channel))
		return;
	send_state(line, login, state);
	channel_flush(&line->channel);
}

void
peers_tell(const char *login, enum account_state state)
{
	tell(&queue, login, state);
	for (int i = 0; i < CONF_WORKERS; i++)
		if (smtpds[i] != NULL)
			tell(smtpds[i], login, state);
}

void
peers_tell_frozen(const char *login, const char *text)
{
	struct untold *u = calloc(1, sizeof(*u));

	if (u == NULL)
		abort();
	snprintf(u->frozen.account, ADDR_SIZE, "%s", login);
	snprintf(u->frozen.text, sizeof(u->frozen.text), "%s", text);
	STAILQ_INSERT_TAIL(&untolds, u, link);
	tell_frozen();
}

void
peers_end_sessions(const char *login, const char *label)
{
	struct msg m = { .type = MSG_SESSIONS_END };

	snprintf(m.u.sessions_end.account, ADDR_SIZE, "%s", login);
	snprintf(m.u.sessions_end.credential, CREDENTIAL_LABEL, "%s", label);
	for (int i = 0; i < CONF_WORKERS; i++)
		if (smtpds[i] != NULL && channel_up(&smtpds[i]->channel)) {
			channel_send(&smtpds[i]->channel, &m, -1);
			channel_flush(&smtpds[i]->channel);
		}
}

void
peers_dkim_changed(void)
{
	struct msg m = { .type = MSG_DKIM_CHANGED };

	if (!channel_up(&deliver.channel))
		return;
	channel_send(&deliver.channel, &m, -1);
	channel_flush(&deliver.channel);
}

void
peers_close(void)
{
	struct untold *u;

	while ((u = STAILQ_FIRST(&untolds)) != NULL) {
		STAILQ_REMOVE_HEAD(&untolds, link);
		free(u);
	}
	channel_close(&queue.channel);
	channel_close(&deliver.channel);
	for (int i = 0; i < CONF_WORKERS; i++) {
		if (smtpds[i] == NULL)
			continue;
		channel_close(&smtpds[i]->channel);
		free(smtpds[i]);
		smtpds[i] = NULL;
	}
}
