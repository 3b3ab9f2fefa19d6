/*
 * session.c - the SMTP server's state machine.
 *
 * Two tables are the protocol.  states[] says who eats the input in each
 * state and how long we wait for it.  commands[] (commands.c) says where a
 * verb is legal, what it needs first, who runs it, who goes on when an answer
 * has come, and where each class of reply leads.
 *
 * Invariants, checked by check() on every transition:
 *   - only enter() writes s->state;
 *   - a session that awaits an answer has a current command, and eats no
 *     input until the answer has come;
 *   - an answer is expected, without standing still, only inside the body;
 *   - a transaction exists in MAIL, RCPT and BODY, and nowhere else;
 *   - there is none without an account;
 *   - there is an account only inside TLS.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "mail/ascii.h"
#include "smtpd/commands.h"
#include "smtpd/line.h"
#include "smtpd/session.h"
#include "smtpd/text.h"
#include "smtpd/transaction.h"

#define PUT_OFF_MOST   100 /* 4yz without a mail; then each takes time */
#define PUT_OFF_MS     1000
#define IDLE_COMMANDS  100    /* without a mail; then they are errors */
#define FORGET_MOST    262144 /* octets read only to be polite */
#define OUT_LIMIT      16384  /* unsent octets at which we stop eating */
#define ANONYMOUS_MOST 65536  /* octets eaten before login */
#define ANONYMOUS_S    30     /* for each command before login */
#define LOGIN_S        180    /* from accept to login */
#define GRACE_MS       60000  /* of a body before its rate counts */
#define MS_PER_OCTET   2      /* 500 octets a second at least */
#define CRUMB          32     /* chunks of fewer octets bring no mail nearer */

/* What each error costs, in ms in which nothing is read; behind the last one
 * the session ends.  Typing errors are free. */
static const int error_ms[] = { 0, 0, 0, 0, 0, 250, 500, 1000, 2000 };

#define MOST_ERRORS (sizeof(error_ms) / sizeof(*error_ms))

static size_t eat_command(struct session *, char *p, size_t n);
static size_t eat_auth(struct session *, char *p, size_t n);
static size_t eat_body(struct session *, char *p, size_t n);
static size_t eat_chunk(struct session *, char *p, size_t n);
static size_t eat_and_forget(struct session *, char *p, size_t n);

/* RFC 5321 4.5.3.2.7: at least five minutes, for those who have logged in. */
static const struct {
	const char *name;
	size_t (*eat)(struct session *, char *, size_t); /* 0: needs more */
	int timeout_s;
} states[ST_COUNT] = {
	[ST_NEW] = { "new", eat_command, 300 },
	[ST_READY] = { "ready", eat_command, 300 },
	[ST_AUTH] = { "auth", eat_auth, 300 },
	[ST_MAIL] = { "mail", eat_command, 300 },
	[ST_RCPT] = { "rcpt", eat_command, 300 },
	[ST_BODY] = { "body", eat_body, 300 },
	[ST_CHUNKS] = { "chunks", eat_command, 300 },
	[ST_TLS] = { "tls", NULL, 30 },
	[ST_REFUSED] = { "refused", eat_command, 30 },
	[ST_CLOSING] = { "closing", eat_and_forget, 10 },
};

/* How long a neighbour may think. */
static int
answer_timeout_s(enum msg_type answer)
{
	return msg_allowed(answer, P_QUEUE, P_SMTPD) ? 300 : 60;
}

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
	assert(s->skip.left == 0 || states[s->state].eat == eat_command);
}

static void
tx_clear(struct session *s)
{
	struct msg m = { .type = MSG_TX_ABORT, .tag = s->id };

	if (s->tx != NULL && !s->tx->committing)
		tx_give_back(s->tx, s);
	if (s->tx != NULL && s->tx->known && !s->tx->lost)
		s->world->send(&m);
	tx_free(s->tx);
	s->tx = NULL;
	s->expects = MSG_NONE;
}

static void
enter(struct session *s, enum state st)
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
	enter(s, ST_CLOSING);
}

