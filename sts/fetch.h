/*
 * fetch.h - one page over https: bounded in bytes and in time, no redirects,
 * no proxies, no names looked up (RFC 8461 3.3).
 */
#ifndef STS_FETCH_H
#define STS_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"

#define FETCH_MANY 200 /* under way at once; others wait in line */

/* Before rights are given up. */
void fetch_init(void);

/* Believe these roots from now on; PEM, taken (malloc'd), or NULL: nobody. */
void fetch_trust(char *roots, size_t n);

/* m is a MSG_FETCHED under the tag; asker points to the value given. */
typedef void fetch_done_fn(void *asker, const struct msg *m);

/* Do what is asked for; done comes once, perhaps before this returns. */
void
fetch(const struct msg_fetch *, uint64_t tag, uint64_t asker, fetch_done_fn *);

/* The asker is gone: what of his has not begun does not begin, and done does
 * not come for it. */
void fetch_forget(uint64_t asker);

#endif
