/*
 * cmd_dkim_rotate.c - postern dkim rotate: new keys are made, published,
 * seen, and only then used; the old ones rest a while.
 *
 * The states of the keys are with auth, so each run goes on where the last
 * one stopped.
 */
#include <string.h>
#include <unistd.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/dkim_keys.h"
#include "ctl/operand.h"
#include "ctl/text.h"

#define POLL_S    10
#define WAIT_S    (24 * 3600)
#define DNS_AGAIN "run this again when DNS shows them, or with --wait"

struct rotation {
	struct ctl *c;
	char domain[256];
	struct dkim_keys keys;
};

/* Have auth do the next thing; the keys are as they are afterwards. */
static int
step(struct rotation *r, enum dkim_verb verb)
{
	char text[sizeof(((struct msg_cmd_done *)0)->text) * 4];
	struct msg_dkim_cmd cmd = { .verb = verb };
	struct msg_cmd_done done;
	int code;

	dkim_keys_clear(&r->keys);
	memcpy(cmd.domain, r->domain, sizeof(cmd.domain));
	code = dkim_keys_ask(r->c, &cmd, &r->keys, &done);
	if (code != CODE_OK)
		return code;
	if (verb != DKIM_LIST)
		output_note("%s", text_clean(text, sizeof(text), done.text));
	return CODE_OK;
}

/* Step 1: new keys, and what to publish. */
static int
prepare(struct rotation *r)
{
	int code = CODE_OK;

	if (dkim_keys_count(&r->keys, DKIM_PENDING) == 0)
		code = step(r, DKIM_PREPARE);
	if (code != CODE_OK)
		return code;
	output_note("step 1 of 4: publish these records");
	if (r->c->out.mode != OUTPUT_JSON)
		dkim_keys_print(r->c, r->domain, &r->keys, 1u << DKIM_PENDING);
	return CODE_OK;
}

static void
tell_unseen(const struct msg_dkim_row *row, enum dkim_shown shown)
{
	static const char *const why[] = {
		[DKIM_SHOWN] = "is there",
		[DKIM_MISSING] = "is not there yet",
		[DKIM_DIFFERS] = "has another key",
		[DKIM_UNKNOWN] = "cannot be looked up: DNS gives no answer",
	};

	output_note(
	    "    %s._domainkey.%s %s", row->selector, row->domain, why[shown]);
}

/* How many pending keys DNS does not show; told when `tell`.  -1: no line. */
static int
count_unseen(struct rotation *r, struct lookup *l, bool tell)
{
	char name[DKIM_NAME], value[DKIM_VALUE];
	enum dkim_shown shown;
	struct found found;
	int unseen = 0, code;

	for (size_t i = 0; i < r->keys.n; i++) {
		const struct msg_dkim_row *row = &r->keys.rows[i];

		if (row->state != DKIM_PENDING)
			continue;
		dkim_record(row, name, value);
		code = lookup_ask(l, name, TYPE_TXT, &found);
		shown = dkim_compare(row, &found);
		found_clear(&found);
		if (code != CODE_OK)
			return -1;
		if (shown == DKIM_SHOWN)
			continue;
		unseen++;
		if (tell)
			tell_unseen(row, shown);
	}
	return unseen;
}

/* Step 2: DNS shows them. */
static int
see(struct rotation *r)
{
	bool wait = args_flag(&r->c->args, "wait") != NULL;
	struct lookup l;
	int code = lookup_open(&l, r->c), unseen;

	if (code != CODE_OK)
		return code;
	unseen = count_unseen(r, &l, true);
	if (unseen > 0 && wait)
		output_note("step 2 of 4: waiting until DNS shows them; to "
			    "interrupt does no harm");
	for (unsigned s = 0; wait && unseen > 0 && s < WAIT_S; s += POLL_S) {
		sleep(POLL_S);
		unseen = count_unseen(r, &l, false);
	}
	lookup_close(&l);
	if (unseen == -1)
		return CODE_TEMP;
	if (unseen > 0)
		return output_fail(CODE_TEMP,
		    "step 2 of 4: the old keys go on signing; " DNS_AGAIN);
	output_note("step 2 of 4: DNS shows them");
	return CODE_OK;
}

int
cmd_dkim_rotate(struct ctl *c)
{
	bool force = args_flag(&c->args, "force") != NULL;
	struct rotation r = { .c = c };
	int code = operand_domain(c->args.words[0], r.domain);

	if (code == CODE_OK)
		code = step(&r, DKIM_LIST);
	if (code == CODE_OK)
		code = prepare(&r);
	if (code == CODE_OK && !force)
		code = see(&r);
	if (code == CODE_OK)
		code = step(&r, DKIM_SWITCH);
	if (code == CODE_OK)
		output_note("step 3 of 4: switched; step 4: \"postern dkim "
			    "retire %s\" in a week",
		    r.domain);
	if (c->out.mode == OUTPUT_JSON && r.keys.n > 0)
		dkim_keys_print(c, r.domain, &r.keys, 0);
	dkim_keys_clear(&r.keys);
	return code;
}
