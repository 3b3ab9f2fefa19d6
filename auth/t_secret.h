/*
 * t_secret.h - random bytes that a store keeps for ever, for what must look
 * random and yet be the same after a restart.
 */
#ifndef AUTH_T_SECRET_H
#define AUTH_T_SECRET_H

#include "auth/store.h"

#define SECRET_BYTES 32

/*
 * What follows from them for these n octets, and from nothing else.  They are
 * made at the first call, in a transaction of its own.  Logins come as they
 * are; any other purpose has a NUL in it, or a login could ask for it.
 */
void
secret_derive(const void *octets, size_t n, unsigned char out[SECRET_BYTES]);

#endif
