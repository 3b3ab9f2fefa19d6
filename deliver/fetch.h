/*
 * fetch.h - pages of the web, by way of postern-sts; the names in them are
 * looked up here.
 */
#ifndef DELIVER_FETCH_H
#define DELIVER_FETCH_H

#include "ipc/messages.h"

/* A new line to postern-sts (taken). */
void fetch_peer(int fd);

/* m: bulk bytes are valid for the call. */
typedef void fetch_fn(void *arg, const struct msg_fetched *m);

/*
 * Get an https URL, or post a body there (borrowed for the call; at most
 * FETCH_MAX bytes, of this type).  Answers once, perhaps before this returns,
 * within a minute and a half.
 */
void fetch_url(const char *url, const char *type, struct bytes body, fetch_fn *,
    void *arg);

#endif
