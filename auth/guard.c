/*
 * guard.c - see guard.h.
 */
#include <stdio.h>
#include <string.h>

#include "auth/accounts.h"
#include "auth/guard.h"
#include "auth/peers.h"
#include "auth/quota.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/net.h"

static uint64_t
now_s(void)
{
	return (uint64_t)loop_wall_ms() / 1000;
}

/* Of its network (net_prefix()): FNV-1a, never 0. */
static uint64_t
network_of(const char *ip)
{
	char net[NET_TEXT + 4];
	uint64_t h = 0xcbf29ce484222325;

	net_prefix(ip, net);
	for (const char *p = net; *p != '\0'; p++)
		h = (h ^ (uint8_t)*p) * 0x100000001b3;
	return h | 1;
}

static struct guard_rules
rules_of(const struct page *page, const struct conf *conf)
{
	return (struct guard_rules){
		.new_recipients = page->limit[LIMIT_NEW] > conf->guard_new
		    ? (uint32_t)(2 * page->limit[LIMIT_NEW])
		    : conf->guard_new,
		.refused = conf->guard_refused,
		.refused_share = conf->guard_share,
		.networks = conf->guard_networks,
		.young = now_s() < page->created + (uint64_t)conf->young_s,
	};
}

static void
freeze(const char *account, const struct guard_verdict *v)
{
	char login[ADDR_SIZE];
	struct change c = { .login = login, .by = "guard", .reason = v->text };

	snprintf(login, sizeof(login), "%s", account);
	if (accounts_suspend(&c) != CHANGE_DONE)
		return;
	log_event("guard.frozen", "rule=%s account=%s evidence=%s",
	    guard_rule_name(v->rule), log_quote(login), log_quote(v->text));
	peers_tell(login, ACC_SUSPENDED);
	peers_tell_frozen(login, v->text);
}

bool
guard_watch(const struct page *page, const struct conf *conf, const char *ip,
    uint32_t rcpts, struct bytes news)
{
	struct guard_rules rules = rules_of(page, conf);
	struct guard_verdict v;

	if (guard_submit(quota_guard(page->login), &rules, now_s(),
		network_of(ip), rcpts, news.data, news.len / RCPT_HASH,
		&v) == GUARD_FINE ||
	    !conf->guard_freeze)
		return false;
	freeze(page->login, &v);
	return true;
}

void
guard_hear(const struct msg_account_results *m, const struct conf *conf)
{
	const struct page *page = book_find(m->account);
	struct guard_verdict v;
	struct guard_rules rules;

	if (page == NULL || page->state != ACC_ACTIVE)
		return;
	rules = rules_of(page, conf);
	if (guard_results(quota_guard(page->login), &rules, now_s(),
		m->delivered, m->refused, &v) != GUARD_FINE &&
	    conf->guard_freeze)
		freeze(page->login, &v);
}

void
guard_note_login(const char *login, const char *ip, bool good)
{
	guard_login(quota_guard(login), now_s(), network_of(ip), good);
}

void
guard_resumed(const char *login)
{
	guard_forgive(quota_guard(login), now_s());
}

static void
row(struct console *con, const char *key, uint64_t n, const char *text)
{
	struct msg m = { .type = MSG_STATUS_ROW };
	struct msg_status_row *r = &m.u.status_row;

	snprintf(r->key, sizeof(r->key), "%s", key);
	if (text != NULL)
		snprintf(r->value, sizeof(r->value), "%s", text);
	else
		snprintf(
		    r->value, sizeof(r->value), "%llu", (unsigned long long)n);
	r->numeric = text == NULL;
	console_row(con, &m);
}

void
guard_explain(struct console *con)
{
	const struct page *page = book_find(con->login);
	const struct conf *conf = peers_conf();
	struct guard_rules rules;
	struct account a;
	struct guard *g;
	unsigned known = 0;
	bool frozen;

	if (page == NULL || page->state == ACC_REMOVED ||
	    !account_get(NULL, con->login, &a)) {
		console_done(con, CODE_MISSING, "no account %s", con->login);
		return;
	}
	rules = rules_of(page, conf);
	frozen = a.state == ACC_SUSPENDED && strcmp(a.by, "guard") == 0;
	g = quota_guard(con->login);
	for (int i = 0; i < GUARD_NETWORKS; i++)
		known += g->network[i].id != 0;
	row(con, "account", 0, con->login);
	row(con, "verdict", 0, frozen ? a.reason : "fine");
	row(con, "new_recipients", guard_new(g), NULL);
	row(con, "new_recipients_usual", g->usual_new, NULL);
	row(con, "new_recipients_most",
	    rules.young ? (rules.new_recipients + 1) / 2 : rules.new_recipients,
	    NULL);
	row(con, "new_from_unfamiliar", g->strange, NULL);
	row(con, "recipients", g->rcpts, NULL);
	row(con, "recipients_usual", g->usual_rcpts, NULL);
	row(con, "delivered", g->delivered, NULL);
	row(con, "refused", g->refused, NULL);
	row(con, "refused_most", rules.refused, NULL);
	row(con, "refused_share_most", rules.refused_share, NULL);
	row(con, "networks_known", known, NULL);
	row(con, "networks_unfamiliar", g->networks, NULL);
	row(con, "networks_most", rules.networks, NULL);
	row(con, "wrong_passwords", g->failed, NULL);
	row(con, "days_learned", g->days, NULL);
	console_done(con, CODE_OK, "the day began %llu minutes ago",
	    (unsigned long long)(now_s() - g->began_s) / 60);
}
