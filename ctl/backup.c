/*
 * backup.c - see backup.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/accounts.h"
#include "ctl/backup.h"
#include "ctl/item.h"
#include "ctl/row.h"
#include "mail/msgid.h"

#define PATIENCE_S 600
#define PAGE       500

/* A list that is being gathered. */
struct gather {
	struct archive_writer *w;
	struct daemon *line;
	struct backup_counts *counts;
	FILE *lines;
	json_t *object; /* the line under way */
	json_t *job;    /* of it; borrowed */
	bool broken;    /* rows came out of their order */
};

static void
put_line(struct gather *g, json_t *object)
{
	if (object == NULL)
		return;
	json_dumpf(object, g->lines, JSON_COMPACT);
	putc('\n', g->lines);
	json_decref(object);
}

static void
end_line(struct gather *g)
{
	put_line(g, g->object);
	g->object = NULL;
}

static void
account_row(void *arg, const struct msg *m)
{
	struct gather *g = arg;
	const struct msg_item *i = &m->u.item;

	if (m->type != MSG_ITEM_ROW)
		return;
	put_line(g, item_gather(&g->object, i));
	if (i->item == ITEM_ACCOUNT && i->state == ACC_REMOVED)
		g->counts->removed++;
	else if (i->item == ITEM_ACCOUNT)
		g->counts->accounts++;
}

static void
dkim_row(void *arg, const struct msg *m)
{
	struct gather *g = arg;

	if (m->type != MSG_DKIM_KEY)
		return;
	put_line(g, row_json(m));
	g->counts->dkim_keys++;
}

/* Ask, gather the answer in lines, and add them as a member. */
static int
gather(struct gather *g, struct msg *m, daemon_row_fn *row, const char *name)
{
	int code;

	if ((g->lines = archive_spill(g->w)) == NULL)
		return CODE_TEMP;
	code = daemon_call(g->line, m, row, g, NULL);
	if (code == CODE_OK)
		end_line(g);
	json_decref(g->object);
	g->object = NULL;
	if (code == CODE_OK)
		archive_add(g->w, name, g->lines);
	fclose(g->lines);
	return code;
}

int
backup_accounts(
    struct ctl *c, struct archive_writer *w, struct backup_counts *counts)
{
	struct msg accounts = accounts_ask(ACCOUNT_EXPORT);
	struct msg dkim = { .type = MSG_DKIM_CMD };
	struct daemon line;
	struct gather g = { .w = w, .line = &line, .counts = counts };
	int code = accounts_open(&line, c);

	if (code != CODE_OK)
		return code;
	daemon_patience(&line, PATIENCE_S);
	dkim.u.dkim_cmd.verb = DKIM_EXPORT;
	code = gather(&g, &accounts, account_row, ARCHIVE_ACCOUNTS);
	if (code == CODE_OK)
		code = gather(&g, &dkim, dkim_row, ARCHIVE_DKIM);
	daemon_close(&line);
	return code;
}

static void
begin_message(struct gather *g, const struct msg *m)
{
	const struct msg_spool_message *s = &m->u.spool_message;
	char id[MSGID_SIZE], name[TAR_NAME];

	g->broken |= g->object != NULL;
	json_decref(g->object);
	g->object = row_json(m);
	g->job = NULL;
	json_object_set_new(
	    g->object, "added", json_integer((json_int_t)s->added.len));
	json_object_set_new(g->object, "jobs", json_array());
	msgid_format(s->id, id);
	snprintf(name, sizeof(name), "spool/%s.eml", id);
	archive_begin(g->w, name, s->added.len + s->size);
	archive_data(g->w, s->added.data, s->added.len);
}

static void
begin_job(struct gather *g, const struct msg *m)
{
	g->job = row_json(m);
	json_object_set_new(g->job, "answers", json_array());
	json_object_set_new(g->job, "rcpts", json_array());
	json_array_append_new(json_object_get(g->object, "jobs"), g->job);
}

/* A body in a file: the message is whole in it. */
static bool
copy_file(struct gather *g)
{
	char piece[65536];
	off_t at = 0;
	ssize_t n;

	while (g->w->left > 0) {
		n = pread(g->line->fd, piece, sizeof(piece), at);
		if (n <= 0 || (uint64_t)n > g->w->left)
			return false;
		archive_data(g->w, piece, (size_t)n);
		at += n;
		if (g->w->failed)
			return true;
	}
	return true;
}

static void
add_body(struct gather *g, const struct msg_spool_body *s)
{
	if (g->w->failed)
		return;
	if (g->line->fd != -1) {
		g->broken |= !copy_file(g);
	} else if (s->piece.len > g->w->left) {
		g->broken = true;
	} else {
		archive_data(g->w, s->piece.data, s->piece.len);
	}
	if (!s->last || g->broken)
		return;
	if (g->w->left > 0) {
		g->broken = true;
		return;
	}
	archive_end(g->w);
	end_line(g);
	g->counts->messages++;
}

