/*
 * messages_submit.c - how the messages of messages_submit.h look on the wire.
 */
#include "ipc/messages_parts.h"

/* clang-format off */

#define TOKEN(s) \
	F_U64(s, token.when), F_U64(s, token.mac[0]), F_U64(s, token.mac[1])

#define PERMIT(s)                                                         \
	F_U64(s, permit.serial), F_U64(s, permit.when), F_U64(s, permit.size), \
	F_U32(s, permit.rcpts), F_U64(s, permit.mac[0]), F_U64(s, permit.mac[1])

const struct field msg_auth_check_fields[] = {
	F_STR(msg_auth_check, user),
	F_STR(msg_auth_check, secret),
	F_STR(msg_auth_check, ip),
	F_U32(msg_auth_check, port),
	F_STR(msg_auth_check, tls),
	F_STR(msg_auth_check, mech),
	F_U32(msg_auth_check, legacy),
	F_U32(msg_auth_check, screen),
	F_STR(msg_auth_check, certificate),
	F_END,
};

const struct field msg_sasl_step_fields[] = {
	F_STR(msg_sasl_step, mech),
	F_STR(msg_sasl_step, ip),
	F_U32(msg_sasl_step, port),
	F_STR(msg_sasl_step, tls),
	F_U32(msg_sasl_step, legacy),
	F_U32(msg_sasl_step, screen),
	F_U32(msg_sasl_step, first),
	F_U32(msg_sasl_step, plus),
	F_STR(msg_sasl_step, certificate),
	F_BYTES(msg_sasl_step, exporter, 32),
	F_BYTES(msg_sasl_step, endpoint, 64),
	F_BYTES(msg_sasl_step, response, 1024),
	F_END,
};

const struct field msg_auth_result_fields[] = {
	F_U32(msg_auth_result, verdict),
	F_U32(msg_auth_result, code),
	F_STR(msg_auth_result, status),
	F_STR(msg_auth_result, text),
	F_STR(msg_auth_result, account),
	F_STR(msg_auth_result, credential),
	TOKEN(msg_auth_result),
	F_U32(msg_auth_result, rcpts),
	F_U64(msg_auth_result, size),
	F_BYTES(msg_auth_result, challenge, 1024),
	F_END,
};

const struct field msg_sender_check_fields[] = {
	F_STR(msg_sender_check, account),
	F_STR(msg_sender_check, credential),
	TOKEN(msg_sender_check),
	F_STR(msg_sender_check, sender),
	F_END,
};

const struct field msg_submit_check_fields[] = {
	F_STR(msg_submit_check, account),
	F_STR(msg_submit_check, credential),
	TOKEN(msg_submit_check),
	F_STR(msg_submit_check, sender),
	F_STR(msg_submit_check, ip),
	F_BYTES(msg_submit_check, authors, 16384),
	F_U32(msg_submit_check, rcpts),
	F_BYTES(msg_submit_check, hashes, RCPT_HASH * RCPT_HASHES),
	F_END,
};

const struct field msg_permit_return_fields[] = {
	F_STR(msg_permit_return, account),
	F_STR(msg_permit_return, credential),
	F_STR(msg_permit_return, sender),
	PERMIT(msg_permit_return),
	F_END,
};

const struct field msg_submit_undo_fields[] = {
	F_STR(msg_submit_undo, account),
	F_STR(msg_submit_undo, credential),
	F_U32(msg_submit_undo, rcpts),
	F_END,
};

const struct field msg_allowed_fields[] = {
	F_U32(msg_allowed, verdict),
	F_U32(msg_allowed, code),
	F_STR(msg_allowed, status),
	F_STR(msg_allowed, text),
	F_U32(msg_allowed, rcpts),
	F_U64(msg_allowed, size),
	PERMIT(msg_allowed),
	F_END,
};

const struct field msg_tls_sign_fields[] = {
	F_STR(msg_tls_sign, key),
	F_U32(msg_tls_sign, op),
	F_U32(msg_tls_sign, padding),
	F_BYTES(msg_tls_sign, data, 1024),
	F_END,
};

const struct field msg_tls_signed_fields[] = {
	F_U32(msg_tls_signed, verdict),
	F_BYTES(msg_tls_signed, signature, 1024),
	F_END,
};

const struct field msg_account_state_fields[] = {
	F_STR(msg_account_state, account),
	F_U32(msg_account_state, state),
	F_END,
};

const struct field msg_sessions_end_fields[] = {
	F_STR(msg_sessions_end, account),
	F_STR(msg_sessions_end, credential),
	F_END,
};

const struct field msg_frozen_fields[] = {
	F_STR(msg_frozen, account),
	F_STR(msg_frozen, text),
	F_END,
};

const struct field msg_account_results_fields[] = {
	F_STR(msg_account_results, account),
	F_U32(msg_account_results, delivered),
	F_U32(msg_account_results, refused),
	F_END,
};

const struct field msg_conn_check_fields[] = {
	F_STR(msg_conn_check, ip),
	F_END,
};

const struct field msg_conn_verdict_fields[] = {
	F_U32(msg_conn_verdict, action),
	F_U32(msg_conn_verdict, line),
	F_U32(msg_conn_verdict, unsure),
	F_STR(msg_conn_verdict, text),
	F_STR(msg_conn_verdict, rule),
	F_STR(msg_conn_verdict, found),
	F_END,
};

const struct field msg_queue_state_fields[] = {
	F_U32(msg_queue_state, accepting),
	F_STR(msg_queue_state, text),
	F_END,
};

const struct field msg_tx_rcpts_fields[] = {
	F_BYTES(msg_tx_rcpts, rcpts, RCPTS_MAX),
	F_END,
};

const struct field msg_tx_file_fields[] = {
	F_U64(msg_tx_file, size),
	F_END,
};

const struct field msg_tx_file_lent_fields[] = {
	F_U32(msg_tx_file_lent, verdict),
	F_U32(msg_tx_file_lent, code),
	F_STR(msg_tx_file_lent, status),
	F_STR(msg_tx_file_lent, text),
	F_END,
};

const struct field msg_tx_commit_fields[] = {
	F_STR(msg_tx_commit, account),
	F_STR(msg_tx_commit, credential),
	F_STR(msg_tx_commit, sender),
	PERMIT(msg_tx_commit),
	F_STR(msg_tx_commit, ip),
	F_U32(msg_tx_commit, port),
	F_STR(msg_tx_commit, tls),
	F_STR(msg_tx_commit, mech),
	F_STR(msg_tx_commit, with),
	F_STR(msg_tx_commit, msgid),
	F_U32(msg_tx_commit, flags),
	F_U64(msg_tx_commit, size),
	OPTIONS(msg_tx_commit),
	F_BYTES(msg_tx_commit, rcpts, RCPTS_MAX),
	F_BYTES(msg_tx_commit, body_hash, BODY_HASH),
	F_BYTES(msg_tx_commit, body, BODY_INLINE),
	F_END,
};

const struct field msg_tx_result_fields[] = {
	F_U32(msg_tx_result, verdict),
	F_U64(msg_tx_result, id),
	F_U32(msg_tx_result, code),
	F_STR(msg_tx_result, status),
	F_STR(msg_tx_result, text),
	F_END,
};
/* clang-format on */
