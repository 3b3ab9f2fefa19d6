/*
 * guard_rules.c - see guard_rules.h.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "auth/guard_rules.h"
#include "lib/siphash.h"

#define DAY_S         86400
#define FAMILIAR_S    (90 * DAY_S) /* that a network is remembered */
#define FEW           10 /* new recipients, before anything is clear */
#define ELSEWHERE_BAD 2  /* refused ones that are enough from elsewhere, */
#define ELSEWHERE_PCT 5  /* when they are so many in a hundred */
#define RESULTS_LEAST 20 /* for a share to mean something */
#define GUESSES       5  /* wrong passwords before the right one */
#define TIMES_USUAL   3
#define HOUR_S        3600
#define TIMES_HOUR    5 /* the busiest hour so far */
#define LEARN_DAYS    3

const char *
guard_rule_name(enum guard_rule r)
{
	static const char *const names[GUARD_RULES] = {
		[GUARD_FINE] = "fine",
		[GUARD_STRANGERS] = "new-recipients",
		[GUARD_REFUSED] = "refused",
		[GUARD_ELSEWHERE] = "refused-elsewhere",
		[GUARD_NETS] = "networks",
		[GUARD_RATE] = "rate",
	};

	return r < GUARD_RULES ? names[r] : "none";
}

/* Linear counting: how many were put into the sketch, from the bits that are
 * still clear. */
uint32_t
guard_new(const struct guard *g)
{
	int clear = GUARD_BITS;

	for (int i = 0; i < GUARD_BITS / 64; i++)
		clear -= __builtin_popcountll(g->sketch[i]);
	if (clear == 0)
		clear = 1;
	return (uint32_t)lround(
	    GUARD_BITS * log((double)GUARD_BITS / (double)clear));
}

static uint32_t
decay(uint32_t usual, uint32_t today)
{
	uint32_t kept = usual - usual / 16;

	return today > kept ? today : kept;
}

static void
begin_day(struct guard *g, uint64_t now_s)
{
	g->began_s = now_s;
	g->rcpts = g->strange = g->networks = 0;
	g->delivered = g->refused = 0;
	g->failed = g->guessed = 0;
	g->hour_s = 0;
	g->hour = g->hour_strange = g->hour_most = 0;
	memset(g->sketch, 0, sizeof(g->sketch));
}

/* A day that ended well is what is usual.  A clock that goes back begins
 * another one. */
static void
turn(struct guard *g, uint64_t now_s)
{
	if (now_s - g->began_s < DAY_S)
		return;
	if (g->began_s != 0) {
		g->usual_new = decay(g->usual_new, guard_new(g));
		g->usual_rcpts = decay(g->usual_rcpts, g->rcpts);
		g->usual_networks = decay(g->usual_networks, g->networks);
		g->usual_hour = decay(g->usual_hour, g->hour_most);
		g->days++;
	}
	begin_day(g, now_s);
}

static void
turn_hour(struct guard *g, uint64_t now_s)
{
	if (now_s - g->hour_s < HOUR_S)
		return;
	g->hour_s = now_s;
	g->hour = g->hour_strange = 0;
}

void
guard_look(struct guard *g, uint64_t now_s)
{
	turn(g, now_s);
	turn_hour(g, now_s);
}

static int
find(const struct guard *g, uint64_t network)
{
	for (int i = 0; i < GUARD_NETWORKS; i++)
		if (g->network[i].id == network)
			return i;
	return -1;
}

/* Free, or the one to forget: what is used every week stays, though a phone
 * brings a new one every day. */
static int
least(const struct guard *g)
{
	int at = 0;

	for (int i = 1; i < GUARD_NETWORKS; i++)
		if (g->network[i].days < g->network[at].days ||
		    (g->network[i].days == g->network[at].days &&
			g->network[i].last_s < g->network[at].last_s))
			at = i;
	return at;
}

/*
 * Is it one that was used before this day began?  It is noted, so that it is
 * familiar tomorrow.
 */
