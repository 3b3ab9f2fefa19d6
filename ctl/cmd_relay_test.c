/*
 * cmd_relay_test.c - postern relay-test: how far a mail would come.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/daemon.h"
#include "ctl/operand.h"
#include "ctl/text.h"

struct page {
	struct output *out;
	json_t *top, *servers;
	unsigned n;
};

/* Words of strangers, as they may stand on a terminal. */
static void
field(const struct output *out, const char *key, const char *value)
{
	char clean[1200];

	if (*value != '\0')
		output_field(
		    out, key, "%s", text_clean(clean, sizeof(clean), value));
}

static void
on_fact(struct page *p, const struct msg_status_row *r)
{
	if (p->out->mode == OUTPUT_JSON)
		json_object_set_new(p->top, r->key, output_string(r->value));
	else
		field(p->out, r->key, r->value);
}

static json_t *
server_json(const struct msg_relay_row *r)
{
	static const char *const verdicts[V_COUNT] = {
		[V_OK] = "accepts", [V_TEMP] = "waits", [V_PERM] = "refuses"
	};

	return json_pack(
	    "{s:o, s:o, s:o, s:o, s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, "
	    "s:o}",
	    "host", output_string(r->host), "server", output_string(r->mx),
	    "dane", output_string(r->dane), "mta_sts", output_string(r->sts),
	    "policy", output_string(r->policy), "result",
	    r->verdict < V_COUNT ? verdicts[r->verdict] : "unknown", "code",
	    (int)r->code, "status", output_string(r->status), "reply",
	    output_string(r->text), "tls", output_string(r->tls), "cipher",
	    output_string(r->cipher), "certificate_problem",
	    output_string(r->certificate), "offers", output_string(r->offers));
}

static void
on_server(struct page *p, const struct msg_relay_row *r)
{
	enum tone tone = r->verdict == V_OK ? TONE_GOOD : TONE_BAD;
	char line[700], clean[1500];
	const char *problem;

	p->n++;
	if (p->out->mode == OUTPUT_JSON) {
		json_array_append_new(p->servers, server_json(r));
		return;
	}
	printf("\n");
	field(p->out, "server", r->mx);
	output_field(p->out, "dane", "%s", r->dane);
	field(p->out, "mta-sts", r->sts);
	output_field(p->out, "policy", "%s", r->policy);
	snprintf(line, sizeof(line), "%s %s", r->tls, r->cipher);
	field(p->out, "tls", *r->tls != '\0' ? line : "");
	problem = r->certificate;
	if (strncmp(problem, "certificate: ", 13) == 0)
		problem += 13;
	field(p->out, "certificate",
	    *r->tls == '\0'        ? ""
		: *problem == '\0' ? "fine"
				   : problem);
	field(p->out, "offers", r->offers);
	if (r->code != 0)
		snprintf(line, sizeof(line), "%u %s %s", r->code, r->status,
		    r->text);
	else
		snprintf(line, sizeof(line), "%s %s", r->status, r->text);
	text_clean(clean, sizeof(clean), line);
	output_field(p->out, "result", "%s%s%s", output_on(p->out, tone), clean,
	    output_off(p->out));
}

static void
on_row(void *arg, const struct msg *m)
{
	struct page *p = arg;

	if (m->type == MSG_STATUS_ROW)
		on_fact(p, &m->u.status_row);
	else if (m->type == MSG_RELAY_ROW)
		on_server(p, &m->u.relay_row);
}

static int
read_target(const char *word, char out[ADDR_SIZE])
{
	char domain[256];
	int code;

	if (strchr(word, '@') != NULL)
		return operand_address(word, out);
	if ((code = operand_domain(word, domain)) == CODE_OK)
		snprintf(out, ADDR_SIZE, "%s", domain);
	return code;
}

/* Whose mail: either flag stands for the other. */
static int
read_sender(const struct args *a, struct msg_relay_test *t)
{
	const char *account = args_flag(a, "account");
	const char *sender = args_flag(a, "sender");
	int code = CODE_OK;

	if (account != NULL || sender != NULL)
		code = operand_address(
		    account != NULL ? account : sender, t->account);
	if (code == CODE_OK && *t->account != '\0')
		code = operand_address(
		    sender != NULL ? sender : account, t->sender);
	return code;
}

static void
finish(struct page *p, const struct msg_cmd_done *done)
{
	if (p->out->mode == OUTPUT_JSON) {
		json_object_set_new(p->top, "servers", p->servers);
		json_object_set_new(
		    p->top, "ok", json_boolean(done->exit_code == 0));
		json_object_set_new(
		    p->top, "summary", output_string(done->text));
		output_document(p->top);
	} else {
		printf("\n%s\n", done->text);
	}
}

int
cmd_relay_test(struct ctl *c)
{
	struct msg ask = { .type = MSG_RELAY_TEST };
	struct page page = { .out = &c->out };
	struct msg_cmd_done done;
	struct daemon line;
	int code;

	if (args_flag(&c->args, "abuse") != NULL)
		return cmd_relay_abuse(c);
	code = read_target(c->args.words[0], ask.u.relay_test.target);
	if (code == CODE_OK)
		code = read_sender(&c->args, &ask.u.relay_test);
	if (code == CODE_OK)
		code = daemon_find(&c->settings, c->file);
	if (code != CODE_OK)
		return code;
	page.top = json_object();
	page.servers = json_array();
	code = daemon_open(&line, &c->settings, SERVICE_DELIVER);
	if (code == CODE_OK)
		code = daemon_ask(&line, &ask, on_row, &page, &done);
	daemon_close(&line);
	if (code == CODE_OK) {
		finish(&page, &done);
		return (int)done.exit_code;
	}
	json_decref(page.top);
	json_decref(page.servers);
	return code;
}
