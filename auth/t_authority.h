/*
 * t_authority.h - the key and certificate of authority.h, one row of table
 * meta.
 */
#ifndef AUTH_T_AUTHORITY_H
#define AUTH_T_AUTHORITY_H

#include "auth/store.h"

struct authority {
	char key[512];          /* PEM; wiped by whoever read it */
	char certificate[1280]; /* PEM */
};

/* False when none was made yet. */
bool authority_get(struct authority *);
/* In a transaction of its own; false when the disk is full. */
bool authority_put(struct authority *);

#endif