static bool
familiar(struct guard *g, uint64_t network, uint64_t now_s, bool *first)
{
	int i = find(g, network);

	*first = i < 0 || now_s - g->network[i].last_s > FAMILIAR_S;
	if (i < 0)
		i = least(g);
	if (*first) {
		g->network[i].first_s = now_s;
		g->network[i].days = 1;
	} else if (g->network[i].last_s < g->began_s) {
		g->network[i].days++;
	}
	g->network[i].id = network;
	g->network[i].last_s = now_s;
	return g->network[i].first_s < g->began_s;
}

/* In its first days there is nothing to compare with. */
static bool
is_strange(struct guard *g, uint64_t network, uint64_t now_s, bool brings_new)
{
	bool first;

	if (familiar(g, network, now_s, &first) || g->days < LEARN_DAYS)
		return false;
	g->networks += first && brings_new;
	return true;
}

static uint32_t
half_if(bool yes, uint32_t n)
{
	return yes ? n / 2 + n % 2 : n;
}

static enum guard_rule
say(struct guard_verdict *v, enum guard_rule rule)
{
	v->rule = rule;
	if (rule == GUARD_FINE)
		v->text[0] = '\0';
	return rule;
}

static uint32_t
share(const struct guard *g)
{
	uint32_t all = g->delivered + g->refused;

	return all == 0 ? 0 : (uint32_t)((uint64_t)g->refused * 100 / all);
}

/* It is mostly from where it does not usually send, to people it never wrote
 * to. */
static bool
elsewhere(const struct guard *g)
{
	return g->strange >= FEW && g->strange >= g->rcpts / 2;
}

/* So is what it sent in this hour. */
static bool
hour_is_strange(const struct guard *g)
{
	return g->hour_strange > 0 && g->hour_strange >= g->hour / 2;
}

static uint32_t
twice(uint32_t n)
{
	return n > UINT32_MAX / 2 ? UINT32_MAX : 2 * n;
}

