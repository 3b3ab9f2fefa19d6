/*
 * talk_steps.c - what all steps do: say, weigh an answer, and blame.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "deliver/talk_steps.h"

void
talk_say(struct talk *t, const char *fmt, ...)
{
	char *line = buf_reserve(t->out, 1024);
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, 1022, fmt, ap);
	va_end(ap);
	assert(n >= 0 && n < 1022);
	memcpy(line + n, "\r\n", 2);
	buf_commit(t->out, (size_t)n + 2);
}

int
talk_class(const struct talk *t)
{
	return t->reply.code / 100;
}

void
talk_sign(const struct talk *t, struct outcome *o)
{
	memcpy(o->mx, t->rules.mx, sizeof(o->mx));
	memcpy(o->tls, t->tls, sizeof(o->tls));
	memcpy(o->cipher, t->cipher, sizeof(o->cipher));
	snprintf(o->policy, sizeof(o->policy), "%s",
	    t->tls[0] != '\0' ? t->rules.policy : "none");
}

struct outcome
talk_outcome(const struct talk *t, enum scope scope)
{
	static const enum verdict by_class[] = {
		[2] = V_OK, [3] = V_TEMP, [4] = V_TEMP, [5] = V_PERM
	};
	const struct reply *r = &t->reply;
	struct outcome o;

	o = outcome_make(by_class[r->code / 100], scope, r->code,
	    r->status[0] != '\0' ? r->status : status_default(r->code), "%s",
	    r->text);
	talk_sign(t, &o);
	return o;
}

void
talk_blame(struct talk *t, const struct outcome *o)
{
	if (t->failed)
		return;
	t->failed = true;
	t->failure = *o;
	talk_sign(t, &t->failure);
}

void
talk_blame_reply(struct talk *t)
{
	struct outcome o = talk_outcome(t, SCOPE_DEST);

	talk_blame(t, &o);
}

enum heard
talk_absurd(struct talk *t)
{
	struct outcome o;

	o = outcome_make(V_TEMP, t->dirty ? SCOPE_RCPT : SCOPE_DEST,
	    t->reply.code, "4.5.0", "protocol error: %d %.300s", t->reply.code,
	    t->reply.text);
	talk_blame(t, &o);
	return HEARD_FAIL;
}
