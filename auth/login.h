/*
 * login.h - is this password right (MSG_AUTH_CHECK)?
 *
 * A password that was right a moment ago is answered at once, from memory.
 * Any other goes through the throttle and a worker; a wrong one is answered
 * late, and for an unknown name all of it is the same, the time included.
 * Every try is one line in the log:
 *
 *   auth.ok      the account is the client's from here on
 *   auth.failed  with reason=, and what was typed last: for fail2ban
 *   auth.stale   a device that does not know the new password
 */
#ifndef AUTH_LOGIN_H
#define AUTH_LOGIN_H

#include "auth/book.h"
#include "ipc/channel.h"

/* For user names without a domain (login_guess()); copied. */
void login_set_names(const char *domain, const char *hostname);

/* Whether a password that becomes known gets a verifier for SCRAM too. */
void login_make_verifiers(bool);
bool login_makes_verifiers(void);

/*
 * The account that a typed user name means, with its login in out.
 *
 * NULL when there is none.  Then out is the login that it would be found by:
 * the last that login_guess() has, the same for every spelling of the name, so
 * that no salt, count or delay tells who is there; and where there is nothing
 * to guess, what was typed, in lower case.
 */
const struct page *login_find(char out[ADDR_SIZE], const char *typed);

/* Somebody may ask soon: make what the first answer needs. */
void login_prepare(void);

/* Answer a MSG_AUTH_CHECK on c, now or later; nobody is told when c has been
 * closed by then. */
void login_check(struct channel *c, const struct msg *);

void login_close(void);

#endif
