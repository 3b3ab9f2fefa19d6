/*
 * server.c - see server.h.
 *
 * What neighbours say is for a session or for all of them; each is attended to
 * behind it (attend.h).
 */
#include <string.h>
#include <unistd.h>

#include "ipc/metrics.h"
#include "lib/log.h"
#include "lib/tls.h"
#include "smtpd/attend.h"
#include "smtpd/certificate.h"
#include "smtpd/company.h"
#include "smtpd/entrance.h"
#include "smtpd/held.h"
#include "smtpd/keyless.h"
#include "smtpd/listener.h"
#include "smtpd/owed.h"
#include "smtpd/screened.h"
#include "smtpd/server.h"
#include "smtpd/text.h"

#define BACKLOG_BYTES (32 * 1024 * 1024)
#define STOP_MS       10000

static struct channel auth = { .fd = -1 }, queue = { .fd = -1 },
		      resolver = { .fd = -1 };
static struct timer stop_timer;

static bool
send_request(const struct msg *m)
{
	struct channel *c =
	    msg_allowed(m->type, P_SMTPD, P_AUTH) ? &auth : &queue;

	/* What has no answer clears up, and must not get lost. */
	if (msg_answer_to(m->type) != MSG_NONE &&
	    channel_backlog(c) > BACKLOG_BYTES)
		return false;
	return channel_send(c, m, -1);
}

static bool
ask_resolver(const struct msg *m)
{
	return channel_backlog(&resolver) <= BACKLOG_BYTES &&
	    channel_send(&resolver, m, -1);
}

static bool
enter(const char *account)
{
	return company_enter(account, entrance_share());
}

static void
answer(const struct msg *m, int fd)
{
	struct client *c = client_find(m->tag);

	if (c == NULL) {
		if (fd != -1)
			close(fd);
		owed_settle(&attend_world, m);
		entrance_end();
		return;
	}
	session_answer(&c->session, m, fd);
	attend_session(c);
}

/* Do something to every session that there is now.  It takes a while: auth
 * tells of thousands of accounts, of which few are here. */
static void
each(void (*call)(struct session *, const void *), const void *arg)
{
	struct client *c, *next;

	attend_world.now_ms = loop_now_ms();
	for (c = client_first(); c != NULL; c = next) {
		next = client_next(c);
		call(&c->session, arg);
		attend_session(c);
	}
}

static void
bereave(struct session *s, const void *who)
{
	session_bereaved(s, *(const enum process *)who);
}

static void
bar(struct session *s, const void *account)
{
	if (strcmp(s->account, account) == 0)
		session_part(s, PART_BARRED);
}

static void
ask_for_login(struct session *s, const void *ended)
{
	const struct msg_sessions_end *e = ended;

	if (strcmp(s->account, e->account) == 0 &&
	    (e->credential[0] == '\0' ||
		strcmp(s->credential, e->credential) == 0))
		session_part(s, PART_RELOGIN);
}

static void
send_home(struct session *s, const void *unused)
{
	(void)unused;
	session_part(s, PART_STOP);
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	(void)c;
	attend_world.now_ms = loop_now_ms();
	switch (m->type) {
	case MSG_AUTH_RESULT:
	case MSG_ALLOWED:
	case MSG_TX_FILE_LENT:
	case MSG_TX_RESULT:
		answer(m, fd);
		break;
	case MSG_ACCOUNT_STATE:
		if (m->u.account_state.state != ACC_ACTIVE &&
		    company_has(m->u.account_state.account))
			each(bar, m->u.account_state.account);
		break;
	case MSG_SESSIONS_END:
		if (company_has(m->u.sessions_end.account))
			each(ask_for_login, &m->u.sessions_end);
		break;
	case MSG_ACCOUNTS_DONE:
		break;
	case MSG_CONN_VERDICT:
		if (m->u.conn_verdict.action >= SCREEN_ACTIONS)
			fatal("bad verdict");
		screened_answer(m);
		break;
	case MSG_QUEUE_STATE:
		attend_world.accepting = m->u.queue_state.accepting != 0;
		text_copy(attend_world.refusal, sizeof(attend_world.refusal),
		    m->u.queue_state.text);
		break;
	default:
		fatal("unexpected %s", msg_name(m->type));
	}
}

static void
on_gone(struct channel *c)
{
	enum process who = c->peer;

	log_event("peer.gone", "peer=%s", process_name(who));
	if (who == P_QUEUE)
		attend_world.queue_up = false;
	if (who == P_AUTH)
		owed_forget();
	each(bereave, &who);
	entrance_end();
}

static void
take_peer(enum process who, unsigned index, bool sign, int fd)
{
	struct channel *c = who == P_AUTH ? &auth
	    : who == P_QUEUE              ? &queue
					  : &resolver;

	if (who == P_AUTH && sign) {
		keyless_line(fd);
		held_go_on();
		return;
	}
	if (who != P_AUTH && who != P_QUEUE && who != P_DELIVER)
		fatal("no business with %s", process_name(who));
	if (channel_up(c)) {
		channel_close(c);
		on_gone(c);
	}
	channel_open(c, fd, P_SMTPD, who, index, on_message, on_gone, NULL);
	if (who == P_QUEUE) {
		c->eager = true;
		attend_world.queue_up = attend_world.accepting = true;
		attend_world.refusal[0] = '\0';
	}
}

static void
take_file(enum file_kind kind, const char *name, int fd)
{
	if (kind != FILE_TLS_CERT)
		fatal("a file that is none of our business");
	certificate_take(name, fd);
}

static void
take_message(const struct msg *m, int fd)
{
	if (m->type == MSG_LISTEN && fd != -1)
		listener_add(&m->u.listen, fd);
	else if (m->type == MSG_CTL_CLIENT && fd != -1)
		metrics_open(fd, P_SMTPD);
	else if (m->type == MSG_TICKET_KEYS)
		tls_ticket_keys(m->u.ticket_keys.keys.data,
		    m->u.ticket_keys.keys.len / TLS_TICKET_KEY);
	else
		fatal("unexpected %s from the parent", msg_name(m->type));
}

static void
start(const struct conf *conf)
{
	attend_world.conf = conf;
	attend_world.send = send_request;
	attend_world.enter = enter;
	attend_world.wall_ms = loop_wall_ms;
	attend_world.now_ms = loop_now_ms();
	certificate_adopt(conf, held_wanted);
	attend_world.tls = certificate_context(false) != NULL;
	entrance_open(ask_resolver);
	child_ready();
}

static void
reload(const struct conf *conf)
{
	attend_world.conf = conf;
	entrance_renew();
	certificate_adopt(conf, held_wanted);
	attend_world.tls = certificate_context(false) != NULL;
}

static void
give_up(void *arg)
{
	(void)arg;
	loop_stop();
}

static void
stop(void)
{
	entrance_close();
	metrics_close();
	each(send_home, NULL);
	timer_init(&stop_timer, give_up, NULL);
	timer_set(&stop_timer, STOP_MS);
	entrance_end();
}

const struct child server = {
	.self = P_SMTPD,
	.program = "postern-smtpd",
	.rights = MAY_ACCEPT,
	.prepare = entrance_count_processors,
	.start = start,
	.reload = reload,
	.peer = take_peer,
	.file = take_file,
	.message = take_message,
	.stop = stop,
};
