/*
 * login_name.h - what people type as their user name, in its one spelling.
 */
#ifndef AUTH_LOGIN_NAME_H
#define AUTH_LOGIN_NAME_H

#include <stdbool.h>

#include "ipc/messages.h"
#include "mail/address.h"

/* A login or granted address: as address_parse() reads it, local part in
 * lower case.  False when it is no address. */
bool login_canonical(char out[ADDR_SIZE], const char *text);

/*
 * The n-th login that a typed user name may mean: itself when it has a
 * domain, otherwise at the default domain; without one ("") at the server's
 * own name and at the domain that name is in ("mail.example.org":
 * "example.org").  Blanks around the name do not count.  A name beyond ASCII
 * is tried as it came first, then in its one spelling (spelling_fold()).
 * False when there is no n-th.
 */
bool login_guess(char out[ADDR_SIZE], const char *typed, const char *domain,
    const char *hostname, int n);

/*
 * What a new account is called: a canonical login in its one spelling
 * (spelling_fold()), or as it is where that is no login.  It does not overlap.
 */
void login_spell(char out[ADDR_SIZE], const char *login);

/* A grant: an address as above, or "@domain", canonical. */
bool grant_canonical(char out[ADDR_SIZE], const char *text);
/* A grant as the pair that address_matches() takes. */
bool grant_parse(struct address *, const char *text);

#endif
