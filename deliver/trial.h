/*
 * trial.h - how far a mail would come: every server of a destination is asked
 * up to RCPT, as a delivery would, and nothing is sent.
 */
#ifndef DELIVER_TRIAL_H
#define DELIVER_TRIAL_H

#include "ipc/messages.h"
#include "lib/conf.h"

struct trial;

/* A row of the answer, at last a MSG_CMD_DONE, after which the trial is gone;
 * tags are the caller's to set. */
typedef void trial_row_fn(void *arg, struct msg *);

/* Begin; the route is taken from conf now.  Nothing comes before this has
 * returned.  NULL when the target is neither an address nor a domain. */
struct trial *trial_start(const struct msg_relay_test *, const struct conf *,
    trial_row_fn *, void *arg);
/* Nothing comes any more. */
void trial_stop(struct trial *);

#endif
