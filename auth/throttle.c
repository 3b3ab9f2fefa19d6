/*
 * throttle.c - see throttle.h.
 *
 * A count is a bucket that leaks: it is kept as the time at which it will be
 * empty.  A try adds one interval to that; more than `burst` of them ahead of
 * now is over.
 */
#include <stddef.h>
#include <string.h>

#include "auth/lru.h"
#include "auth/throttle.h"

#define NETWORKS      8192
#define PAIRS         16384
#define STALE         4 /* wrong passwords remembered of a pair */
#define DELAY_MS      500
#define DELAY_DOUBLES 3 /* times at most */

struct rate {
	int64_t interval_ms;
	int burst;
};

static const struct rate network_rate = { 60 * 1000, 20 };
static const struct rate pair_rate = { 120 * 1000, 10 };

struct network {
	int64_t empty_ms;
};

struct pair {
	int64_t empty_ms;
	bool trusted;
	unsigned nwrong; /* ever; the newest is wrong[(nwrong - 1) % STALE] */
	unsigned char wrong[STALE][DIGEST_SIZE];
};

static struct lru *networks, *pairs;

static struct network *
find_network(const char *net)
{
	unsigned char key[DIGEST_SIZE];

	if (networks == NULL)
		networks = lru_new(NETWORKS, sizeof(struct network), NULL);
	digest_make(key, net, NULL, NULL);
	return lru_add(networks, key, sizeof(key));
}

static struct pair *
find_pair(const char *net, const char *user)
{
	unsigned char key[DIGEST_SIZE];

	if (pairs == NULL)
		pairs = lru_new(PAIRS, sizeof(struct pair), NULL);
	digest_make(key, net, user, NULL);
	return lru_add(pairs, key, sizeof(key));
}

/* Tries that are still in the bucket, rounded up. */
static int
used(const struct rate *r, int64_t empty_ms, int64_t now_ms)
{
	if (empty_ms <= now_ms)
		return 0;
	return (int)((empty_ms - now_ms + r->interval_ms - 1) / r->interval_ms);
}

/* Milliseconds until one more fits. */
static int64_t
wait_ms(const struct rate *r, int64_t empty_ms, int64_t now_ms)
{
	int64_t wait = empty_ms - now_ms - (r->burst - 1) * r->interval_ms;

	return wait > 0 ? wait : 0;
}

static void
charge(const struct rate *r, int64_t *empty_ms, unsigned cost, int64_t now_ms)
{
	if (*empty_ms < now_ms)
		*empty_ms = now_ms;
	*empty_ms += cost * r->interval_ms;
}

static bool
is_stale(const struct pair *p, const unsigned char digest[DIGEST_SIZE])
{
	for (unsigned i = 0; i < STALE && i < p->nwrong; i++)
		if (memcmp(p->wrong[i], digest, DIGEST_SIZE) == 0)
			return true;
	return false;
}

static int64_t
wait_of(const struct network *n, const struct pair *p, int64_t now_ms)
{
	int64_t mine = wait_ms(&pair_rate, p->empty_ms, now_ms);
	int64_t all =
	    p->trusted ? 0 : wait_ms(&network_rate, n->empty_ms, now_ms);

	return mine > all ? mine : all;
}

enum throttle
throttle_begin(const char *net, const char *user,
    const unsigned char digest[DIGEST_SIZE], unsigned cost, int64_t now_ms)
{
	struct network *n = find_network(net);
	struct pair *p = find_pair(net, user);

	if (is_stale(p, digest))
		return THROTTLE_STALE;
	if (wait_of(n, p, now_ms) > 0)
		return THROTTLE_OVER;
	charge(&network_rate, &n->empty_ms, cost, now_ms);
	charge(&pair_rate, &p->empty_ms, cost, now_ms);
	return THROTTLE_GO;
}

void
throttle_cancel(const char *net, const char *user, unsigned cost)
{
	find_network(net)->empty_ms -= cost * network_rate.interval_ms;
	find_pair(net, user)->empty_ms -= cost * pair_rate.interval_ms;
}

void
throttle_right(const char *net, const char *user, unsigned cost, int64_t now_ms)
{
	struct pair *p = find_pair(net, user);

	throttle_cancel(net, user, cost);
	/* The network stays as it is: its guesser may have an account too. */
	p->trusted = true;
	p->empty_ms = now_ms;
}

void
throttle_wrong(
    const char *net, const char *user, const unsigned char digest[DIGEST_SIZE])
{
	struct pair *p = find_pair(net, user);

	memcpy(p->wrong[p->nwrong++ % STALE], digest, DIGEST_SIZE);
}

bool
throttle_trusts(const char *net, const char *user)
{
	return find_pair(net, user)->trusted;
}

bool
throttle_suspects(const char *net, int64_t now_ms)
{
	return used(&network_rate, find_network(net)->empty_ms, now_ms) > 1;
}

int64_t
throttle_delay_ms(const char *net, const char *user, int64_t now_ms)
{
	int network = used(&network_rate, find_network(net)->empty_ms, now_ms);
	int pair = used(&pair_rate, find_pair(net, user)->empty_ms, now_ms);
	int doubles = pair - 1;

	if (doubles < network / 5)
		doubles = network / 5;
	if (doubles < 0)
		doubles = 0;
	if (doubles > DELAY_DOUBLES)
		doubles = DELAY_DOUBLES;
	return (int64_t)DELAY_MS << doubles;
}

int64_t
throttle_wait_ms(const char *net, const char *user, int64_t now_ms)
{
	return wait_of(find_network(net), find_pair(net, user), now_ms);
}

void
throttle_close(void)
{
	lru_free(networks);
	lru_free(pairs);
	networks = pairs = NULL;
}
