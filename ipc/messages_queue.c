/*
 * messages_queue.c - how the messages of messages_queue.h look on the wire.
 */
#include "ipc/messages_parts.h"

/* clang-format off */

const struct field msg_queue_cmd_fields[] = {
	F_U32(msg_queue_cmd, verb),
	F_U64(msg_queue_cmd, id),
	F_U32(msg_queue_cmd, all),
	F_STR(msg_queue_cmd, account),
	F_STR(msg_queue_cmd, sender),
	F_STR(msg_queue_cmd, domain),
	F_U64(msg_queue_cmd, after),
	F_U64(msg_queue_cmd, seq),
	F_U32(msg_queue_cmd, limit),
	F_U32(msg_queue_cmd, count_only),
	F_STR(msg_queue_cmd, text),
	F_END,
};

const struct field msg_queue_row_fields[] = {
	F_U64(msg_queue_row, id),
	F_STR(msg_queue_row, account),
	F_STR(msg_queue_row, credential),
	F_STR(msg_queue_row, sender),
	F_STR(msg_queue_row, msgid),
	F_U64(msg_queue_row, size),
	F_U64(msg_queue_row, accepted),
	F_U32(msg_queue_row, rcpts),
	F_U32(msg_queue_row, waiting),
	F_U32(msg_queue_row, attempts),
	F_U64(msg_queue_row, next),
	F_U64(msg_queue_row, release),
	F_U32(msg_queue_row, held),
	F_STR(msg_queue_row, last),
	F_END,
};

const struct field msg_rcpt_row_fields[] = {
	F_U64(msg_rcpt_row, id),
	F_STR(msg_rcpt_row, address),
	F_STR(msg_rcpt_row, domain),
	F_STR(msg_rcpt_row, state),
	F_U32(msg_rcpt_row, attempts),
	F_U64(msg_rcpt_row, next),
	F_STR(msg_rcpt_row, route),
	F_STR(msg_rcpt_row, last),
	F_STR(msg_rcpt_row, dest),
	F_U64(msg_rcpt_row, silent),
	F_U64(msg_rcpt_row, probe),
	F_END,
};

const struct field msg_shape_row_fields[] = {
	F_STR(msg_shape_row, domain),
	F_U64(msg_shape_row, age[0]),
	F_U64(msg_shape_row, age[1]),
	F_U64(msg_shape_row, age[2]),
	F_U64(msg_shape_row, age[3]),
	F_U64(msg_shape_row, age[4]),
	F_U64(msg_shape_row, age[5]),
	F_U64(msg_shape_row, held),
	F_U64(msg_shape_row, when),
	F_STR(msg_shape_row, last),
	F_STR(msg_shape_row, dest),
	F_U64(msg_shape_row, silent),
	F_U64(msg_shape_row, probe),
	F_END,
};

const struct field msg_event_row_fields[] = {
	F_U64(msg_event_row, time),
	F_U64(msg_event_row, id),
	F_STR(msg_event_row, event),
	F_STR(msg_event_row, account),
	F_STR(msg_event_row, rcpt),
	F_STR(msg_event_row, detail),
	F_END,
};

const struct field msg_spool_message_fields[] = {
	F_U64(msg_spool_message, id),
	F_STR(msg_spool_message, account),
	F_STR(msg_spool_message, credential),
	F_STR(msg_spool_message, sender),
	F_STR(msg_spool_message, ip),
	F_U32(msg_spool_message, port),
	F_STR(msg_spool_message, tls),
	F_STR(msg_spool_message, mech),
	F_STR(msg_spool_message, msgid),
	F_U32(msg_spool_message, flags),
	F_U64(msg_spool_message, size),
	F_U64(msg_spool_message, accepted),
	F_U32(msg_spool_message, rcpts),
	F_U32(msg_spool_message, delivered),
	F_U32(msg_spool_message, bounced),
	F_U32(msg_spool_message, dropped),
	F_U32(msg_spool_message, held),
	F_STR(msg_spool_message, envid),
	F_U64(msg_spool_message, hold_until),
	F_U64(msg_spool_message, by),
	F_U32(msg_spool_message, priority),
	F_BYTES(msg_spool_message, added, ADDED_MAX),
	F_END,
};

const struct field msg_spool_job_fields[] = {
	F_U32(msg_spool_job, n),
	F_STR(msg_spool_job, domain),
	F_U32(msg_spool_job, attempts),
	F_U32(msg_spool_job, noticed),
	F_U64(msg_spool_job, due),
	F_END,
};

const struct field msg_spool_answer_fields[] = {
	F_U32(msg_spool_answer, code),
	F_STR(msg_spool_answer, status),
	F_STR(msg_spool_answer, mx),
	F_STR(msg_spool_answer, tls),
	F_STR(msg_spool_answer, text),
	F_U64(msg_spool_answer, when),
	F_END,
};

const struct field msg_spool_rcpt_fields[] = {
	F_STR(msg_spool_rcpt, address),
	F_STR(msg_spool_rcpt, state),
	F_U32(msg_spool_rcpt, answer),
	F_U32(msg_spool_rcpt, notify),
	F_STR(msg_spool_rcpt, orcpt),
	F_END,
};

const struct field msg_spool_body_fields[] = {
	F_BYTES(msg_spool_body, piece, SPOOL_PIECE),
	F_U32(msg_spool_body, last),
	F_END,
};
/* clang-format on */
