/*
 * accounts.c - see accounts.h.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/accounts.h"
#include "ctl/ctl.h"
#include "ctl/text.h"

struct msg
accounts_ask(enum account_verb verb)
{
	struct msg m = { .type = MSG_ACCOUNT_CMD };

	m.u.account_cmd.verb = verb;
	return m;
}

int
accounts_open(struct daemon *line, struct ctl *c)
{
	int code = daemon_find(&c->settings, c->file);

	if (code != CODE_OK)
		return code;
	return daemon_open_auth(line, &c->settings);
}

int
accounts_change(struct daemon *line, struct msg *m)
{
	char text[sizeof(((struct msg_cmd_done *)0)->text) * 4];
	struct msg_cmd_done done;
	int code = daemon_call(line, m, NULL, NULL, &done);

	daemon_close(line);
	if (code == CODE_OK)
		output_note("%s", text_clean(text, sizeof(text), done.text));
	return code;
}

void
accounts_show_secret(
    const struct ctl *c, const struct msg_account_cmd *cmd, bool made)
{
	json_t *j;

	if (c->out.mode == OUTPUT_JSON) {
		j = json_pack("{s:s}", "account", cmd->account);
		if (made)
			json_object_set_new(
			    j, "password", json_string(cmd->secret));
		output_document(j);
	} else if (made) {
		printf("%s\n", cmd->secret);
	}
}
