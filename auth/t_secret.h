/*
 * t_secret.h - random bytes that a store keeps for ever, for what must look
 * random and yet be the same after a restart.
 */
#ifndef AUTH_T_SECRET_H
#define AUTH_T_SECRET_H

#include "auth/store.h"

#define SECRET_BYTES 32

/* Made at the first call, in a transaction of its own; wiped by the caller. */
void secret_get(unsigned char out[SECRET_BYTES]);

#endif
