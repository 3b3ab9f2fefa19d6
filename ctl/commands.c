/*
 * commands.c - see commands.h.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/help.h"

/* clang-format off */

const struct flag common_flags[] = {
	{ "config", "FILE", "the configuration (" CONF_DEFAULT_FILE ")" },
	{ "no-color", NULL, "no colours; so does NO_COLOR=1" },
	{ "no-input", NULL, "never ask; fail where an answer is needed" },
	{ "help", NULL, "say what the command does" },
	{ NULL, NULL, NULL },
};

#define JSON  { "json", NULL, "print JSON, for programs" }
#define PLAIN { "plain", NULL, "print fields between tabs, for scripts" }
#define END   { NULL, NULL, NULL }
#define PASSWORD_STDIN { "password-stdin", NULL, "read the password from the first line of stdin" }
#define GENERATE { "generate", NULL, "make a password and show it once" }
#define DRY_RUN  { "dry-run", NULL, "say what would be done, change nothing" }
#define ACCOUNT  { "account", "ADDRESS", "messages of this account" }
#define SENDER   { "sender", "ADDRESS", "messages from this address, @domain or <>" }
#define DOMAIN   { "domain", "DOMAIN", "messages to recipients of this domain" }
#define ALL      { "all", NULL, "all messages" }

static const struct flag no_flags[] = { END };
static const struct flag json[] = { JSON, END };
static const struct flag list[] = { JSON, PLAIN, END };
static const struct flag init[] = {
	{ "hostname", "NAME", "the name of this server, as clients know it" },
	DRY_RUN, JSON, END };
static const struct flag password[] = { GENERATE, PASSWORD_STDIN, JSON, END };
static const struct flag suspend[] = {
	{ "reason", "TEXT", "why; \"account show\" tells it" },
	END };
static const struct flag resume[] = {
	{ "release", NULL, "its held mail goes out, as without a flag" },
	{ "drop-held", NULL, "its held mail is removed, without a bounce" },
	END };
static const struct flag test[] = {
	{ "from", "IP", "as if the client had this address" },
	PASSWORD_STDIN, JSON, END };
static const struct flag account_list[] = {
	{ "weak", NULL, "only those whose password is not yet hashed anew" },
	JSON, PLAIN, END };
#define SKIP_BAD { "skip-bad", NULL, "leave out lines that cannot be read, import the rest" }
#define IMPORT_DOMAIN { "domain", "DOMAIN", "of names without one (default-domain)" }
static const struct flag account_import[] = {
	{ "format", "FORMAT", "auto, shadow, htpasswd, passwd-file, sasldb, csv or json" },
	IMPORT_DOMAIN,
	{ "update", NULL, "replace the passwords of accounts that exist" },
	{ "new", NULL, "they are new: half of the limits at first" },
	SKIP_BAD, DRY_RUN, JSON, PLAIN, END };
static const struct flag grant_import[] = {
	{ "format", "FORMAT", "one of auto, aliases or map" },
	IMPORT_DOMAIN, SKIP_BAD, DRY_RUN, JSON, PLAIN, END };
#define LIMITS_OF \
	{ "per-hour", "NUMBER", "recipients an hour" }, \
	{ "per-day", "NUMBER", "recipients a day" }, \
	{ "messages-per-hour", "NUMBER", "messages an hour" }, \
	{ "messages-per-day", "NUMBER", "messages a day" }, \
	{ "new-per-day", "NUMBER", "recipients a day that it never wrote to" }, \
	{ "recipients", "NUMBER", "recipients in one message" }, \
	{ "size", "SIZE", "octets in one message, like 10M" }
#define SCOPE \
	{ "networks", "LIST", "only from these: 192.0.2.0/24, 2001:db8::/32" }, \
	{ "senders", "LIST", "only as these addresses, or @ and a domain" }, \
	LIMITS_OF
#define EXPIRES { "expires", "TIME", "not longer than this, like 90d" }
static const struct flag certificate_issue[] = {
	{ "out", "FILE", "where to write it (ADDRESS.p12)" },
	SCOPE, EXPIRES, JSON, END };
static const struct flag certificate_add[] = { SCOPE, EXPIRES, END };
static const struct flag app_password[] = {
	SCOPE, EXPIRES, JSON, END };
static const struct flag account_limits[] = { LIMITS_OF, JSON, PLAIN, END };
static const struct flag queue_list[] = {
	ACCOUNT, SENDER, DOMAIN, { "limit", "NUMBER", "stop after so many messages" },
	JSON, PLAIN, END };
