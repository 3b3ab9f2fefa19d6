/*
 * session.c - the SMTP server's state machine.
 *
 * Two tables are the protocol.  session_states[] (session_input.c) says who
 * eats the input in each state and how long we wait for it.  commands[]
 * (commands.c) says where a verb is legal, what it needs first, who runs it,
 * who goes on when an answer has come, and where each class of reply leads.
 *
 * Invariants, checked by check() on every transition:
 *   - only session_enter() writes s->state;
 *   - a session that awaits an answer has a current command, and eats no
 *     input until the answer has come;
 *   - an answer is expected, without standing still, only inside the body;
 *   - a transaction exists in MAIL, RCPT, BODY and CHUNKS, and nowhere else;
 *   - there is none without an account;
 *   - there is an account only inside TLS.
 */
#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "smtpd/owed.h"
#include "smtpd/patience.h"
#include "smtpd/session_parts.h"
#include "smtpd/text.h"
#include "smtpd/transaction.h"

static void
check(const struct session *s)
{
	bool in_tx = IN(s->state) & INSIDE;

	assert(s->awaits == MSG_NONE && s->cmd == NULL);
	assert(s->expects == MSG_NONE || s->state == ST_BODY);
	assert((s->tx != NULL) == in_tx);
	assert(s->tx == NULL || s->account[0] != '\0');
	assert(s->barred.code == 0 || s->account[0] == '\0');
	assert(s->login == NULL || s->state == ST_AUTH);
	assert(s->account[0] == '\0' || s->tls[0] != '\0');
	assert(s->state != ST_TLS || s->account[0] == '\0');
	assert(s->skip.left == 0 || IN(s->state) & (ANYWHERE | IN(ST_REFUSED)));
}

static void
tx_clear(struct session *s)
{
	struct msg m = { .type = MSG_TX_ABORT, .tag = s->id };

	if (s->tx != NULL && !s->tx->committing)
		tx_give_back(s->tx, s);
	if (s->expects == MSG_ALLOWED)
		owed_note(s);
	if (s->tx != NULL && s->tx->known && !s->tx->lost)
		s->world->send(&m);
	tx_free(s->tx);
	s->tx = NULL;
	s->expects = MSG_NONE;
}

void
session_enter(struct session *s, enum state st)
{
	if (st != ST_SAME) {
		if (!(IN(st) & INSIDE))
			tx_clear(s);
		if (st != ST_AUTH)
			auth_clear(s);
		if (st == ST_CLOSING) {
			s->skip.left = 0;
			s->until_ms = 0;
		}
		s->state = st;
	}
	check(s);
}

/* Say the last words, and close when they have left. */
static void
leave(struct session *s)
{
	s->linger = true;
	s->skipped = 0;
	s->since_ms = s->world->now_ms;
	session_enter(s, ST_CLOSING);
}

static void
part_when_idle(struct session *s)
{
	if (s->parting == PART_NOT || s->awaits != MSG_NONE ||
	    s->state == ST_BODY || s->state == ST_CLOSING)
		return;
	if (s->state == ST_TLS) {
		session_enter(s, ST_CLOSING);
		return;
	}
	if (s->parting == PART_STOP)
		reply(s, 421, "4.3.2", "%s going down, try again soon",
		    s->world->conf->hostname);
	else if (s->parting == PART_RELOGIN)
		reply(s, 421, "4.7.0", RELOGIN);
	else
		reply(s, 421, "4.7.0", "this account is not active any more");
	leave(s);
}

void
session_settle(struct session *s, const struct command *cmd, int code)
{
	struct msg m;

	s->since_ms = s->world->now_ms;
	s->cmd = cmd;
	while (code == WAIT && s->unheard) {
		s->unheard = false;
		no_answer(&m, s->awaits);
		s->awaits = MSG_NONE;
		code = cmd->answered(s, &m, -1);
	}
	if (code == WAIT) {
		assert(s->awaits != MSG_NONE && cmd->answered != NULL);
		return;
	}
	s->cmd = NULL;
	patience_note(s, cmd, code);
	if (code == MORE)
		session_enter(s, ST_SAME);
	else if (code == 421)
		leave(s);
	else if (!patience_bear(s, cmd, code))
		leave(s);
	else if (code < 300)
		session_enter(s, cmd->on_2yz);
	else if (code < 400)
		session_enter(s, cmd->on_3yz);
	else
		session_enter(s, cmd->on_error);
	part_when_idle(s);
}

/* RFC 5321 3.1: whoever is refused here is still waited for to say QUIT. */
static void
greet(struct session *s)
{
	const char *hostname = s->world->conf->hostname;

	s->greeted = true;
	if (s->screen != SCREEN_REFUSE) {
		reply(s, 220, "", "%s ESMTP postern", hostname);
		session_enter(s, ST_NEW);
	} else if (!s->unsure) {
		reply(s, 554, "", "%s %s", hostname, s->screen_text);
		session_enter(s, ST_REFUSED);
	} else {
		/* A rule in front of that one might have let it in. */
		reply(s, 421, "",
		    "%s cannot look up your address just now; try again in a "
		    "minute",
		    hostname);
		leave(s);
	}
}

