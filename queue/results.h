/*
 * results.h - telling auth what became of each account's recipients.
 *
 * Counted, and told once a second: nothing on the way of a message waits.
 */
#ifndef QUEUE_RESULTS_H
#define QUEUE_RESULTS_H

#include "ipc/channel.h"

/* The line to auth; borrowed. */
void results_line(struct channel *);

/* So many of the account's recipients got it, or were refused for good. */
void results_add(const char *account, uint32_t delivered, uint32_t refused);

#endif
