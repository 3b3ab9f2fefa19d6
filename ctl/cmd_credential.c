/*
 * cmd_credential.c - postern account app-password ..., account logins.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl/accounts.h"
#include "ctl/commands.h"
#include "ctl/credential.h"
#include "ctl/ctl.h"
#include "ctl/limits.h"
#include "ctl/operand.h"
#include "ctl/text.h"

/* clang-format off */
const struct column credential_columns[CREDENTIAL_COLUMNS] = {
	{ "label",    "label",     CELL_TEXT },
	{ "networks", "networks",  CELL_TEXT },
	{ "senders",  "senders",   CELL_TEXT },
	{ "per_day",  "a day",     CELL_LIMIT },
	{ "expires",  "expires",   CELL_SECONDS },
	{ "created",  NULL,        CELL_SECONDS },
	{ "by",       NULL,        CELL_TEXT },
	{ "last_use", "last use",  CELL_SECONDS },
	{ "last_ip",  "from",      CELL_TEXT },
	{ "key",      NULL,        CELL_TEXT },
	{ "recipients", NULL,      CELL_NUMBER },
	{ "size",     NULL,        CELL_NUMBER },
	{ "per_hour", "an hour",   CELL_LIMIT },
	{ "used_per_hour", NULL,   CELL_NUMBER },
	{ "messages_per_hour", NULL, CELL_NUMBER },
	{ "messages_per_day", NULL, CELL_NUMBER },
	{ "new_per_day", NULL,     CELL_NUMBER },
	{ "used_per_day", "used today", CELL_NUMBER },
};
const struct column login_columns[LOGIN_COLUMNS] = {
	{ "time",       "time",       CELL_SECONDS },
	{ "ip",         "from",       CELL_TEXT },
	{ "mech",       "mechanism",  CELL_TEXT },
	{ "credential", "credential", CELL_TEXT },
	{ "result",     "result",     CELL_TEXT },
};
/* clang-format on */

static int
put(char *to, size_t size, const char *flag, const char *value)
{
	if (value == NULL)
		return CODE_OK;
	if (strlen(value) >= size)
		return output_fail(
		    CODE_USAGE, "--%s: %zu bytes at most", flag, size - 1);
	strcpy(to, value);
	return CODE_OK;
}

static int
read_scope(const struct ctl *c, struct msg_account_cmd *cmd)
{
	const char *expires = args_flag(&c->args, "expires");
	uint64_t n;
	int code;

	code = put(cmd->networks, sizeof(cmd->networks), "networks",
	    args_flag(&c->args, "networks"));
	if (code == CODE_OK)
		code = put(cmd->senders, sizeof(cmd->senders), "senders",
		    args_flag(&c->args, "senders"));
	if (code == CODE_OK)
		code = limits_read(c, cmd->limit, 0, false);
	if (code == CODE_OK && expires != NULL) {
		code = operand_time("expires", expires, &n);
		cmd->expires = (uint64_t)time(NULL) + n;
	}
	return code;
}

int
credential_ask(const struct ctl *c, struct msg *m)
{
	struct msg_account_cmd *cmd = &m->u.account_cmd;
	int code = operand_address(c->args.words[0], cmd->account);

	if (code != CODE_OK)
		return code;
	if (c->args.nwords > 1) {
		if (strlen(c->args.words[1]) >= sizeof(cmd->label))
			return output_fail(
			    CODE_USAGE, "a label has 63 bytes at most");
		strcpy(cmd->label, c->args.words[1]);
	}
	return read_scope(c, cmd);
}

struct issued {
	char secret[256];
};

static void
take_secret(void *arg, const struct msg *m)
{
	struct issued *i = arg;

	if (m->type == MSG_ISSUED)
		strcpy(i->secret, m->u.issued.secret);
}

