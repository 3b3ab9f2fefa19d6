/*
 * cmd_limits.c - postern account limits.
 */
#include "ctl/accounts.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/limits.h"
#include "ctl/operand.h"

static void
print_row(struct ctl *c, const struct msg_limits_row *r, enum limit l)
{
	struct cell cells[LIMITS_COLUMNS];

	limits_cells(r, l, c->out.mode == OUTPUT_HUMAN, cells);
	output_row(&c->out, cells);
}

static void
show(void *arg, const struct msg *m)
{
	if (m->type == MSG_LIMITS_ROW)
		for (int l = 0; l < LIMITS; l++)
			print_row(arg, &m->u.limits_row, (enum limit)l);
}

int
cmd_account_limits(struct ctl *c)
{
	struct msg m = accounts_ask(ACCOUNT_LIMITS);
	struct msg_account_cmd *cmd = &m.u.account_cmd;
	struct daemon line;
	int code = operand_address(c->args.words[0], cmd->account);

	if (code == CODE_OK)
		code = limits_read(c, cmd->limit, LIMIT_AS_IT_IS, true);
	for (int l = 0; l < LIMITS && code == CODE_OK; l++)
		if (cmd->limit[l] != LIMIT_AS_IT_IS)
			cmd->verb = ACCOUNT_LIMIT;
	if (code != CODE_OK || (code = accounts_open(&line, c)) != CODE_OK)
		return code;
	if (cmd->verb == ACCOUNT_LIMIT) {
		code = accounts_change(&line, &m);
		/* A program hears what they are now. */
		if (code != CODE_OK || c->out.mode == OUTPUT_HUMAN ||
		    (code = accounts_open(&line, c)) != CODE_OK)
			return code;
		cmd->verb = ACCOUNT_LIMITS;
	}
	output_begin(&c->out, limits_columns, LIMITS_COLUMNS);
	code = daemon_call(&line, &m, show, c, NULL);
	output_end(&c->out, NULL);
	daemon_close(&line);
	return code;
}
