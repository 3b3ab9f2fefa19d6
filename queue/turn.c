/*
 * turn.c - see turn.h.
 */
#include "queue/turn.h"
#include "queue/settings.h"

static TAILQ_HEAD(, account) turn = TAILQ_HEAD_INITIALIZER(turn);
/* Those who have their share of what may be in flight. */
static TAILQ_HEAD(, account) sated = TAILQ_HEAD_INITIALIZER(sated);
static unsigned nflying;

bool
turn_may_fly(const struct account *a)
{
	return nflying < settings->in_flight &&
	    a->flying < 2 * (settings->in_flight - nflying);
}

struct account *
turn_first(void)
{
	return TAILQ_FIRST(&turn);
}

void
turn_yield(struct account *a)
{
	TAILQ_REMOVE(&turn, a, turn);
	TAILQ_INSERT_TAIL(&turn, a, turn);
}

void
turn_join(struct account *a)
{
	if (a->in_turn || a->sated || a->suspended || TAILQ_EMPTY(&a->runnable))
		return;
	a->in_turn = true;
	TAILQ_INSERT_TAIL(&turn, a, turn);
}

void
turn_leave(struct account *a)
{
	if (a->in_turn)
		TAILQ_REMOVE(&turn, a, turn);
	if (a->sated)
		TAILQ_REMOVE(&sated, a, turn);
	a->in_turn = a->sated = false;
}

void
turn_sate(struct account *a)
{
	turn_leave(a);
	a->sated = true;
	TAILQ_INSERT_TAIL(&sated, a, turn);
}

static void
revive(struct account *a)
{
	if (a == NULL || !a->sated || !turn_may_fly(a))
		return;
	turn_leave(a);
	turn_join(a);
}

void
turn_take_off(struct account *a)
{
	a->flying++;
	nflying++;
}

void
turn_land(struct account *a)
{
	a->flying--;
	nflying--;
	revive(a);
	revive(TAILQ_FIRST(&sated));
}
