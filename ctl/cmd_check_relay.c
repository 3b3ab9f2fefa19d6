/*
 * cmd_check_relay.c - postern check relay: try from outside what relay
 * testers and attackers try, and see that nothing gets in.
 */
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "ctl/accounts.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/relay_run.h"
#include "ctl/secret.h"
#include "lib/hex.h"
#include "lib/tls.h"

/* clang-format off */
static const struct column columns[] = {
	{ "listener", "listener", CELL_TEXT },
	{ "group",    "group",    CELL_TEXT },
	{ "form",     "form",     CELL_TEXT },
	{ "ok",       NULL,       CELL_BOOL },
	{ "reply",    "reply",    CELL_TEXT },
};
/* clang-format on */

/* What a whole run knows. */
struct check {
	struct ctl *c;
	struct relay_run run;
	bool all; /* people want every row */
	unsigned tried, open;
	const char *listener;
	/* Rows of one group, for people. */
	const char *group;
	unsigned in_group, open_in_group;
};

static void
row(struct check *k, const char *group, const char *form, bool ok,
    const char *reply)
{
	struct cell cells[] = {
		{ .text = k->listener },
		{ .text = group },
		{ .text = form },
		{ .n = ok },
		{ .text = reply },
	};

	output_row(&k->c->out, cells);
}

/* For people a group that is well is one line. */
static void
end_group(struct check *k)
{
	char form[64], reply[64];

	if (k->group != NULL && !k->all && k->open_in_group == 0) {
		snprintf(form, sizeof(form), "%u forms", k->in_group);
		snprintf(reply, sizeof(reply), "all refused");
		row(k, k->group, form, true, reply);
	}
	k->group = NULL;
	k->in_group = k->open_in_group = 0;
}

static void
on_result(void *arg, const struct relay_result *r)
{
	struct check *k = arg;

	if (k->group == NULL || strcmp(k->group, r->group) != 0) {
		end_group(k);
		k->group = r->group;
	}
	k->tried++;
	k->in_group++;
	k->open += r->relayed;
	k->open_in_group += r->relayed;
	if (k->all || r->relayed)
		row(k, r->group, r->title, !r->relayed, r->reply);
}

