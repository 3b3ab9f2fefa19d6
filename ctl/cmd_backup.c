/*
 * cmd_backup.c - postern backup create, verify, list.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/backup.h"
#include "ctl/commands.h"
#include "ctl/recover.h"
#include "ctl/text.h"
#include "lib/shell.h"

static void
add_manifest(struct ctl *c, struct archive_writer *w,
    const struct backup_counts *n, bool running)
{
	json_t *about = json_pack("{s:i, s:s, s:s, s:o, s:b, s:{s:I, s:I, s:I, "
				  "s:I, s:I}}",
	    "format", ARCHIVE_FORMAT, "program", "postern " VERSION, "hostname",
	    c->settings.conf->hostname, "started", output_time(w->time),
	    "server_running", running, "counts", "accounts",
	    (json_int_t)n->accounts, "removed_accounts", (json_int_t)n->removed,
	    "dkim_keys", (json_int_t)n->dkim_keys, "messages",
	    (json_int_t)n->messages, "events", (json_int_t)n->events);
	char *text = json_dumps(about, JSON_INDENT(2));
	size_t len = text != NULL ? strlen(text) : 0;

	archive_begin(w, ARCHIVE_MANIFEST, len + 1);
	archive_data(w, text, len);
	archive_data(w, "\n", 1);
	archive_end(w);
	free(text);
	json_decref(about);
}

int
cmd_backup_create(struct ctl *c)
{
	const char *name = c->args.words[0];
	struct backup_counts n = { 0 };
	struct archive_writer w;
	char size[TEXT_SHORT], word[SHELL_SIZE(PATH_MAX)];
	bool running, whole = true;
	int code;

	if ((code = daemon_find(&c->settings, c->file)) != CODE_OK)
		return code;
	running = daemon_running(&c->settings);
	if ((code = archive_create(&w, name)) == CODE_OK)
		code = backup_accounts(c, &w, &n);
	if (code == CODE_OK)
		code = backup_spool(
		    c, &w, args_flag(&c->args, "journal") != NULL, &n);
	if (code == CODE_OK) {
		whole =
		    backup_files(c, &w, args_flag(&c->args, "keys") != NULL);
		add_manifest(c, &w, &n, running);
		code = archive_finish(&w);
	}
	if (code == CODE_OK && c->out.mode == OUTPUT_JSON)
		output_document(json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I}",
		    "file", name, "complete", whole, "size",
		    (json_int_t)w.written, "accounts", (json_int_t)n.accounts,
		    "dkim_keys", (json_int_t)n.dkim_keys, "messages",
		    (json_int_t)n.messages, "events", (json_int_t)n.events));
	else if (code == CODE_OK)
		output_note("%s: %" PRIu64 " accounts, %" PRIu64
			    " DKIM keys, %" PRIu64 " messages, %s; it holds "
			    "secrets (look: postern backup verify %s)",
		    name, n.accounts, n.dkim_keys, n.messages,
		    text_size(size, w.written),
		    shell_word(word, sizeof(word), name));
	archive_drop(&w);
	return code == CODE_OK && !whole ? CODE_NO : code;
}

/* Open and read all; what is wrong is said, or in *a. */
static int
open_whole(struct ctl *c, struct archive *a)
{
	int code = archive_open(a, c->args.words[0]);

	if (code == CODE_OK && !recover_check(a))
		code = CODE_NO;
	return code;
}

static json_t *
describe(const struct archive *a)
{
	return json_pack("{s:s, s:I, s:I, s:O}", "file", a->name, "size",
	    (json_int_t)a->size, "members", (json_int_t)a->members, "manifest",
	    a->about);
}

int
cmd_backup_verify(struct ctl *c)
{
	char error[sizeof(((struct archive *)0)->error) * 4];
	struct archive a;
	int code = open_whole(c, &a);

	if (code == CODE_NO && c->out.mode == OUTPUT_JSON)
		output_document(json_pack("{s:s, s:b, s:o}", "file", a.name,
		    "ok", 0, "error", output_string(a.error)));
	if (code == CODE_NO)
		output_fail(code, "%s: %s", a.name,
		    text_clean(error, sizeof(error), a.error));
	else if (code == CODE_OK && c->out.mode == OUTPUT_JSON)
		output_document(json_pack(
		    "{s:s, s:b, s:n}", "file", a.name, "ok", 1, "error"));
	else if (code == CODE_OK)
		output_note("%s is whole: %" PRIu64 " members, %" PRIu64
			    " messages, %" PRIu64 " accounts",
		    a.name, a.members, (uint64_t)a.nmail,
		    archive_count(&a, "accounts"));
	archive_close(&a);
	return code;
}

static const char *
told(json_t *about, const char *key, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(about, key));

	return text_clean(out, size, text != NULL ? text : "unknown");
}

static void
print_page(const struct ctl *c, const struct archive *a)
{
	const struct output *o = &c->out;
	char text[1024], size[TEXT_SHORT];

	output_field(
	    o, "host", "%s", told(a->about, "hostname", text, sizeof(text)));
	output_field(
	    o, "started", "%s", told(a->about, "started", text, sizeof(text)));
	output_field(o, "written by", "%s",
	    told(a->about, "program", text, sizeof(text)));
	output_field(o, "size", "%s", text_size(size, a->size));
	output_field(o, "accounts", "%" PRIu64, archive_count(a, "accounts"));
	output_field(o, "DKIM keys", "%" PRIu64, archive_count(a, "dkim_keys"));
	output_field(o, "messages", "%zu", a->nmail);
	output_field(o, "events", "%" PRIu64, archive_count(a, "events"));
}

int
cmd_backup_list(struct ctl *c)
{
	char error[sizeof(((struct archive *)0)->error) * 4];
	struct archive a;
	int code = archive_open(&a, c->args.words[0]);

	if (code == CODE_NO)
		output_fail(code, "%s: %s", a.name,
		    text_clean(error, sizeof(error), a.error));
	else if (code == CODE_OK && c->out.mode == OUTPUT_JSON)
		output_document(describe(&a));
	else if (code == CODE_OK)
		print_page(c, &a);
	archive_close(&a);
	return code;
}
