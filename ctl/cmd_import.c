/*
 * cmd_import.c - postern account import, account export, grant import.
 *
 * A file is read twice: once to find every error, and then, if there is
 * none, to send it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctl/accounts.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/import.h"
#include "ctl/import_report.h"
#include "ctl/item.h"
#include "ctl/operand.h"
#include "ctl/progress.h"
#include "ipc/channel.h"

#define ERRORS_SHOWN 20
#define PATIENCE_S   900 /* for a million accounts on a slow disk */

struct job {
	struct ctl *c;
	const char *name; /* of the file */
	FILE *file;
	enum import_format format; /* --format, or to be found out */
	bool skip_bad;
	struct import im;
	struct progress progress;
	uint64_t errors, items; /* found while checking */
	struct daemon *line;    /* where items go; NULL while checking */
	bool sent;
};

/* A pipe can be read once only: keep what comes out of it. */
static int
open_file(const char *name)
{
	char piece[16384];
	struct stat st;
	ssize_t n;
	int from, to;

	from = strcmp(name, "-") == 0 ? dup(STDIN_FILENO)
				      : open(name, O_RDONLY | O_CLOEXEC);
	if (from != -1 && fstat(from, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(from);
		errno = EISDIR;
		return -1;
	}
	if (from == -1 || lseek(from, 0, SEEK_CUR) != -1)
		return from;
	to = memfd_create("import", MFD_CLOEXEC);
	while (to != -1 && (n = read(from, piece, sizeof(piece))) > 0)
		if (write(to, piece, (size_t)n) != n) {
			close(to);
			to = -1;
		}
	explicit_bzero(piece, sizeof(piece));
	close(from);
	return to;
}

static int
open_job(struct job *j, struct ctl *c, bool grants)
{
	const char *format = args_flag(&c->args, "format");
	const char *domain = args_flag(&c->args, "domain");
	char checked[256];
	int fd, code;

	memset(j, 0, sizeof(*j));
	j->c = c;
	j->name = c->args.words[0];
	j->skip_bad = args_flag(&c->args, "skip-bad") != NULL;
	if (format != NULL && !import_format_named(&j->format, format, grants))
		return output_fail(CODE_USAGE, "--format: %s",
		    grants ? "auto, aliases or map"
			   : "auto, shadow, htpasswd, passwd-file, sasldb, csv "
			     "or json");
	if (domain != NULL &&
	    (code = operand_domain(domain, checked)) != CODE_OK)
		return code;
	if ((code = settings_load(&c->settings, c->file)) != CODE_OK)
		return code;
	j->im.domain =
	    domain != NULL ? domain : c->settings.conf->default_domain;
	j->im.insist = domain != NULL;
	j->im.grants = grants;
	j->im.today = time(NULL) / 86400;
	fd = open_file(j->name);
	if (fd == -1 || (j->file = fdopen(fd, "r")) == NULL)
		return output_fail(errno == ENOENT ? CODE_MISSING
			: errno == EISDIR          ? CODE_USAGE
						   : CODE_DENIED,
		    "%s: %s", j->name, strerror(errno));
	return CODE_OK;
}

static void
close_job(struct job *j)
{
	if (j->file != NULL)
		fclose(j->file);
}

static void
on_item(void *arg, const struct msg_item *i)
{
	struct job *j = arg;
	struct msg m = { .type = MSG_ITEM };

	if (j->line == NULL)
		j->items++;
	if (j->line == NULL || !j->sent)
		return;
	m.u.item = *i;
	j->sent = message_send(j->line->sock, &m, -1);
	explicit_bzero(&m, sizeof(m));
}

static void
complain(struct job *j)
{
	if (j->line == NULL && j->errors++ < ERRORS_SHOWN)
		output_note("%s:%u: %s", j->name, j->im.line, j->im.error);
}

/* Feed every line to the reader, which knows as little as the first time. */
static void
read_all(struct job *j, const char *what)
{
	struct import fresh = { .format = j->format,
		.domain = j->im.domain,
		.insist = j->im.insist,
		.grants = j->im.grants,
		.today = j->im.today,
		.item = on_item,
		.arg = j };
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	j->im = fresh;
	rewind(j->file);
	fseeko(j->file, 0, SEEK_END);
	progress_begin(
	    &j->progress, &j->c->out, what, (uint64_t)ftello(j->file));
	rewind(j->file);
	while ((n = getline(&line, &size, j->file)) != -1) {
		progress_add(&j->progress, (uint64_t)n);
		if (n > 0 && line[n - 1] == '\n')
			line[--n] = '\0';
		if (n > IMPORT_LINE) {
			j->im.line++;
			import_fail(&j->im, "a line of %zd bytes", n);
			complain(j);
		} else if (!import_line(&j->im, line, (size_t)n)) {
			complain(j);
		}
		explicit_bzero(line, (size_t)n);
		/* Every line would be told the same. */
		if (j->im.format == IMPORT_AUTO && j->errors > 0 &&
		    !j->skip_bad)
			break;
	}
	free(line);
	progress_end(&j->progress);
}

/* Look for errors; CODE_OK when there is none. */
static int
check(struct job *j)
{
	read_all(j, "reading");
	if (j->errors > ERRORS_SHOWN)
		output_note(
		    "... and %" PRIu64 " more", j->errors - ERRORS_SHOWN);
	if (j->errors > 0 &&
	    (j->im.format == IMPORT_AUTO || (j->skip_bad && j->items == 0)))
		return output_fail(CODE_NO, "nothing was imported");
	else if (j->errors > 0 && j->skip_bad)
		output_note("left out %" PRIu64 " line%s that cannot be read",
		    j->errors, j->errors == 1 ? "" : "s");
	else if (j->errors > 0)
		return output_fail(CODE_NO,
		    "nothing was imported: %" PRIu64 " line%s of %s cannot be "
		    "read as %s (--format names another format, --skip-bad "
		    "leaves %s out)",
		    j->errors, j->errors == 1 ? "" : "s", j->name,
		    import_format_name(j->im.format),
		    j->errors == 1 ? "it" : "them");
	if (j->im.left_out > 0)
		output_note("left out %" PRIu64 " entr%s that %s",
		    j->im.left_out, j->im.left_out == 1 ? "y" : "ies",
		    j->im.grants ? "name no address"
				 : "nobody could log in with");
	if (j->im.shadowed > 0 && j->im.accounts == 0)
		output_note("\"x\" means that the passwords are in another "
			    "file: import /etc/shadow");
	return CODE_OK;
}

static int
run(struct ctl *c, bool grants, uint32_t flags)
{
	struct msg m = accounts_ask(ACCOUNT_IMPORT);
	struct msg_cmd_done done;
	struct daemon line;
	struct report report;
	struct job j;
	int code = open_job(&j, c, grants);

	if (code == CODE_OK)
		code = check(&j);
	if (code != CODE_OK || (code = accounts_open(&line, c)) != CODE_OK)
		goto out;
	if (args_flag(&c->args, "dry-run") != NULL)
		flags |= IMPORT_DRY_RUN;
	if (args_flag(&c->args, "update") != NULL)
		flags |= IMPORT_UPDATE;
	if (args_flag(&c->args, "new") != NULL)
		flags |= IMPORT_NEW;
	m.u.account_cmd.flags = flags;
	j.line = &line;
	j.sent = true;
	read_all(&j, "sending");
	daemon_patience(&line, PATIENCE_S);
	report_begin(&report, &c->out, flags & IMPORT_DRY_RUN, grants);
	code = daemon_ask(&line, &m, report_row, &report, &done);
	if (code == CODE_OK)
		code = report_end(&report, &done);
	daemon_close(&line);
out:
	close_job(&j);
	return code;
}

int
cmd_account_import(struct ctl *c)
{
	return run(c, false, 0);
}

int
cmd_grant_import(struct ctl *c)
{
	return run(c, true, IMPORT_KNOWN);
}

static void
export_item(void *arg, const struct msg *m)
{
	json_t *whole;

	if (m->type == MSG_ITEM_ROW &&
	    (whole = item_gather(arg, &m->u.item)) != NULL)
		output_document(whole);
}

int
cmd_account_export(struct ctl *c)
{
	struct msg m = accounts_ask(ACCOUNT_EXPORT);
	struct daemon line;
	json_t *object = NULL;
	int code;

	if ((code = accounts_open(&line, c)) != CODE_OK)
		return code;
	code = daemon_call(&line, &m, export_item, &object, NULL);
	daemon_close(&line);
	if (object != NULL && code == CODE_OK)
		output_document(object);
	else
		json_decref(object);
	return code;
}
