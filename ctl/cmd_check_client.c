/*
 * cmd_check_client.c - postern check client: what the rules of [screen] say of
 * an address.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/daemon.h"
#include "ctl/text.h"
#include "lib/screen.h"

static void
on_row(void *arg, const struct msg *m)
{
	if (m->type == MSG_CONN_VERDICT)
		*(struct msg_conn_verdict *)arg = m->u.conn_verdict;
}

/* What a client from there gets, in a sentence. */
static const char *
meaning(const struct msg_conn_verdict *v)
{
	static const char *const meanings[SCREEN_ACTIONS] = {
		[SCREEN_ALLOW] = "may log in as usual",
		[SCREEN_REFUSE] = "is refused with 554",
		[SCREEN_CERTIFICATE] = "may log in with a client certificate",
		[SCREEN_SLOW] = "may log in; a wrong password counts for more",
	};

	if (v->action == SCREEN_REFUSE && v->unsure)
		return "is put off with 421, for a rule in front of that one "
		       "could not be asked";
	return v->action < SCREEN_ACTIONS ? meanings[v->action] : "unknown";
}

static void
print_json(const char *ip, const struct msg_conn_verdict *v)
{
	output_document(json_pack("{s:o, s:s, s:o, s:o, s:b, s:o, s:o}",
	    "address", output_string(ip), "action",
	    screen_action_name((enum screen_action)v->action), "line",
	    v->line == 0 ? json_null() : json_integer(v->line), "rule",
	    output_string(v->rule), "sure", !v->unsure, "text",
	    output_string(v->text), "found", output_string(v->found)));
}

static void
print(const struct output *o, const char *ip, const struct msg_conn_verdict *v,
    const char *file)
{
	char clean[1700];

	output_field(o, "client", "%s %s%s%s", ip,
	    output_on(o, v->action == SCREEN_ALLOW ? TONE_GOOD : TONE_BAD),
	    meaning(v), output_off(o));
	if (v->line == 0)
		output_field(o, "rule", "none matches");
	else
		output_field(o, "rule", "%s:%u: %s", file, v->line,
		    text_clean(clean, sizeof(clean), v->rule));
	if (v->action == SCREEN_REFUSE || v->action == SCREEN_CERTIFICATE)
		output_field(
		    o, "text", "%s", text_clean(clean, sizeof(clean), v->text));
	if (*v->found != '\0')
		output_field(o, "found", "%s",
		    text_clean(clean, sizeof(clean), v->found));
	if (v->unsure)
		output_field(
		    o, "unsure", "not every name or list was answered in time");
}

int
cmd_check_client(struct ctl *c)
{
	struct msg ask = { .type = MSG_CLIENT_TEST };
	struct msg_conn_verdict v = { 0 };
	const char *ip = c->args.words[0];
	struct net_address address;
	int code;

	if (!net_parse(&address, ip, strlen(ip), 1) || strlen(ip) >= NET_TEXT)
		return output_fail(CODE_USAGE,
		    "\"%.100s\" is no address: write 192.0.2.1 or 2001:db8::1",
		    ip);
	net_text((struct sockaddr *)&address.ss, ask.u.conn_check.ip);
	code = daemon_find(&c->settings, c->file);
	if (code != CODE_OK)
		return code;
	code =
	    daemon_call_once(&c->settings, SERVICE_DELIVER, &ask, on_row, &v);
	if (code != CODE_OK)
		return code;
	if (c->out.mode == OUTPUT_JSON)
		print_json(ask.u.conn_check.ip, &v);
	else
		print(&c->out, ask.u.conn_check.ip, &v, c->settings.conf->file);
	return v.action == SCREEN_REFUSE ? CODE_NO : CODE_OK;
}
