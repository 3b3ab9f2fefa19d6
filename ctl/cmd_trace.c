/*
 * cmd_trace.c - postern trace: what became of messages, found by whatever one
 * has of them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/daemon.h"
#include "ctl/operand.h"
#include "ctl/received.h"
#include "ctl/report.h"
#include "ctl/story.h"
#include "mail/address.h"
#include "mail/msgid.h"

#define TRACE_LIMIT  20
#define TRACE_MOST   100
#define HEADER_BYTES (256 * 1024)

/* As in the log, or as in Received:, with its tag. */
static bool
is_id(const char *word, uint64_t *id)
{
	size_t n = strlen(word);
	char text[MSGID_SIZE];

	snprintf(text, sizeof(text), "%s", word);
	return (n == MSGID_SIZE - 1 ||
		   (n == 2 * MSGID_SIZE - 1 && word[MSGID_SIZE - 1] == '-')) &&
	    msgid_parse(text, id);
}

/* The word behind the command, as a question. */
static int
look_for(const char *word, struct msg_queue_cmd *q)
{
	struct address a;

	if (is_id(word, &q->id))
		return CODE_OK;
	if (*word == '<') {
		snprintf(q->text, sizeof(q->text), "%s", word);
		return CODE_OK;
	}
	if (address_parse(&a, word, strlen(word)) && a.domain[0] != '\0') {
		address_format(&a, q->text);
		return CODE_OK;
	}
	return output_fail(CODE_USAGE,
	    "%s: an id, a Message-ID with its <>, or an address is needed",
	    word);
}

static int
read_file(const char *name, char **text, size_t *len)
{
	FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");

	if (f == NULL)
		return output_fail(
		    CODE_MISSING, "%s: %s", name, strerror(errno));
	*text = malloc(HEADER_BYTES);
	if (*text == NULL)
		abort();
	*len = fread(*text, 1, HEADER_BYTES, f);
	if (f != stdin)
		fclose(f);
	return CODE_OK;
}

/* The tag that the journal has for a message. */
static void
on_event(void *arg, const struct msg_event_row *r)
{
	const char *at = strcmp(r->event, "accepted") == 0
	    ? strstr(r->detail, " tag=")
	    : NULL;

	if (at != NULL)
		snprintf(arg, MSGID_SIZE, "%.13s", at + 5);
}

/* Whose the lines are that somebody sent us. */
static int
judge(struct ctl *c, const char *text, size_t len, uint64_t *id)
{
	struct received_line lines[RECEIVED_MOST];
	size_t n = received_read(text, len, lines);
	char name[MSGID_SIZE], tag[MSGID_SIZE];
	struct msg m;

	*id = 0;
	for (size_t i = 0; i < n; i++) {
		m = (struct msg){ .type = MSG_QUEUE_CMD };
		m.u.queue_cmd.verb = QUEUE_TRACE;
		m.u.queue_cmd.id = lines[i].id;
		tag[0] = '\0';
		story_tell(c, &m, on_event, tag);
		msgid_format(lines[i].id, name);
		if (*tag != '\0' && strcmp(tag, lines[i].tag) == 0) {
			output_note("ours: the line of %s with the id %s.",
			    lines[i].by, name);
			*id = lines[i].id;
		} else {
			output_note("NOT ours, or older than the journal: the "
				    "line of %s with the id %s.",
			    lines[i].by, name);
		}
	}
	if (n == 0)
		return output_fail(
		    CODE_NO, "none of its Received: lines is of a postern");
	return *id != 0 ? CODE_OK : CODE_NO;
}

static int
received(struct ctl *c, const char *file, struct msg_queue_cmd *q)
{
	char *text = NULL;
	size_t len = 0;
	int code = read_file(file, &text, &len);

	if (code != CODE_OK)
		return code;
	code = judge(c, text, len, &q->id);
	free(text);
	return code;
}

int
cmd_trace(struct ctl *c)
{
	const struct args *a = &c->args;
	const char *file = args_flag(a, "received");
	const char *since = args_flag(a, "since");
	const char *number = args_flag(a, "limit");
	struct msg m = { .type = MSG_QUEUE_CMD };
	struct msg_queue_cmd *q = &m.u.queue_cmd;
	uint64_t limit = TRACE_LIMIT;
	int code = CODE_OK;

	q->verb = QUEUE_TRACE;
	if ((file != NULL) == (a->nwords > 0))
		return output_fail(CODE_USAGE,
		    "what is to be traced?  An id, a Message-ID, an address, "
		    "or --received FILE");
	if (since != NULL)
		code = operand_since(since, &q->after);
	if (code == CODE_OK && number != NULL)
		code = operand_number("limit", number, 1, TRACE_MOST, &limit);
	q->limit = (uint32_t)limit;
	if (code == CODE_OK && file == NULL)
		code = look_for(a->words[0], q);
	if (code == CODE_OK)
		code = daemon_find(&c->settings, c->file);
	if (code == CODE_OK && file != NULL)
		code = received(c, file, q);
	if (code != CODE_OK)
		return code;
	return args_flag(a, "report") != NULL ? report_tell(c, &m)
					      : story_tell(c, &m, NULL, NULL);
}
