/*
 * cmd_queue_show.c - postern queue list, postern queue show.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <time.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/daemon.h"
#include "ctl/operand.h"
#include "ctl/text.h"
#include "mail/msgid.h"

/* Messages in one answer: the queue has other things to do in between. */
#define PAGE 200

enum { HELD_NO, HELD_BY_ADMIN, HELD_BY_SUSPENSION };

/* clang-format off */
static const struct column columns[] = {
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
static const struct column rcpt_columns[] = {
	{ "address",  "recipient", CELL_TEXT },
	{ "domain",   NULL,        CELL_TEXT },
	{ "state",    "state",     CELL_TEXT },
	{ "attempts", "attempts",  CELL_NUMBER },
	{ "next",     "next in",   CELL_UNTIL },
	{ "last",     "last answer", CELL_TEXT },
};
static const struct column event_columns[] = {
	{ "time",   NULL, CELL_MILLIS },
	{ "event",  NULL, CELL_TEXT },
	{ "rcpt",   NULL, CELL_TEXT },
	{ "detail", NULL, CELL_TEXT },
};
/* clang-format on */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *
held_name(const struct msg_queue_row *r)
{
	switch (r->held) {
	case HELD_NO:
		return r->release != 0 ? "sender" : "";
	case HELD_BY_ADMIN:
		return "admin";
	default:
		return "suspended";
	}
}

static void
fill(const struct msg_queue_row *r, char id[MSGID_SIZE],
    struct cell cells[COUNT(columns)])
{
	const struct cell filled[COUNT(columns)] = {
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
		{ .n = r->held == HELD_NO ? r->next : 0 },
		{ .n = r->release },
		{ .text = held_name(r) },
		{ .text = r->last },
	};

	msgid_format(r->id, id);
	memcpy(cells, filled, sizeof(filled));
}

struct listing {
	struct output *out;
	uint64_t rows;
};

static void
list_row(void *arg, const struct msg *m)
{
	struct listing *l = arg;
	struct cell cells[COUNT(columns)];
	char id[MSGID_SIZE];

	if (m->type != MSG_QUEUE_ROW)
		return;
	l->rows++;
	fill(&m->u.queue_row, id, cells);
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
		code = daemon_ask(line, m, list_row, l, &done);
		if (code != CODE_OK || (code = daemon_settle(&done)) != CODE_OK)
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
	const char *account = args_flag(&c->args, "account");
	const char *domain = args_flag(&c->args, "domain");
	const char *number = args_flag(&c->args, "limit");
	struct listing l = { .out = &c->out };
	uint64_t limit = UINT64_MAX;
	struct daemon line;
	int code = CODE_OK;

	q->verb = QUEUE_LIST;
	if (account != NULL && domain != NULL)
		return output_fail(
		    CODE_USAGE, "--account and --domain: one of them");
	if (account != NULL)
		code = operand_address(account, q->account);
	if (domain != NULL)
		code = operand_domain(domain, q->domain);
	q->all = account == NULL && domain == NULL;
	if (code == CODE_OK && number != NULL)
		code = operand_number("limit", number, 1, UINT32_MAX, &limit);
	if (code == CODE_OK)
		code = settings_load(&c->settings, c->file);
	if (code != CODE_OK)
		return code;
	code = daemon_open(&line, &c->settings, SERVICE_QUEUE);
	if (code == CODE_OK) {
		output_begin(&c->out, columns, COUNT(columns));
		code = list_pages(&line, &m, limit, &l);
		output_end(&c->out, code == CODE_OK ? "nothing waits" : NULL);
	}
	daemon_close(&line);
	return code;
}

/* How recipients end, as the journal calls it. */
static const char *const ends[] = { "delivered", "bounced", "dropped" };

struct page {
	struct output *out;
	struct msg_queue_row row;
	bool found;
	json_t *rcpts, *events;
	bool table;  /* of the recipients, under way */
	FILE *story; /* the events for people, in memory */
	char *text;  /* ... */
	size_t size; /* ... */
	uint64_t ended[COUNT(ends)];
	bool removed; /* those who still waited then */
};

/* The journal remembers a message that left the queue, but not all of it. */
static bool
left_queue(const struct msg_queue_row *r)
{
	return r->rcpts == 0;
}

static void
print_page(const struct output *o, const struct msg_queue_row *r)
{
	char id[MSGID_SIZE], size[TEXT_SHORT], when[TEXT_SHORT];
	char sender[ADDR_SIZE * 2], msgid[600];

	msgid_format(r->id, id);
	output_field(o, "message", "%s", id);
	output_field(o, "account", "%s%s%s", r->account,
	    *r->credential != '\0' ? ", by its credential " : "",
	    r->credential);
	text_clean(sender, sizeof(sender), r->sender);
	output_field(o, "sender", "%s", *sender != '\0' ? sender : "<>");
	output_field(
	    o, "message-id", "%s", text_clean(msgid, sizeof(msgid), r->msgid));
	output_field(o, "accepted", "%s", text_time(when, r->accepted / 1000));
	if (left_queue(r))
		return;
	output_field(o, "size", "%s", text_size(size, r->size));
	output_field(
	    o, "recipients", "%u, of whom %u wait", r->rcpts, r->waiting);
	if (r->release != 0)
		output_field(o, "release",
		    "%s, as its sender asked (now: postern queue release %s)",
		    text_second(when, r->release / 1000), id);
	if (r->held == HELD_BY_ADMIN)
		output_field(o, "held",
		    "by an administrator (undo: postern "
		    "queue release %s)",
		    id);
	else if (r->held != HELD_NO)
		output_field(o, "held",
		    "%s is suspended (undo: postern "
		    "account resume %s)",
		    r->account, r->account);
}

static void
page_rcpt(struct page *p, const struct msg_rcpt_row *r)
{
	const struct cell cells[COUNT(rcpt_columns)] = {
		{ .text = r->address },
		{ .text = r->domain },
		{ .text = r->state },
		{ .n = r->attempts },
		{ .n = p->row.held == HELD_NO ? r->next : 0 },
		{ .text = r->last },
	};

	if (p->out->mode == OUTPUT_JSON) {
		json_array_append_new(p->rcpts,
		    output_object(rcpt_columns, COUNT(rcpt_columns), cells));
		return;
	}
	if (!p->table) {
		printf("\n");
		output_begin(p->out, rcpt_columns, COUNT(rcpt_columns));
	}
	p->table = true;
	output_row(p->out, cells);
}

/* What became of it so far: its events, below the recipients. */
static void
tell_event(struct page *p, const struct msg_event_row *r)
{
	char when[TEXT_SHORT], rcpt[ADDR_SIZE * 2], detail[1200];

	fprintf(p->story, "%s  %-10s %s  %s\n",
	    text_second(when, r->time / 1000), r->event,
	    text_clean(rcpt, sizeof(rcpt), r->rcpt),
	    text_clean(detail, sizeof(detail), r->detail));
}

static void
page_event(struct page *p, const struct msg_event_row *r)
{
	const struct cell cells[COUNT(event_columns)] = {
		{ .n = r->time },
		{ .text = r->event },
		{ .text = r->rcpt },
		{ .text = r->detail },
	};

	for (size_t i = 0; i < COUNT(ends); i++)
		p->ended[i] += strcmp(r->event, ends[i]) == 0;
	p->removed |= strcmp(r->event, "removed") == 0;
	if (p->out->mode == OUTPUT_JSON)
		json_array_append_new(p->events,
		    output_object(event_columns, COUNT(event_columns), cells));
	else
		tell_event(p, r);
}

static void
page_row(void *arg, const struct msg *m)
{
	struct page *p = arg;

	if (m->type == MSG_QUEUE_ROW) {
		p->row = m->u.queue_row;
		p->found = true;
		if (p->out->mode != OUTPUT_JSON)
			print_page(p->out, &p->row);
	} else if (m->type == MSG_RCPT_ROW) {
		page_rcpt(p, &m->u.rcpt_row);
	} else if (m->type == MSG_EVENT_ROW) {
		page_event(p, &m->u.event_row);
	}
}

static void
print_json(const struct page *p)
{
	static const char *const forgotten[] = { "size", "recipients",
		"attempts" };
	bool gone = left_queue(&p->row);
	struct cell cells[COUNT(columns)];
	char id[MSGID_SIZE];
	json_t *j, *outcome = json_object();

	fill(&p->row, id, cells);
	j = output_object(columns, COUNT(columns), cells);
	for (size_t i = 0; gone && i < COUNT(forgotten); i++)
		json_object_set_new(j, forgotten[i], json_null());
	json_object_set_new(j, "state", json_string(gone ? "gone" : "queued"));
	for (size_t i = 0; i < COUNT(ends); i++)
		json_object_set_new(
		    outcome, ends[i], json_integer((json_int_t)p->ended[i]));
	json_object_set_new(outcome, "removed", json_boolean(p->removed));
	json_object_set_new(j, "outcome", outcome);
	/* "recipients" is their number, as in the list. */
	json_object_set(j, "rcpts", p->rcpts);
	json_object_set(j, "events", p->events);
	output_document(j);
}

/* "gone: delivered 2, bounced 1, then removed by hand" */
static void
print_outcome(const struct page *p)
{
	char text[200];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(ends); i++)
		if (p->ended[i] > 0)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    "%s %s %" PRIu64, n > 0 ? "," : ":", ends[i],
			    p->ended[i]);
	output_field(p->out, "state", "gone%.*s%s", (int)n, text,
	    !p->removed ? ""
		: n > 0 ? ", then removed by hand"
			: ": removed by hand");
}

