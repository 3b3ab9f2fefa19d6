/*
 * cmd_restore.c - postern restore: a backup into stores that are empty.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "ctl/accounts.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/recover.h"
#include "ctl/text.h"
#include "ipc/identity.h"

struct restore {
	struct ctl *c;
	struct archive a;
	bool accounts, spool, dry, hold;
};

/* A store that was never opened is empty, and stays so in a dry run. */
static bool
never_used(const struct ctl *c, enum process owner)
{
	struct identity id;
	char path[IDENTITY_DIR + 8];

	identity_of(owner, c->settings.conf, &id);
	snprintf(path, sizeof(path), "%s/env", id.dir);
	return access(path, F_OK) == -1 && errno == ENOENT;
}

static int
ask_count(struct daemon *line, struct msg *m, uint64_t *n)
{
	struct msg_cmd_done done;
	int code = daemon_call(line, m, NULL, NULL, &done);

	*n = code == CODE_OK ? done.count : 0;
	return code;
}

static int
not_empty(const struct ctl *c, const char *what, enum process owner)
{
	struct identity id;

	identity_of(owner, c->settings.conf, &id);
	return output_fail(CODE_EXISTS,
	    "there are %s already, and a restore never writes over any: move "
	    "%s/env away, or restore with a --config of another [paths] state",
	    what, id.dir);
}

static int
check_accounts(struct restore *r)
{
	struct msg accounts = accounts_ask(ACCOUNT_LIST);
	struct msg dkim = { .type = MSG_DKIM_CMD };
	struct daemon line;
	uint64_t n = 0, keys = 0;
	int code;

	dkim.u.dkim_cmd.verb = DKIM_LIST;
	if (never_used(r->c, P_AUTH))
		return CODE_OK;
	code = daemon_open_owner(&line, &r->c->settings, SERVICE_AUTH);
	if (code == CODE_OK)
		code = ask_count(&line, &accounts, &n);
	if (code == CODE_OK)
		code = ask_count(&line, &dkim, &keys);
	daemon_close(&line);
	return code == CODE_OK && n + keys > 0
	    ? not_empty(r->c, "accounts or keys", P_AUTH)
	    : code;
}

static int
check_spool(struct restore *r)
{
	struct msg m = { .type = MSG_QUEUE_CMD };
	struct daemon line;
	uint64_t n = 0;
	int code;

	m.u.queue_cmd.verb = QUEUE_LIST;
	m.u.queue_cmd.limit = 1;
	if (never_used(r->c, P_QUEUE))
		return CODE_OK;
	code = daemon_open_owner(&line, &r->c->settings, SERVICE_QUEUE);
	if (code == CODE_OK)
		code = ask_count(&line, &m, &n);
	daemon_close(&line);
	return code == CODE_OK && n > 0 ? not_empty(r->c, "messages", P_QUEUE)
					: code;
}

static int
write_accounts(struct restore *r)
{
	struct daemon line;
	int code = daemon_open_owner(&line, &r->c->settings, SERVICE_AUTH);

	if (code == CODE_OK)
		code = recover_accounts(&r->a, &line);
	if (code == CODE_OK)
		code = recover_dkim(&r->a, &line);
	daemon_close(&line);
	return code;
}

static int
write_spool(struct restore *r)
{
	struct daemon line;
	int code = daemon_open_owner(&line, &r->c->settings, SERVICE_QUEUE);

	if (code == CODE_OK)
		code = recover_spool(&r->a, &line, r->hold);
	daemon_close(&line);
	return code;
}

static int
open_restore(struct restore *r, struct ctl *c)
{
	const char *only = args_flag(&c->args, "only");
	char error[sizeof(r->a.error) * 4];
	int code;

	memset(r, 0, sizeof(*r));
	r->c = c;
	r->accounts = only == NULL || strcmp(only, "accounts") == 0;
	r->spool = only == NULL || strcmp(only, "spool") == 0;
	r->dry = args_flag(&c->args, "dry-run") != NULL;
	r->hold = args_flag(&c->args, "hold") != NULL;
	if (!r->accounts && !r->spool)
		return output_fail(
		    CODE_USAGE, "--only: accounts or spool, not %s", only);
	if ((code = settings_load(&c->settings, c->file)) != CODE_OK)
		return code;
	if (daemon_running(&c->settings))
		return output_fail(CODE_NO,
		    "the server runs: a restore never writes over a live "
		    "spool; end it first");
	code = archive_open(&r->a, c->args.words[0]);
	if (code == CODE_OK && !recover_check(&r->a))
		code = CODE_NO;
	if (code == CODE_NO)
		output_fail(code, "%s: %s; nothing was restored", r->a.name,
		    text_clean(error, sizeof(error), r->a.error));
	return code;
}

static void
tell(const struct restore *r)
{
	uint64_t accounts = r->accounts ? archive_count(&r->a, "accounts") : 0;
	uint64_t messages = r->spool ? r->a.nmail : 0;
	char when[TEXT_SHORT];
	const char *started =
	    json_string_value(json_object_get(r->a.about, "started"));

	if (r->c->out.mode == OUTPUT_JSON)
		output_document(json_pack("{s:b, s:I, s:I, s:b}", "dry_run",
		    r->dry, "accounts", (json_int_t)accounts, "messages",
		    (json_int_t)messages, "held", r->hold));
	else
		output_note("%s %" PRIu64 " accounts and %" PRIu64 " messages",
		    r->dry ? "would restore" : "restored", accounts, messages);
	if (messages > 0)
		output_note(
		    "Warning: what was delivered after the backup began "
		    "(%s) goes out a second time%s",
		    text_clean(
			when, sizeof(when), started != NULL ? started : "?"),
		    r->hold ? " when it is released (postern queue list)"
			    : ", as soon as the server starts; --hold keeps "
			      "it back until it is released");
}

int
cmd_restore(struct ctl *c)
{
	struct restore r;
	int code = open_restore(&r, c);

	if (code == CODE_OK && r.accounts)
		code = check_accounts(&r);
	if (code == CODE_OK && r.spool)
		code = check_spool(&r);
	if (code == CODE_OK && !r.dry && r.accounts)
		code = write_accounts(&r);
	if (code == CODE_OK && !r.dry && r.spool)
		code = write_spool(&r);
	if (code == CODE_OK)
		tell(&r);
	archive_close(&r.a);
	return code;
}
