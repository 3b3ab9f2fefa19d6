/*
 * cmd_log.c - postern log: the journal, as it was and as it grows.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/daemon.h"
#include "ctl/operand.h"
#include "ctl/text.h"
#include "mail/msgid.h"

#define PAGE      500
#define FOLLOW_MS 500

/* clang-format off */
static const struct column columns[] = {
	{ "time",    NULL, CELL_MILLIS },
	{ "id",      NULL, CELL_TEXT },
	{ "event",   NULL, CELL_TEXT },
	{ "account", NULL, CELL_TEXT },
	{ "rcpt",    NULL, CELL_TEXT },
	{ "detail",  NULL, CELL_TEXT },
};
/* clang-format on */

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void
print_row(void *arg, const struct msg *m)
{
	const struct msg_event_row *r = &m->u.event_row;
	struct output *out = arg;
	char id[MSGID_SIZE], when[TEXT_SHORT], rcpt[ADDR_SIZE * 2];
	char detail[1200];
	const struct cell cells[COLUMNS] = {
		{ .n = r->time },
		{ .text = id },
		{ .text = r->event },
		{ .text = r->account },
		{ .text = r->rcpt },
		{ .text = r->detail },
	};

	if (m->type != MSG_EVENT_ROW)
		return;
	msgid_format(r->id, id);
	if (out->mode != OUTPUT_HUMAN)
		output_row(out, cells);
	else
		printf("%s  %s  %-10s %s  %s\n",
		    text_second(when, r->time / 1000), id, r->event,
		    text_clean(rcpt, sizeof(rcpt), r->rcpt),
		    text_clean(detail, sizeof(detail), r->detail));
}

/* All that there is now, from where *q stands; it stands behind it then. */
static int
catch_up(struct ctl *c, struct daemon *line, struct msg *m)
{
	struct msg_queue_cmd *q = &m->u.queue_cmd;
	struct msg_cmd_done done;
	int code;

	do {
		code = daemon_call(line, m, print_row, &c->out, &done);
		q->after = done.next;
		q->seq = done.next_seq;
	} while (code == CODE_OK && done.count == q->limit);
	fflush(stdout);
	return code;
}

int
cmd_log(struct ctl *c)
{
	const char *account = args_flag(&c->args, "account");
	const char *id = args_flag(&c->args, "id");
	const char *since = args_flag(&c->args, "since");
	bool follow = args_flag(&c->args, "follow") != NULL;
	struct timespec pause = { .tv_nsec = FOLLOW_MS * 1000000L };
	struct msg m = { .type = MSG_QUEUE_CMD };
	struct msg_queue_cmd *q = &m.u.queue_cmd;
	struct daemon line;
	int code = CODE_OK;

	q->verb = QUEUE_LOG;
	q->limit = PAGE;
	if (account != NULL)
		code = operand_address(account, q->account);
	if (code == CODE_OK && id != NULL)
		code = operand_id(id, &q->id);
	if (code == CODE_OK && since != NULL)
		code = operand_since(since, &q->after);
	else if (follow)
		q->after = (uint64_t)time(NULL) * 1000;
	if (code == CODE_OK)
		code = daemon_find(&c->settings, c->file);
	if (code != CODE_OK)
		return code;
	code = daemon_open(&line, &c->settings, SERVICE_QUEUE);
	if (code == CODE_OK) {
		output_begin(&c->out, columns, COLUMNS);
		while ((code = catch_up(c, &line, &m)) == CODE_OK && follow &&
		    !ferror(stdout))
			nanosleep(&pause, NULL);
		output_end(&c->out, NULL);
	}
	daemon_close(&line);
	return code;
}
