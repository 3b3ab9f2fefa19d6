/*
 * outcome_log.c - see outcome.h.
 */
#include <stdio.h>

#include "lib/log.h"
#include "mail/ascii.h"
#include "mail/date.h"
#include "mail/msgid.h"
#include "queue/outcome.h"
#include "queue/t_journal.h"

static const char *
seconds(uint64_t since, uint64_t now, char *out, size_t size)
{
	uint64_t ms = now > since ? now - since : 0;

	snprintf(out, size, "%llu.%02u", (unsigned long long)(ms / 1000),
	    (unsigned)(ms % 1000 / 10));
	return out;
}

/* A server's name out of the DNS, fit to stand between spaces. */
static const char *
word(const char *s, char *out, size_t size)
{
	size_t n = 0;

	for (; s[n] != '\0' && n + 1 < size; n++)
		out[n] = (char)(ascii_print(s[n]) && s[n] != ' ' &&
			    s[n] != '"' && s[n] != '='
			? s[n]
			: '?');
	out[n] = '\0';
	return n > 0 ? out : "-";
}

static void
log_rcpt(const struct outcome *o, const struct rcpt *r, const char *id)
{
	const struct job *j = o->job;
	char next[DATE_MAX] = "", delay[32], mx[300];
	struct answer_row a = { .status = "4.4.7" };
	struct secured how;

	job_answer(j, r->answer, &a);
	seconds(j->letter->accepted, o->now, delay, sizeof(delay));
	if (r->event == EVENT_DEFERRED || r->event == EVENT_UNCERTAIN) {
		date_rfc3339((time_t)(j->due / 1000), next);
		log_event(r->event == EVENT_DEFERRED ? "msg.deferred"
						     : "msg.uncertain",
		    "id=%s mx=%s code=%u dsn=%s delay=%s attempt=%u next=%s "
		    "to=%s reply=%s",
		    id, word(a.mx, mx, sizeof(mx)), a.code, a.status, delay,
		    j->attempts, j->due != 0 ? next : "held",
		    log_quote(r->address), log_quote(a.text));
		return;
	}
	how = answer_how(&a);
	log_event(r->event == EVENT_DELIVERED ? "msg.delivered"
		: r->event == EVENT_BOUNCED   ? "msg.bounced"
					      : "msg.dropped",
	    "id=%s mx=%s tls=%s cipher=%s policy=%s code=%u dsn=%s delay=%s "
	    "attempt=%u to=%s reply=%s",
	    id, word(a.mx, mx, sizeof(mx)), how.tls[0] ? how.tls : "-",
	    how.cipher[0] ? how.cipher : "-", how.policy[0] ? how.policy : "-",
	    a.code, a.status, delay, j->attempts, log_quote(r->address),
	    log_quote(a.text));
}

static void
log_done(const struct outcome *o, const char *id)
{
	const struct letter *l = o->job->letter;
	char lifetime[32];

	seconds(l->accepted, o->now, lifetime, sizeof(lifetime));
	log_event("msg.done",
	    "id=%s outcome=delivered:%u,bounced:%u,dropped:%u lifetime=%s", id,
	    l->delivered, l->bounced, l->dropped, lifetime);
}

void
outcome_log(const struct outcome *o)
{
	const struct job *j = o->job;
	char id[MSGID_SIZE];

	msgid_format(j->key.id, id);
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].event != EVENT_NONE)
			log_rcpt(o, &j->rcpts[i], id);
	if (o->noticed)
		log_event("msg.delayed", "id=%s to=%s", id,
		    log_quote(j->letter->sender));
	if (o->left)
		log_done(o, id);
}
