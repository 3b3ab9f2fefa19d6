/*
 * import_report.c - see import_report.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/import_report.h"
#include "ctl/text.h"
#include "lib/code.h"

/* clang-format off */
static const struct column columns[] = {
	{ "account", "account", CELL_TEXT },
	{ "address", NULL,      CELL_TEXT },
	{ "action",  "action",  CELL_TEXT },
	{ "hash",    "hash",    CELL_TEXT },
	{ "weak",    NULL,      CELL_BOOL },
	{ "why",     NULL,      CELL_TEXT },
};
static const struct column kind_columns[] = {
	{ "hash",     "hash",     CELL_TEXT },
	{ "accounts", "accounts", CELL_NUMBER },
	{ "weak",     "note",     CELL_TEXT },
};
/* clang-format on */

void
report_begin(struct report *r, struct output *o, bool dry, bool grants)
{
	memset(r, 0, sizeof(*r));
	r->out = o;
	r->dry = dry;
	r->grants = grants;
	if (dry && o->mode != OUTPUT_HUMAN)
		output_begin(o, columns, sizeof(columns) / sizeof(columns[0]));
}

static void
count_kind(struct report *r, const struct msg_import_row *row)
{
	size_t i = 0;

	while (i < r->nkinds && strcmp(r->kinds[i].hash, row->hash) != 0)
		i++;
	if (i == REPORT_KINDS)
		return;
	if (i == r->nkinds) {
		r->nkinds++;
		strcpy(r->kinds[i].hash, row->hash);
		r->kinds[i].weak = row->weak;
	}
	r->kinds[i].n++;
	if (!row->weak)
		return;
	r->weak++;
	if (r->nnamed < REPORT_NAMED)
		snprintf(r->named[r->nnamed++], sizeof(r->named[0]), "%s (%s)",
		    row->account, row->hash);
}

static void
count(struct report *r, const struct msg_import_row *row)
{
	if (strcmp(row->action, "add") == 0)
		r->added++;
	else if (strcmp(row->action, "update") == 0)
		r->updated++;
	else if (strcmp(row->action, "exists") == 0)
		r->existed++;
	else if (strcmp(row->action, "left out") == 0)
		r->left_out++;
}

void
report_row(void *arg, const struct msg *m)
{
	struct report *r = arg;
	const struct msg_import_row *row = &m->u.import_row;
	const struct cell cells[] = {
		{ .text = row->account },
		{ .text = row->address },
		{ .text = row->action },
		{ .text = row->hash },
		{ .n = row->weak },
		{ .text = row->why },
	};
	char clean[4 * ADDR_SIZE];

	if (m->type != MSG_IMPORT_ROW)
		return;
	if (strcmp(row->action, "refused") == 0) {
		r->refused++;
		output_note("line %u: %s: %s", row->line,
		    text_clean(clean, sizeof(clean), row->account), row->why);
		return;
	}
	if (!r->grants && strcmp(row->action, "left out") == 0)
		output_note("line %u: %s is left out: %s", row->line,
		    text_clean(clean, sizeof(clean), row->account), row->why);
	count(r, row);
	if (row->hash[0] != '\0')
		count_kind(r, row);
	if (r->dry && r->out->mode != OUTPUT_HUMAN)
		output_row(r->out, cells);
}

static void
print_kinds(struct report *r)
{
	output_begin(r->out, kind_columns, 3);
	for (size_t i = 0; i < r->nkinds; i++)
		output_row(r->out,
		    (struct cell[]){ { .text = r->kinds[i].hash },
			{ .n = r->kinds[i].n },
			{ .text = r->kinds[i].weak
				? "weak: becomes yescrypt at the first login"
				: "" } });
	output_end(r->out, NULL);
}

static void
print_dry(struct report *r)
{
	char clean[4 * (ADDR_SIZE + 32)];

	if (!r->grants)
		print_kinds(r);
	for (size_t i = 0; i < r->nnamed; i++)
		output_note(
		    "weak: %s", text_clean(clean, sizeof(clean), r->named[i]));
	if (r->weak > r->nnamed)
		output_note("... and %" PRIu64 " more; --plain lists all",
		    r->weak - r->nnamed);
	output_note("would add %" PRIu64 " %s, update %" PRIu64
		    ", leave alone %" PRIu64 " that exist, leave out %" PRIu64
		    " (--plain lists each); nothing was changed",
	    r->added, r->grants ? "grants" : "accounts", r->updated, r->existed,
	    r->left_out);
}

int
report_end(struct report *r, const struct msg_cmd_done *done)
{
	char text[sizeof(done->text) * 4];

	if (r->dry && r->out->mode != OUTPUT_HUMAN)
		output_end(r->out, NULL);
	if (done->exit_code != CODE_OK)
		return daemon_settle(done);
	if (r->dry && r->refused > 0)
		return output_fail(CODE_NO,
		    "it would be refused: %" PRIu64 " entries are not good",
		    r->refused);
	if (r->dry && r->out->mode == OUTPUT_HUMAN)
		print_dry(r);
	else if (!r->dry)
		output_note("%s", text_clean(text, sizeof(text), done->text));
	return CODE_OK;
}