static void
make_nonce(char out[RELAY_NONCE])
{
	uint8_t chance[(RELAY_NONCE - 1) / 2];

	if (getrandom(chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
		abort();
	hex_write(chance, sizeof(chance), out);
}

/* Where a client on this machine reaches a listener. */
static struct net_address
reach(const struct net_address *a)
{
	struct net_address to = *a;
	char text[NET_TEXT];

	net_text((const struct sockaddr *)&a->ss, text);
	if (strcmp(text, "0.0.0.0") == 0)
		net_parse(&to, "127.0.0.1", 9,
		    net_port((const struct sockaddr *)&a->ss));
	else if (strcmp(text, "::") == 0)
		net_parse(
		    &to, "[::1]", 5, net_port((const struct sockaddr *)&a->ss));
	return to;
}

static int
check_listeners(struct check *k)
{
	const struct conf *conf = k->c->settings.conf;
	char name[80], ip[NET_TEXT];
	int code = CODE_OK;

	for (size_t i = 0; i < conf->nlistens && code == CODE_OK; i++) {
		const struct conf_listen *l = &conf->listens[i];

		if (l->nproxies > 0) {
			output_note("[listen %s] takes connections of "
				    "proxy-from only and is left out; its "
				    "rules are those of the others",
			    l->name);
			continue;
		}
		k->run.to = reach(&l->address);
		k->run.implicit = l->tls == TLS_MODE_IMPLICIT;
		net_text((const struct sockaddr *)&k->run.to.ss, ip);
		snprintf(name, sizeof(name), "%s:%u", ip,
		    net_port((const struct sockaddr *)&l->address.ss));
		k->listener = name;
		snprintf(k->run.ip, sizeof(k->run.ip), "%s", ip);
		code = relay_run(&k->run, on_result, k);
		end_group(k);
	}
	return code;
}

static void
count_row(void *arg, const struct msg *m)
{
	if (m->type == MSG_QUEUE_ROW)
		++*(unsigned *)arg;
}

/* How many messages of our account, or to our domain, wait. */
static int
count(struct ctl *c, const char *account, const char *domain, unsigned *n)
{
	struct msg m = { .type = MSG_QUEUE_CMD };

	*n = 0;
	m.u.queue_cmd.verb = QUEUE_LIST;
	m.u.queue_cmd.limit = 1000;
	m.u.queue_cmd.all = *account == '\0' && *domain == '\0';
	snprintf(m.u.queue_cmd.account, sizeof(m.u.queue_cmd.account), "%s",
	    account);
	snprintf(
	    m.u.queue_cmd.domain, sizeof(m.u.queue_cmd.domain), "%s", domain);
	return daemon_call_once(&c->settings, SERVICE_QUEUE, &m, count_row, n);
}

static int
spool_count(void *arg, unsigned *n)
{
	struct check *k = arg;

	return count(k->c, k->run.account, "", n);
}

/* One change of an account; quietly.  One that is there already, because a
 * check was interrupted, gets the secret. */
static int
account(
    struct ctl *c, enum account_verb verb, const char *name, const char *secret)
{
	struct msg m = accounts_ask(verb);
	struct msg_account_cmd *cmd = &m.u.account_cmd;
	struct msg_cmd_done done;
	struct daemon line;
	int code = accounts_open(&line, c);

	if (code != CODE_OK)
		return code;
	snprintf(cmd->account, sizeof(cmd->account), "%s", name);
	snprintf(cmd->secret, sizeof(cmd->secret), "%s", secret);
	code = daemon_ask(&line, &m, NULL, NULL, &done);
	if (code == CODE_OK && verb == ACCOUNT_ADD &&
	    done.exit_code == CODE_EXISTS) {
		cmd->verb = ACCOUNT_PASSWD;
		code = daemon_ask(&line, &m, NULL, NULL, &done);
	}
	if (code == CODE_OK)
		code = daemon_settle(&done);
	daemon_close(&line);
	explicit_bzero(&m, sizeof(m));
	return code;
}

/* What was put into the spool under our own account goes again. */
static int
clean_spool(struct check *k)
{
	struct msg m = { .type = MSG_QUEUE_CMD };

	m.u.queue_cmd.verb = QUEUE_REMOVE;
	snprintf(m.u.queue_cmd.account, sizeof(m.u.queue_cmd.account), "%s",
	    k->run.account);
	return daemon_call_once(&k->c->settings, SERVICE_QUEUE, &m, NULL, NULL);
}

static void
head(const struct check *k, const char *whom)
{
	char when[32];
	time_t now = time(NULL);

	if (k->c->out.mode != OUTPUT_HUMAN || !k->all)
		return;
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", gmtime(&now));
	printf("Relay check of %s\npostern %s, %s, mark %s\n\n", whom, VERSION,
	    when, k->run.nonce);
}

static int
verdict(const struct check *k, const char *whom)
{
	if (k->open > 0)
		return output_fail(CODE_NO,
		    "%s relays: %u of %u forms were taken without a login",
		    whom, k->open, k->tried);
	output_note("%s does not relay: %u forms, none was taken%s.", whom,
	    k->tried,
	    k->run.spool_count != NULL ? ", and nothing is in the spool" : "");
	return CODE_OK;
}

/* Forms, smuggled ends, and at last a look at the spool. */
static int
check_own(struct check *k, char secret[SECRET_MADE])
{
	unsigned strangers;
	int code = account(k->c, ACCOUNT_ADD, k->run.account, secret);

	/* At listeners for old devices too. */
	if (code == CODE_OK)
		code = account(k->c, ACCOUNT_LEGACY_ON, k->run.account, "");
	if (code != CODE_OK)
		return code;
	k->run.spool_count = spool_count;
	k->run.spool_arg = k;
	k->run.secret = secret;
	code = check_listeners(k);
	/* Held mail of ours is not what is looked for. */
	if (clean_spool(k) != CODE_OK && code == CODE_OK)
		code = CODE_TEMP;
	if (account(k->c, ACCOUNT_REMOVE, k->run.account, "") != CODE_OK)
		output_note("the account %s is left; remove it with \"postern "
			    "account remove %s\"",
		    k->run.account, k->run.account);
	if (code == CODE_OK)
		code = count(k->c, "", k->run.domain, &strangers);
	if (code == CODE_OK && strangers > 0) {
		k->listener = "spool";
		k->open += strangers;
		row(k, "spool", "mail to the recipient of this check", false,
		    "it waits there");
	}
	return code;
}

static int
own(struct check *k)
{
	const struct conf *conf;
	char secret[SECRET_MADE];
	int code = settings_load(&k->c->settings, k->c->file);

	if (code != CODE_OK)
		return code;
	conf = k->c->settings.conf;
	if (!daemon_running(&k->c->settings))
		return output_fail(
		    CODE_DOWN, "the server is not running; start it first");
	snprintf(
	    k->run.hostname, sizeof(k->run.hostname), "%s", conf->hostname);
	snprintf(k->run.account, sizeof(k->run.account), "relay-check@%s",
	    conf->hostname);
	head(k, conf->hostname);
	secret_generate(secret);
	output_begin(&k->c->out, columns, sizeof(columns) / sizeof(columns[0]));
	code = check_own(k, secret);
	output_end(&k->c->out, NULL);
	explicit_bzero(secret, sizeof(secret));
	return code == CODE_OK ? verdict(k, conf->hostname) : code;
}

static bool
is_port(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 5 && strspn(s, "0123456789") == n && atoi(s) > 0 &&
	    atoi(s) <= 65535;
}

/* "host", "host:port", "[address]:port". */
static int
resolve(const char *text, struct relay_run *run)
{
	char host[256], port[8] = "25";
	const char *colon = strrchr(text, ':'), *typed = text;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	size_t n = strlen(text);
	int error;

	if (colon != NULL && strchr(text, ':') == colon) {
		snprintf(port, sizeof(port), "%s", colon + 1);
		n = (size_t)(colon - text);
	} else if (*text == '[' && colon != NULL && colon[-1] == ']') {
		snprintf(port, sizeof(port), "%s", colon + 1);
		n = (size_t)(colon - text) - 2;
		text++;
	}
	if (n == 0 || n >= sizeof(host) || !is_port(port))
		return output_fail(
		    CODE_USAGE, "\"%s\": write HOST or HOST:PORT", typed);
	memcpy(host, text, n);
	host[n] = '\0';
	if ((error = getaddrinfo(host, port, &hints, &list)) != 0)
		return output_fail(
		    CODE_TEMP, "%s: %s", host, gai_strerror(error));
	memcpy(&run->to.ss, list->ai_addr, list->ai_addrlen);
	run->to.len = list->ai_addrlen;
	freeaddrinfo(list);
	net_text((const struct sockaddr *)&run->to.ss, run->ip);
	snprintf(run->hostname, sizeof(run->hostname), "%s", host);
	snprintf(run->account, sizeof(run->account), "postmaster@%s", host);
	run->implicit = strcmp(port, "465") == 0;
	return CODE_OK;
}

static int
foreign(struct check *k, const char *host)
{
	int code = resolve(host, &k->run);

	if (code != CODE_OK)
		return code;
	head(k, host);
	k->listener = host;
	output_begin(&k->c->out, columns, sizeof(columns) / sizeof(columns[0]));
	code = relay_run(&k->run, on_result, k);
	end_group(k);
	output_end(&k->c->out, NULL);
	return code == CODE_OK ? verdict(k, host) : code;
}

static int
check(struct ctl *c, const char *host)
{
	struct check k = { .c = c };
	int code;

	k.all = args_flag(&c->args, "report") != NULL ||
	    c->out.mode != OUTPUT_HUMAN;
	make_nonce(k.run.nonce);
	snprintf(k.run.domain, sizeof(k.run.domain), "%s.invalid", k.run.nonce);
	k.run.ctx = tls_client_new();
	code = host != NULL ? foreign(&k, host) : own(&k);
	SSL_CTX_free(k.run.ctx);
	return code;
}

int
cmd_check_relay(struct ctl *c)
{
	return check(c, args_flag(&c->args, "host"));
}

int
cmd_relay_abuse(struct ctl *c)
{
	return check(c, c->args.words[0]);
}
