/*
 * verdict.c - see verdict.h.
 */
#include <assert.h>
#include <string.h>

#include "ipc/verdict.h"
#include "lib/conf.h"

static_assert(sizeof(((struct msg_conn_verdict *)0)->text) == SCREEN_TEXT,
    "the text of a rule fits");

void
verdict_set(struct msg_conn_verdict *v, const struct screen_match *m)
{
	memset(v, 0, sizeof(*v));
	v->action = SCREEN_ALLOW;
	v->unsure = m->unsure;
	if (m->rule == NULL)
		return;
	v->action = m->rule->action;
	v->line = (uint32_t)m->rule->line;
	screen_text(m->rule, v->text);
	conf_rule_print(m->rule, v->rule, sizeof(v->rule));
}
