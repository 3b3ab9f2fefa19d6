/*
 * queue_row.h - a message of the queue as a row.
 */
#ifndef CTL_QUEUE_ROW_H
#define CTL_QUEUE_ROW_H

#include "ctl/args.h"
#include "ctl/output.h"
#include "ipc/messages.h"
#include "mail/msgid.h"

#define QUEUE_COLUMNS 14

extern const struct column queue_columns[QUEUE_COLUMNS];

/* The flags --account, --sender and --domain; CODE_OK, or what is wrong with
 * them was said. */
int queue_row_select(const struct args *, struct msg_queue_cmd *);

/* Will some of it be tried again without an operator? */
bool queue_row_moves(const struct msg_queue_row *r);

/* cells borrow from r and id. */
void queue_row_fill(const struct msg_queue_row *r, char id[MSGID_SIZE],
    struct cell cells[QUEUE_COLUMNS]);

#endif
