/*
 * item.h - a row of the accounts store as JSON and back.
 *
 * An exported account is an object:
 *
 *   {"account": "alice@example.org", "state": "active", "reason": "",
 *    "by": "root", "since": "2026-01-31T12:00:00Z", "created": ...,
 *    "legacy": false, "grown": true (it is not new here),
 *    "limit_per_day": 0 (the server's), ...,
 *    "credentials": [{"label": "password", "kind": "password",
 *        "hash": "$y$...", "scram": "", "networks": "", "senders": "",
 *        "per_day": 0, "limit_size": 0 (none), ..., "expires": null, "created": ..., "last_use": null,
 *        "last_ip": "", "by": "root"}],
 *    "grants": [{"address": "alice@example.org", "by": "root",
 *        "created": ...}]}
 *
 * Reading takes what is missing for empty, and a grant that is a bare string.
 */
#ifndef CTL_ITEM_H
#define CTL_ITEM_H

#include <jansson.h>
#include <stdbool.h>

#include "ipc/messages.h"

/*
 * Put an account together of items as auth tells them: its own, then those
 * that it holds.
 *
 *   account  the one under way, the caller's; *account NULL at first
 *
 * Returns the one before it, complete and the caller's, when this item begins
 * another account; otherwise NULL.
 */
json_t *item_gather(json_t **account, const struct msg_item *);

/* Each sets *i, or is false when the value is not such a one. */
bool item_account(struct msg_item *i, json_t *);
bool item_credential(struct msg_item *i, json_t *);
bool item_grant(struct msg_item *i, json_t *);

#endif