int
cmd_app_password_add(struct ctl *c)
{
	struct msg m = accounts_ask(APP_PASSWORD_ADD);
	struct issued issued = { "" };
	struct msg_cmd_done done;
	struct daemon line;
	int code = credential_ask(c, &m);

	if (code != CODE_OK || (code = accounts_open(&line, c)) != CODE_OK)
		return code;
	code = daemon_call(&line, &m, take_secret, &issued, &done);
	daemon_close(&line);
	if (code == CODE_OK) {
		output_note("%s", done.text);
		if (c->out.mode == OUTPUT_JSON)
			output_document(json_pack("{s:s, s:o, s:s}", "account",
			    m.u.account_cmd.account, "label",
			    output_string(m.u.account_cmd.label), "password",
			    issued.secret));
		else
			printf("%s\n", issued.secret);
	}
	explicit_bzero(&issued, sizeof(issued));
	return code;
}

int
credential_revoke(struct ctl *c, enum account_verb verb)
{
	struct msg m = accounts_ask(verb);
	struct daemon line;
	int code = credential_ask(c, &m);

	if (code == CODE_OK && (code = accounts_open(&line, c)) == CODE_OK)
		code = accounts_change(&line, &m);
	return code;
}

int
cmd_app_password_revoke(struct ctl *c)
{
	return credential_revoke(c, APP_PASSWORD_REVOKE);
}

void
credential_cells(
    const struct msg_credential_row *r, struct cell cells[CREDENTIAL_COLUMNS])
{
	const struct cell filled[CREDENTIAL_COLUMNS] = {
		{ .text = r->label },
		{ .text = r->networks },
		{ .text = r->senders },
		{ .n = r->limit[LIMIT_DAY] },
		{ .n = r->expires },
		{ .n = r->created },
		{ .text = r->by },
		{ .n = r->last_use },
		{ .text = r->last_ip },
		{ .text = r->key },
		{ .n = r->limit[LIMIT_RECIPIENTS] },
		{ .n = r->limit[LIMIT_SIZE] },
		{ .n = r->limit[LIMIT_HOUR] },
		{ .n = r->used[LIMIT_HOUR] },
		{ .n = r->limit[LIMIT_MESSAGES_HOUR] },
		{ .n = r->limit[LIMIT_MESSAGES_DAY] },
		{ .n = r->limit[LIMIT_NEW] },
		{ .n = r->used[LIMIT_DAY] },
	};

	memcpy(cells, filled, sizeof(filled));
}

static void
list_row(void *arg, const struct msg *m)
{
	struct cell cells[CREDENTIAL_COLUMNS];

	if (m->type != MSG_CREDENTIAL_ROW)
		return;
	credential_cells(&m->u.credential_row, cells);
	output_row(arg, cells);
}

/* Ask for rows of one account, and print them. */
static int
print_rows(struct ctl *c, enum account_verb verb, const struct column *cols,
    size_t ncols, daemon_row_fn *row, const char *empty)
{
	struct msg m = accounts_ask(verb);
	struct daemon line;
	int code = credential_ask(c, &m);

	if (code != CODE_OK || (code = accounts_open(&line, c)) != CODE_OK)
		return code;
	output_begin(&c->out, cols, ncols);
	code = daemon_call(&line, &m, row, &c->out, NULL);
	output_end(&c->out, code == CODE_OK ? empty : NULL);
	daemon_close(&line);
	return code;
}

int
credential_list(struct ctl *c, enum account_verb verb, const char *empty)
{
	return print_rows(
	    c, verb, credential_columns, CREDENTIAL_COLUMNS, list_row, empty);
}

int
cmd_app_password_list(struct ctl *c)
{
	return credential_list(c, APP_PASSWORD_LIST, "no app passwords");
}

void
login_cells(const struct msg_login_row *r, struct cell cells[LOGIN_COLUMNS])
{
	const struct cell filled[LOGIN_COLUMNS] = {
		{ .n = r->time },
		{ .text = r->ip },
		{ .text = r->mech },
		{ .text = r->credential },
		{ .text = r->result },
	};

	memcpy(cells, filled, sizeof(filled));
}

static void
login_row(void *arg, const struct msg *m)
{
	struct cell cells[LOGIN_COLUMNS];

	if (m->type != MSG_LOGIN_ROW)
		return;
	login_cells(&m->u.login_row, cells);
	output_row(arg, cells);
}

int
cmd_account_logins(struct ctl *c)
{
	return print_rows(c, ACCOUNT_LOGINS, login_columns, LOGIN_COLUMNS,
	    login_row, "no logins yet");
}
