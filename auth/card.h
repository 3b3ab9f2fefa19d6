/*
 * card.h - what a proved credential is good for at this moment.
 */
#ifndef AUTH_CARD_H
#define AUTH_CARD_H

#include "auth/attempt.h"
#include "auth/book.h"

bool card_expired(const struct card *);

/*
 * How a login ends that has proved this card, or the password (NULL):
 * LOGIN_OK, LOGIN_EXPIRED, LOGIN_NETWORK, LOGIN_SUSPENDED or LOGIN_LEGACY.
 *
 *   legacy  it is at a listener for old devices
 */
enum outcome card_judge(
    const struct page *, const struct card *, const char *ip, bool legacy);

/*
 * Whether this login must not go on, because its network needs a client
 * certificate of the account ([screen]) and the client has shown none.  Asked
 * before the password is looked at: the answer says nothing about that one.
 */
bool card_lacks_certificate(const struct attempt *);

#endif
