/*
 * spooled.h - a message as a backup has it, made of its rows and read back.
 *
 * Both directions stand side by side: what only one of them knew would be
 * lost.
 */
#ifndef QUEUE_SPOOLED_H
#define QUEUE_SPOOLED_H

#include "queue/t_job.h"
#include "queue/t_message.h"

/* s->added borrows from the row. */
void spooled_pack(
    struct msg_spool_message *s, uint64_t id, const struct message_row *);
/* The row's place, its jobs and its hash stay 0; row->added borrows from s. */
void spooled_unpack(struct message_row *row, const struct msg_spool_message *s);

/*
 * What is wrong with one, or NULL.  Nothing of it is believed: every field is
 * looked at as strictly as what a client submits.  Its id must be greater
 * than `after`.
 */
const char *spooled_fault(const struct msg_spool_message *, uint64_t after);

void spooled_pack_answer(struct msg_spool_answer *, const struct answer_row *);
void
spooled_unpack_answer(struct answer_row *, const struct msg_spool_answer *);

/* enum rcpt_state in words, and back; false: there is none of this name. */
const char *spooled_state_name(unsigned state);
bool spooled_state_find(const char *name, enum rcpt_state *state);

#endif
