/*
 * outcome.c - see outcome.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "deliver/outcome.h"

struct outcome
outcome_make(enum verdict verdict, enum scope scope, int code,
    const char *status, const char *fmt, ...)
{
	static const char class[V_COUNT] = {
		[V_OK] = '2', [V_TEMP] = '4', [V_PERM] = '5'
	};
	struct outcome o;
	va_list ap;

	o.verdict = verdict;
	o.scope = scope;
	o.code = code;
	o.relayed = 0;
	o.uncertain = false;
	o.signs = 0;
	o.mx[0] = o.tls[0] = o.cipher[0] = o.policy[0] = '\0';
	snprintf(o.status, sizeof(o.status), "%s", status);
	o.status[0] = class[verdict];
	va_start(ap, fmt);
	vsnprintf(o.text, sizeof(o.text), fmt, ap);
	va_end(ap);
	return o;
}

void
outcome_soften(struct outcome *o)
{
	if (o->verdict != V_PERM)
		return;
	o->verdict = V_TEMP;
	o->status[0] = '4';
}

bool
outcome_equal(const struct outcome *a, const struct outcome *b)
{
	return a->verdict == b->verdict && a->scope == b->scope &&
	    a->code == b->code && a->relayed == b->relayed &&
	    a->uncertain == b->uncertain && strcmp(a->status, b->status) == 0 &&
	    a->signs == b->signs && strcmp(a->text, b->text) == 0 &&
	    strcmp(a->mx, b->mx) == 0 && strcmp(a->tls, b->tls) == 0 &&
	    strcmp(a->cipher, b->cipher) == 0 &&
	    strcmp(a->policy, b->policy) == 0;
}
