/*
 * story.c - see story.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/daemon.h"
#include "ctl/queue_row.h"
#include "ctl/story.h"
#include "ctl/text.h"
#include "lib/shell.h"

/* clang-format off */
static const struct column rcpt_columns[] = {
	{ "address",  "recipient", CELL_TEXT },
	{ "domain",   NULL,        CELL_TEXT },
	{ "state",    "state",     CELL_TEXT },
	{ "attempts", "attempts",  CELL_NUMBER },
	{ "next",     "next in",   CELL_UNTIL },
	{ "route",    "route",     CELL_TEXT },
	{ "last",     "last answer", CELL_TEXT },
	{ "destination",  NULL,    CELL_TEXT },
	{ "silent_since", NULL,    CELL_MILLIS },
	{ "next_probe",   NULL,    CELL_MILLIS },
};
static const struct column event_columns[] = {
	{ "time",   NULL, CELL_MILLIS },
	{ "event",  NULL, CELL_TEXT },
	{ "rcpt",   NULL, CELL_TEXT },
	{ "detail", NULL, CELL_TEXT },
};
/* clang-format on */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* How recipients end, as the journal calls it. */
static const char *const ends[] = { "delivered", "bounced", "dropped" };

struct page {
	struct output *out;
	story_event_fn *event; /* or NULL */
	void *arg;
	unsigned pages;
	struct msg_queue_row row;
	bool found;
	json_t *rcpts, *events;
	bool table;  /* of the recipients, under way */
	FILE *story; /* the events for people, in memory */
	char *text;  /* ... */
	size_t size; /* ... */
	FILE *why;   /* it waits, likewise */
	char *reasons;
	size_t reasons_size;
	char silent[640]; /* the destination told last */
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
	char sender[ADDR_SIZE * 2], msgid[600], word[SHELL_SIZE(ADDR_SIZE)];

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
	else if (r->held == HELD_UNCERTAIN)
		output_field(o, "held",
		    "it may have arrived already (undo: postern queue "
		    "release %s; else: queue remove)",
		    id);
	else if (r->held != HELD_NO)
		output_field(o, "held",
		    "%s is suspended (undo: postern "
		    "account resume %s)",
		    r->account, shell_word(word, sizeof(word), r->account));
}

/* Why its mail waits: once for each destination, as long as they come in one
 * piece, which recipients of one domain do. */
static void
note_silence(struct page *p, const struct msg_rcpt_row *r)
{
	char since[TEXT_SHORT], probe[TEXT_SHORT], name[sizeof(r->dest) * 2];
	char word[SHELL_SIZE(sizeof(r->domain))];

	if (strcmp(p->silent, r->dest) == 0)
		return;
	snprintf(p->silent, sizeof(p->silent), "%s", r->dest);
	text_clean(name, sizeof(name), r->dest);
	text_second(since, r->silent / 1000);
	if (r->probe != 0)
		fprintf(p->why,
		    "%s does not answer since %s; next probe, one for all "
		    "that waits, at %s (now: postern queue retry %s)\n",
		    name, since, text_second(probe, r->probe / 1000),
		    shell_word(word, sizeof(word), r->domain));
	else
		fprintf(p->why,
		    "%s does not answer since %s; one attempt for all that "
		    "waits is under way\n",
		    name, since);
}

static void
page_rcpt(struct page *p, const struct msg_rcpt_row *r)
{
	const struct cell cells[COUNT(rcpt_columns)] = {
		{ .text = r->address },
		{ .text = r->domain },
		{ .text = r->state },
		{ .n = r->attempts },
		{ .n = queue_row_moves(&p->row) ? r->next : 0 },
		{ .text = r->route },
		{ .text = r->last },
		{ .text = r->dest },
		{ .n = r->silent },
		{ .n = r->probe },
	};

	if (r->silent != 0)
		note_silence(p, r);
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
print_json(const struct page *p)
{
	static const char *const forgotten[] = { "size", "recipients",
		"attempts" };
	bool gone = left_queue(&p->row);
	struct cell cells[QUEUE_COLUMNS];
	char id[MSGID_SIZE];
	json_t *j, *outcome = json_object();

	queue_row_fill(&p->row, id, cells);
	j = output_object(queue_columns, QUEUE_COLUMNS, cells);
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

/* All of one message has come. */
static void
finish(struct page *p)
{
	fclose(p->story);
	fclose(p->why);
	if (p->table)
		output_end(p->out, NULL);
	if (p->found && p->out->mode == OUTPUT_JSON) {
		print_json(p);
	} else if (p->found) {
		if (left_queue(&p->row))
			print_outcome(p);
		if (p->reasons_size > 0)
			printf("\n%s", p->reasons);
		if (p->size > 0)
			printf("\n%s", p->text);
	}
	free(p->text);
	free(p->reasons);
	json_decref(p->rcpts);
	json_decref(p->events);
}

static void
begin(struct page *p)
{
	p->found = p->table = p->removed = false;
	memset(p->ended, 0, sizeof(p->ended));
	p->rcpts = json_array();
	p->events = json_array();
	p->story = open_memstream(&p->text, &p->size);
	p->why = open_memstream(&p->reasons, &p->reasons_size);
	p->silent[0] = '\0';
	if (p->story == NULL || p->why == NULL)
		abort();
}

static void
page_message(struct page *p, const struct msg_queue_row *r)
{
	if (p->found) {
		finish(p);
		begin(p);
	}
	p->row = *r;
	p->found = true;
	if (p->out->mode == OUTPUT_JSON)
		return;
	if (p->pages++ > 0)
		printf("\n");
	print_page(p->out, &p->row);
}

static void
page_row(void *arg, const struct msg *m)
{
	struct page *p = arg;

	if (p->event != NULL) {
		if (m->type == MSG_EVENT_ROW)
			p->event(p->arg, &m->u.event_row);
	} else if (m->type == MSG_QUEUE_ROW) {
		page_message(p, &m->u.queue_row);
	} else if (m->type == MSG_RCPT_ROW) {
		page_rcpt(p, &m->u.rcpt_row);
	} else if (m->type == MSG_EVENT_ROW) {
		page_event(p, &m->u.event_row);
	}
}

int
story_tell(struct ctl *c, struct msg *ask, story_event_fn *event, void *arg)
{
	struct page page = { .out = &c->out, .event = event, .arg = arg };
	struct msg_cmd_done done;
	struct daemon line;
	int code = daemon_open(&line, &c->settings, SERVICE_QUEUE);

	begin(&page);
	if (code == CODE_OK)
		code = daemon_call(&line, ask, page_row, &page, &done);
	finish(&page);
	if (code == CODE_OK && event == NULL && strcmp(done.text, "more") == 0)
		output_note("There are older ones; see --limit and --since.");
	daemon_close(&line);
	return code;
}
