/*
 * site.h - which servers take a domain's mail, told before there is mail for
 * them: the queue wants to know what goes the same way.
 */
#ifndef DELIVER_SITE_H
#define DELIVER_SITE_H

#include "ipc/messages.h"

/*
 * Called once, perhaps before site_ask() returns.
 *
 *   is  borrowed
 */
typedef void site_found_fn(void *arg, const struct msg_site_is *is);
void site_ask(const char *domain, site_found_fn *, void *arg);

#endif