static void
spool_row(void *arg, const struct msg *m)
{
	struct gather *g = arg;

	if (g->broken || g->w->failed)
		return;
	if (m->type == MSG_SPOOL_MESSAGE)
		begin_message(g, m);
	else if (g->object == NULL)
		g->broken = true;
	else if (m->type == MSG_SPOOL_BODY)
		add_body(g, &m->u.spool_body);
	else if (m->type == MSG_SPOOL_JOB)
		begin_job(g, m);
	else if (g->job == NULL)
		g->broken = true;
	else
		json_array_append_new(
		    json_object_get(g->job,
			m->type == MSG_SPOOL_RCPT ? "rcpts" : "answers"),
		    row_json(m));
}

static int
gather_spool(struct gather *g)
{
	struct msg m = { .type = MSG_QUEUE_CMD };
	int code;

	m.u.queue_cmd.verb = QUEUE_BACKUP;
	if ((g->lines = archive_spill(g->w)) == NULL)
		return CODE_TEMP;
	code = daemon_call(g->line, &m, spool_row, g, NULL);
	if (code == CODE_OK && (g->broken || g->object != NULL) &&
	    !g->w->failed)
		code = output_fail(CODE_TEMP,
		    "the queue told a message that is not whole; its log may "
		    "say why (postern check store)");
	json_decref(g->object);
	g->object = NULL;
	if (code == CODE_OK)
		archive_add(g->w, ARCHIVE_MESSAGES, g->lines);
	fclose(g->lines);
	return code;
}

static void
event_row(void *arg, const struct msg *m)
{
	struct gather *g = arg;

	if (m->type != MSG_EVENT_ROW)
		return;
	put_line(g, row_json(m));
	g->counts->events++;
}

static int
gather_journal(struct gather *g)
{
	struct msg m = { .type = MSG_QUEUE_CMD };
	struct msg_queue_cmd *q = &m.u.queue_cmd;
	struct msg_cmd_done done;
	int code;

	q->verb = QUEUE_LOG;
	q->limit = PAGE;
	if ((g->lines = archive_spill(g->w)) == NULL)
		return CODE_TEMP;
	do {
		code = daemon_call(g->line, &m, event_row, g, &done);
		q->after = done.next;
		q->seq = done.next_seq;
	} while (code == CODE_OK && done.count == q->limit);
	if (code == CODE_OK)
		archive_add(g->w, ARCHIVE_JOURNAL, g->lines);
	fclose(g->lines);
	return code;
}

int
backup_spool(struct ctl *c, struct archive_writer *w, bool journal,
    struct backup_counts *counts)
{
	struct daemon line;
	struct gather g = { .w = w, .line = &line, .counts = counts };
	int code = daemon_open_owner(&line, &c->settings, SERVICE_QUEUE);

	if (code == CODE_OK) {
		daemon_patience(&line, PATIENCE_S);
		code = gather_spool(&g);
	}
	if (code == CODE_OK && journal)
		code = gather_journal(&g);
	daemon_close(&line);
	return code;
}

static bool
add_file(struct archive_writer *w, const char *path, const char *name)
{
	FILE *f = fopen(path, "re");
	bool good = false;
	struct stat st;

	if (f == NULL)
		output_note("%s is left out: %s", path, strerror(errno));
	else if (fstat(fileno(f), &st) == -1 || !S_ISREG(st.st_mode))
		output_note("%s is left out: not a file", path);
	else
		good = true;
	if (good)
		archive_add(w, name, f);
	if (f != NULL)
		fclose(f);
	return good;
}

bool
backup_files(struct ctl *c, struct archive_writer *w, bool keys)
{
	const struct settings *s = &c->settings;
	char name[TAR_NAME];
	bool whole = true;

	archive_begin(w, ARCHIVE_CONF, s->len);
	archive_data(w, s->text, s->len);
	archive_end(w);
	if (s->conf->tls_doubtful) {
		output_note("the certificates are left out: with these errors "
			    "%s does not tell which they are",
		    s->file);
		return false;
	}
	for (size_t i = 0; i < s->conf->ntls; i++) {
		snprintf(name, sizeof(name), "tls/%zu-certificate.pem", i);
		whole &= add_file(w, s->conf->tls[i].certificate, name);
		snprintf(name, sizeof(name), "tls/%zu-key.pem", i);
		whole &= !keys || add_file(w, s->conf->tls[i].key, name);
	}
	return whole;
}
