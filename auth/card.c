/*
 * card.c - see card.h.
 */
#include "auth/card.h"
#include "auth/scope.h"
#include "lib/loop.h"

bool
card_expired(const struct card *card)
{
	return card->c.expires != 0 &&
	    card->c.expires <= (uint64_t)loop_wall_ms() / 1000;
}

enum outcome
card_judge(const struct page *page, const struct card *card, const char *ip,
    bool legacy)
{
	if (card != NULL && card_expired(card))
		return LOGIN_EXPIRED;
	if (card != NULL && !scope_networks_cover(card->c.networks, ip))
		return LOGIN_NETWORK;
	if (page->state != ACC_ACTIVE)
		return LOGIN_SUSPENDED;
	return legacy && !page->legacy ? LOGIN_LEGACY : LOGIN_OK;
}
