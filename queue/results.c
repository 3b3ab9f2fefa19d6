/*
 * results.c - see results.h.
 *
 * While auth is away the counts gather; there is one for each account that
 * sends, so they are bounded by what the queue holds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "lib/loop.h"
#include "queue/results.h"

#define GATHER_MS 1000

struct result {
	UT_hash_handle hh;
	uint32_t delivered, refused;
	char account[];
};

static struct result *results;
static struct channel *line;
static struct timer timer;

void
results_line(struct channel *c)
{
	line = c;
}

static void
on_timer(void *arg)
{
	struct msg m = { .type = MSG_ACCOUNT_RESULTS };
	struct result *r, *next;

	(void)arg;
	if (line == NULL || !channel_up(line)) {
		timer_set(&timer, GATHER_MS);
		return;
	}
	HASH_ITER(hh, results, r, next)
	{
		snprintf(
		    m.u.account_results.account, ADDR_SIZE, "%s", r->account);
		m.u.account_results.delivered = r->delivered;
		m.u.account_results.refused = r->refused;
		channel_send(line, &m, -1);
		HASH_DEL(results, r);
		free(r);
	}
	channel_flush(line);
}

void
results_add(const char *account, uint32_t delivered, uint32_t refused)
{
	size_t n = strlen(account) + 1;
	struct result *r;

	if (account[0] == '\0')
		return; /* our own notices */
	HASH_FIND_STR(results, account, r);
	if (r == NULL) {
		if (results == NULL) {
			if (!timer.ready)
				timer_init(&timer, on_timer, NULL);
			timer_set(&timer, GATHER_MS);
		}
		if ((r = calloc(1, sizeof(*r) + n)) == NULL)
			abort();
		memcpy(r->account, account, n);
		HASH_ADD_STR(results, account, r);
	}
	r->delivered += delivered;
	r->refused += refused;
}