static uint32_t
at_least(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

struct guard_evidence
guard_weigh(const struct guard *g, const struct guard_rules *r)
{
	bool strict = r->young || elsewhere(g) || g->guessed >= GUESSES;
	struct guard_evidence e = {
		.news = guard_new(g),
		.news_usual = g->usual_new,
		.news_most = at_least(half_if(strict, r->new_recipients),
		    TIMES_USUAL * g->usual_new),
		.strange = g->strange,
		.rcpts = g->rcpts,
		.rcpts_usual = g->usual_rcpts,
		.hour = g->hour,
		.hour_usual = g->usual_hour,
		.hour_most =
		    at_least(hour_is_strange(g) ? r->rate : twice(r->rate),
			TIMES_HOUR * g->usual_hour),
		.delivered = g->delivered,
		.refused = g->refused,
		.refused_most = half_if(r->young, r->refused),
		.share_most = r->refused_share,
		.networks = g->networks,
		.networks_most = r->networks,
		.guessed = at_least(g->guessed, g->failed),
		.days = g->days,
	};

	for (int i = 0; i < GUARD_NETWORKS; i++)
		e.known += g->network[i].id != 0;
	return e;
}

static enum guard_rule
judge_recipients(const struct guard *g, const struct guard_evidence *e,
    struct guard_verdict *v)
{
	if (e->news > e->news_most) {
		snprintf(v->text, sizeof(v->text),
		    "about %u recipients in a day that it never wrote to%s; "
		    "usual are %u",
		    e->news,
		    g->strange > 0 ? ", from an unfamiliar network" : "",
		    e->news_usual);
		return say(v, GUARD_STRANGERS);
	}
	/* Two days tell nothing of how fast somebody writes. */
	if (g->days >= LEARN_DAYS && e->hour > e->hour_most) {
		snprintf(v->text, sizeof(v->text),
		    "%u recipients within an hour%s; the busiest had %u",
		    e->hour,
		    hour_is_strange(g) ? ", from an unfamiliar network" : "",
		    e->hour_usual);
		return say(v, GUARD_RATE);
	}
	return say(v, GUARD_FINE);
}

static enum guard_rule
judge_results(const struct guard *g, const struct guard_evidence *e,
    struct guard_verdict *v)
{
	uint32_t all = g->delivered + g->refused;

	if (elsewhere(g) && g->refused >= ELSEWHERE_BAD &&
	    share(g) >= ELSEWHERE_PCT) {
		snprintf(v->text, sizeof(v->text),
		    "%u new recipients from an unfamiliar network, and %u of "
		    "%u do not exist",
		    g->strange, g->refused, all);
		return say(v, GUARD_ELSEWHERE);
	}
	if (g->refused >= e->refused_most && all >= RESULTS_LEAST &&
	    share(g) >= e->share_most) {
		snprintf(v->text, sizeof(v->text),
		    "%u of %u recipients in a day do not exist", g->refused,
		    all);
		return say(v, GUARD_REFUSED);
	}
	return say(v, GUARD_FINE);
}

static enum guard_rule
judge(
    const struct guard *g, const struct guard_rules *r, struct guard_verdict *v)
{
	struct guard_evidence e = guard_weigh(g, r);

	if (judge_recipients(g, &e, v) != GUARD_FINE ||
	    judge_results(g, &e, v) != GUARD_FINE)
		return v->rule;
	if (g->networks >= e.networks_most &&
	    g->networks > 2 * g->usual_networks && elsewhere(g)) {
		snprintf(v->text, sizeof(v->text),
		    "%u new recipients from %u unfamiliar networks in a day",
		    g->strange, g->networks);
		return say(v, GUARD_NETS);
	}
	return say(v, GUARD_FINE);
}

static void
sketch(struct guard *g, const uint64_t key[2], const uint8_t hash[8])
{
	uint64_t mac[2], bit;

	siphash(key, hash, 8, mac);
	bit = mac[0] % GUARD_BITS;

	g->sketch[bit / 64] |= (uint64_t)1 << (bit % 64);
}

/* Only what is taken: a program that is refused tries the same again. */
static void
count_hour(struct guard *g, uint64_t now_s, uint32_t rcpts, bool strange)
{
	turn_hour(g, now_s);
	g->hour += rcpts;
	if (strange)
		g->hour_strange += rcpts;
	g->hour_most = at_least(g->hour_most, g->hour);
}

void
guard_undo(struct guard *g, uint32_t rcpts)
{
	g->hour -= rcpts < g->hour ? rcpts : g->hour;
	if (g->hour_strange > g->hour)
		g->hour_strange = g->hour;
}

enum guard_rule
guard_submit(struct guard *g, const struct guard_rules *r, uint64_t now_s,
    uint64_t network, uint32_t rcpts, bool taken, const uint8_t *news,
    size_t nnews, struct guard_verdict *v)
{
	uint32_t before, added;
	bool strange;

	turn(g, now_s);
	before = guard_new(g);
	for (size_t i = 0; i < nnews; i++)
		sketch(g, r->key, news + i * 8);
	added = guard_new(g) - before;
	g->rcpts += rcpts;
	strange = is_strange(g, network, now_s, added > 0);
	if (strange)
		g->strange += added;
	if (taken)
		count_hour(g, now_s, rcpts, strange);
	return judge(g, r, v);
}

enum guard_rule
guard_results(struct guard *g, const struct guard_rules *r, uint64_t now_s,
    uint32_t delivered, uint32_t refused, struct guard_verdict *v)
{
	turn(g, now_s);
	g->delivered += delivered;
	g->refused += refused;
	/* Good news freezes nobody. */
	return refused > 0 ? judge(g, r, v) : say(v, GUARD_FINE);
}

void
guard_login(struct guard *g, uint64_t now_s, uint64_t network, bool good)
{
	turn(g, now_s);
	if (!good) {
		g->failed++;
		return;
	}
	if (g->failed >= GUESSES && find(g, network) < 0)
		g->guessed = g->failed;
	g->failed = 0;
}

void
guard_forgive(struct guard *g, uint64_t now_s)
{
	for (int i = 0; i < GUARD_NETWORKS; i++)
		if (g->network[i].id != 0)
			g->network[i].first_s = 0;
	begin_day(g, now_s);
}
