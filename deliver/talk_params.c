/*
 * talk_params.c - the parameters of MAIL and RCPT: what the client said of the
 * message and of its recipients, for servers that understand it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "deliver/talk_steps.h"
#include "ipc/rcpt.h"
#include "lib/loop.h"
#include "mail/lines.h"
#include "mail/xtext.h"

#define ENVID_MAX 101 /* RFC 3461 4.4, with a NUL */

struct params {
	char *out;
	size_t len, size;
};

static void add(struct params *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The room is known to suffice: see PARAMS_MAX. */
static void
add(struct params *p, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(p->out + p->len, p->size - p->len, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < p->size - p->len)
		p->len += (size_t)n;
	else
		p->out[p->len] = '\0';
}

static bool
is_utf8(const char *address)
{
	return lines_eight_bit(address, strlen(address));
}

enum utf8_need
params_utf8_need(const struct job *j)
{
	if (is_utf8(j->sender))
		return UTF8_SENDER;
	if ((j->flags & TX_SMTPUTF8) && (j->flags & TX_UTF8_HEADER))
		return UTF8_HEADER;
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (job_open(j, i) && is_utf8(j->rcpts[i]))
			return UTF8_RCPTS;
	return UTF8_NONE;
}

bool
params_utf8_rcpt(const struct job *j, unsigned rcpt)
{
	return is_utf8(j->rcpts[rcpt]);
}

int64_t
params_by_left_s(const struct job *j)
{
	int64_t left = (int64_t)j->options.by - loop_wall_ms();

	/* Towards the past: a second that has begun is not there any more. */
	return left >= 0 ? left / 1000 : (left - 999) / 1000;
}

/* RFC 2852 4. */
static void
add_deadline(struct params *p, const struct talk *t)
{
	const struct job *j = t->job;

	if (!(t->offers & OFFERS_DELIVERBY) || j->options.by == 0)
		return;
	add(p, " BY=%lld;%c%s", (long long)params_by_left_s(j),
	    (j->flags & TX_BY_RETURN) ? 'R' : 'N',
	    (j->flags & TX_BY_TRACE) ? "T" : "");
}

static void
add_dsn(struct params *p, const struct talk *t)
{
	const struct job *j = t->job;
	char envid[ENVID_MAX];

	if (!(t->offers & OFFERS_DSN))
		return;
	if (j->flags & (TX_RET_FULL | TX_RET_HDRS))
		add(p, " RET=%s", (j->flags & TX_RET_FULL) ? "FULL" : "HDRS");
	if (xtext_encode(j->options.envid, envid, sizeof(envid)) > 0)
		add(p, " ENVID=%s", envid);
}

void
params_mail(const struct talk *t, const char *body, char out[PARAMS_MAX])
{
	struct params p = { .out = out, .size = PARAMS_MAX };
	const struct job *j = t->job;

	out[0] = '\0';
	/* The size after a conversion is not known (RFC 1870 6.1: an
	 * estimate that is too small may be refused later, so say none). */
	if ((t->offers & OFFERS_SIZE) && t->reading.converted == NULL)
		add(&p, " SIZE=%llu",
		    (unsigned long long)reading_size(&t->reading));
	if (body != NULL)
		add(&p, " BODY=%s", body);
	/* A part's header may need it, which nobody has looked at. */
	if ((t->offers & OFFERS_SMTPUTF8) &&
	    ((j->flags & TX_SMTPUTF8) || params_utf8_need(j) != UTF8_NONE))
		add(&p, " SMTPUTF8");
	if ((t->offers & OFFERS_REQUIRETLS) && (j->flags & TX_REQUIRETLS))
		add(&p, " REQUIRETLS");
	add_dsn(&p, t);
	add_deadline(&p, t);
	/* RFC 6710 4.1. */
	if ((t->offers & OFFERS_PRIORITY) && j->options.priority != 0)
		add(&p, " MT-PRIORITY=%d", (int)j->options.priority - 10);
}

void
params_rcpt(const struct talk *t, unsigned rcpt, char out[PARAMS_MAX])
{
	static const struct {
		enum rcpt_notify wish;
		const char *name;
	} names[] = {
		{ NOTIFY_NEVER, "NEVER" },
		{ NOTIFY_SUCCESS, "SUCCESS" },
		{ NOTIFY_FAILURE, "FAILURE" },
		{ NOTIFY_DELAY, "DELAY" },
	};
	struct params p = { .out = out, .size = PARAMS_MAX };
	const struct job *j = t->job;
	const char *between = " NOTIFY=";
	char orcpt[ORCPT_SIZE];

	out[0] = '\0';
	if (!(t->offers & OFFERS_DSN))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (j->notify[rcpt] & names[i].wish) {
			add(&p, "%s%s", between, names[i].name);
			between = ",";
		}
	if (xtext_orcpt(j->orcpt[rcpt], t->offers & OFFERS_SMTPUTF8, orcpt,
		sizeof(orcpt)) > 0)
		add(&p, " ORCPT=%s", orcpt);
}

unsigned
params_lost(const struct talk *t)
{
	unsigned lost = 0;

	if (!(t->offers & OFFERS_DSN))
		lost |= RELAYED_NO_DSN;
	if (!(t->offers & OFFERS_DELIVERBY) && t->job->options.by != 0)
		lost |= RELAYED_NO_DELIVERBY;
	return lost;
}