/* All has come. */
static void
finish(struct page *p)
{
	fflush(p->story);
	if (p->table)
		output_end(p->out, NULL);
	if (!p->found)
		return;
	if (p->out->mode == OUTPUT_JSON) {
		print_json(p);
		return;
	}
	if (left_queue(&p->row))
		print_outcome(p);
	if (p->size > 0)
		printf("\n%s", p->text);
}

int
cmd_queue_show(struct ctl *c)
{
	struct msg m = { .type = MSG_QUEUE_CMD };
	struct page page = { .out = &c->out };
	struct msg_cmd_done done;
	struct daemon line;
	int code;

	m.u.queue_cmd.verb = QUEUE_SHOW;
	code = operand_id(c->args.words[0], &m.u.queue_cmd.id);
	if (code == CODE_OK)
		code = settings_load(&c->settings, c->file);
	if (code != CODE_OK)
		return code;
	page.rcpts = json_array();
	page.events = json_array();
	page.story = open_memstream(&page.text, &page.size);
	if (page.story == NULL)
		abort();
	code = daemon_open(&line, &c->settings, SERVICE_QUEUE);
	if (code == CODE_OK)
		code = daemon_ask(&line, &m, page_row, &page, &done);
	if (code == CODE_OK)
		code = daemon_settle(&done);
	if (code == CODE_OK)
		finish(&page);
	else if (page.table)
		output_end(&c->out, NULL);
	daemon_close(&line);
	fclose(page.story);
	free(page.text);
	json_decref(page.rcpts);
	json_decref(page.events);
	return code;
}
