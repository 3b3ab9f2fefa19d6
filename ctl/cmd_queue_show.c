/*
 * cmd_queue_show.c - postern queue list, postern queue show.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/daemon.h"
#include "ctl/operand.h"
#include "ctl/queue_row.h"
#include "ctl/story.h"

/* Messages in one answer: the queue has other things to do in between. */
#define PAGE 200

struct listing {
	struct output *out;
	uint64_t rows;
};

static void
list_row(void *arg, const struct msg *m)
{
	struct listing *l = arg;
	struct cell cells[QUEUE_COLUMNS];
	char id[MSGID_SIZE];

	if (m->type != MSG_QUEUE_ROW)
		return;
	l->rows++;
	queue_row_fill(&m->u.queue_row, id, cells);
	output_row(l->out, cells);
}

/* Page after page, so that no length of queue is too long. */
static int
list_pages(
    struct daemon *line, struct msg *m, uint64_t limit, struct listing *l)
{
	struct msg_queue_cmd *q = &m->u.queue_cmd;
	struct msg_cmd_done done;
	int code;

	do {
		q->limit = (uint32_t)MIN(PAGE, limit - l->rows);
		code = daemon_call(line, m, list_row, l, &done);
		if (code != CODE_OK)
			return code;
		q->after = done.next;
	} while (done.more && l->rows < limit);
	return CODE_OK;
}

int
cmd_queue_list(struct ctl *c)
{
	struct msg m = { .type = MSG_QUEUE_CMD };
	struct msg_queue_cmd *q = &m.u.queue_cmd;
	const char *number = args_flag(&c->args, "limit");
	struct listing l = { .out = &c->out };
	uint64_t limit = UINT64_MAX;
	struct daemon line;
	int code;

	q->verb = QUEUE_LIST;
	code = queue_row_select(&c->args, q);
	q->all = 1; /* of those */
	if (code == CODE_OK && number != NULL)
		code = operand_number("limit", number, 1, UINT32_MAX, &limit);
	if (code == CODE_OK)
		code = daemon_find(&c->settings, c->file);
	if (code != CODE_OK)
		return code;
	code = daemon_open(&line, &c->settings, SERVICE_QUEUE);
	if (code == CODE_OK) {
		output_begin(&c->out, queue_columns, QUEUE_COLUMNS);
		code = list_pages(&line, &m, limit, &l);
		output_end(&c->out, code == CODE_OK ? "nothing waits" : NULL);
	}
	daemon_close(&line);
	return code;
}

int
cmd_queue_show(struct ctl *c)
{
	struct msg m = { .type = MSG_QUEUE_CMD };
	int code;

	m.u.queue_cmd.verb = QUEUE_SHOW;
	code = operand_id(c->args.words[0], &m.u.queue_cmd.id);
	if (code == CODE_OK)
		code = daemon_find(&c->settings, c->file);
	return code == CODE_OK ? story_tell(c, &m, NULL, NULL) : code;
}
