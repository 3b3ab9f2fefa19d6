/*
 * cmd_dkim.c - postern dkim add, list, retire.
 */
#include <string.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/dkim_keys.h"
#include "ctl/operand.h"
#include "ctl/text.h"

/* clang-format off */
static const struct column columns[] = {
	{ "domain",    "domain",    CELL_TEXT },
	{ "selector",  "selector",  CELL_TEXT },
	{ "algorithm", "algorithm", CELL_TEXT },
	{ "state",     "state",     CELL_TEXT },
	{ "changed",   "since",     CELL_SECONDS },
	{ "created",   NULL,        CELL_SECONDS },
	{ "by",        NULL,        CELL_TEXT },
	{ "name",      NULL,        CELL_TEXT },
	{ "value",     NULL,        CELL_TEXT },
};
/* clang-format on */

static void
say(const struct msg_cmd_done *done)
{
	char text[sizeof(done->text) * 4];

	output_note("%s", text_clean(text, sizeof(text), done->text));
}

static int
kinds(const struct ctl *c, uint32_t *out)
{
	const char *only = args_flag(&c->args, "only");

	*out = 0;
	if (only == NULL)
		return CODE_OK;
	for (uint32_t a = 0; a < DKIM_ALGORITHMS; a++)
		if (strcmp(only, dkim_algorithm_name(a)) == 0)
			*out = 1u << a;
	return *out != 0 ? CODE_OK
			 : output_fail(CODE_USAGE,
			       "--only needs a kind of key: ed25519 or rsa");
}

int
cmd_dkim_add(struct ctl *c)
{
	struct msg_dkim_cmd cmd = { .verb = DKIM_ADD };
	struct dkim_keys keys;
	struct msg_cmd_done done;
	int code = operand_domain(c->args.words[0], cmd.domain);

	if (code == CODE_OK)
		code = kinds(c, &cmd.kinds);
	if (code != CODE_OK)
		return code;
	code = dkim_keys_ask(c, &cmd, &keys, &done);
	if (code == CODE_OK) {
		say(&done);
		output_note("publish these now; until DNS shows them, other "
			    "servers take the mail as unsigned:");
		dkim_keys_print(c, cmd.domain, &keys, 1u << DKIM_ACTIVE);
	}
	dkim_keys_clear(&keys);
	return code;
}

int
cmd_dkim_retire(struct ctl *c)
{
	bool all = args_flag(&c->args, "all") != NULL;
	struct msg_dkim_cmd cmd = { .verb = all ? DKIM_REMOVE : DKIM_RETIRE,
		.force = args_flag(&c->args, "force") != NULL };
	struct dkim_keys keys;
	struct msg_cmd_done done;
	int code = operand_domain(c->args.words[0], cmd.domain);

	if (code != CODE_OK)
		return code;
	code = dkim_keys_ask(c, &cmd, &keys, &done);
	if (code == CODE_OK) {
		say(&done);
		if (c->out.mode == OUTPUT_JSON)
			dkim_keys_print(c, cmd.domain, &keys, 0);
	}
	dkim_keys_clear(&keys);
	return code;
}

static void
print_row(struct output *o, const struct msg_dkim_row *r)
{
	char name[DKIM_NAME], value[DKIM_VALUE];
	const struct cell cells[] = {
		{ .text = r->domain },
		{ .text = r->selector },
		{ .text = dkim_algorithm_name(r->algorithm) },
		{ .text = dkim_state_name(r->state) },
		{ .n = r->changed },
		{ .n = r->created },
		{ .text = r->by },
		{ .text = name },
		{ .text = value },
	};

	dkim_record(r, name, value);
	output_row(o, cells);
}

int
cmd_dkim_list(struct ctl *c)
{
	struct msg_dkim_cmd cmd = { .verb = DKIM_LIST };
	struct dkim_keys keys;
	int code = CODE_OK;

	if (c->args.nwords > 0)
		code = operand_domain(c->args.words[0], cmd.domain);
	if (code != CODE_OK)
		return code;
	code = dkim_keys_ask(c, &cmd, &keys, NULL);
	if (code == CODE_OK) {
		output_begin(
		    &c->out, columns, sizeof(columns) / sizeof(columns[0]));
		for (size_t i = 0; i < keys.n; i++)
			print_row(&c->out, &keys.rows[i]);
		output_end(
		    &c->out, "no keys; \"postern dkim add DOMAIN\" makes some");
	}
	dkim_keys_clear(&keys);
	return code;
}
