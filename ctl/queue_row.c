/*
 * queue_row.c - see queue_row.h.
 */
#include <string.h>

#include "ctl/operand.h"
#include "ctl/queue_row.h"
#include "lib/code.h"

/* clang-format off */
const struct column queue_columns[QUEUE_COLUMNS] = {
	{ "id",         "id",       CELL_TEXT },
	{ "accepted",   "age",      CELL_AGE },
	{ "size",       "size",     CELL_SIZE },
	{ "account",    "account",  CELL_TEXT },
	{ "credential", NULL,       CELL_TEXT },
	{ "sender",     NULL,       CELL_TEXT },
	{ "message_id", NULL,       CELL_TEXT },
	{ "recipients", NULL,       CELL_NUMBER },
	{ "waiting",    "waiting",  CELL_NUMBER },
	{ "attempts",   "attempts", CELL_NUMBER },
	{ "next",       "next in",  CELL_UNTIL },
	{ "release",    NULL,       CELL_MILLIS },
	{ "held",       "held",     CELL_TEXT },
	{ "last",       "last answer", CELL_TEXT },
};
/* clang-format on */

static const char *
held_name(const struct msg_queue_row *r)
{
	switch (r->held) {
	case HELD_NO:
		return r->release != 0 ? "sender" : "";
	case HELD_BY_ADMIN:
		return "admin";
	case HELD_UNCERTAIN:
		return "uncertain";
	default:
		return "suspended";
	}
}

int
queue_row_select(const struct args *args, struct msg_queue_cmd *q)
{
	const char *account = args_flag(args, "account");
	const char *sender = args_flag(args, "sender");
	const char *domain = args_flag(args, "domain");
	int code = CODE_OK;

	if (account != NULL)
		code = operand_address(account, q->account);
	if (code == CODE_OK && sender != NULL)
		code = operand_return_path(sender, q->sender);
	if (code == CODE_OK && domain != NULL)
		code = operand_domain(domain, q->domain);
	return code;
}

bool
queue_row_moves(const struct msg_queue_row *r)
{
	return r->held == HELD_NO || r->held == HELD_UNCERTAIN;
}

void
queue_row_fill(const struct msg_queue_row *r, char id[MSGID_SIZE],
    struct cell cells[QUEUE_COLUMNS])
{
	const struct cell filled[QUEUE_COLUMNS] = {
		{ .text = id },
		{ .n = r->accepted },
		{ .n = r->size },
		{ .text = r->account },
		{ .text = r->credential },
		{ .text = r->sender },
		{ .text = r->msgid },
		{ .n = r->rcpts },
		{ .n = r->waiting },
		{ .n = r->attempts },
		{ .n = queue_row_moves(r) ? r->next : 0 },
		{ .n = r->release },
		{ .text = held_name(r) },
		{ .text = r->last },
	};

	msgid_format(r->id, id);
	memcpy(cells, filled, sizeof(filled));
}
