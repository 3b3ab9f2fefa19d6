/*
 * guard.c - see guard.h.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "auth/accounts.h"
#include "auth/guard.h"
#include "auth/limits.h"
#include "auth/peers.h"
#include "auth/t_secret.h"
#include "auth/t_verdict.h"
#include "auth/tally.h"
#include "lib/fnv.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/metric.h"
#include "lib/net.h"

static uint64_t
now_s(void)
{
	return (uint64_t)loop_wall_ms() / 1000;
}

/* Of its network (net_prefix()), never 0. */
static uint64_t
network_of(const char *ip)
{
	char net[NET_TEXT + 4];

	net_prefix(ip, net);
	return fnv_add(FNV_BASIS, net, strlen(net)) | 1;
}

static uint32_t
at_least(uint32_t rule, uint64_t own)
{
	return own <= rule     ? rule
	    : own < UINT32_MAX ? (uint32_t)own
			       : UINT32_MAX;
}

/* The same after a restart: the sketch is. */
static const uint64_t *
sketch_key(void)
{
	static uint64_t key[2];
	static bool made;
	unsigned char mac[SECRET_BYTES];

	if (made)
		return key;
	secret_derive("guard", sizeof("guard"), mac); /* and its NUL */
	memcpy(key, mac, sizeof(key));
	explicit_bzero(mac, sizeof(mac));
	made = true;
	return key;
}

static struct guard_rules
rules_of(const struct page *page, const struct conf *conf)
{
	uint64_t news = 2 * limits_own(page, conf, LIMIT_NEW);
	const uint64_t *key = sketch_key();

	return (struct guard_rules){
		.new_recipients = at_least(conf->guard_new, news),
		.refused = conf->guard_refused,
		.refused_share = conf->guard_share,
		.networks = conf->guard_networks,
		.rate = at_least(conf->guard_rate, page->limit[LIMIT_HOUR]),
		.young = limits_young(page, conf, now_s()),
		.key = { key[0], key[1] },
	};
}

struct finding {
	const char *login;
	struct verdict_row row;
};

static bool
put_verdict(struct txn *txn, void *arg)
{
	const struct finding *f = arg;

	verdict_put(txn, f->login, &f->row);
	return true;
}

/* It goes to the disk with the suspension behind it. */
static void
keep_evidence(const char *login, const struct guard_rules *rules,
    const struct guard_verdict *v)
{
	struct finding f = { login, { now_s(), v->rule, { 0 } } };

	f.row.e = guard_weigh(tally_guard(login), rules);
	store_txn(STORE_SOON, put_verdict, &f);
}

static void
freeze(const char *account, const struct guard_rules *rules,
    const struct guard_verdict *v)
{
	char login[ADDR_SIZE];
	struct change c = { .login = login, .by = "guard", .reason = v->text };

	snprintf(login, sizeof(login), "%s", account);
	keep_evidence(login, rules, v);
	if (accounts_suspend(&c) != CHANGE_DONE)
		return;
	metric_add(METRIC_FROZEN, NULL, NULL, NULL, 1);
	log_event("guard.frozen", "rule=%s account=%s evidence=%s",
	    guard_rule_name(v->rule), log_quote(login), log_quote(v->text));
	peers_tell(login, ACC_SUSPENDED);
	peers_tell_frozen(login, v->text);
}

bool
guard_watch(const struct page *page, const struct conf *conf, const char *ip,
    uint32_t rcpts, bool taken, struct bytes news)
{
	struct guard_rules rules = rules_of(page, conf);
	struct guard_verdict v;

	if (guard_submit(tally_guard(page->login), &rules, now_s(),
		network_of(ip), rcpts, taken, news.data, news.len / RCPT_HASH,
		&v) == GUARD_FINE ||
	    !conf->guard_freeze)
		return false;
	freeze(page->login, &rules, &v);
	return true;
}

void
guard_give_back(const char *login, uint32_t rcpts)
{
	guard_undo(tally_guard(login), rcpts);
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
	if (guard_results(tally_guard(page->login), &rules, now_s(),
		m->delivered, m->refused, &v) != GUARD_FINE &&
	    conf->guard_freeze)
		freeze(page->login, &rules, &v);
}

void
guard_note_login(const char *login, const char *ip, bool good)
{
	guard_login(tally_guard(login), now_s(), network_of(ip), good);
}

void
guard_resumed(const char *login)
{
	guard_forgive(tally_guard(login), now_s());
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

/* In the order in which they are told; the numbers of struct guard_evidence. */
#define SHOWN(key, member) \
	{ \
		key, offsetof(struct guard_evidence, member) \
	}
static const struct {
	const char *key;
	size_t off;
} shown[] = {
	SHOWN("new_recipients", news),
	SHOWN("new_recipients_usual", news_usual),
	SHOWN("new_recipients_most", news_most),
	SHOWN("new_from_unfamiliar", strange),
	SHOWN("recipients", rcpts),
	SHOWN("recipients_usual", rcpts_usual),
	SHOWN("in_an_hour", hour),
	SHOWN("in_an_hour_usual", hour_usual),
	SHOWN("in_an_hour_most", hour_most),
	SHOWN("delivered", delivered),
	SHOWN("refused", refused),
	SHOWN("refused_most", refused_most),
	SHOWN("refused_share_most", share_most),
	SHOWN("networks_known", known),
	SHOWN("networks_unfamiliar", networks),
	SHOWN("networks_most", networks_most),
	SHOWN("wrong_passwords", guessed),
	SHOWN("days_learned", days),
};

static void
rows(struct console *con, const struct guard_evidence *e)
{
	uint32_t n;

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		memcpy(&n, (const char *)e + shown[i].off, sizeof(n));
		row(con, shown[i].key, n, NULL);
	}
}

struct guard
guard_now(const char *login)
{
	struct guard g;

	tally_read_guard(login, &g);
	guard_look(&g, now_s());
	return g;
}

void
guard_explain(struct console *con)
{
	const struct page *page = book_find(con->login);
	struct guard_rules rules;
	struct guard_evidence e;
	struct guard g;
	struct verdict_row v;
	struct account a;
	bool frozen;

	if (page == NULL || page->state == ACC_REMOVED ||
	    !account_get(NULL, con->login, &a)) {
		console_done(con, CODE_MISSING, "no account %s", con->login);
		return;
	}
	frozen = a.state == ACC_SUSPENDED && strcmp(a.by, "guard") == 0;
	row(con, "account", 0, con->login);
	row(con, "verdict", 0, frozen ? a.reason : "fine");
	if (frozen && verdict_get(NULL, con->login, &v)) {
		row(con, "rule", 0, guard_rule_name((enum guard_rule)v.rule));
		rows(con, &v.e);
		console_done(
		    con, CODE_OK, "as it was when the account was frozen");
		return;
	}
	rules = rules_of(page, peers_conf());
	row(con, "rule", 0, "");
	g = guard_now(con->login);
	e = guard_weigh(&g, &rules);
	rows(con, &e);
	console_done(con, CODE_OK, "of the last 24 hours, or less");
}
