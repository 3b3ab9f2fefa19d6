/*
 * guard_rules.c - see guard_rules.h.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "auth/guard_rules.h"

#define DAY_S         86400
#define FAMILIAR_S    (90 * DAY_S) /* that a network is remembered */
#define FEW           10 /* new recipients, before anything is clear */
#define ELSEWHERE_BAD 2  /* refused ones that are enough from elsewhere, */
#define ELSEWHERE_PCT 5  /* when they are so many in a hundred */
#define RESULTS_LEAST 20 /* for a share to mean something */
#define GUESSES       5  /* wrong passwords before the right one */
#define TIMES_USUAL   3
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
		g->days++;
	}
	begin_day(g, now_s);
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
	return yes ? (n + 1) / 2 : n;
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

static enum guard_rule
judge(
    const struct guard *g, const struct guard_rules *r, struct guard_verdict *v)
{
	uint32_t news = guard_new(g),
		 most = half_if(r->young, r->new_recipients);

	if (elsewhere(g) || g->guessed >= GUESSES)
		most = half_if(true, r->new_recipients);
	if (most < TIMES_USUAL * g->usual_new)
		most = TIMES_USUAL * g->usual_new;
	if (news > most) {
		snprintf(v->text, sizeof(v->text),
		    "about %u recipients in a day that it never wrote to%s; "
		    "usual are %u",
		    news, g->strange > 0 ? ", from an unfamiliar network" : "",
		    g->usual_new);
		return say(v, GUARD_STRANGERS);
	}
	if (elsewhere(g) && g->refused >= ELSEWHERE_BAD &&
	    share(g) >= ELSEWHERE_PCT) {
		snprintf(v->text, sizeof(v->text),
		    "%u new recipients from an unfamiliar network, and %u of "
		    "%u do not exist",
		    g->strange, g->refused, g->delivered + g->refused);
		return say(v, GUARD_ELSEWHERE);
	}
	if (g->refused >= half_if(r->young, r->refused) &&
	    g->delivered + g->refused >= RESULTS_LEAST &&
	    share(g) >= r->refused_share) {
		snprintf(v->text, sizeof(v->text),
		    "%u of %u recipients in a day do not exist", g->refused,
		    g->delivered + g->refused);
		return say(v, GUARD_REFUSED);
	}
	if (g->networks >= r->networks && g->networks > 2 * g->usual_networks &&
	    elsewhere(g)) {
		snprintf(v->text, sizeof(v->text),
		    "%u new recipients from %u unfamiliar networks in a day",
		    g->strange, g->networks);
		return say(v, GUARD_NETS);
	}
	return say(v, GUARD_FINE);
}

static void
sketch(struct guard *g, const uint8_t hash[8])
{
	uint32_t bit = ((uint32_t)hash[0] << 8 | hash[1]) % GUARD_BITS;

	g->sketch[bit / 64] |= (uint64_t)1 << (bit % 64);
}

enum guard_rule
guard_submit(struct guard *g, const struct guard_rules *r, uint64_t now_s,
    uint64_t network, uint32_t rcpts, const uint8_t *news, size_t nnews,
    struct guard_verdict *v)
{
	uint32_t before, added;

	turn(g, now_s);
	before = guard_new(g);
	for (size_t i = 0; i < nnews; i++)
		sketch(g, news + i * 8);
	added = guard_new(g) - before;
	g->rcpts += rcpts;
	if (is_strange(g, network, now_s, added > 0))
		g->strange += added;
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