static void
part_when_idle(struct session *s)
{
	if (s->parting == PART_NOT || s->awaits != MSG_NONE ||
	    s->state == ST_BODY || s->state == ST_CLOSING)
		return;
	if (s->state == ST_TLS) {
		enter(s, ST_CLOSING);
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

/*
 * A mail that must wait is not the client's fault, and neither is what it
 * says behind it: RSET, or the rest of what it had pipelined.  Who tries again
 * at once, and again, does so slowly.
 */
static void
note_put_off(struct session *s, const struct command *cmd, int code)
{
	if (code / 100 != 4 || (cmd->run != cmd_mail && cmd != &step_body))
		return;
	s->idle_commands = 0;
	if (++s->put_offs > PUT_OFF_MOST)
		s->until_ms = s->world->now_ms + PUT_OFF_MS;
}

/* Whether this outcome brings the session nearer to its end. */
static bool
counts_as_error(struct session *s, const struct command *cmd, int code)
{
	if (code < 500)
		return (cmd->needs & IDLING) &&
		    ++s->idle_commands > IDLE_COMMANDS;
	/* RFC 2920 3.1: behind a refused MAIL these are only to be expected,
	 * one for each recipient. */
	if (code == 503 && (cmd->needs & FOLLOWS) &&
	    (s->account[0] != '\0' || s->barred.code != 0))
		return ++s->idle_commands >
		    IDLE_COMMANDS + s->world->conf->recipients;
	return true;
}

/* Count an error; false: it was one too many. */
static bool
forgive(struct session *s)
{
	int ms;

	if (s->errors == MOST_ERRORS) {
		log_event("smtp.closed", "ip=%s port=%u hint=%s", s->ip,
		    s->port, "too-many-errors");
		reply(s, 421, "4.7.0", "too many errors");
		return false;
	}
	ms = error_ms[s->errors++];
	if (ms > 0)
		s->until_ms = s->world->now_ms + ms;
	return true;
}

/* Apply a handler's outcome: the one place where a reply moves a session. */
static void
settle(struct session *s, const struct command *cmd, int code)
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
	note_put_off(s, cmd, code);
	if (code == MORE)
		enter(s, ST_SAME);
	else if (code == 421)
		leave(s);
	else if (counts_as_error(s, cmd, code) && !forgive(s))
		leave(s);
	else if (code < 300)
		enter(s, cmd->on_2yz);
	else if (code < 400)
		enter(s, cmd->on_3yz);
	else
		enter(s, cmd->on_error);
	part_when_idle(s);
}

/* A body of more than this is none: its octets are not even dropped. */
static uint64_t
flood(const struct session *s)
{
	return 2 * s->world->conf->message_size + 1024 * 1024;
}

int
refuse_octets(struct session *s, const struct bdat_args *b, int code,
    const char *status, const char *text)
{
	if (b->sized && b->size == 0)
		return reply(s, code, status, "%s", text);
	if (b->sized && b->size <= flood(s)) {
		s->skip = (struct skip){ b->size, code, status, text, NULL };
		return MORE;
	}
	/* Nobody knows where the next command begins. */
	reply(s, code, status, "%s", text);
	return reply(s, 421, "4.7.0", "closing");
}

/* Say no, or see to it that it is said behind the octets. */
static int
say_refusal(struct session *s, const struct command *cmd,
    const struct refusal *no, const char *args, size_t n)
{
	struct bdat_args b;

	if (!(cmd->needs & OCTETS))
		return reply(s, no->code, no->status, "%s", no->text);
	(void)command_bdat(&b, args, n);
	return refuse_octets(s, &b, no->code, no->status, no->text);
}

/* The chunk under way is complete; how small it was is counted. */
static const struct command *
chunk_row(const struct transaction *tx)
{
	if (!tx->chunked || tx->last_chunk)
		return &step_body;
	return tx->chunk_size < CRUMB ? &step_crumb : &step_chunk;
}

static void
obey(struct session *s, char *line, size_t n)
{
	const struct command *cmd;
	const struct refusal *no;
	const char *space = memchr(line, ' ', n);
	size_t verb = space != NULL ? (size_t)(space - line) : n;
	int code;

	cmd = commands_find(s, line, verb);
	if (cmd == NULL) {
		if (n > COMMAND_MOST)
			code = reply(s, 500, "5.5.6", "command too long");
		else
			code = reply(s, 500, "5.5.2", "unknown command");
		settle(s, &step_refused, code);
		return;
	}
	no = commands_object(s, cmd, n);
	while (n > verb && line[n - 1] == ' ')
		n--; /* RFC 5321 4.1.1 */
	line += verb;
	n -= verb;
	for (; n > 0 && *line == ' '; n--)
		line++;
	if (no != NULL) {
		code = say_refusal(s, cmd, no, line, n);
		cmd =
		    cmd->needs & FOLLOWS ? &step_refused_behind : &step_refused;
	} else {
		code = cmd->run(s, line, n);
	}
	s->skip.cmd = cmd;
	settle(s, cmd, code);
	/* A chunk of no octets is complete before any come. */
	if (code == GO && s->tx->chunk_left == 0)
		eat_body(s, line, 0);
}

/*
 * Take a line from the front of p[n]; true when it is a good one.  What is
 * wrong with a bad one is the session's reply already.
 */
static bool
take_line(struct session *s, const char *p, size_t n, size_t *used, size_t *len)
{
	switch (line_find(p, n, used, len, &s->skipped)) {
	case LINE_GOOD:
		s->behind = n - *used;
		return true;
	case LINE_BAD:
		settle(s, s->state == ST_AUTH ? &step_auth : &step_refused,
		    reply(s, 500, "5.5.2",
			"lone CR or LF, or NUL, in a line; end it with CRLF"));
		break;
	case LINE_LONG:
		settle(s, s->state == ST_AUTH ? &step_auth : &step_refused,
		    reply(s, 500, "5.5.6", "line too long"));
		break;
	case LINE_MORE:
		s->bare_lf = memchr(p, '\n', n) != NULL;
		return false;
	case LINE_ENDLESS:
		settle(s, &step_refused,
		    reply(s, 421, "4.7.0", "line without an end"));
		break;
	}
	s->bare_lf = false;
	return false;
}

/* Somebody speaks TLS to the port where it comes by STARTTLS. */
static bool
is_client_hello(const struct session *s, const char *p, size_t n)
{
	return s->state == ST_NEW && s->tls[0] == '\0' && n >= 2 &&
	    p[0] == 0x16 && p[1] == 0x03;
}

static size_t
eat_command(struct session *s, char *p, size_t n)
{
	size_t used, len;

	if (is_client_hello(s, p, n)) {
		log_event("smtp.closed", "ip=%s port=%u hint=%s", s->ip,
		    s->port, "tls-on-starttls-port");
		enter(s, ST_CLOSING);
		return n;
	}
	if (take_line(s, p, n, &used, &len))
		obey(s, p, len);
	explicit_bzero(p, used); /* AUTH PLAIN may have been there */
	return used;
}

static size_t
eat_auth(struct session *s, char *p, size_t n)
{
	size_t used, len;

	if (take_line(s, p, n, &used, &len))
		settle(s, &step_auth, auth_line(s, p, len));
	explicit_bzero(p, used);
	return used;
}

static size_t
eat_body(struct session *s, char *p, size_t n)
{
	size_t used;

	s->since_ms = s->world->now_ms;
	switch (body_feed(s, p, n, &used)) {
	case DATA_ON:
		break;
	case DATA_STOP:
		settle(s, chunk_row(s->tx), body_next(s));
		break;
	case DATA_FLOOD:
		reply(s, 552, "5.3.4", "message far too large");
		settle(s, &step_body, reply(s, 421, "4.7.0", "closing"));
		break;
	}
	return used;
}

/* The octets of a refused chunk; then why. */
static size_t
eat_chunk(struct session *s, char *p, size_t n)
{
	struct skip *k = &s->skip;

	(void)p;
	if (n > k->left)
		n = (size_t)k->left;
	k->left -= n;
	s->since_ms = s->world->now_ms;
	if (k->left == 0)
		settle(s, k->cmd, reply(s, k->code, k->status, "%s", k->text));
	return n;
}

static size_t
eat_and_forget(struct session *s, char *p, size_t n)
{
	(void)p;
	s->skipped += n;
	if (s->skipped > FORGET_MOST)
		s->linger = false;
	return n;
}

/* RFC 5321 3.1: whoever is refused here is still waited for to say QUIT. */
static void
greet(struct session *s)
{
	const char *hostname = s->world->conf->hostname;

	s->greeted = true;
	if (s->screen != SCREEN_REFUSE) {
		reply(s, 220, "", "%s ESMTP postern", hostname);
		enter(s, ST_NEW);
	} else if (!s->unsure) {
		reply(s, 554, "", "%s %s", hostname, s->screen_text);
		enter(s, ST_REFUSED);
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
		enter(s, ST_TLS);
	else
		greet(s);
}

static bool
hungry(const struct session *s)
{
	return s->awaits == MSG_NONE && s->until_ms == 0 &&
	    states[s->state].eat != NULL && s->out->len < OUT_LIMIT;
}

/* Those who have not logged in are not listened to for ever. */
static void
count_anonymous(struct session *s, size_t n)
{
	s->anonymous += n;
	if (s->anonymous > ANONYMOUS_MOST && s->awaits == MSG_NONE &&
	    s->state != ST_TLS && s->state != ST_CLOSING)
		settle(s, &step_refused,
		    reply(s, 421, "4.7.0", "too much talk before a login"));
}

size_t
session_input(struct session *s, char *p, size_t n)
{
	size_t used = 0, k;

	while (used < n && hungry(s)) {
		k = (s->skip.left > 0 ? eat_chunk : states[s->state].eat)(
		    s, p + used, n - used);
		if (k == 0)
			break;
		used += k;
		if (s->account[0] == '\0')
			count_anonymous(s, k);
	}
	return used;
}

void
session_answer(struct session *s, const struct msg *m, int fd)
{
	const struct command *cmd = s->cmd;

	assert(m->tag == s->id);
	if (s->state == ST_CLOSING) {
		if (fd != -1)
			close(fd);
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
	settle(s, cmd, cmd->answered(s, m, fd));
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
		enter(s, ST_NEW);
	part_when_idle(s);
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
	    s->port, states[s->state].name, msg_name(s->awaits));
	if (s->state == ST_TLS || s->state == ST_CLOSING) {
		enter(s, ST_CLOSING); /* nothing can be said */
		return;
	}
	if (s->awaits != MSG_NONE) {
		/* Its answer may still come, and nobody must take it for
		 * that to a later question: so there will be none. */
		log_event("session.stuck", "ip=%s port=%u awaits=%s", s->ip,
		    s->port, msg_name(s->awaits));
		s->awaits = MSG_NONE;
		s->cmd = NULL;
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
	s->awaits = MSG_NONE;
	s->cmd = NULL;
	enter(s, ST_CLOSING);
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
	int64_t at = s->since_ms + states[s->state].timeout_s * 1000, rate;

	if (s->awaits != MSG_NONE)
		return s->since_ms + answer_timeout_s(s->awaits) * 1000;
	if (s->until_ms != 0)
		return s->until_ms;
	if (s->state == ST_BODY) {
		rate = s->tx->data_ms + GRACE_MS +
		    (int64_t)s->tx->received * MS_PER_OCTET;
		return rate < at ? rate : at;
	}
	if (s->account[0] != '\0' || s->state == ST_CLOSING)
		return at;
	if (at > s->since_ms + ANONYMOUS_S * 1000)
		at = s->since_ms + ANONYMOUS_S * 1000;
	if (at > s->opened_ms + LOGIN_S * 1000)
		at = s->opened_ms + LOGIN_S * 1000;
	return at;
}
