/*
 * cmd_limits.c - postern account limits.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ctl/accounts.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/operand.h"

#define MOST 1000000000

/* clang-format off */
static const struct {
	const char *flag, *key, *what;
} limits[LIMITS] = {
[LIMIT_RECIPIENTS]    = { "recipients",        "recipients",        "recipients in one message" },
[LIMIT_SIZE]          = { "size",              "size",              "octets in one message" },
[LIMIT_HOUR]          = { "per-hour",          "per_hour",          "recipients an hour" },
[LIMIT_DAY]           = { "per-day",           "per_day",           "recipients a day" },
[LIMIT_MESSAGES_HOUR] = { "messages-per-hour", "messages_per_hour", "messages an hour" },
[LIMIT_MESSAGES_DAY]  = { "messages-per-day",  "messages_per_day",  "messages a day" },
[LIMIT_NEW]           = { "new-per-day",       "new_per_day",       "new recipients a day" },
};

static const struct column columns[] = {
	{ "limit", "limit", CELL_TEXT },
	{ "value", "value", CELL_NUMBER },
	{ "used",  "used",  CELL_NUMBER },
	{ "own",   NULL,    CELL_BOOL },
	{ "from",  "from",  CELL_TEXT },
};
/* clang-format on */

static int
read_size(const char *text, uint64_t *out)
{
	static const char units[] = "KMG";
	const char *unit;
	char *end;

	*out = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *out == 0 || *out > MOST)
		return output_fail(CODE_USAGE, "--size needs a size like 10M");
	unit = *end == '\0' ? NULL : strchr(units, *end & ~0x20);
	if (*end != '\0' && (unit == NULL || end[1] != '\0'))
		return output_fail(CODE_USAGE, "--size needs a size like 10M");
	if (unit != NULL)
		*out <<= 10 * (unit - units + 1);
	return CODE_OK;
}

static int
read_limit(enum limit l, const char *text, uint64_t *out)
{
	if (text == NULL) {
		*out = LIMIT_AS_IT_IS;
		return CODE_OK;
	}
	if (strcmp(text, "default") == 0) {
		*out = 0;
		return CODE_OK;
	}
	if (l == LIMIT_SIZE)
		return read_size(text, out);
	return operand_number(
	    limits[l].flag, text, 1, l == LIMIT_RECIPIENTS ? 10000 : MOST, out);
}

static void
print_row(struct ctl *c, const struct msg_limits_row *r, enum limit l)
{
	bool own = r->own & 1u << l, timed = l > LIMIT_SIZE;
	const struct cell cells[] = {
		{ .text = c->out.mode == OUTPUT_HUMAN ? limits[l].what
						      : limits[l].key },
		{ .n = r->limit[l] },
		{ .n = r->used[l] },
		{ .n = own },
		{ .text = own                    ? "the account"
			: r->young != 0 && timed ? "[limits], half: it is new"
						 : "[limits]" },
	};

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

	for (int l = 0; l < LIMITS && code == CODE_OK; l++) {
		code = read_limit((enum limit)l,
		    args_flag(&c->args, limits[l].flag), &cmd->limit[l]);
		if (cmd->limit[l] != LIMIT_AS_IT_IS)
			cmd->verb = ACCOUNT_LIMIT;
	}
	if (code != CODE_OK || (code = accounts_open(&line, c)) != CODE_OK)
		return code;
	if (cmd->verb == ACCOUNT_LIMIT)
		return accounts_change(&line, &m);
	output_begin(&c->out, columns, sizeof(columns) / sizeof(columns[0]));
	code = accounts_read(&line, &m, show, c);
	output_end(&c->out, NULL);
	daemon_close(&line);
	return code;
}
