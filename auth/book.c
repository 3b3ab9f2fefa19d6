/*
 * book.c - see book.h.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/book.h"
#include "auth/lru.h"
#include "auth/t_account.h"
#include "auth/t_credential.h"
#include "auth/t_grant.h"
#include "lib/log.h"

#define PAGES 4096 /* about 1 KiB each */

static struct lru *pages;

static void
drop(void *value)
{
	struct page *page = value;

	explicit_bzero(page->hash, sizeof(page->hash));
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
read_page(struct page *page, const char *login, const struct account *a)
{
	char owner[ADDR_SIZE], address[ADDR_SIZE] = "";
	struct credential c;
	struct grant g;

	strcpy(page->login, login);
	page->state = (enum account_state)a->state;
	if (credential_get(NULL, login, CREDENTIAL_PASSWORD, &c))
		strcpy(page->hash, c.hash);
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

/* "@example.org" reads as a pair without a local part. */
static bool
parse_grant(struct address *a, const struct bytes *item)
{
	const char *text = (const char *)item->data;

	if (item->len == 0 || text[0] != '@')
		return address_parse(a, text, item->len);
	memset(a, 0, sizeof(*a));
	if (item->len - 1 >= sizeof(a->domain))
		return false;
	memcpy(a->domain, text + 1, item->len - 1);
	return true;
}

bool
page_covers(const struct page *page, const struct address *used)
{
	struct bytes rest = { page->grants, page->grants_len }, item;
	struct address grant;

	while (list_next(&rest, &item))
		if (parse_grant(&grant, &item) && address_matches(&grant, used))
			return true;
	return false;
}
