/*
 * show.h - the queue's rows as an operator sees them.
 */
#ifndef QUEUE_SHOW_H
#define QUEUE_SHOW_H

#include "ipc/channel.h"
#include "lib/conf.h"
#include "queue/t_job.h"
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

/* Since when the destination of a mail does not answer, and when it is tried
 * next; all is left as it is when that is not so. */
void show_silence(const struct conf_mail *, char *dest, size_t size,
    uint64_t *silent, uint64_t *probe);

/* An answer of a row of a job as text, "" none; returns when it came. */
uint64_t show_answer(const struct job_row *, uint8_t i, char *out, size_t size);

/* Send the MSG_STATUS_ROWs of the queue. */
void show_status(struct channel *, uint64_t tag);

#endif
