/*
 * limits.c - see limits.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/limits.h"
#include "ctl/operand.h"

#define MOST 1000000000

/* clang-format off */
static const struct {
	const char *flag, *key, *what; /* what: in words */
} names[LIMITS] = {
[LIMIT_RECIPIENTS]    = { "recipients",        "recipients",        "recipients in one message" },
[LIMIT_SIZE]          = { "size",              "size",              "octets in one message" },
[LIMIT_HOUR]          = { "per-hour",          "per_hour",          "recipients an hour" },
[LIMIT_DAY]           = { "per-day",           "per_day",           "recipients a day" },
[LIMIT_MESSAGES_HOUR] = { "messages-per-hour", "messages_per_hour", "messages an hour" },
[LIMIT_MESSAGES_DAY]  = { "messages-per-day",  "messages_per_day",  "messages a day" },
[LIMIT_NEW]           = { "new-per-day",       "new_per_day",       "new recipients a day" },
};

const struct column limits_columns[LIMITS_COLUMNS] = {
	{ "limit", "limit", CELL_TEXT },
	{ "value", "value", CELL_LIMIT },
	{ "used",  "used",  CELL_NUMBER },
	{ "own",   NULL,    CELL_BOOL },
	{ "from",  "from",  CELL_TEXT },
};
/* clang-format on */

void
limits_cells(const struct msg_limits_row *r, enum limit l, bool human,
    struct cell cells[LIMITS_COLUMNS])
{
	bool own = r->own & 1u << l, timed = l > LIMIT_SIZE;
	const struct cell filled[LIMITS_COLUMNS] = {
		{ .text = human ? names[l].what : names[l].key },
		{ .n = r->limit[l] },
		{ .n = r->used[l] },
		{ .n = own },
		{ .text = r->grown & 1u << l     ? l == LIMIT_MESSAGES_HOUR
				? "raised with recipients an hour"
				: "raised with recipients a day"
			: own                    ? "the account"
			: r->young != 0 && timed ? "[limits], half: it is new"
						 : "[limits]" },
	};

	memcpy(cells, filled, sizeof(filled));
}

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
	if (*out > LIMIT_HIGHEST)
		return output_fail(CODE_USAGE, "--size is 1024G at most");
	return CODE_OK;
}

static int
read_limit(enum limit l, const char *text, uint64_t *out)
{
	const char *flag = names[l].flag;
	const char *span = strstr(flag, "hour") != NULL ? "/hour"
	    : strstr(flag, "day") != NULL               ? "/day"
							: "";
	char number[32];
	size_t n = strlen(text), tail = strlen(span);

	if (l == LIMIT_SIZE)
		return read_size(text, out);
	/* As the configuration has it. */
	if (n > tail && strcmp(text + n - tail, span) == 0)
		n -= tail;
	snprintf(number, sizeof(number), "%.*s", (int)n, text);
	return operand_number(
	    flag, number, 1, l == LIMIT_RECIPIENTS ? 10000 : MOST, out);
}

int
limits_read(const struct ctl *c, uint64_t limit[LIMITS], uint64_t missing,
    bool or_default)
{
	const char *text;
	int code = CODE_OK;

	for (int l = 0; l < LIMITS && code == CODE_OK; l++) {
		text = args_flag(&c->args, names[l].flag);
		if (text == NULL)
			limit[l] = missing;
		else if (or_default && strcmp(text, "default") == 0)
			limit[l] = 0;
		else
			code = read_limit((enum limit)l, text, &limit[l]);
	}
	return code;
}
