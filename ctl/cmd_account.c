/*
 * cmd_account.c - postern account: what changes one, and test.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/accounts.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/operand.h"
#include "ctl/secret.h"
#include "ctl/text.h"
#include "lib/net.h"
#include "lib/shell.h"

/* A change that needs a new password, given or made. */
static int
with_password(struct ctl *c, enum account_verb verb, const char *prompt)
{
	struct msg m = accounts_ask(verb);
	struct msg_account_cmd *cmd = &m.u.account_cmd;
	struct daemon line;
	bool made;
	int code;

	if ((code = operand_address(c->args.words[0], cmd->account)) != CODE_OK)
		return code;
	code = secret_new(c, prompt, cmd->secret, &made);
	if (code == CODE_OK && (code = accounts_open(&line, c)) == CODE_OK)
		code = accounts_change(&line, &m);
	if (code == CODE_OK)
		accounts_show_secret(c, cmd, made);
	explicit_bzero(&m, sizeof(m));
	return code;
}

int
cmd_account_add(struct ctl *c)
{
	return with_password(c, ACCOUNT_ADD, "Password for the new account");
}

int
cmd_account_passwd(struct ctl *c)
{
	return with_password(c, ACCOUNT_PASSWD, "New password");
}

/* Changes that need nothing but the name and perhaps a word. */
static int
change(struct ctl *c, enum account_verb verb, const char *arg)
{
	struct msg m = accounts_ask(verb);
	struct msg_account_cmd *cmd = &m.u.account_cmd;
	struct daemon line;
	int code;

	code = operand_address(c->args.words[0], cmd->account);
	if (code != CODE_OK)
		return code;
	snprintf(cmd->arg, sizeof(cmd->arg), "%s", arg);
	if ((code = accounts_open(&line, c)) == CODE_OK)
		code = accounts_change(&line, &m);
	return code;
}

int
cmd_account_suspend(struct ctl *c)
{
	const char *reason = args_flag(&c->args, "reason");

	if (reason != NULL &&
	    strlen(reason) >= sizeof(((struct msg_account_row *)0)->reason))
		return output_fail(CODE_USAGE, "--reason: 199 bytes at most");
	return change(c, ACCOUNT_SUSPEND, reason != NULL ? reason : "");
}

static void
take_state(void *arg, const struct msg *m)
{
	if (m->type == MSG_ACCOUNT_ROW)
		*(uint32_t *)arg = m->u.account_row.state;
}

/* Of an active account nothing is held for it: what waits is its owner's. */
static int
check_suspended(struct ctl *c)
{
	struct msg m = accounts_ask(ACCOUNT_SHOW);
	struct msg_account_cmd *cmd = &m.u.account_cmd;
	char word[SHELL_SIZE(ADDR_SIZE)];
	uint32_t state = ACC_ACTIVE;
	struct daemon line;
	int code = operand_address(c->args.words[0], cmd->account);

	if (code != CODE_OK || (code = accounts_open(&line, c)) != CODE_OK)
		return code;
	code = daemon_call(&line, &m, take_state, &state, NULL);
	daemon_close(&line);
	if (code != CODE_OK || state == ACC_SUSPENDED)
		return code;
	return output_fail(CODE_NO,
	    "%s is active, and its mail is not held; \"postern queue remove "
	    "--account %s\" removes what waits",
	    cmd->account, shell_word(word, sizeof(word), cmd->account));
}

/* While it is suspended, nothing of it can leave meanwhile. */
static int
drop_held(struct ctl *c)
{
	struct msg m = { .type = MSG_QUEUE_CMD };
	struct msg_queue_cmd *q = &m.u.queue_cmd;
	struct msg_cmd_done done;
	struct daemon line;
	uint64_t count = 0;
	int code = operand_address(c->args.words[0], q->account);

	if (code != CODE_OK ||
	    (code = daemon_find(&c->settings, c->file)) != CODE_OK)
		return code;
	q->verb = QUEUE_REMOVE;
	if ((code = daemon_open(&line, &c->settings, SERVICE_QUEUE)) != CODE_OK)
		return code;
	do {
		code = daemon_call(&line, &m, NULL, NULL, &done);
		count += done.count;
		q->after = done.next;
	} while (code == CODE_OK && done.more);
	daemon_close(&line);
	if (code == CODE_OK)
		output_note("removed %" PRIu64 " message%s", count,
		    count == 1 ? "" : "s");
	return code;
}

int
cmd_account_resume(struct ctl *c)
{
	bool drop = args_flag(&c->args, "drop-held") != NULL;
	int code = CODE_OK;

	if (drop && args_flag(&c->args, "release") != NULL)
		return output_fail(
		    CODE_USAGE, "--release or --drop-held, not both");
	if (drop && (code = check_suspended(c)) == CODE_OK)
		code = drop_held(c);
	return code != CODE_OK ? code : change(c, ACCOUNT_RESUME, "");
}

int
cmd_account_remove(struct ctl *c)
{
	return change(c, ACCOUNT_REMOVE, "");
}

int
cmd_account_legacy(struct ctl *c)
{
	const char *word = c->args.words[1];

	if (strcmp(word, "on") != 0 && strcmp(word, "off") != 0)
		return output_fail(
		    CODE_USAGE, "say on or off, not \"%s\"", word);
	return change(c,
	    strcmp(word, "on") == 0 ? ACCOUNT_LEGACY_ON : ACCOUNT_LEGACY_OFF,
	    "");
}

static void
print_verdict(
    const struct ctl *c, const char *account, bool ok, const char *reason)
{
	const struct output *o = &c->out;
	char clean[2400];

	if (o->mode == OUTPUT_JSON) {
		output_document(json_pack("{s:s, s:b, s:o}", "account", account,
		    "ok", ok, "reason", output_string(reason)));
		return;
	}
	text_clean(clean, sizeof(clean), reason);
	printf("%s%s%s%s%s\n", output_on(o, ok ? TONE_GOOD : TONE_BAD),
	    ok ? "OK" : "FAIL", output_off(o), *clean != '\0' ? "  " : "",
	    clean);
}

int
cmd_account_test(struct ctl *c)
{
	struct msg m = accounts_ask(ACCOUNT_TEST);
	struct msg_account_cmd *cmd = &m.u.account_cmd;
	const char *from = args_flag(&c->args, "from");
	struct net_address ip;
	struct msg_cmd_done done;
	struct daemon line;
	int code;

	if ((code = operand_address(c->args.words[0], cmd->account)) != CODE_OK)
		return code;
	if (from != NULL) {
		if (!net_parse(&ip, from, strlen(from), 1))
			return output_fail(
			    CODE_USAGE, "--from needs an IP address");
		net_text((struct sockaddr *)&ip.ss, cmd->arg);
	}
	if ((code = secret_ask(c, "Password", cmd->secret)) == CODE_OK &&
	    (code = accounts_open(&line, c)) == CODE_OK) {
		code = daemon_ask(&line, &m, NULL, NULL, &done);
		daemon_close(&line);
		if (code == CODE_OK && done.exit_code != CODE_OK &&
		    done.exit_code != CODE_NO &&
		    done.exit_code != CODE_MISSING) {
			code = daemon_settle(&done);
		} else if (code == CODE_OK) {
			print_verdict(c, cmd->account,
			    done.exit_code == CODE_OK, done.text);
			code = done.exit_code == CODE_OK ? CODE_OK : CODE_NO;
		}
	}
	explicit_bzero(&m, sizeof(m));
	return code;
}
