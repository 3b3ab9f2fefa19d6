/*
 * cmd_account_list.c - postern account list.
 */
#include <string.h>

#include "ctl/account_row.h"
#include "ctl/accounts.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"

/* clang-format off */
const struct column account_columns[ACCOUNT_COLUMNS] = {
	{ "account",    "account",    CELL_TEXT },
	{ "state",      "state",      CELL_TEXT },
	{ "reason",     NULL,         CELL_TEXT },
	{ "by",         NULL,         CELL_TEXT },
	{ "since",      NULL,         CELL_SECONDS },
	{ "created",    NULL,         CELL_SECONDS },
	{ "last_login", "last login", CELL_SECONDS },
	{ "last_ip",    "from",       CELL_TEXT },
	{ "password",   "password",   CELL_TEXT },
	{ "weak",       NULL,         CELL_BOOL },
	{ "grant_count", NULL,         CELL_NUMBER },
	{ "sent_hour",  NULL,         CELL_NUMBER },
	{ "sent_day",   "sent today", CELL_NUMBER },
	{ "legacy",     NULL,         CELL_BOOL },
};
/* clang-format on */

#define NO_ACCOUNTS "no accounts; \"postern account add ADDRESS\" makes one"

const char *
account_state(uint32_t state)
{
	static const char *const names[ACC_STATES] = {
		[ACC_ACTIVE] = "active",
		[ACC_SUSPENDED] = "suspended",
		[ACC_REMOVED] = "removed",
	};

	return state < ACC_STATES ? names[state] : "unknown";
}

void
account_cells(
    const struct msg_account_row *r, struct cell cells[ACCOUNT_COLUMNS])
{
	const struct cell filled[ACCOUNT_COLUMNS] = {
		{ .text = r->account },
		{ .text = account_state(r->state) },
		{ .text = r->reason },
		{ .text = r->by },
		{ .n = r->since },
		{ .n = r->created },
		{ .n = r->last_login },
		{ .text = r->last_ip },
		{ .text = r->hash },
		{ .n = r->weak },
		{ .n = r->grants },
		{ .n = r->sent_hour },
		{ .n = r->sent_day },
		{ .n = r->legacy },
	};

	memcpy(cells, filled, sizeof(filled));
}

static void
list_row(void *arg, const struct msg *m)
{
	struct ctl *c = arg;
	struct cell cells[ACCOUNT_COLUMNS];

	if (m->type != MSG_ACCOUNT_ROW ||
	    (args_flag(&c->args, "weak") != NULL && !m->u.account_row.weak))
		return;
	account_cells(&m->u.account_row, cells);
	output_row(&c->out, cells);
}

int
cmd_account_list(struct ctl *c)
{
	struct msg m = accounts_ask(ACCOUNT_LIST);
	struct daemon line;
	int code = accounts_open(&line, c);

	if (code != CODE_OK)
		return code;
	output_begin(&c->out, account_columns, ACCOUNT_COLUMNS);
	code = daemon_call(&line, &m, list_row, c, NULL);
	output_end(&c->out,
	    code != CODE_OK ? NULL
		: args_flag(&c->args, "weak") != NULL
		? "no account has a weak hash"
		: NO_ACCOUNTS);
	daemon_close(&line);
	return code;
}
