/*
 * cmd_queue.c - postern queue retry, hold, release, remove.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/daemon.h"
#include "ctl/operand.h"
#include "ctl/queue_row.h"
#include "ipc/selection.h"

/* What a verb says when it is done. */
static const struct words {
	const char *done;  /* "held 3 messages" */
	const char *would; /* "would hold 3 messages" */
	const char *undo;  /* NULL: nothing can */
	const char *none;  /* why there may have been none */
} words[QUEUE_VERBS] = {
	[QUEUE_RETRY] = { "retrying", "retry", "",
	    "; held ones wait for \"postern queue release\"" },
	[QUEUE_HOLD] = { "held", "hold", "release", "" },
	[QUEUE_RELEASE] = { "released", "release", "hold", "" },
	[QUEUE_REMOVE] = { "removed", "remove", NULL, "" },
};

/* queue retry example.net */
static bool
is_domain(const char *word)
{
	return strchr(word, '.') != NULL;
}

/* Fill the selection of a question from the flags.  *any: there was one. */
static int
select_by_flags(const struct ctl *c, struct msg_queue_cmd *q, bool *any)
{
	bool all = args_flag(&c->args, "all") != NULL, some;
	bool word = q->verb == QUEUE_RETRY && c->args.nwords == 1 &&
	    is_domain(c->args.words[0]);
	int code = queue_row_select(&c->args, q);

	if (code == CODE_OK && word && q->domain[0] == '\0')
		code = operand_domain(c->args.words[0], q->domain);
	if (code != CODE_OK)
		return code;
	some = q->account[0] != '\0' || q->sender[0] != '\0' ||
	    q->domain[0] != '\0';
	*any = some || all;
	if ((some && all) || (*any && c->args.nwords > 0 && !word))
		return output_fail(CODE_USAGE,
		    "which messages?  Give ids, or --account, --sender and "
		    "--domain, or --all");
	q->all = all;
	return CODE_OK;
}

static const char *
messages(uint64_t n)
{
	return n == 1 ? "message" : "messages";
}

/* Ask about changing `count` messages.  CODE_OK when the answer is yes.  What
 * can be undone is not asked for where nobody could answer. */
static int
confirm(const struct ctl *c, enum queue_verb verb, uint64_t count)
{
	char expected[32], answer[32] = "";

	if (args_flag(&c->args, "yes") != NULL ||
	    (verb != QUEUE_REMOVE && !c->may_ask))
		return CODE_OK;
	if (verb != QUEUE_REMOVE) {
		fprintf(stderr, "This would %s %" PRIu64 " %s.  Go on?  [y/N] ",
		    words[verb].would, count, messages(count));
		if (fgets(answer, sizeof(answer), stdin) != NULL &&
		    (answer[0] == 'y' || answer[0] == 'Y'))
			return CODE_OK;
		return output_fail(CODE_NO, "nothing was changed");
	}
	if (!c->may_ask)
		return output_fail(CODE_USAGE,
		    "this would remove %" PRIu64 " %s for good; say so with "
		    "--yes",
		    count, messages(count));
	fprintf(stderr,
	    "Remove %" PRIu64 " %s for good, without a bounce?  Type the "
	    "number to go on: ",
	    count, messages(count));
	snprintf(expected, sizeof(expected), "%" PRIu64 "\n", count);
	if (fgets(answer, sizeof(answer), stdin) == NULL ||
	    strcmp(answer, expected) != 0)
		return output_fail(CODE_NO, "nothing was removed");
	return CODE_OK;
}

static int
ask(struct daemon *line, struct msg *m, uint64_t *count)
{
	struct msg_cmd_done done;
	int code = daemon_call(line, m, NULL, NULL, &done);

	*count += done.count;
	return code;
}