static const struct flag selected[] = { ACCOUNT, SENDER, DOMAIN, ALL, DRY_RUN,
	{ "yes", NULL, "do not ask for confirmation" }, JSON, END };
static const struct flag queue_shape[] = {
	{ "limit", "NUMBER", "so many domains (20)" },
	JSON, PLAIN, END };
static const struct flag relay_test[] = {
	{ "account", "ADDRESS", "by the route of this account's mail" },
	{ "sender", "ADDRESS", "by the route of mail from this address" },
	{ "abuse", NULL, "does this host relay for strangers?" },
	{ "report", NULL, "every form and its reply, to hand on" },
	JSON, END };
static const struct flag check_relay[] = {
	{ "host", "HOST[:PORT]", "this server instead of our own" },
	{ "report", NULL, "every form and its reply, to hand on" },
	JSON, END };
static const struct flag status[] = {
	{ "prometheus", NULL, "every number, as Prometheus reads them" },
	JSON, END };
static const struct flag dns[] = {
	{ "check", NULL, "ask DNS, and tell only what is wrong" },
	{ "format", "FORMAT", "one of table, zone or json" },
	JSON, END };
static const struct flag dkim_add[] = {
	{ "only", "KIND", "one key: ed25519 or rsa" },
	JSON, END };
static const struct flag rotate[] = {
	{ "wait", NULL, "wait until DNS shows the new keys" },
	{ "force", NULL, "do not look into DNS" },
	JSON, END };
static const struct flag retire[] = {
	{ "force", NULL, "at once" },
	{ "all", NULL, "those that sign too: mail is not signed any more" },
	JSON, END };
static const struct flag client_settings[] = {
	{ "format", "FORMAT", "one of text, json, autoconfig, mobileconfig or qr" },
	{ "imap", "HOST[:PORT]", "where the account reads its mail (993, TLS)" },
	JSON, END };
#define SINCE { "since", "TIME", "from this age (36h, 7d) or UTC time on" }
static const struct flag trace[] = {
	SINCE, { "limit", "NUMBER", "stop after so many messages (20)" },
	{ "received", "FILE", "of which message is this header?" },
	{ "report", NULL, "write it for an abuse desk" },
	JSON, END };
static const struct flag log_flags[] = {
	{ "follow", NULL, "go on with what happens" },
	{ "account", "ADDRESS", "messages of this account" },
	{ "id", "ID", "this message" },
	SINCE, JSON, PLAIN, END };
static const struct flag version[] = { JSON, END };
static const struct flag help[] = {
	{ "mdoc", NULL, "the command list as source of the manual" }, END };

static const struct flag backup_create[] = {
	{ "journal", NULL, "with the journal of the last weeks" },
	{ "keys", NULL, "with the private keys of TLS" },
	JSON, END };
static const struct flag restore[] = {
	{ "only", "WHAT", "no more than accounts, or than spool" },
	{ "hold", NULL, "hold every message until it is released" },
	DRY_RUN, JSON, END };

#define SELECTION \
	"Messages are named by their ids, or selected by --account, " \
	"--sender and --domain together, or by --all.  How many that are is " \
	"told first, at a terminal, and the change made after a yes; " \
	"--dry-run tells no more than that."

