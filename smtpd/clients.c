/*
 * clients.c - see clients.h.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "smtpd/clients.h"

#define SLOT_BITS 16

static struct client **slots;
static unsigned count, most, next_slot;
static uint64_t serial;
static TAILQ_HEAD(list, client) living = TAILQ_HEAD_INITIALIZER(living),
				strangers = TAILQ_HEAD_INITIALIZER(strangers),
				dead = TAILQ_HEAD_INITIALIZER(dead);

static void
bury(void *arg)
{
	struct client *c;

	(void)arg;
	while ((c = TAILQ_FIRST(&dead)) != NULL) {
		TAILQ_REMOVE(&dead, c, link);
		explicit_bzero(c, sizeof(*c));
		free(c);
	}
}

void
clients_init(unsigned room)
{
	assert(slots == NULL && room > 0 && room <= 1 << SLOT_BITS);
	most = room;
	slots = calloc(most, sizeof(struct client *));
	if (slots == NULL)
		abort();
	loop_hook(bury, NULL);
}

unsigned
clients_count(void)
{
	return count;
}

bool
clients_full(void)
{
	return count >= most;
}

struct client *
client_new(void)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	assert(!clients_full());
	while (slots[next_slot] != NULL)
		next_slot = (next_slot + 1) % most;
	slots[next_slot] = c;
	c->id = ++serial << SLOT_BITS | next_slot;
	count++;
	TAILQ_INSERT_TAIL(&living, c, link);
	c->stranger = true;
	TAILQ_INSERT_TAIL(&strangers, c, strangers);
	return c;
}

void
client_known(struct client *c)
{
	if (!c->stranger)
		return;
	c->stranger = false;
	TAILQ_REMOVE(&strangers, c, strangers);
}

struct client *
client_first_stranger(void)
{
	return TAILQ_FIRST(&strangers);
}

static unsigned
slot_of(uint64_t id)
{
	return id & ((1 << SLOT_BITS) - 1);
}

void
client_free(struct client *c)
{
	client_known(c);
	slots[slot_of(c->id)] = NULL;
	count--;
	TAILQ_REMOVE(&living, c, link);
	TAILQ_INSERT_TAIL(&dead, c, link);
}

struct client *
client_find(uint64_t id)
{
	struct client *c = slot_of(id) < most ? slots[slot_of(id)] : NULL;

	return c != NULL && c->id == id ? c : NULL;
}

struct client *
client_first(void)
{
	return TAILQ_FIRST(&living);
}

struct client *
client_next(struct client *c)
{
	return TAILQ_NEXT(c, link);
}
