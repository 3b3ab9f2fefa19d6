/*
 * admin_dkim.c - see admin_dkim.h.
 *
 * The rows of the answer are the domain's keys as they are afterwards.
 */
#include <stdio.h>
#include <string.h>

#include "auth/admin_dkim.h"
#include "auth/admin_say.h"
#include "auth/dkim.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "mail/ascii.h"
#include "mail/domain.h"

static const struct command {
	const char *name; /* for the log */
	enum dkim_result (*run)(struct dkim_change *);
	const char *done;   /* @ is the domain */
	const char *absent; /* what DKIM_ABSENT means */
} commands[DKIM_VERBS] = {
	[DKIM_LIST] = { "dkim.list", NULL, NULL, NULL },
	[DKIM_ADD] = { "dkim.add", dkim_add,
	    "made keys for @, and its mail is signed from now on (undo: "
	    "postern dkim retire --all @)",
	    NULL },
	[DKIM_PREPARE] = { "dkim.prepare", dkim_prepare,
	    "made new keys for @; the old ones sign until they are switched "
	    "(go on: postern dkim rotate @)",
	    "@ has no keys that sign (make some: postern dkim add @)" },
	[DKIM_SWITCH] = { "dkim.switch", dkim_switch,
	    "the new keys of @ sign from now on; keep the old records for a "
	    "week (then: postern dkim retire @)",
	    "@ has no keys to switch to (make some: postern dkim rotate @)" },
	[DKIM_RETIRE] = { "dkim.retire", dkim_retire,
	    "removed the retired keys of @; their TXT records can go (the "
	    "others: postern dkim list @)",
	    "@ has no retiring keys (see: postern dkim list @)" },
	[DKIM_REMOVE] = { "dkim.remove", dkim_remove,
	    "removed all keys of @: its mail is not signed any more (new "
	    "ones: postern dkim add @)",
	    "@ has no keys (make some: postern dkim add @)" },
};

static void
send_key(struct console *con, const struct dkim_row *row)
{
	struct msg m = { .type = MSG_DKIM_ROW };

	dkim_describe(con->at_login, con->at_address, row, &m.u.dkim_row);
	console_row(con, &m);
}

/* The next key of the domain asked for, or of all; in at_login, at_address. */
static bool
next_key(struct console *con)
{
	char *selector = con->at_address;
	struct dkim_row row;

	if (!dkim_next(NULL, con->at_login, selector, &row) ||
	    (con->dkim.domain[0] != '\0' &&
		strcmp(con->at_login, con->dkim.domain) != 0))
		return false;
	send_key(con, &row);
	explicit_bzero(&row, sizeof(row));
	return true;
}

static void
rewind_keys(struct console *con)
{
	strcpy(con->at_login, con->dkim.domain);
	con->at_address[0] = '\0';
}

/* A domain in canonical form, or where all are meant none. */
static bool
canonical(struct msg_dkim_cmd *cmd)
{
	size_t n = strlen(cmd->domain);

	for (size_t i = 0; i < n; i++)
		cmd->domain[i] = ascii_lower(cmd->domain[i]);
	return (n == 0 &&
		   (cmd->verb == DKIM_LIST || cmd->verb == DKIM_EXPORT)) ||
	    domain_valid(cmd->domain, n, 0);
}

/* End with a text in which @ stands for the domain. */
static void
say(struct console *con, enum code how, const char *text)
{
	char out[600] = "";
	size_t n = 0;

	for (; *text != '\0' && n + 256 < sizeof(out); text++) {
		if (*text == '@')
			n += (size_t)sprintf(out + n, "%s", con->dkim.domain);
		else
			out[n++] = *text;
		out[n] = '\0';
	}
	console_done(con, how, "%s", out);
}

static void
succeed(struct console *con, const struct command *c)
{
	log_event("admin.change", "by=%s what=%s domain=%s", log_quote(con->by),
	    c->name, log_quote(con->dkim.domain));
	rewind_keys(con);
	while (next_key(con))
		;
	say(con, CODE_OK, c->done);
}

static void
change(struct console *con, const struct command *c)
{
	struct dkim_change change = { .domain = con->dkim.domain,
		.by = con->by,
		.now = (uint64_t)loop_wall_ms() / 1000,
		.force = con->dkim.force != 0,
		.kinds = con->dkim.kinds };
	char when[24];

	switch (c->run(&change)) {
	case DKIM_DONE:
		succeed(con, c);
		break;
	case DKIM_ABSENT:
		say(con, CODE_MISSING, c->absent);
		break;
	case DKIM_EXISTS:
		say(con, CODE_EXISTS,
		    "@ has keys already (new ones: postern dkim rotate @)");
		break;
	case DKIM_EARLY:
		console_done(con, CODE_NO,
		    "mail that the old keys of %s signed may still be on its "
		    "way: retire them after %s, or now with --force",
		    change.domain, admin_date(change.when, when));
		break;
	case DKIM_NO_ROOM:
		console_done(
		    con, CODE_TEMP, "the disk is full; nothing was changed");
		break;
	case DKIM_FAILED:
		say(con, CODE_TEMP, "no key could be made");
		break;
	}
}

void
admin_dkim_run(struct console *con)
{
	if (!canonical(&con->dkim)) {
		console_done(con, CODE_USAGE, "%s is not a domain",
		    log_quote(con->dkim.domain));
	} else if (con->dkim.verb == DKIM_EXPORT) {
		admin_dkim_export(con);
	} else if (con->dkim.verb == DKIM_LIST) {
		rewind_keys(con);
		console_list(con, next_key);
	} else {
		change(con, &commands[con->dkim.verb]);
	}
}
