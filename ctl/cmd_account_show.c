/*
 * cmd_account_show.c - postern account list, postern account show.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/accounts.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/operand.h"
#include "ctl/text.h"

/* clang-format off */
static const struct column columns[] = {
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
#define COLUMNS     (sizeof(columns) / sizeof(columns[0]))

static const char *
state_name(uint32_t state)
{
	static const char *const names[ACC_STATES] = {
		[ACC_ACTIVE] = "active",
		[ACC_SUSPENDED] = "suspended",
		[ACC_REMOVED] = "removed",
	};

	return state < ACC_STATES ? names[state] : "unknown";
}

/* In the order of columns[]. */
static void
fill(const struct msg_account_row *r, struct cell cells[COLUMNS])
{
	const struct cell filled[COLUMNS] = {
		{ .text = r->account },
		{ .text = state_name(r->state) },
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
	struct cell cells[COLUMNS];

	if (m->type != MSG_ACCOUNT_ROW ||
	    (args_flag(&c->args, "weak") != NULL && !m->u.account_row.weak))
		return;
	fill(&m->u.account_row, cells);
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
	output_begin(&c->out, columns, COLUMNS);
	code = accounts_read(&line, &m, list_row, c);
	output_end(&c->out,
	    code != CODE_OK ? NULL
		: args_flag(&c->args, "weak") != NULL
		? "no account has a weak hash"
		: NO_ACCOUNTS);
	daemon_close(&line);
	return code;
}

struct page {
	struct msg_account_row row;
	json_t *grants;
	char may_send[1000];
	bool found;
};

static void
page_row(void *arg, const struct msg *m)
{
	struct page *p = arg;
	char clean[ADDR_SIZE * 4];
	size_t n = strlen(p->may_send);

	if (m->type == MSG_ACCOUNT_ROW) {
		p->row = m->u.account_row;
		p->found = true;
	} else if (m->type == MSG_GRANT_ROW) {
		json_array_append_new(
		    p->grants, output_string(m->u.grant_row.address));
		text_clean(clean, sizeof(clean), m->u.grant_row.address);
		snprintf(p->may_send + n, sizeof(p->may_send) - n, "%s%s",
		    n > 0 ? ", " : "", clean);
	}
}

static void
print_state(const struct output *o, const struct msg_account_row *r)
{
	bool good = r->state == ACC_ACTIVE;
	char by[512], reason[800], since[TEXT_SHORT];

	if (good) {
		output_field(o, "state", "%sactive%s", output_on(o, TONE_GOOD),
		    output_off(o));
		return;
	}
	output_field(o, "state", "%s%s%s since %s by %s",
	    output_on(o, TONE_BAD), state_name(r->state), output_off(o),
	    text_time(since, r->since), text_clean(by, sizeof(by), r->by));
	output_field(
	    o, "reason", "%s", text_clean(reason, sizeof(reason), r->reason));
	output_field(o, "undo", "postern account resume %s", r->account);
}

static void
print_page(const struct ctl *c, const struct page *p)
{
	const struct output *o = &c->out;
	const struct msg_account_row *r = &p->row;
	const struct conf *conf = c->settings.conf;
	char text[TEXT_SHORT];

	output_field(o, "address", "%s", r->account);
	print_state(o, r);
	output_field(o, "may send as", "%s", p->may_send);
	output_field(o, "limits", "%u recipients an hour, %u a day",
	    conf->rcpts_hour, conf->rcpts_day);
	output_field(o, "password", "%s%s", r->hash,
	    r->weak ? " (weak; made anew at the next login)" : "");
	if (r->legacy)
		output_field(o, "old devices",
		    "may log in at listeners with \"legacy = yes\"");
	output_field(o, "last login", "%s%s%s", text_time(text, r->last_login),
	    r->last_login != 0 ? " from " : "",
	    r->last_login != 0 ? r->last_ip : "");
	output_field(o, "sent", "%u recipients in the last hour, %u in a day",
	    r->sent_hour, r->sent_day);
	output_field(o, "created", "%s", text_time(text, r->created));
	output_field(o, "queue", "postern queue list --account %s", r->account);
}

static void
print_json(const struct page *p)
{
	struct cell cells[COLUMNS];
	json_t *j;

	fill(&p->row, cells);
	j = output_object(columns, COLUMNS, cells);
	json_object_set(j, "may_send", p->grants);
	output_document(j);
}

int
cmd_account_show(struct ctl *c)
{
	struct msg show = accounts_ask(ACCOUNT_SHOW);
	struct page page = { .grants = json_array() };
	struct daemon line;
	int code;

	code = operand_address(c->args.words[0], show.u.account_cmd.account);
	if (code != CODE_OK || (code = accounts_open(&line, c)) != CODE_OK)
		goto out;
	code = accounts_read(&line, &show, page_row, &page);
	daemon_close(&line);
	if (code == CODE_OK && page.found) {
		if (c->out.mode == OUTPUT_JSON)
			print_json(&page);
		else
			print_page(c, &page);
	}
out:
	json_decref(page.grants);
	return code;
}