const struct command commands[] = {
/* noun         verb       words               flags       handler */
{ "init",       NULL,      "[ADDRESS]",        init,       cmd_init,
  "set up, or repair, what a server needs",
  "Makes what is missing and leaves alone what is there: the system users, "
  "the directories, a self-signed certificate, the configuration.  Asks "
  "nothing and needs no network, so it can be repeated at any time.  "
  "With ADDRESS the first account is made too, and its generated password "
  "is shown once.\n\n"
  "A configuration that exists is followed and never changed." },
{ "serve",      NULL,      "",                 no_flags,   cmd_serve,
  "run the server in the foreground",
  "Checks the configuration, then serves until it is told to stop.  "
  "SIGHUP makes the server read configuration and certificates again; "
  "SIGTERM ends it when the transactions under way are finished." },
{ "status",     NULL,      "",                 status,     cmd_status,
  "tell how the server is",
  "Ends with 3 when it is not running.\n\n"
  "With --prometheus all that the processes count, for the textfile collector "
  "of node_exporter or whatever else reads that format; without a server "
  "postern_up is 0." },

{ "check",      "client",  "ADDRESS",          json,       cmd_check_client,
  "tell what the rules of [screen] say",
  "ADDRESS is that of a client.  The running server looks it up as it would for "
  "a connection: its name, and the block lists.  Ends with 1 when a client from "
  "there would be refused." },
{ "check",      "relay",   "",                 check_relay, cmd_check_relay,
  "try to relay without an account",
  "Speaks to every listener from outside and tries, to the end of data, the "
  "forms that relay testers have used since 1998 and attackers since: "
  "percent signs, source routes, quoting, false logins, claims of trust, "
  "commands behind STARTTLS, tickets, ends of data that are none.  These need "
  "a login: an account relay-check@HOSTNAME is made, its mail is held, and both "
  "are removed.  Then the spool is looked at.\n\n"
  "With --host another server, of one's own, is tried.  Ends with 1 when "
  "anything was taken." },
{ "check",      "sandbox", "",                 list,       cmd_check_sandbox,
  "try what the processes must not be able to do",
  "Starts each process as the server would, lets it give up its rights, and "
  "has it try to read other files, to run programs, to connect, and more.  "
  "The running server is not touched.  Ends with 1 when anything that should "
  "be refused is not." },
{ "check",      "store",   "",                 list,       cmd_check_store,
  "look whether accounts and spool are whole",
  "Each is copied and the copy is verified, page by page and row by row, while "
  "the server runs.  The disk needs room for the copy.  Without a server only "
  "the accounts are looked at.  Ends with 1 when anything is damaged." },

{ "relay-test", NULL,      "TARGET",           relay_test, cmd_relay_test,
  "tell how far a mail would come",
  "TARGET is an address, or a domain, whose postmaster stands for everybody.  "
  "Every server of the destination is asked up to RCPT, as a delivery would: "
  "by route or MX, with DANE, MTA-STS and TLS; nothing is sent.  Ends with 1 "
  "when no server would take it.\n\n"
  "Without --account and --sender the route is that of a notice, which goes by "
  "its recipient alone.  One of both stands for the other.\n\n"
  "With --abuse TARGET is a server of one's own, HOST or HOST:PORT, and the "
  "forms of \"check relay\" are tried on it." },

{ "config",     "check",   "",                 json,       cmd_config_check,
  "look for errors in the configuration",
  "All errors are told in one run, with line and remedy, and so are files "
  "that it names and that are missing or open to everyone.  Ends with 78 "
  "when there is one.  While no server runs, ports that another program has are "
  "told too." },
{ "config",     "show",    "",                 list,       cmd_config_show,
  "print every setting and where it is from",
  NULL },

{ "account",    "add",     "ADDRESS",          password,   cmd_account_add,
  "make an account",
  "ADDRESS is what a mail program logs in with, and what the account may "
  "send as.  The password is asked for twice, unless a flag says where it "
  "comes from; it never stands on the command line." },
{ "account",    "list",    "",                 account_list, cmd_account_list,
  "list the accounts",
  "With --weak, those that were imported and have not logged in since." },
{ "account",    "show",    "ADDRESS",          json,       cmd_account_show,
  "tell all about one account",
  "Its state and the reason for it, what it may send as, its limits and what "
  "is used of them, its app passwords and certificates with their last use, "
  "and its last logins." },
{ "account",    "passwd",  "ADDRESS",          password,   cmd_account_passwd,
  "give an account another password",
  "The old one ends at once, and so do the sessions that were opened with it; "
  "app passwords and certificates go on." },
{ "account",    "suspend", "ADDRESS",          suspend,    cmd_account_suspend,
  "stop its logins, its sessions, its mail",
  "Waiting mail is held, not lost, until the account is resumed.  Who logs in "
  "with the right password is let in, and each mail is refused with a text "
  "that says so, for mail programs show no other." },
{ "account",    "resume",  "ADDRESS",          resume,     cmd_account_resume,
  "let a suspended account go on",
  "Its waiting mail goes on too, unless --drop-held says that it is not the "
  "owner's.  The guard takes what was seen today as usual from then on." },
{ "account",    "remove",  "ADDRESS",          no_flags,   cmd_account_remove,
  "remove an account for good",
  "Its password and its grants are gone, its sessions end, and its waiting "
  "mail is held: \"queue remove --account ADDRESS\" removes that too." },
{ "account",    "test",    "ADDRESS",          test,       cmd_account_test,
  "say why a login would fail",
  "Says OK or FAIL and the exact reason, without counting as a login.  Asks for the password.  Ends with 1 when the login would fail." },
{ "account",    "logins",  "ADDRESS",          list,       cmd_account_logins,
  "list the last logins of an account",
  "The newest first, good and bad ones, about twenty." },
{ "account",    "limits",  "ADDRESS",          account_limits, cmd_account_limits,
  "show or set what an account may send",
  "Without a flag: its limits, what is used of them now, and where each comes "
  "from.  With flags it gets numbers of its own, which count instead of those "
  "of the configuration and are not halved while it is new; \"default\" as a "
  "value gives one back.  A higher per-hour or per-day raises messages and "
  "new-per-day with it, unless they have numbers of their own." },
{ "account",    "app-password add", "ADDRESS LABEL", app_password, cmd_app_password_add,
  "make a password for one device",
  "LABEL tells which device it is.  The password is made and shown once; it "
  "works beside the account's own, only as far as the flags allow, until it "
  "is revoked." },
{ "account",    "app-password list", "ADDRESS", list,      cmd_app_password_list,
  "list the app passwords and their last use",
  NULL },
{ "account",    "app-password revoke", "ADDRESS LABEL", no_flags, cmd_app_password_revoke,
  "end an app password and its sessions",
  NULL },
{ "account",    "certificate add", "ADDRESS LABEL FILE", certificate_add, cmd_certificate_add,
  "let a client certificate log in",
  "FILE holds a certificate or a public key in PEM form.  Its key is what "
  "counts; who signed it does not matter.  A [listen] with "
  "client-certificates = yes asks for it." },
{ "account",    "certificate issue", "ADDRESS LABEL", certificate_issue, cmd_certificate_issue,
  "make a key and a certificate to log in with",
  "Both are written as one PKCS#12 file, which mail programs and telephones "
  "import; the password that opens it is shown once.  postern keeps no copy "
  "of the key." },
{ "account",    "certificate list", "ADDRESS", list,       cmd_certificate_list,
  "list the certificates and their last use",
  NULL },
{ "account",    "certificate revoke", "ADDRESS LABEL", no_flags, cmd_certificate_revoke,
  "end a certificate and its sessions",
  NULL },
{ "account",    "import",  "FILE",             account_import, cmd_account_import,
  "take over the accounts of another server",
  "FILE is /etc/shadow, a file of htpasswd, a passwd-file of Dovecot, db_dump "
  "of a Cyrus sasldb2, comma-separated values, or what \"account export\" "
  "wrote; - is stdin.  Hashes stay as they are, so everybody logs in with "
  "the old password, and each becomes yescrypt at its first login.  Each "
  "account may send as its own address.\n\n"
  "All of it is imported or nothing.  Entries without a password are left "
  "out, locked ones stay locked, and accounts that exist are left alone.  They "
  "have been in use elsewhere, so the limits of new accounts are not theirs." },
{ "account",    "export",  "",                 no_flags,   cmd_account_export,
  "print every account for another server",
  "One JSON object a line, with hashes, credentials and grants: keep it "
  "secret.  \"account import\" takes it back." },
{ "account",    "legacy",  "ADDRESS on|off",   no_flags,   cmd_account_legacy,
  "let it log in at listeners for old devices",
  "A [listen] with \"legacy = yes\" takes TLS 1.0 and 1.1, which others could "
  "read some day, so only accounts that are allowed to may log in there: one "
  "for each scanner or printer, with a password of its own.  \"off\" ends the "
  "sessions of the account." },

{ "grant",      "add",     "ADDRESS SENDER",   no_flags,   cmd_grant_add,
  "let an account send as another address",
  "SENDER is an address (its +tags are included) or @example.org, every "
  "address of a domain.  Several accounts may share one." },
{ "grant",      "list",    "[ADDRESS]",        list,       cmd_grant_list,
  "list who may send as what",
  "With ADDRESS, only what this account may send as." },
{ "grant",      "import",  "FILE",             grant_import, cmd_grant_import,
  "take over who may send as what",
  "FILE is /etc/aliases, or a source file of Postfix's virtual or "
  "sender_login_maps: every account on the right may send as the address on "
  "the left.  What is no account here is left out.  All of it is imported or "
  "nothing." },
{ "grant",      "remove",  "ADDRESS SENDER",   no_flags,   cmd_grant_remove,
  "end a grant",
  NULL },

{ "guard",      "explain", "ADDRESS",          json,       cmd_guard_explain,
  "tell what the guard knows of an account",
  "What the account did since its day began, what is usual for it, and what "
  "would freeze it; and if it is frozen, why, with all of this as it was when "
  "the guard froze it." },

{ "dkim",       "add",     "DOMAIN",           dkim_add,     cmd_dkim_add,
  "make keys that sign a domain's mail",
  "Makes an Ed25519 and an RSA key, which never leave the server's vault, and "
  "prints the TXT records that publish them.  Mail with a From: address of "
  "this domain is signed from now on, and so is that of domains below it "
  "that have no keys of their own." },
{ "dkim",       "list",    "[DOMAIN]",         list,       cmd_dkim_list,
  "list the keys",
  NULL },
{ "dkim",       "rotate",  "DOMAIN",           rotate,     cmd_dkim_rotate,
  "replace the keys of a domain",
  "Makes new keys and prints their records; when DNS shows these, the new "
  "keys sign.  The old ones rest for a week, for mail on its way, until "
  "\"dkim retire\".  Each run goes on where the last one stopped, and ends "
  "with 75 while DNS does not show the records." },
{ "dkim",       "retire",  "DOMAIN",           retire,     cmd_dkim_retire,
  "remove keys that do not sign any more",
  "Says no before they have rested for a week." },

{ "dns",        NULL,      "DOMAIN",           dns,        cmd_dns,
  "print the DNS records of a domain",
  "Every record that a domain which sends through this server is to have, and "
  "what it is for: MX, SPF, DKIM, DMARC, MTA-STS, TLSRPT, those by which mail "
  "programs find the server, and the names of its addresses.\n\n"
  "With --check only those that are not in DNS, as the running server sees it, "
  "or are not as they should be, with the reason; and whether a block list has "
  "the server's addresses.  Ends with 1 when there is a problem." },

{ "queue",      "list",    "",                 queue_list, cmd_queue_list,
  "list the messages that wait",
  "Oldest first." },
{ "queue",      "show",    "ID",               json,       cmd_queue_show,
  "tell all about one message",
  NULL },
{ "queue",      "shape",   "",                 queue_shape, cmd_queue_shape,
  "tell where mail waits, and how long",
  "Recipients who wait, by their domain and the age of their mail, the longest "
  "list first, with the last answer; and whether their servers answer at "
  "all." },
{ "queue",      "retry",   "[ID...|DOMAIN]",   selected,   cmd_queue_retry,
  "try messages again now",
  "A DOMAIN stands for --domain.  Servers that do not answer are tried at "
  "once, too, as far as these messages go there.\n\n"
  SELECTION },
{ "queue",      "hold",    "[ID...]",          selected,   cmd_queue_hold,
  "keep messages until they are released",
  SELECTION },
{ "queue",      "release", "[ID...]",          selected,   cmd_queue_release,
  "let held messages go on",
  "A message that its sender asked to hold until later goes at once when it is "
  "named by its id.\n\n"
  SELECTION },
{ "queue",      "remove",  "[ID...]",          selected,   cmd_queue_remove,
  "remove messages without a bounce",
  SELECTION "\n\n"
  "What is removed is gone.  More than named ids are removed only after a "
  "confirmation: typed at a terminal, or given with --yes." },

{ "backup",     "create",  "FILE",             backup_create, cmd_backup_create,
  "save accounts, keys and waiting mail",
  "Into a new file, while the server runs or not.  FILE is a tar that any "
  "program can read: lines of JSON, the messages as they are, and SHA256SUMS. "
  " Nobody but its owner may read it, for it holds password hashes, app "
  "passwords, the private keys of DKIM and mail.  Only root, or whoever runs "
  "the server, may make one.\n\n"
  "Each message is saved whole.  They are not all of one instant: what leaves "
  "the queue while the file is being written may be missing, and so may what "
  "was accepted after the start.  The configuration and the certificates are "
  "in it as postern.conf and tls/.  Ends with 1 when it made the file without "
  "certificates: they cannot be read, or the running server works with a file "
  "whose [tls] has errors by now." },
{ "backup",     "verify",  "FILE",             json,       cmd_backup_verify,
  "look whether a backup is whole",
  "Reads all of it: every digest, every row, and that each message has its "
  "file.  Digests find damage; they are no proof against somebody who wanted "
  "to change it.  Ends with 1 when something is wrong." },
{ "backup",     "list",    "FILE",             json,       cmd_backup_list,
  "tell what is in a backup",
  NULL },
{ "restore",    NULL,      "FILE",             restore,    cmd_restore,
  "fill empty stores from a backup",
  "The server must not run, and there must be no accounts and no mail in "
  "[paths] state yet: nothing is ever written over.  The backup is verified "
  "first.  The journal, the configuration and certificates are not restored; "
  "\"tar -xf FILE postern.conf tls\" takes them out.\n\n"
  "Mail that was delivered after the backup goes out a second time.  With "
  "--hold it waits until it is released by \"postern queue release\".  When a "
  "restore was interrupted, move away what it left and begin again." },

{ "tls",        "show",    "",                 json,       cmd_tls_show,
  "tell about certificates and their keys",
  "For whom each is, who issued it, how many days are left, whether its chain "
  "is complete and whether the key in use is its own.  Ends with 1 when "
  "something is wrong, or fewer than 14 days are left." },
{ "tls",        "reload",  "",                 no_flags,   cmd_tls_reload,
  "read certificates and keys again",
  "A running server does so by itself within a minute after the files have "
  "changed.  No session ends.  When the new files are wrong, the old ones stay "
  "in use, and this command says why and ends with 1 or 78." },
{ "trace",      NULL,      "[WORD]",           trace,      cmd_trace,
  "tell what became of messages",
  "Also of those that left the queue.  WORD is an id (of the log, of "
  "Received:), a Message-ID with its <>, or an address: of an account, a "
  "sender or a recipient.  The last ones come first; the journal is kept as "
  "long as [queue] journal says.\n\n"
  "With --received a complaint can be answered: FILE (or - for stdin) holds "
  "the header that it quotes, and it is told whether its Received: line is "
  "really of this server, by a mark that nobody else can make.  Ends with 1 "
  "when it is not." },
{ "log",        NULL,      "",                 log_flags,  cmd_log,
  "print the journal, event by event",
  "The journal from its beginning, or from --since on.  With --follow it goes "
  "on with what happens, until Ctrl-C." },

{ "client-settings", NULL, "ADDRESS",          client_settings, cmd_client_settings,
  "tell what to type into a mail program",
  "Reads the configuration only: the account need not exist yet.  For programs "
  "there are other forms: autoconfig is for "
  "https://autoconfig.DOMAIN/mail/config-v1.1.xml (Thunderbird and others), "
  "mobileconfig a profile for Apple's Mail, qr a code on the terminal for "
  "Thunderbird on Android.  These three need --imap, as the programs set up "
  "both directions or none.  No password is in any of them." },

{ "completion", NULL,      "bash|zsh|fish",    no_flags,   cmd_completion,
  "print a completion script",
  "\"make install\" puts all three where the shells look.  Elsewhere: source "
  "the output of \"postern completion bash\", and so with the others." },
{ "help",       NULL,      "[TOPIC...]",       help,       cmd_help,
  "explain a command or a topic",
  "Topics besides the commands: exit-codes, first-mail, limits, migrate, "
  "stolen-password." },
{ "version",    NULL,      "",                 version,    cmd_version,
  "print the version",
  NULL },

{ NULL, NULL, NULL, NULL, NULL, NULL, NULL },
};

