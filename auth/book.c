/*
 * book.c - see book.h.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/book.h"
#include "auth/login_name.h"
#include "auth/lru.h"
#include "auth/t_account.h"
#include "auth/t_grant.h"
#include "auth/t_legacy.h"
#include "auth/t_limits.h"
#include "lib/log.h"

#define PAGES 4096 /* about 1 KiB each */

static struct lru *pages;

static void
drop(void *value)
{
	struct page *page = value;

	explicit_bzero(page->hash, sizeof(page->hash));
	explicit_bzero(page->scram, sizeof(page->scram));
	free(page->cards);
	free(page->grants);
}

static void
add_grant(struct page *page, const char *address)
{
	size_t n = strlen(address), size = page->grants_len + 2 + n;

	page->grants = realloc(page->grants, size);
	if (page->grants == NULL)
		abort();
	page->grants_len =
	    list_add(page->grants, size, page->grants_len, address, n);
	page->ngrants++;
}

static void
add_card(struct page *page, const char *label, const struct credential *c)
{
	struct card *card;

	if (strcmp(label, CREDENTIAL_PASSWORD) == 0) {
		strcpy(page->hash, c->hash);
		strcpy(page->scram, c->scram);
		strcpy(page->seen_ip, c->last_ip);
		return;
	}
	page->cards =
	    realloc(page->cards, (page->ncards + 1) * sizeof(page->cards[0]));
	if (page->cards == NULL)
		abort();
	card = &page->cards[page->ncards++];
	strcpy(card->label, label);
	card->c = *c;
}

static void
read_page(struct page *page, const char *login, const struct account *a)
{
	char owner[ADDR_SIZE], address[ADDR_SIZE] = "";
	char label[CREDENTIAL_LABEL] = "";
	struct credential c;
	struct grant g;
	struct limits limits;
	struct legacy l;

	strcpy(page->login, login);
	page->state = (enum account_state)a->state;
	page->created = a->created;
	page->grown = a->grown != 0;
	page->legacy = legacy_get(NULL, login, &l);
	limits_get(NULL, login, &limits);
	memcpy(page->limit, limits.limit, sizeof(page->limit));
	strcpy(owner, login);
	while (credential_next(NULL, owner, label, &c) &&
	    strcmp(owner, login) == 0)
		add_card(page, label, &c);
	strcpy(owner, login);
	while (
	    grant_next(NULL, owner, address, &g) && strcmp(owner, login) == 0)
		add_grant(page, address);
}

const struct page *
book_find(const char *login)
{
	struct account a;
	struct page *page;

	if (pages == NULL)
		pages = lru_new(PAGES, sizeof(struct page), drop);
	page = lru_find(pages, login, strlen(login));
	if (page != NULL)
		return page;
	if (!account_get(NULL, login, &a))
		return NULL;
	page = lru_add(pages, login, strlen(login));
	read_page(page, login, &a);
	return page;
}

void
book_forget(const char *login)
{
	if (pages != NULL)
		lru_remove(pages, login, strlen(login));
}

void
book_close(void)
{
	lru_free(pages);
	pages = NULL;
}

const struct card *
page_card(const struct page *page, const char *label)
{
	for (size_t i = 0; i < page->ncards; i++)
		if (strcmp(page->cards[i].label, label) == 0)
			return &page->cards[i];
	return NULL;
}

bool
page_covers(const struct page *page, const struct address *used)
{
	struct bytes rest = { page->grants, page->grants_len }, item;
	char text[ADDR_SIZE];
	struct address grant;

	while (list_next(&rest, &item)) {
		memcpy(text, item.data, item.len);
		text[item.len] = '\0';
		if (grant_parse(&grant, text) && address_matches(&grant, used))
			return true;
	}
	return false;
}
