/*
 * cmd_check_store.c - postern check store: each store's owner looks at a copy
 * of it and says what it found.
 */
#include <string.h>

#include "ctl/accounts.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/daemon.h"
#include "ctl/text.h"

/* A copy of gigabytes takes its time. */
#define PATIENCE_S 3600

/* clang-format off */
static const struct column columns[] = {
	{ "store",  "store",  CELL_TEXT },
	{ "ok",     NULL,     CELL_BOOL },
	{ "result", "result", CELL_TEXT },
};
/* clang-format on */

static int
check_accounts(struct ctl *c, struct msg_cmd_done *done)
{
	struct msg m = accounts_ask(ACCOUNT_CHECK);
	struct daemon line;
	int code = accounts_open(&line, c);

	if (code != CODE_OK)
		return code;
	daemon_patience(&line, PATIENCE_S);
	code = daemon_ask(&line, &m, NULL, NULL, done);
	daemon_close(&line);
	return code;
}

static int
check_spool(struct ctl *c, struct msg_cmd_done *done)
{
	struct msg m = { .type = MSG_QUEUE_CMD };
	struct daemon line;
	int code = daemon_open(&line, &c->settings, SERVICE_QUEUE);

	m.u.queue_cmd.verb = QUEUE_CHECK;
	if (code == CODE_OK) {
		daemon_patience(&line, PATIENCE_S);
		code = daemon_ask(&line, &m, NULL, NULL, done);
	}
	daemon_close(&line);
	return code;
}

/* Show what was found; the exit code of it. */
static int
tell(struct ctl *c, const char *store, const struct msg_cmd_done *done)
{
	char text[sizeof(done->text) * 4];
	struct cell cells[] = {
		{ .text = store },
		{ .n = done->exit_code == CODE_OK },
		{ .text = text_clean(text, sizeof(text), done->text) },
	};

	output_row(&c->out, cells);
	return (int)done->exit_code;
}

int
cmd_check_store(struct ctl *c)
{
	static const struct {
		const char *store;
		int (*check)(struct ctl *, struct msg_cmd_done *);
	} stores[] = {
		{ "accounts", check_accounts },
		{ "spool", check_spool },
	};
	int code = daemon_find(&c->settings, c->file), worst = CODE_OK;
	struct msg_cmd_done done;

	if (code != CODE_OK)
		return code;
	output_begin(&c->out, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
		code = stores[i].check(c, &done);
		if (code == CODE_OK)
			code = tell(c, stores[i].store, &done);
		/* Damage is worse than what could not be looked at. */
		if (worst != CODE_NO && code != CODE_OK)
			worst = code;
	}
	output_end(&c->out, NULL);
	return worst;
}
