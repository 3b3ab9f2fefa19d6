/*
 * show.h - the queue's rows as an operator sees them.
 */
#ifndef QUEUE_SHOW_H
#define QUEUE_SHOW_H

#include "ipc/channel.h"
#include "queue/t_message.h"

/* A message without what only its jobs know. */
void show_message(
    struct msg_queue_row *out, uint64_t id, const struct message_row *m);

/*
 * Add what the jobs know: who waits, attempts, the next one, the last answer.
 * Returns whether one of them goes to `domain` ("": any).
 */
bool show_jobs(struct msg_queue_row *out, const char *domain);

/* Send a MSG_RCPT_ROW for each recipient in the rows of jobs. */
void show_rcpts(
    struct channel *, uint64_t tag, uint64_t id, const struct message_row *);

/* Send the MSG_STATUS_ROWs of the queue. */
void show_status(struct channel *, uint64_t tag);

#endif
