/*
 * cmd_grant.c - postern grant ...
 */
#include <string.h>

#include "ctl/accounts.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/operand.h"

/* clang-format off */
static const struct column columns[] = {
	{ "account", "account",     CELL_TEXT },
	{ "address", "may send as", CELL_TEXT },
	{ "by",      "granted by",  CELL_TEXT },
	{ "created", "since",       CELL_SECONDS },
};
/* clang-format on */

static int
change(struct ctl *c, enum account_verb verb)
{
	struct msg m = accounts_ask(verb);
	struct msg_account_cmd *cmd = &m.u.account_cmd;
	char sender[ADDR_SIZE];
	struct daemon line;
	int code;

	code = operand_address(c->args.words[0], cmd->account);
	if (code == CODE_OK)
		code = operand_sender(c->args.words[1], sender);
	if (code != CODE_OK)
		return code;
	memcpy(cmd->arg, sender, sizeof(sender));
	if ((code = accounts_open(&line, c)) == CODE_OK)
		code = accounts_change(&line, &m);
	return code;
}

int
cmd_grant_add(struct ctl *c)
{
	return change(c, GRANT_ADD);
}

int
cmd_grant_remove(struct ctl *c)
{
	return change(c, GRANT_REMOVE);
}

static void
list_row(void *arg, const struct msg *m)
{
	const struct msg_grant_row *r = &m->u.grant_row;
	const struct cell cells[] = {
		{ .text = r->account },
		{ .text = r->address },
		{ .text = r->by },
		{ .n = r->created },
	};

	if (m->type == MSG_GRANT_ROW)
		output_row(arg, cells);
}

int
cmd_grant_list(struct ctl *c)
{
	struct msg m = accounts_ask(GRANT_LIST);
	struct daemon line;
	int code;

	if (c->args.nwords > 0 &&
	    (code = operand_address(
		 c->args.words[0], m.u.account_cmd.account)) != CODE_OK)
		return code;
	if ((code = accounts_open(&line, c)) != CODE_OK)
		return code;
	output_begin(&c->out, columns, sizeof(columns) / sizeof(columns[0]));
	code = daemon_call(&line, &m, list_row, &c->out, NULL);
	output_end(&c->out, code == CODE_OK ? "no grants" : NULL);
	daemon_close(&line);
	return code;
}
