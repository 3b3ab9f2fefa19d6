/*
 * cmd_guard.c - postern guard explain.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl/accounts.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/operand.h"
#include "ctl/text.h"

static void
show(void *arg, const struct msg *m)
{
	const struct msg_status_row *r = &m->u.status_row;
	char key[sizeof(r->key) + 8], value[1200], *last;
	json_t *all = arg;

	if (m->type != MSG_STATUS_ROW)
		return;
	if (all != NULL) {
		json_object_set_new(all, r->key,
		    r->numeric
			? json_integer((json_int_t)strtoull(r->value, NULL, 10))
			: output_string(r->value));
		return;
	}
	if (r->value[0] == '\0')
		return;
	strcpy(key, r->key);
	for (char *p = key; *p != '\0'; p++)
		if (*p == '_')
			*p = ' ';
	if ((last = strrchr(key, ' ')) != NULL && strcmp(last, " most") == 0)
		strcpy(last, " at most");
	printf("%-24s %s\n", key, text_clean(value, sizeof(value), r->value));
}

int
cmd_guard_explain(struct ctl *c)
{
	struct msg m = accounts_ask(GUARD_EXPLAIN);
	json_t *all = c->out.mode == OUTPUT_JSON ? json_object() : NULL;
	struct daemon line;
	int code = operand_address(c->args.words[0], m.u.account_cmd.account);

	if (code == CODE_OK && (code = accounts_open(&line, c)) == CODE_OK) {
		code = daemon_call(&line, &m, show, all, NULL);
		daemon_close(&line);
	}
	if (code == CODE_OK && all != NULL)
		output_document(json_incref(all));
	json_decref(all);
	return code;
}
