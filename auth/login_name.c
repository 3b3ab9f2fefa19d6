/*
 * login_name.c - see login_name.h.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "auth/login_name.h"
#include "auth/spelling.h"
#include "mail/ascii.h"
#include "mail/domain.h"

static_assert(ADDR_SIZE >= ADDRESS_MAX, "a message holds any address");

static bool
parse(struct address *a, const char *text)
{
	if (!address_parse(a, text, strlen(text)))
		return false;
	for (char *p = a->local; *p != '\0'; p++)
		*p = ascii_lower(*p);
	return true;
}

bool
login_canonical(char out[ADDR_SIZE], const char *text)
{
	struct address a;

	if (!parse(&a, text))
		return false;
	address_format(&a, out);
	return true;
}

/* login_guess() of a name that is spelled so. */
static bool
guess(char out[ADDR_SIZE], const char *name, const char *domain,
    const char *hostname, int n)
{
	const char *dot = strchr(hostname, '.');
	char text[ADDR_SIZE];
	int k;

	if (strchr(name, '@') != NULL)
		return n == 0 && login_canonical(out, name);
	if (domain[0] != '\0')
		hostname = domain;
	if (n > (domain[0] == '\0') ||
	    (n == 1 && (dot == NULL || !strchr(dot + 1, '.'))))
		return false;
	k = snprintf(
	    text, sizeof(text), "%s@%s", name, n == 0 ? hostname : dot + 1);
	return k > 0 && (size_t)k < sizeof(text) && login_canonical(out, text);
}

/* Telephones put a blank behind what they complete. */
static void
trim(char out[ADDR_SIZE], const char *typed)
{
	size_t n;

	typed += strspn(typed, " ");
	n = strnlen(typed, ADDR_SIZE - 1);
	while (n > 0 && typed[n - 1] == ' ')
		n--;
	memcpy(out, typed, n);
	out[n] = '\0';
}

bool
login_guess(char out[ADDR_SIZE], const char *typed, const char *domain,
    const char *hostname, int n)
{
	char name[ADDR_SIZE], folded[SPELLING_MAX];

	trim(name, typed);
	for (int k = 0; guess(out, name, domain, hostname, k); k++)
		if (n-- == 0)
			return true;
	return spelling_fold(name, folded) && strcmp(folded, name) != 0 &&
	    guess(out, folded, domain, hostname, n);
}

void
login_spell(char out[ADDR_SIZE], const char *login)
{
	char folded[SPELLING_MAX];

	if (!spelling_fold(login, folded) || !login_canonical(out, folded))
		snprintf(out, ADDR_SIZE, "%s", login);
}

bool
grant_canonical(char out[ADDR_SIZE], const char *text)
{
	size_t n;

	if (text[0] != '@')
		return login_canonical(out, text);
	n = strlen(text + 1);
	if (n >= DOMAIN_MAX || !domain_valid(text + 1, n, 0))
		return false;
	out[0] = '@';
	for (size_t i = 0; i <= n; i++)
		out[1 + i] = ascii_lower(text[1 + i]);
	return true;
}

bool
grant_parse(struct address *a, const char *text)
{
	size_t n = strlen(text);

	if (text[0] != '@')
		return address_parse(a, text, n);
	memset(a, 0, sizeof(*a));
	if (n > sizeof(a->domain))
		return false;
	memcpy(a->domain, text + 1, n);
	return true;
}
