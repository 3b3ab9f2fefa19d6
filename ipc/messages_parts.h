/*
 * messages_parts.h - the field tables, between messages.c and messages_*.c;
 * for them only.
 */
#ifndef IPC_MESSAGES_PARTS_H
#define IPC_MESSAGES_PARTS_H

#include "ipc/messages.h"

/* One for each struct msg_*. */
extern const struct field msg_conf_fields[], msg_file_fields[],
    msg_listen_fields[], msg_peer_fields[], msg_ticket_keys_fields[],
    msg_token_key_fields[], msg_empty_fields[], msg_ctl_client_fields[];
extern const struct field msg_auth_check_fields[], msg_sasl_step_fields[],
    msg_auth_result_fields[], msg_sender_check_fields[],
    msg_submit_check_fields[], msg_permit_return_fields[],
    msg_submit_undo_fields[], msg_allowed_fields[], msg_tls_sign_fields[],
    msg_tls_signed_fields[], msg_account_state_fields[],
    msg_sessions_end_fields[], msg_frozen_fields[],
    msg_account_results_fields[], msg_conn_check_fields[],
    msg_conn_verdict_fields[], msg_queue_state_fields[], msg_tx_rcpts_fields[],
    msg_tx_file_fields[], msg_tx_file_lent_fields[], msg_tx_commit_fields[],
    msg_tx_result_fields[];
extern const struct field msg_job_fields[], msg_job_verdict_fields[],
    msg_marks_are_fields[], msg_width_fields[], msg_site_get_fields[],
    msg_site_is_fields[], msg_domain_get_fields[], msg_domain_fields[],
    msg_tls_sessions_fields[], msg_tls_post_fields[], msg_tls_posted_fields[],
    msg_fetch_fields[], msg_fetched_fields[], msg_route_secret_fields[],
    msg_route_secret_is_fields[], msg_dkim_keys_fields[],
    msg_dkim_keys_are_fields[], msg_dkim_sign_fields[],
    msg_dkim_signed_fields[];
extern const struct field msg_limits_row_fields[], msg_account_cmd_fields[],
    msg_account_row_fields[], msg_grant_row_fields[], msg_item_fields[],
    msg_import_row_fields[], msg_key_row_fields[], msg_credential_row_fields[],
    msg_issued_fields[], msg_login_row_fields[];
extern const struct field msg_queue_cmd_fields[], msg_queue_row_fields[],
    msg_rcpt_row_fields[], msg_shape_row_fields[], msg_event_row_fields[],
    msg_spool_message_fields[], msg_spool_job_fields[],
    msg_spool_answer_fields[], msg_spool_rcpt_fields[], msg_spool_body_fields[];
extern const struct field msg_ctl_open_fields[], msg_ctl_opened_fields[],
    msg_status_row_fields[], msg_metric_row_fields[], msg_dkim_key_fields[],
    msg_dkim_cmd_fields[], msg_dkim_row_fields[], msg_relay_test_fields[],
    msg_relay_row_fields[], msg_dns_query_fields[], msg_dns_answer_fields[],
    msg_cmd_done_fields[];

/* clang-format off */
#define OPTIONS(s)               \
	F_STR(s, options.envid),      \
	F_U64(s, options.hold_until), \
	F_U64(s, options.by),         \
	F_U32(s, options.priority)
/* clang-format on */

#endif
