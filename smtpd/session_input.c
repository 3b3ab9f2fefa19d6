/*
 * session_input.c - from the bytes of a client to commands and bodies.
 */
#include <string.h>

#include "lib/log.h"
#include "smtpd/line.h"
#include "smtpd/session_parts.h"
#include "smtpd/transaction.h"

#define FORGET_MOST    262144 /* octets read only to be polite */
#define OUT_LIMIT      16384  /* unsent octets at which we stop eating */
#define ANONYMOUS_MOST 65536  /* octets eaten before login */
#define CRUMB          32     /* chunks of fewer octets bring no mail nearer */

int
refuse_octets(struct session *s, const struct bdat_args *b, int code,
    const char *status, const char *text)
{
	if (b->sized && b->size == 0)
		return reply(s, code, status, "%s", text);
	if (b->sized && b->size <= body_flood(s)) {
		s->skip = (struct skip){ .size = b->size,
			.left = b->size,
			.began_ms = s->world->now_ms,
			.code = code,
			.status = status,
			.text = text };
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

static size_t
eat_body(struct session *s, char *p, size_t n)
{
	size_t used;

	s->since_ms = s->world->now_ms;
	switch (body_feed(s, p, n, &used)) {
	case DATA_ON:
		break;
	case DATA_STOP:
		session_settle(s, chunk_row(s->tx), body_next(s));
		break;
	case DATA_FLOOD:
		reply(s, 552, "5.3.4", "message far too large");
		session_settle(
		    s, &step_body, reply(s, 421, "4.7.0", "closing"));
		break;
	}
	return used;
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
			code = reply(s, 500, "5.5.2", "command too long");
		else
			code = reply(s, 500, "5.5.2", "unknown command");
		session_settle(s, &step_refused, code);
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
		if (cmd->run == cmd_auth && s->tls[0] == '\0')
			auth_refused(s, line, n, "no-tls");
		code = say_refusal(s, cmd, no, line, n);
		cmd =
		    cmd->needs & FOLLOWS ? &step_refused_behind : &step_refused;
	} else {
		code = cmd->run(s, line, n);
	}
	s->skip.cmd = cmd;
	session_settle(s, cmd, code);
	/* A chunk of no octets is complete before any come. */
	if (code == GO && s->tx->chunk_left == 0)
		eat_body(s, line, 0);
}

/* RFC 4954 6: of AUTH and of what is said in it, and so of all that may have
 * been that. */
static const char *
status_of_long(const struct session *s)
{
	bool may_log_in =
	    s->state == ST_READY && s->tls[0] != '\0' && s->account[0] == '\0';

	return s->state == ST_AUTH || may_log_in ? "5.5.6" : "5.5.2";
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
		session_settle(s,
		    s->state == ST_AUTH ? &step_auth : &step_refused,
		    reply(s, 500, "5.5.2",
			"lone CR or LF, or NUL, in a line; end it with CRLF"));
		break;
	case LINE_LONG:
		session_settle(s,
		    s->state == ST_AUTH ? &step_auth : &step_refused,
		    reply(s, 500, status_of_long(s), "line too long"));
		break;
	case LINE_MORE:
		s->bare_lf = memchr(p, '\n', n) != NULL;
		return false;
	case LINE_ENDLESS:
		session_settle(s, &step_refused,
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
		session_enter(s, ST_CLOSING);
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
		session_settle(s, &step_auth, auth_line(s, p, len));
	explicit_bzero(p, used);
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
		session_settle(
		    s, k->cmd, reply(s, k->code, k->status, "%s", k->text));
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

/* RFC 5321 4.5.3.2.7: at least five minutes, for those who have logged in. */
const struct state_row session_states[ST_COUNT] = {
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

static bool
hungry(const struct session *s)
{
	return s->awaits == MSG_NONE && s->until_ms == 0 &&
	    session_states[s->state].eat != NULL && s->out->len < OUT_LIMIT;
}

/* Those who have not logged in are not listened to for ever. */
static void
count_anonymous(struct session *s, size_t n)
{
	s->anonymous += n;
	if (s->anonymous > ANONYMOUS_MOST && s->awaits == MSG_NONE &&
	    s->state != ST_TLS && s->state != ST_CLOSING)
		session_settle(s, &step_refused,
		    reply(s, 421, "4.7.0", "too much talk before a login"));
}

size_t
session_input(struct session *s, char *p, size_t n)
{
	size_t used = 0, k;

	while (used < n && hungry(s)) {
		k = (s->skip.left > 0
			? eat_chunk
			: session_states[s->state].eat)(s, p + used, n - used);
		if (k == 0)
			break;
		used += k;
		if (s->account[0] == '\0')
			count_anonymous(s, k);
	}
	return used;
}