void
session_init(struct session *s, const struct surroundings *world,
    struct buf *out, uint64_t id, const char *ip, unsigned port,
    bool implicit_tls, const struct msg_conn_verdict *screen)
{
	memset(s, 0, sizeof(*s));
	s->id = id;
	s->world = world;
	s->out = out;
	s->port = port;
	s->mech = "";
	text_copy(s->ip, sizeof(s->ip), ip);
	s->opened_ms = s->since_ms = world->now_ms;
	if (screen != NULL) {
		s->screen = (enum screen_action)screen->action;
		s->unsure = screen->unsure != 0;
		text_copy(s->screen_text, sizeof(s->screen_text), screen->text);
	}
	if (implicit_tls)
		session_enter(s, ST_TLS);
	else
		greet(s);
}

void
session_answer(struct session *s, const struct msg *m, int fd)
{
	const struct command *cmd = s->cmd;

	assert(m->tag == s->id);
	if (s->state == ST_CLOSING) {
		if (fd != -1)
			close(fd);
		owed_settle(s->world, m);
		return; /* we gave up waiting */
	}
	if (m->type == s->expects) {
		s->expects = MSG_NONE;
		body_allowed(s, m);
		return;
	}
	if (m->type != s->awaits)
		fatal("%s came to a session that had not asked",
		    msg_name(m->type));
	s->awaits = MSG_NONE;
	/* The client is not to blame for this wait. */
	if (s->state == ST_BODY)
		s->tx->data_ms += s->world->now_ms - s->since_ms;
	session_settle(s, cmd, cmd->answered(s, m, fd));
}

void
session_bereaved(struct session *s, enum process who)
{
	struct msg m;

	if (who == P_QUEUE && s->tx != NULL && s->tx->known)
		s->tx->lost = true;
	if (s->expects != MSG_NONE && msg_allowed(s->expects, who, P_SMTPD)) {
		no_answer(&m, s->expects);
		m.tag = s->id;
		session_answer(s, &m, -1);
	}
	if (s->awaits != MSG_NONE && msg_allowed(s->awaits, who, P_SMTPD)) {
		no_answer(&m, s->awaits);
		m.tag = s->id;
		session_answer(s, &m, -1);
	}
}

void
session_secured(struct session *s, const char *version)
{
	assert(s->state == ST_TLS);
	text_copy(s->tls, sizeof(s->tls), version);
	s->since_ms = s->world->now_ms;
	/* RFC 3207 4.2: forget what was said before. */
	s->esmtp = false;
	if (!s->greeted)
		greet(s);
	else
		session_enter(s, ST_NEW);
	part_when_idle(s);
}

/* Nothing is waited for any more; the answer may come all the same. */
static void
wait_no_more(struct session *s)
{
	if (s->state == ST_BODY && s->awaits == MSG_ALLOWED)
		s->expects = MSG_ALLOWED;
	s->awaits = MSG_NONE;
	s->cmd = NULL;
}

void
session_timeout(struct session *s)
{
	if (s->until_ms != 0) {
		s->until_ms = 0;
		s->since_ms = s->world->now_ms;
		return; /* go on listening */
	}
	log_debug("smtp.timeout", "ip=%s port=%u state=%s awaits=%s", s->ip,
	    s->port, session_states[s->state].name, msg_name(s->awaits));
	if (s->state == ST_TLS || s->state == ST_CLOSING) {
		session_enter(s, ST_CLOSING); /* nothing can be said */
		return;
	}
	if (s->awaits != MSG_NONE) {
		/* Its answer may still come, and nobody must take it for
		 * that to a later question: so there will be none. */
		log_event("session.stuck", "ip=%s port=%u awaits=%s", s->ip,
		    s->port, msg_name(s->awaits));
		wait_no_more(s);
		reply(s, 421, "4.3.0", "our fault; try again later");
	} else if (s->bare_lf)
		reply(s, 421, "4.4.2", "timeout: lines must end in CRLF");
	else
		reply(s, 421, "4.4.2", "timeout");
	leave(s);
}

void
session_part(struct session *s, enum parting why)
{
	if (why > s->parting)
		s->parting = why;
	part_when_idle(s);
}

void
session_gone(struct session *s)
{
	wait_no_more(s);
	session_enter(s, ST_CLOSING);
	auth_bar(s, NULL);
}

enum wants
session_wants(const struct session *s)
{
	if (s->state == ST_TLS)
		return WANTS_TLS;
	if (s->state == ST_CLOSING)
		return s->linger ? WANTS_LINGER : WANTS_CLOSE;
	return s->awaits != MSG_NONE || s->until_ms != 0 ? WANTS_NOTHING
							 : WANTS_INPUT;
}

int64_t
session_deadline(const struct session *s)
{
	return patience_deadline(s, session_states[s->state].timeout_s);
}
