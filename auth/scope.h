/*
 * scope.h - what a credential is good for: lists as they stand in its row.
 *
 * Items are separated by spaces or commas; an empty list restricts nothing.
 */
#ifndef AUTH_SCOPE_H
#define AUTH_SCOPE_H

#include <stdbool.h>

#include "mail/address.h"

/* 1 to 63 bytes of UTF-8 without control characters, no space at an end. */
bool scope_label_valid(const char *label);

/* Addresses and networks: "192.0.2.7", "192.0.2.0/24", "2001:db8::/32". */
bool scope_networks_valid(const char *list);
bool scope_networks_cover(const char *list, const char *ip);

/* Grants: addresses and "@domain" (grant_canonical()). */
bool scope_senders_valid(const char *list);
/* Covered as a grant covers (address_matches()). */
bool scope_senders_cover(const char *list, const struct address *);

#endif