/* clang-format on */

static void
set_up(struct ctl *c)
{
	const struct args *a = &c->args;
	enum output_mode mode = args_flag(a, "json") != NULL ? OUTPUT_JSON
	    : args_flag(a, "plain") != NULL                  ? OUTPUT_PLAIN
							     : OUTPUT_HUMAN;

	output_init(&c->out, mode, args_flag(a, "no-color") != NULL);
	c->file = args_flag(a, "config");
	if (c->file == NULL)
		c->file = CONF_DEFAULT_FILE;
	c->may_ask = isatty(STDIN_FILENO) && args_flag(a, "no-input") == NULL;
}

static int
usage(const struct args *a)
{
	output_fail(CODE_USAGE, "%s", a->error);
	if (a->command != NULL)
		help_usage(stderr, a->command);
	return CODE_USAGE;
}

int
commands_run(int argc, char **argv)
{
	static char word[] = "version";
	struct ctl c = { 0 };
	int code;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		argv[1] = word; /* as any program is asked */
	if (!args_parse(&c.args, commands, common_flags, argc - 1, argv + 1))
		return usage(&c.args);
	if (args_flag(&c.args, "help") != NULL) {
		help_print(stdout, c.args.noun, c.args.command);
		code = CODE_OK;
	} else {
		set_up(&c);
		code = c.args.command->run(&c);
		settings_clear(&c.settings);
	}
	/* A full disk behind stdout is not a success. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == CODE_OK)
		return output_fail(CODE_TEMP, "stdout: not written");
	return code;
}
