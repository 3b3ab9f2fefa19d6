/*
 * cmd_dns.c - postern dns: the records that a domain is to have, and with
 * --check what is wrong with those it has.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/dns_check.h"
#include "ctl/operand.h"
#include "ctl/text.h"
#include "ctl/zone.h"

enum format { FORMAT_TABLE, FORMAT_ZONE, FORMAT_JSON };

/* clang-format off */
static const struct column columns[] = {
	{ "need",  "need",   CELL_TEXT },
	{ "type",  "type",   CELL_TEXT },
	{ "name",  "name",   CELL_TEXT },
	{ "value", "value",  CELL_TEXT },
	{ "why",   "for",    CELL_TEXT },
};

static const struct column checked[] = {
	{ "result", "result", CELL_TEXT },
	{ "need",   "need",  CELL_TEXT },
	{ "type",   "type",  CELL_TEXT },
	{ "name",   "name",  CELL_TEXT },
	{ "have",   "have",  CELL_TEXT },
	{ "want",   "want",  CELL_TEXT },
	{ "why",    "for",   CELL_TEXT },
};
/* clang-format on */

struct dns {
	struct ctl *c;
	enum format format;
	char domain[256];
	struct lookup lookup;
	struct addresses addresses;
	struct plan plan;
	unsigned problems, good;
};

static int
read_format(struct dns *d)
{
	static const char *const names[] = { "table", "zone", "json" };
	const char *format = args_flag(&d->c->args, "format");

	d->format = d->c->out.mode == OUTPUT_JSON ? FORMAT_JSON : FORMAT_TABLE;
	if (format == NULL)
		return CODE_OK;
	for (int i = 0; i < 3; i++)
		if (strcmp(format, names[i]) == 0) {
			d->format = (enum format)i;
			if (d->format == FORMAT_JSON)
				d->c->out.mode = OUTPUT_JSON;
			return CODE_OK;
		}
	return output_fail(
	    CODE_USAGE, "--format needs one of table, zone and json");
}

static void
find_addresses(struct dns *d, unsigned type)
{
	struct addresses *a = &d->addresses;
	struct found f;

	lookup_ask(&d->lookup, d->c->settings.conf->hostname, type, &f);
	for (size_t i = 0; i < f.n && a->n < 8; i++)
		snprintf(
		    a->list[a->n++], sizeof(a->list[0]), "%.45s", f.texts[i]);
	found_clear(&f);
}

/* The line to the resolver; for a list without --check it may be missing. */
static int
open_lookup(struct dns *d, bool check)
{
	int code = CODE_OK;

	if (check || daemon_running(&d->c->settings))
		code = lookup_open(&d->lookup, d->c);
	if (code == CODE_OK && d->lookup.open) {
		find_addresses(d, TYPE_A);
		find_addresses(d, TYPE_AAAA);
	}
	return code;
}

static void
print_zone(const struct dns *d)
{
	for (size_t i = 0; i < d->plan.n; i++) {
		const struct wish *w = &d->plan.wishes[i];

		printf("; %s: %s\n", need_name(w->need), w->why);
		if (w->value[0] == '(')
			printf("; %s. %s %s\n", w->name, w->type, w->value);
		else
			zone_print(w->name, w->type, w->value);
	}
}

/* For people the reason stands below, for values are long. */
static void
print_page(const struct dns *d)
{
	for (size_t i = 0; i < d->plan.n; i++) {
		const struct wish *w = &d->plan.wishes[i];

		printf("%-9s %-5s %s\n          %s\n          %sfor   %s%s\n",
		    need_name(w->need), w->type, w->name, w->value,
		    output_on(&d->c->out, TONE_QUIET), w->why,
		    output_off(&d->c->out));
	}
}

static void
print_rows(struct dns *d)
{
	output_begin(&d->c->out, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < d->plan.n; i++) {
		const struct wish *w = &d->plan.wishes[i];
		const struct cell cells[] = {
			{ .text = need_name(w->need) },
			{ .text = w->type },
			{ .text = w->name },
			{ .text = w->value },
			{ .text = w->why },
		};

		output_row(&d->c->out, cells);
	}
	output_end(&d->c->out, NULL);
}

static bool
is_problem(const struct wish *w, const struct check *c)
{
	return w->need != NEED_MAY || c->result == CHECK_LISTED;
}

/* A difference, as two or three lines for people. */
static void
print_difference(
    const struct dns *d, const struct wish *w, const struct check *c)
{
	const struct output *o = &d->c->out;
	char have[CHECK_HAVE * 4];
	bool bad = is_problem(w, c);

	printf("%s%-9s%s %-5s %s\n", output_on(o, bad ? TONE_BAD : TONE_QUIET),
	    bad ? check_name(c->result) : "optional", output_off(o), w->type,
	    w->name);
	if (c->have[0] != '\0')
		printf("          have  %s\n",
		    text_clean(have, sizeof(have), c->have));
	printf("          want  %s\n          for   %s\n", w->value, w->why);
}

static void
print_check(struct dns *d, const struct wish *w, const struct check *c)
{
	const struct cell cells[] = {
		{ .text = check_name(c->result) },
		{ .text = need_name(w->need) },
		{ .text = w->type },
		{ .text = w->name },
		{ .text = c->have },
		{ .text = w->value },
		{ .text = w->why },
	};

	if (d->c->out.mode == OUTPUT_HUMAN)
		print_difference(d, w, c);
	else
		output_row(&d->c->out, cells);
}

static int
check(struct dns *d)
{
	bool table = d->c->out.mode != OUTPUT_HUMAN;
	struct check c;

	if (table)
		output_begin(
		    &d->c->out, checked, sizeof(checked) / sizeof(checked[0]));
	for (size_t i = 0; i < d->plan.n; i++) {
		const struct wish *w = &d->plan.wishes[i];

		check_wish(&d->lookup, w, &d->addresses, &c);
		if (c.result == CHECK_OK) {
			d->good++;
			continue;
		}
		d->problems += is_problem(w, &c);
		print_check(d, w, &c);
	}
	if (table)
		output_end(&d->c->out, NULL);
	output_note("%u %s, %u as they should be", d->problems,
	    d->problems == 1 ? "problem" : "problems", d->good);
	return d->problems > 0 ? CODE_NO : CODE_OK;
}

int
cmd_dns(struct ctl *c)
{
	bool checking = args_flag(&c->args, "check") != NULL;
	struct msg_dkim_cmd cmd = { .verb = DKIM_LIST };
	struct dkim_keys keys = { NULL, 0 };
	struct dns d = { .c = c };
	int code = operand_domain(c->args.words[0], d.domain);

	if (code == CODE_OK)
		code = read_format(&d);
	/* The records follow from the whole of it. */
	if (code == CODE_OK)
		code = settings_load(&c->settings, c->file);
	if (code != CODE_OK)
		return code;
	memcpy(cmd.domain, d.domain, sizeof(cmd.domain));
	code = dkim_keys_ask(c, &cmd, &keys, NULL);
	if (code == CODE_OK)
		code = open_lookup(&d, checking);
	if (code != CODE_OK)
		goto out;
	plan_make(
	    &d.plan, d.domain, c->settings.conf, &keys, &d.addresses, checking);
	if (checking)
		code = check(&d);
	else if (d.format == FORMAT_ZONE)
		print_zone(&d);
	else if (c->out.mode == OUTPUT_HUMAN)
		print_page(&d);
	else
		print_rows(&d);
out:
	lookup_close(&d.lookup);
	plan_clear(&d.plan);
	dkim_keys_clear(&keys);
	return code;
}
