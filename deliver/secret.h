/*
 * secret.h - passwords of smarthosts: auth keeps them, and tells one when a
 * connection needs it.
 */
#ifndef DELIVER_SECRET_H
#define DELIVER_SECRET_H

#include <stdint.h>

#include "ipc/messages.h"

/* secret: NULL when there is none to be had; wiped when this returns. */
typedef void secret_fn(void *arg, const char *secret);

/*
 * Ask for the password of a route (its name).  Answers
 * once, after this has returned; returns a ticket for secret_forget().
 */
uint64_t secret_ask(const char *route, secret_fn *, void *arg);
void secret_forget(uint64_t ticket);

/* For keeper.c. */
void secret_answered(const struct msg *);
void secret_bereaved(void);

#endif
