/*
 * patience.c - see patience.h.
 */
#include "lib/log.h"
#include "smtpd/commands.h"
#include "smtpd/patience.h"
#include "smtpd/transaction.h"

#define PUT_OFF_MOST  100 /* 4yz without a mail; then each takes time */
#define PUT_OFF_MS    1000
#define IDLE_COMMANDS 100   /* without a mail; then they are errors */
#define ANONYMOUS_S   30    /* for each command before login */
#define LOGIN_S       180   /* from accept to login */
#define GRACE_MS      60000 /* of a body before its rate counts */
#define MS_PER_OCTET  2     /* 500 octets a second at least */

/* What each error costs, in ms in which nothing is read; behind the last one
 * the session ends.  Typing errors are free. */
static const int error_ms[] = { 0, 0, 0, 0, 0, 250, 500, 1000, 2000 };

#define MOST_ERRORS (sizeof(error_ms) / sizeof(*error_ms))

void
patience_note(struct session *s, const struct command *cmd, int code)
{
	if (code / 100 != 4 ||
	    (cmd->run != cmd_mail && cmd->answered != body_answered))
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

bool
patience_bear(struct session *s, const struct command *cmd, int code)
{
	return !counts_as_error(s, cmd, code) || forgive(s);
}

/* How long a neighbour may think. */
static int
answer_timeout_s(enum msg_type answer)
{
	return msg_allowed(answer, P_QUEUE, P_SMTPD) ? 300 : 60;
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Until when so many octets were to come at least, and one more. */
static int64_t
rate_deadline(int64_t began_ms, uint64_t octets)
{
	return began_ms + GRACE_MS + (int64_t)octets * MS_PER_OCTET;
}

int64_t
patience_deadline(const struct session *s, int timeout_s)
{
	const struct skip *k = &s->skip;
	int64_t at = s->since_ms + timeout_s * 1000;

	if (s->awaits != MSG_NONE)
		return s->since_ms + answer_timeout_s(s->awaits) * 1000;
	if (s->until_ms != 0)
		return s->until_ms;
	if (s->state == ST_BODY)
		return earlier(
		    at, rate_deadline(s->tx->data_ms, s->tx->received));
	if (k->left > 0)
		at = earlier(at, rate_deadline(k->began_ms, k->size - k->left));
	if (s->account[0] != '\0' || s->state == ST_CLOSING)
		return at;
	at = earlier(at, s->since_ms + ANONYMOUS_S * 1000);
	return earlier(at, s->opened_ms + LOGIN_S * 1000);
}