/* Each id is a question of its own; the worst answer is the result. */
static int
by_ids(struct ctl *c, struct daemon *line, struct msg *m, uint64_t *count)
{
	int worst = CODE_OK, code;

	for (size_t i = 0; i < c->args.nwords; i++) {
		(void)operand_id(c->args.words[i], &m->u.queue_cmd.id);
		code = ask(line, m, count);
		if (code == CODE_TEMP)
			return code;
		if (code != CODE_OK)
			worst = code;
	}
	return worst;
}

static int
by_selection(struct ctl *c, struct daemon *line, struct msg *m, uint64_t *count)
{
	struct msg_queue_cmd *q = &m->u.queue_cmd;
	bool asks = q->verb == QUEUE_REMOVE || c->may_ask;
	uint64_t would = 0;
	int code;

	if (asks && !q->count_only) {
		q->count_only = 1;
		code = ask(line, m, &would);
		q->count_only = 0;
		if (code != CODE_OK || would == 0 ||
		    (code = confirm(c, (enum queue_verb)q->verb, would)) !=
			CODE_OK)
			return code;
	}
	return ask(line, m, count);
}

/* " (undo: postern queue release --all)" */
static void
write_undo(
    const struct ctl *c, const struct msg_queue_cmd *q, char *out, size_t size)
{
	const char *undo = words[q->verb].undo;
	char which[SELECTION_SIZE];

	out[0] = '\0';
	if (undo == NULL) {
		snprintf(out, size, " for good");
		return;
	}
	if (*undo == '\0')
		return;
	if (q->id != 0)
		snprintf(which, sizeof(which), "%s%s", c->args.words[0],
		    c->args.nwords > 1 ? " ..." : "");
	else
		selection_write(q, which);
	snprintf(out, size, " (undo: postern queue %s %s)", undo, which);
}

static void
report(const struct ctl *c, const struct msg_queue_cmd *q, uint64_t count)
{
	char undo[SELECTION_SIZE + 80];

	if (c->out.mode == OUTPUT_JSON) {
		output_document(json_pack("{s:I, s:b}", "count",
		    (json_int_t)count, "changed", !q->count_only));
		return;
	}
	write_undo(c, q, undo, sizeof(undo));
	if (q->count_only)
		output_note("would %s %" PRIu64 " %s", words[q->verb].would,
		    count, messages(count));
	else
		output_note("%s %" PRIu64 " %s%s", words[q->verb].done, count,
		    messages(count), count > 0 ? undo : words[q->verb].none);
}

static int
change(struct ctl *c, enum queue_verb verb)
{
	struct msg m = { .type = MSG_QUEUE_CMD };
	struct msg_queue_cmd *q = &m.u.queue_cmd;
	struct daemon line;
	uint64_t count = 0;
	bool selected;
	int code;

	q->verb = verb;
	q->count_only = args_flag(&c->args, "dry-run") != NULL;
	if ((code = select_by_flags(c, q, &selected)) != CODE_OK)
		return code;
	if (!selected && c->args.nwords == 0)
		return output_fail(CODE_USAGE,
		    "which messages?  Give ids, --account, --sender, --domain "
		    "or --all");
	for (size_t i = 0; !selected && i < c->args.nwords; i++)
		if ((code = operand_id(c->args.words[i], &q->id)) != CODE_OK)
			return code;
	if ((code = daemon_find(&c->settings, c->file)) != CODE_OK)
		return code;
	if ((code = daemon_open(&line, &c->settings, SERVICE_QUEUE)) ==
	    CODE_OK) {
		code = selected ? by_selection(c, &line, &m, &count)
				: by_ids(c, &line, &m, &count);
		if (code == CODE_OK || count > 0)
			report(c, q, count);
	}
	daemon_close(&line);
	return code;
}

int
cmd_queue_retry(struct ctl *c)
{
	return change(c, QUEUE_RETRY);
}

int
cmd_queue_hold(struct ctl *c)
{
	return change(c, QUEUE_HOLD);
}

int
cmd_queue_release(struct ctl *c)
{
	return change(c, QUEUE_RELEASE);
}

int
cmd_queue_remove(struct ctl *c)
{
	return change(c, QUEUE_REMOVE);
}
