/*
 * card.c - see card.h.
 */
#include <string.h>

#include "auth/card.h"
#include "auth/scope.h"
#include "auth/t_credential.h"
#include "lib/loop.h"
#include "lib/screen.h"

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

bool
card_lacks_certificate(const struct attempt *a)
{
	char login[ADDR_SIZE], label[CREDENTIAL_LABEL];
	const struct page *page;
	const struct card *card;

	if (a->ask.screen != SCREEN_CERTIFICATE)
		return false;
	if (a->ask.certificate[0] == '\0' ||
	    !credential_of_key(NULL, a->ask.certificate, login, label) ||
	    strcmp(login, a->user) != 0 || (page = book_find(login)) == NULL)
		return true;
	card = page_card(page, label);
	return card == NULL || card_expired(card);
}
