/*
 * cmd_help.c - postern help, version, completion.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/completion.h"
#include "ctl/ctl.h"
#include "ctl/help.h"
#include "ctl/text.h"
#include "lib/suggest.h"

struct topic {
	const char *name, *text;
};

static const struct topic topics[] = {
	{ "exit-codes",
	    "What a command ends with:\n\n"
	    "   0  done\n"
	    "   1  the answer is no, or a problem was found\n"
	    "   2  the command line is wrong\n"
	    "   3  the server is not running\n"
	    "   4  not permitted\n"
	    "   5  there is no such account, grant or message\n"
	    "   6  there is one already\n"
	    "  75  not now; the same may work later\n"
	    "  78  the configuration is wrong or missing\n" },
	{ "first-mail",
	    "From nothing to the first mail, as root:\n\n"
	    "  postern init alice@example.org --hostname mail.example.org\n"
	    "  systemctl enable --now postern    (or: postern serve)\n\n"
	    "The first prints a password.  In the mail program, set as the "
	    "server for\noutgoing mail:\n\n"
	    "  server    mail.example.org\n"
	    "  port      465, with TLS (or 587 with STARTTLS)\n"
	    "  user      alice@example.org\n"
	    "  password  as printed\n\n"
	    "Then put a certificate that mail programs trust into "
	    "/etc/postern/postern.conf\nand let the server read it: "
	    "systemctl reload postern.\n\n"
	    "  postern account test alice@example.org    why a login fails\n"
	    "  postern queue list                        what still waits\n" },
	{ "limits",
	    "What stops a flood, whoever has the password:\n\n"
	    "  recipients an hour and a day, messages an hour and a day, and\n"
	    "  recipients a day that the account never wrote to.  A new "
	    "account\n"
	    "  has half of them for a week.\n\n"
	    "Beyond a limit the program is told 450 4.7.1 and when it may try "
	    "again;\nnothing is lost.\n\n"
	    "  postern account limits alice@example.org   what there is and "
	    "what "
	    "is used\n"
	    "  postern account limits alice@example.org --per-hour 1000\n"
	    "  [limits] in postern.conf                   for all accounts\n\n"
	    "The guard learns what is usual for an account, and suspends one "
	    "that breaks\nwith it: its mail is held, and you get a mail.\n\n"
	    "  postern guard explain alice@example.org    why, and how near it "
	    "is\n"
	    "  postern account resume alice@example.org   it was its owner\n"
	    "  postern account resume alice@example.org --drop-held   it was "
	    "not\n" },
	{ "migrate",
	    "From another server, with the passwords that people have:\n\n"
	    "  postern init --hostname mail.example.org\n"
	    "  postern account import /etc/shadow --domain example.org "
	    "--dry-run\n"
	    "  postern account import /etc/shadow --domain example.org\n"
	    "  db5.3_dump /etc/sasldb2 | postern account import -   (or: Cyrus "
	    "SASL's)\n"
	    "  postern grant import /etc/aliases --domain example.org\n"
	    "  postern dkim add example.org\n"
	    "  postern dns example.org --check            what DNS still "
	    "lacks\n"
	    "  postern check relay                        nobody relays\n\n"
	    "It reads shadow, htpasswd, Dovecot's passwd-file, a dump of "
	    "sasldb2, CSV, and\nfor grants aliases and Postfix's maps.  Each "
	    "password becomes yescrypt at its\nfirst login; account list "
	    "--weak "
	    "tells who has not come yet.\n\n"
	    "The old server keeps port 25 and the mailboxes; take 465 and 587 "
	    "from it.\nWhat became of its settings and commands: "
	    "docs/MIGRATING.md.\n" },
	{ "stolen-password",
	    "Somebody else sends as bob@example.org:\n\n"
	    "  postern account suspend bob@example.org --reason "
	    "\"stolen password\"\n"
	    "  postern account show bob@example.org      from where it was "
	    "used\n"
	    "  postern queue list --account bob@example.org\n"
	    "  postern trace bob@example.org             what went out "
	    "already\n\n"
	    "Sessions are closed and waiting mail is held from the first line "
	    "on.  When Bob\nis there to hear the new password:\n\n"
	    "  postern queue remove --account bob@example.org\n"
	    "  postern account passwd bob@example.org --generate\n"
	    "  postern account app-password list bob@example.org\n"
	    "  postern account resume bob@example.org\n\n"
	    "The guard does the first line by itself when it sees a flood: "
	    "postern guard\nexplain bob@example.org says why.\n" },
	{ NULL, NULL },
};

static int
no_topic(const char *typed)
{
	struct suggest s;
	char clean[200];

	suggest_init(&s, typed);
	for (const struct topic *t = topics; t->name != NULL; t++)
		suggest_offer(&s, t->name);
	for (const struct command *c = commands; c->noun != NULL; c++)
		suggest_offer(&s, c->noun);
	return output_fail(CODE_USAGE, "no help about \"%s\"%s%s%s",
	    text_clean(clean, sizeof(clean), typed),
	    s.best != NULL ? "; did you mean \"" : "",
	    s.best != NULL ? s.best : "", s.best != NULL ? "\"?" : "");
}

/* Do the words behind the noun name this verb, of one word or two? */
static bool
is_verb(const struct args *a, const char *verb)
{
	char typed[128];

	if (a->nwords < 2)
		return false;
	snprintf(typed, sizeof(typed), "%.60s%s%.60s", a->words[1],
	    a->nwords > 2 ? " " : "", a->nwords > 2 ? a->words[2] : "");
	return strcmp(verb, typed) == 0 || strcmp(verb, a->words[1]) == 0;
}

int
cmd_help(struct ctl *ctl)
{
	const struct args *a = &ctl->args;
	const char *noun = a->nwords > 0 ? a->words[0] : NULL;
	bool known = false;

	if (args_flag(a, "mdoc") != NULL) {
		help_mdoc_synopsis(stdout);
		help_mdoc_commands(stdout);
		return CODE_OK;
	}
	if (noun == NULL) {
		help_print(stdout, NULL, NULL);
		return CODE_OK;
	}
	for (const struct topic *t = topics; t->name != NULL; t++)
		if (strcmp(t->name, noun) == 0) {
			fputs(t->text, stdout);
			return CODE_OK;
		}
	for (const struct command *c = commands; c->noun != NULL; c++) {
		if (strcmp(c->noun, noun) != 0)
			continue;
		known = true;
		if (c->verb == NULL || is_verb(a, c->verb)) {
			help_print(stdout, noun, c);
			return CODE_OK;
		}
	}
	if (!known)
		return no_topic(noun);
	help_print(stdout, noun, NULL);
	return CODE_OK;
}

int
cmd_version(struct ctl *c)
{
	if (c->out.mode == OUTPUT_JSON)
		output_document(json_pack("{s:s}", "version", VERSION));
	else
		printf("postern %s\n", VERSION);
	return CODE_OK;
}

int
cmd_completion(struct ctl *c)
{
	if (!completion_print(stdout, c->args.words[0]))
		return output_fail(CODE_USAGE,
		    "completion for bash, zsh or fish; not for \"%s\"",
		    c->args.words[0]);
	return CODE_OK;
}
