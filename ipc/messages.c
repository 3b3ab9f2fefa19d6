/*
 * messages.c - what each message looks like on the wire, who may send it to
 * whom, and what answers it.
 */
#include <assert.h>
#include <string.h>

#include "ipc/messages.h"

/* clang-format off */

#define OPTIONS(s)               \
	F_STR(s, options.envid),      \
	F_U64(s, options.hold_until), \
	F_U64(s, options.by),         \
	F_U32(s, options.priority)

#define TOKEN(s) \
	F_U64(s, token.when), F_U64(s, token.mac[0]), F_U64(s, token.mac[1])

#define PERMIT(s)                                                         \
	F_U64(s, permit.serial), F_U64(s, permit.when), F_U64(s, permit.size), \
	F_U32(s, permit.rcpts), F_U64(s, permit.mac[0]), F_U64(s, permit.mac[1])

static const struct field conf[] = {
	F_BYTES(msg_conf, text, CONF_MAX),
	F_END,
};

static const struct field file[] = {
	F_U32(msg_file, kind),
	F_STR(msg_file, name),
	F_END,
};

static const struct field listen[] = {
	F_STR(msg_listen, name),
	F_U32(msg_listen, tls_mode),
	F_U32(msg_listen, port),
	F_END,
};

static const struct field peer[] = {
	F_U32(msg_peer, process),
	F_U32(msg_peer, index),
	F_U32(msg_peer, sign),
	F_END,
};

static const struct field ticket_keys[] = {
	F_BYTES(msg_ticket_keys, keys, 240),
	F_END,
};

static const struct field token_key[] = {
	F_U64(msg_token_key, key[0]),
	F_U64(msg_token_key, key[1]),
	F_END,
};

static const struct field empty[] = {
	F_U32(msg_empty, zero),
	F_END,
};

static const struct field ctl_client[] = {
	F_U32(msg_ctl_client, uid),
	F_U32(msg_ctl_client, pid),
	F_STR(msg_ctl_client, by),
	F_END,
};

static const struct field auth_check[] = {
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

static const struct field sasl_step[] = {
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

static const struct field auth_result[] = {
	F_U32(msg_auth_result, verdict),
	F_U32(msg_auth_result, code),
	F_STR(msg_auth_result, status),
	F_STR(msg_auth_result, text),
	F_STR(msg_auth_result, account),
	F_STR(msg_auth_result, credential),
	TOKEN(msg_auth_result),
	F_BYTES(msg_auth_result, challenge, 1024),
	F_END,
};

static const struct field sender_check[] = {
	F_STR(msg_sender_check, account),
	F_STR(msg_sender_check, credential),
	TOKEN(msg_sender_check),
	F_STR(msg_sender_check, sender),
	F_END,
};

static const struct field submit_check[] = {
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

static const struct field permit_return[] = {
	F_STR(msg_permit_return, account),
	F_STR(msg_permit_return, credential),
	F_STR(msg_permit_return, sender),
	PERMIT(msg_permit_return),
	F_END,
};

static const struct field submit_undo[] = {
	F_STR(msg_submit_undo, account),
	F_STR(msg_submit_undo, credential),
	F_U32(msg_submit_undo, rcpts),
	F_END,
};

static const struct field allowed[] = {
	F_U32(msg_allowed, verdict),
	F_U32(msg_allowed, code),
	F_STR(msg_allowed, status),
	F_STR(msg_allowed, text),
	F_U32(msg_allowed, rcpts),
	F_U64(msg_allowed, size),
	PERMIT(msg_allowed),
	F_END,
};

static const struct field tls_sign[] = {
	F_STR(msg_tls_sign, key),
	F_U32(msg_tls_sign, op),
	F_U32(msg_tls_sign, padding),
	F_BYTES(msg_tls_sign, data, 1024),
	F_END,
};

static const struct field tls_signed[] = {
	F_U32(msg_tls_signed, verdict),
	F_BYTES(msg_tls_signed, signature, 1024),
	F_END,
};

static const struct field account_state[] = {
	F_STR(msg_account_state, account),
	F_U32(msg_account_state, state),
	F_END,
};

static const struct field sessions_end[] = {
	F_STR(msg_sessions_end, account),
	F_STR(msg_sessions_end, credential),
	F_END,
};

static const struct field frozen[] = {
	F_STR(msg_frozen, account),
	F_STR(msg_frozen, text),
	F_END,
};

static const struct field account_results[] = {
	F_STR(msg_account_results, account),
	F_U32(msg_account_results, delivered),
	F_U32(msg_account_results, refused),
	F_END,
};

static const struct field conn_check[] = {
	F_STR(msg_conn_check, ip),
	F_END,
};

static const struct field conn_verdict[] = {
	F_U32(msg_conn_verdict, action),
	F_U32(msg_conn_verdict, line),
	F_U32(msg_conn_verdict, unsure),
	F_STR(msg_conn_verdict, text),
	F_STR(msg_conn_verdict, rule),
	F_STR(msg_conn_verdict, found),
	F_END,
};

static const struct field queue_state[] = {
	F_U32(msg_queue_state, accepting),
	F_STR(msg_queue_state, text),
	F_END,
};

static const struct field tx_rcpts[] = {
	F_BYTES(msg_tx_rcpts, rcpts, RCPTS_MAX),
	F_END,
};

static const struct field tx_file[] = {
	F_U64(msg_tx_file, size),
	F_END,
};

static const struct field tx_file_lent[] = {
	F_U32(msg_tx_file_lent, verdict),
	F_U32(msg_tx_file_lent, code),
	F_STR(msg_tx_file_lent, status),
	F_STR(msg_tx_file_lent, text),
	F_END,
};

static const struct field tx_commit[] = {
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

static const struct field tx_result[] = {
	F_U32(msg_tx_result, verdict),
	F_U64(msg_tx_result, id),
	F_U32(msg_tx_result, code),
	F_STR(msg_tx_result, status),
	F_STR(msg_tx_result, text),
	F_END,
};

static const struct field job[] = {
	F_U64(msg_job, id),
	F_U32(msg_job, n),
	F_U32(msg_job, attempt),
	F_U32(msg_job, probe),
	F_U64(msg_job, dest),
	F_U32(msg_job, width),
	F_STR(msg_job, domain),
	F_STR(msg_job, account),
	F_STR(msg_job, sender),
	F_U32(msg_job, flags),
	F_U64(msg_job, size),
	OPTIONS(msg_job),
	F_BYTES(msg_job, rcpts, RCPTS_MAX),
	F_BYTES(msg_job, parts, PARTS_MAX),
	F_BYTES(msg_job, added, 4096),
	F_BYTES(msg_job, body_hash, BODY_HASH),
	F_BYTES(msg_job, body, BODY_INLINE),
	F_END,
};

static const struct field job_verdict[] = {
	F_U32(msg_job_verdict, verdict),
	F_U32(msg_job_verdict, scope),
	F_U32(msg_job_verdict, code),
	F_STR(msg_job_verdict, status),
	F_STR(msg_job_verdict, mx),
	F_STR(msg_job_verdict, tls),
	F_STR(msg_job_verdict, cipher),
	F_STR(msg_job_verdict, policy),
	F_STR(msg_job_verdict, text),
	F_BYTES(msg_job_verdict, rcpts, JOB_RCPTS),
	F_U32(msg_job_verdict, relayed),
	F_U32(msg_job_verdict, uncertain),
	F_U32(msg_job_verdict, signs),
	F_STR(msg_job_verdict, site),
	F_U32(msg_job_verdict, last),
	F_END,
};

static const struct field marks_are[] = {
	F_U32(msg_marks_are, ours),
	F_END,
};

static const struct field width[] = {
	F_U64(msg_width, dest),
	F_U32(msg_width, width),
	F_END,
};

static const struct field site_get[] = {
	F_STR(msg_site_get, domain),
	F_END,
};

static const struct field site_is[] = {
	F_STR(msg_site_is, domain),
	F_STR(msg_site_is, site),
	F_END,
};

static const struct field domain_get[] = {
	F_STR(msg_domain_get, domain),
	F_END,
};

static const struct field domain[] = {
	F_STR(msg_domain, domain),
	F_STR(msg_domain, sts_id),
	F_U32(msg_domain, sts_mode),
	F_STR(msg_domain, sts_mx),
	F_U64(msg_domain, sts_fetched),
	F_U64(msg_domain, sts_expires),
	F_U64(msg_domain, seen_tls),
	F_U64(msg_domain, seen_dane),
	F_U64(msg_domain, seen_sts),
	F_END,
};

static const struct field tls_sessions[] = {
	F_STR(msg_tls_sessions, domain),
	F_STR(msg_tls_sessions, rua),
	F_U32(msg_tls_sessions, policy),
	F_STR(msg_tls_sessions, lines),
	F_U32(msg_tls_sessions, result),
	F_U32(msg_tls_sessions, sessions),
	F_STR(msg_tls_sessions, ip),
	F_STR(msg_tls_sessions, mx),
	F_STR(msg_tls_sessions, mx_ip),
	F_STR(msg_tls_sessions, reason),
	F_END,
};

static const struct field tls_post[] = {
	F_STR(msg_tls_post, url),
	F_BYTES(msg_tls_post, body, FETCH_MAX),
	F_END,
};

static const struct field tls_posted[] = {
	F_U32(msg_tls_posted, verdict),
	F_STR(msg_tls_posted, text),
	F_END,
};

static const struct field fetch[] = {
	F_STR(msg_fetch, url),
	F_STR(msg_fetch, host),
	F_U32(msg_fetch, port),
	F_STR(msg_fetch, addresses),
	F_STR(msg_fetch, type),
	F_BYTES(msg_fetch, body, FETCH_MAX),
	F_END,
};

static const struct field fetched[] = {
	F_U32(msg_fetched, verdict),
	F_U32(msg_fetched, code),
	F_U32(msg_fetched, certificate),
	F_STR(msg_fetched, text),
	F_STR(msg_fetched, type),
	F_BYTES(msg_fetched, body, FETCH_MAX),
	F_END,
};

static const struct field route_secret[] = {
	F_STR(msg_route_secret, route),
	F_END,
};

static const struct field route_secret_is[] = {
	F_U32(msg_route_secret_is, verdict),
	F_STR(msg_route_secret_is, secret),
	F_END,
};

static const struct field dkim_keys[] = {
	F_STR(msg_dkim_keys, domain),
	F_END,
};

static const struct field dkim_keys_are[] = {
	F_STR(msg_dkim_keys_are, domain),
	F_STR(msg_dkim_keys_are, ed25519),
	F_STR(msg_dkim_keys_are, rsa),
	F_END,
};

static const struct field dkim_sign[] = {
	F_STR(msg_dkim_sign, domain),
	F_STR(msg_dkim_sign, ed25519),
	F_STR(msg_dkim_sign, rsa),
	F_BYTES(msg_dkim_sign, ed25519_digest, 32),
	F_BYTES(msg_dkim_sign, rsa_digest, 32),
	F_END,
};

static const struct field dkim_signed[] = {
	F_U32(msg_dkim_signed, verdict),
	F_BYTES(msg_dkim_signed, ed25519_signature, 64),
	F_BYTES(msg_dkim_signed, rsa_signature, 512),
	F_END,
};

static const struct field ctl_open[] = {
	F_U32(msg_ctl_open, service),
	F_U32(msg_ctl_open, version),
	F_U32(msg_ctl_open, index),
	F_END,
};

static const struct field ctl_opened[] = {
	F_U32(msg_ctl_opened, exit_code),
	F_STR(msg_ctl_opened, text),
	F_END,
};

static const struct field status_row[] = {
	F_STR(msg_status_row, key),
	F_STR(msg_status_row, value),
	F_U32(msg_status_row, numeric),
	F_END,
};

#define EACH_LIMIT(s, f) \
	F_U64(s, f[LIMIT_RECIPIENTS]), F_U64(s, f[LIMIT_SIZE]), \
	F_U64(s, f[LIMIT_HOUR]), F_U64(s, f[LIMIT_DAY]), \
	F_U64(s, f[LIMIT_MESSAGES_HOUR]), F_U64(s, f[LIMIT_MESSAGES_DAY]), \
	F_U64(s, f[LIMIT_NEW])

static const struct field limits_row[] = {
	F_STR(msg_limits_row, account),
	EACH_LIMIT(msg_limits_row, limit),
	EACH_LIMIT(msg_limits_row, used),
	F_U32(msg_limits_row, own),
	F_U32(msg_limits_row, grown),
	F_U32(msg_limits_row, young),
	F_END,
};

static const struct field metric_row[] = {
	F_U32(msg_metric_row, metric),
	F_U32(msg_metric_row, part),
	F_STR(msg_metric_row, label[0]),
	F_STR(msg_metric_row, label[1]),
	F_STR(msg_metric_row, label[2]),
	F_U64(msg_metric_row, value),
	F_END,
};

static const struct field account_cmd[] = {
	F_U32(msg_account_cmd, verb),
	F_STR(msg_account_cmd, account),
	F_STR(msg_account_cmd, arg),
	F_STR(msg_account_cmd, secret),
	F_U32(msg_account_cmd, flags),
	F_STR(msg_account_cmd, label),
	F_STR(msg_account_cmd, networks),
	F_STR(msg_account_cmd, senders),
	F_U64(msg_account_cmd, expires),
	EACH_LIMIT(msg_account_cmd, limit),
	F_END,
};

static const struct field account_row[] = {
	F_STR(msg_account_row, account),
	F_U32(msg_account_row, state),
	F_STR(msg_account_row, reason),
	F_STR(msg_account_row, by),
	F_U64(msg_account_row, since),
	F_U64(msg_account_row, created),
	F_U64(msg_account_row, last_login),
	F_STR(msg_account_row, last_ip),
	F_STR(msg_account_row, hash),
	F_U32(msg_account_row, weak),
	F_U32(msg_account_row, legacy),
	F_U32(msg_account_row, grants),
	F_U32(msg_account_row, sent_hour),
	F_U32(msg_account_row, sent_day),
	F_END,
};

static const struct field grant_row[] = {
	F_STR(msg_grant_row, account),
	F_STR(msg_grant_row, address),
	F_STR(msg_grant_row, by),
	F_U64(msg_grant_row, created),
	F_END,
};

static const struct field item[] = {
	F_U32(msg_item, item),
	F_U32(msg_item, line),
	F_STR(msg_item, account),
	F_STR(msg_item, name),
	F_U32(msg_item, state),
	F_STR(msg_item, reason),
	F_STR(msg_item, by),
	F_U64(msg_item, since),
	F_U64(msg_item, created),
	F_U32(msg_item, kind),
	F_STR(msg_item, hash),
	F_STR(msg_item, scram),
	F_STR(msg_item, networks),
	F_STR(msg_item, senders),
	F_U64(msg_item, expires),
	F_U64(msg_item, last_use),
	F_STR(msg_item, last_ip),
	F_U32(msg_item, legacy),
	F_U32(msg_item, grown),
	F_U64(msg_item, limit[LIMIT_RECIPIENTS]),
	F_U64(msg_item, limit[LIMIT_SIZE]),
	F_U64(msg_item, limit[LIMIT_HOUR]),
	F_U64(msg_item, limit[LIMIT_DAY]),
	F_U64(msg_item, limit[LIMIT_MESSAGES_HOUR]),
	F_U64(msg_item, limit[LIMIT_MESSAGES_DAY]),
	F_U64(msg_item, limit[LIMIT_NEW]),
	F_END,
};

static const struct field import_row[] = {
	F_U32(msg_import_row, line),
	F_STR(msg_import_row, account),
	F_STR(msg_import_row, address),
	F_STR(msg_import_row, action),
	F_STR(msg_import_row, hash),
	F_U32(msg_import_row, weak),
	F_STR(msg_import_row, why),
	F_END,
};

static const struct field key_row[] = {
	F_STR(msg_key_row, section),
	F_STR(msg_key_row, key),
	F_STR(msg_key_row, type),
	F_U32(msg_key_row, bits),
	F_STR(msg_key_row, error),
	F_END,
};

static const struct field credential_row[] = {
	F_STR(msg_credential_row, account),
	F_STR(msg_credential_row, label),
	F_U32(msg_credential_row, kind),
	F_STR(msg_credential_row, networks),
	F_STR(msg_credential_row, senders),
	EACH_LIMIT(msg_credential_row, limit),
	EACH_LIMIT(msg_credential_row, used),
	F_U64(msg_credential_row, expires),
	F_U64(msg_credential_row, created),
	F_STR(msg_credential_row, by),
	F_U64(msg_credential_row, last_use),
	F_STR(msg_credential_row, last_ip),
	F_STR(msg_credential_row, key),
	F_END,
};

static const struct field issued[] = {
	F_STR(msg_issued, secret),
	F_BYTES(msg_issued, file, 16384),
	F_END,
};

static const struct field login_row[] = {
	F_U64(msg_login_row, time),
	F_STR(msg_login_row, ip),
	F_STR(msg_login_row, mech),
	F_STR(msg_login_row, result),
	F_STR(msg_login_row, credential),
	F_END,
};

static const struct field queue_cmd[] = {
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

static const struct field queue_row[] = {
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

static const struct field rcpt_row[] = {
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

static const struct field shape_row[] = {
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

static const struct field event_row[] = {
	F_U64(msg_event_row, time),
	F_U64(msg_event_row, id),
	F_STR(msg_event_row, event),
	F_STR(msg_event_row, account),
	F_STR(msg_event_row, rcpt),
	F_STR(msg_event_row, detail),
	F_END,
};

static const struct field spool_message[] = {
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

static const struct field spool_job[] = {
	F_U32(msg_spool_job, n),
	F_STR(msg_spool_job, domain),
	F_U32(msg_spool_job, attempts),
	F_U32(msg_spool_job, noticed),
	F_U64(msg_spool_job, due),
	F_END,
};

static const struct field spool_answer[] = {
	F_U32(msg_spool_answer, code),
	F_STR(msg_spool_answer, status),
	F_STR(msg_spool_answer, mx),
	F_STR(msg_spool_answer, tls),
	F_STR(msg_spool_answer, text),
	F_U64(msg_spool_answer, when),
	F_END,
};

static const struct field spool_rcpt[] = {
	F_STR(msg_spool_rcpt, address),
	F_STR(msg_spool_rcpt, state),
	F_U32(msg_spool_rcpt, answer),
	F_U32(msg_spool_rcpt, notify),
	F_STR(msg_spool_rcpt, orcpt),
	F_END,
};

static const struct field spool_body[] = {
	F_BYTES(msg_spool_body, piece, SPOOL_PIECE),
	F_U32(msg_spool_body, last),
	F_END,
};

static const struct field dkim_key[] = {
	F_STR(msg_dkim_key, domain),
	F_STR(msg_dkim_key, selector),
	F_U32(msg_dkim_key, algorithm),
	F_U32(msg_dkim_key, state),
	F_U64(msg_dkim_key, created),
	F_U64(msg_dkim_key, changed),
	F_STR(msg_dkim_key, by),
	F_STR(msg_dkim_key, secret),
	F_END,
};

static const struct field dkim_cmd[] = {
	F_U32(msg_dkim_cmd, verb),
	F_STR(msg_dkim_cmd, domain),
	F_U32(msg_dkim_cmd, force),
	F_U32(msg_dkim_cmd, kinds),
	F_END,
};

static const struct field dkim_row[] = {
	F_STR(msg_dkim_row, domain),
	F_STR(msg_dkim_row, selector),
	F_U32(msg_dkim_row, algorithm),
	F_U32(msg_dkim_row, state),
	F_U64(msg_dkim_row, created),
	F_U64(msg_dkim_row, changed),
	F_STR(msg_dkim_row, by),
	F_STR(msg_dkim_row, key),
	F_END,
};

static const struct field relay_test[] = {
	F_STR(msg_relay_test, target),
	F_STR(msg_relay_test, account),
	F_STR(msg_relay_test, sender),
	F_END,
};

static const struct field relay_row[] = {
	F_STR(msg_relay_row, host),
	F_STR(msg_relay_row, mx),
	F_STR(msg_relay_row, dane),
	F_STR(msg_relay_row, sts),
	F_STR(msg_relay_row, policy),
	F_U32(msg_relay_row, verdict),
	F_U32(msg_relay_row, code),
	F_STR(msg_relay_row, status),
	F_STR(msg_relay_row, text),
	F_STR(msg_relay_row, tls),
	F_STR(msg_relay_row, cipher),
	F_STR(msg_relay_row, certificate),
	F_STR(msg_relay_row, offers),
	F_END,
};

static const struct field dns_query[] = {
	F_STR(msg_dns_query, name),
	F_U32(msg_dns_query, type),
	F_END,
};

static const struct field dns_answer[] = {
	F_U32(msg_dns_answer, result),
	F_U32(msg_dns_answer, secure),
	F_BYTES(msg_dns_answer, records, 65536),
	F_END,
};

static const struct field cmd_done[] = {
	F_U32(msg_cmd_done, exit_code),
	F_U32(msg_cmd_done, more),
	F_U64(msg_cmd_done, next),
	F_U64(msg_cmd_done, next_seq),
	F_U64(msg_cmd_done, count),
	F_STR(msg_cmd_done, text),
	F_END,
};

#define PARENT	(1u << P_PARENT)
#define SMTPD	(1u << P_SMTPD)
#define AUTH	(1u << P_AUTH)
#define QUEUE	(1u << P_QUEUE)
#define DELIVER	(1u << P_DELIVER)
#define STS	(1u << P_STS)
#define CTL	(1u << P_CTL)
#define ALL	(SMTPD | AUTH | QUEUE | DELIVER | STS)

enum { FD = 1, SECRET = 2 };

#define ROW(type, f, t, answers, traits, u_) \
	{ type, f, t, answers, traits, u_, sizeof(((struct msg *)0)->u.u_) }

static const struct message {
	const char *name;
	unsigned from, to;	/* sets of processes */
	enum msg_type answer;
	unsigned traits;	/* FD: a descriptor rides along; SECRET: wipe it */
	const struct field *fields;
	size_t size;		/* of the struct */
} messages[MSG_TYPES] = {
/*                        name               from                    to                      answer               traits fields */
[MSG_CONF]            = ROW("conf",            PARENT,                 ALL,                    MSG_NONE,            0,     conf),
[MSG_FILE]            = ROW("file",            PARENT,                 ALL,                    MSG_NONE,            FD,    file),
[MSG_LISTEN]          = ROW("listen",          PARENT,                 SMTPD,                  MSG_NONE,            FD,    listen),
[MSG_PEER]            = ROW("peer",            PARENT,                 ALL,                    MSG_NONE,            FD,    peer),
[MSG_TICKET_KEYS]     = ROW("ticket-keys",     PARENT,                 SMTPD,                  MSG_NONE,            SECRET,ticket_keys),
[MSG_TOKEN_KEY]       = ROW("token-key",       PARENT,                 AUTH | QUEUE,           MSG_NONE,            SECRET,token_key),
[MSG_START]           = ROW("start",           PARENT,                 ALL,                    MSG_NONE,            0,     empty),
[MSG_STOP]            = ROW("stop",            PARENT,                 ALL,                    MSG_NONE,            0,     empty),
[MSG_CTL_CLIENT]      = ROW("ctl-client",      PARENT,                 SMTPD | AUTH | QUEUE | DELIVER, MSG_NONE,            FD,    ctl_client),
[MSG_READY]           = ROW("ready",           ALL,                    PARENT,                 MSG_NONE,            0,     empty),
[MSG_AUTH_CHECK]      = ROW("auth-check",      SMTPD,                  AUTH,                   MSG_AUTH_RESULT,     SECRET,auth_check),
[MSG_SASL_STEP]       = ROW("sasl-step",       SMTPD,                  AUTH,                   MSG_AUTH_RESULT,     SECRET,sasl_step),
[MSG_AUTH_RESULT]     = ROW("auth-result",     AUTH,                   SMTPD,                  MSG_NONE,            SECRET,auth_result),
[MSG_SENDER_CHECK]    = ROW("sender-check",    SMTPD,                  AUTH,                   MSG_ALLOWED,         0,     sender_check),
[MSG_SUBMIT_CHECK]    = ROW("submit-check",    SMTPD,                  AUTH,                   MSG_ALLOWED,         0,     submit_check),
[MSG_PERMIT_RETURN]   = ROW("permit-return",   SMTPD,                  QUEUE,                  MSG_NONE,            0,     permit_return),
[MSG_SUBMIT_UNDO]     = ROW("submit-undo",     QUEUE,                  AUTH,                   MSG_NONE,            0,     submit_undo),
[MSG_ALLOWED]         = ROW("allowed",         AUTH,                   SMTPD,                  MSG_NONE,            0,     allowed),
[MSG_TLS_SIGN]        = ROW("tls-sign",        SMTPD,                  AUTH,                   MSG_TLS_SIGNED,      0,     tls_sign),
[MSG_TLS_SIGNED]      = ROW("tls-signed",      AUTH,                   SMTPD,                  MSG_NONE,            0,     tls_signed),
[MSG_ACCOUNT_STATE]   = ROW("account-state",   AUTH,                   SMTPD | QUEUE,          MSG_NONE,            0,     account_state),
[MSG_ACCOUNTS_DONE]   = ROW("accounts-done",   AUTH,                   SMTPD | QUEUE,          MSG_NONE,            0,     empty),
[MSG_SESSIONS_END]    = ROW("sessions-end",    AUTH,                   SMTPD,                  MSG_NONE,            0,     sessions_end),
[MSG_FROZEN]          = ROW("frozen",          AUTH,                   QUEUE,                  MSG_NONE,            0,     frozen),
[MSG_ACCOUNT_RESULTS] = ROW("account-results", QUEUE,                  AUTH,                   MSG_NONE,            0,     account_results),
[MSG_CONN_CHECK]      = ROW("conn-check",      SMTPD,                  DELIVER,                MSG_CONN_VERDICT,    0,     conn_check),
[MSG_CONN_VERDICT]    = ROW("conn-verdict",    DELIVER,                SMTPD | CTL,            MSG_NONE,            0,     conn_verdict),
[MSG_QUEUE_STATE]     = ROW("queue-state",     QUEUE,                  SMTPD,                  MSG_NONE,            0,     queue_state),
[MSG_TX_RCPTS]        = ROW("tx-rcpts",        SMTPD,                  QUEUE,                  MSG_NONE,            0,     tx_rcpts),
[MSG_TX_FILE]         = ROW("tx-file",         SMTPD,                  QUEUE,                  MSG_TX_FILE_LENT,    0,     tx_file),
[MSG_TX_FILE_LENT]    = ROW("tx-file-lent",    QUEUE,                  SMTPD,                  MSG_NONE,            FD,    tx_file_lent),
[MSG_TX_COMMIT]       = ROW("tx-commit",       SMTPD,                  QUEUE,                  MSG_TX_RESULT,       0,     tx_commit),
[MSG_TX_RESULT]       = ROW("tx-result",       QUEUE,                  SMTPD,                  MSG_NONE,            0,     tx_result),
[MSG_TX_ABORT]        = ROW("tx-abort",        SMTPD,                  QUEUE,                  MSG_NONE,            0,     empty),
[MSG_JOB]             = ROW("job",             QUEUE,                  DELIVER,                MSG_JOB_VERDICT,     FD,    job),
[MSG_JOB_VERDICT]     = ROW("job-verdict",     DELIVER,                QUEUE,                  MSG_NONE,            0,     job_verdict),
[MSG_MARKS]           = ROW("marks",           QUEUE,                  DELIVER,                MSG_MARKS_ARE,       FD,    empty),
[MSG_MARKS_ARE]       = ROW("marks-are",       DELIVER,                QUEUE,                  MSG_NONE,            0,     marks_are),
[MSG_JOB_CONTACT]     = ROW("job-contact",     DELIVER,                QUEUE,                  MSG_NONE,            0,     empty),
[MSG_WIDTH]           = ROW("width",           QUEUE,                  DELIVER,                MSG_NONE,            0,     width),
[MSG_SITE_GET]        = ROW("site-get",        QUEUE,                  DELIVER,                MSG_SITE_IS,         0,     site_get),
[MSG_SITE_IS]         = ROW("site-is",         DELIVER,                QUEUE,                  MSG_NONE,            0,     site_is),
[MSG_DOMAIN_GET]      = ROW("domain-get",      DELIVER,                QUEUE,                  MSG_DOMAIN_IS,       0,     domain_get),
[MSG_DOMAIN_IS]       = ROW("domain-is",       QUEUE,                  DELIVER,                MSG_NONE,            0,     domain),
[MSG_DOMAIN_PUT]      = ROW("domain-put",      DELIVER,                QUEUE,                  MSG_NONE,            0,     domain),
[MSG_TLS_SESSIONS]    = ROW("tls-sessions",    DELIVER,                QUEUE,                  MSG_NONE,            0,     tls_sessions),
[MSG_TLS_POST]        = ROW("tls-post",        QUEUE,                  DELIVER,                MSG_TLS_POSTED,      0,     tls_post),
[MSG_TLS_POSTED]      = ROW("tls-posted",      DELIVER,                QUEUE,                  MSG_NONE,            0,     tls_posted),
[MSG_FETCH]           = ROW("fetch",           DELIVER,                STS,                    MSG_FETCHED,         0,     fetch),
[MSG_FETCHED]         = ROW("fetched",         STS,                    DELIVER,                MSG_NONE,            0,     fetched),
[MSG_ROUTE_SECRET]    = ROW("route-secret",    DELIVER,                AUTH,                   MSG_ROUTE_SECRET_IS, 0,     route_secret),
[MSG_ROUTE_SECRET_IS] = ROW("route-secret-is", AUTH,                   DELIVER,                MSG_NONE,            SECRET,route_secret_is),
[MSG_DKIM_KEYS]       = ROW("dkim-keys",       DELIVER,                AUTH,                   MSG_DKIM_KEYS_ARE,   0,     dkim_keys),
[MSG_DKIM_KEYS_ARE]   = ROW("dkim-keys-are",   AUTH,                   DELIVER,                MSG_NONE,            0,     dkim_keys_are),
[MSG_DKIM_SIGN]       = ROW("dkim-sign",       DELIVER,                AUTH,                   MSG_DKIM_SIGNED,     0,     dkim_sign),
[MSG_DKIM_SIGNED]     = ROW("dkim-signed",     AUTH,                   DELIVER,                MSG_NONE,            0,     dkim_signed),
[MSG_DKIM_CHANGED]    = ROW("dkim-changed",    AUTH,                   DELIVER,                MSG_NONE,            0,     empty),
[MSG_CTL_OPEN]        = ROW("ctl-open",        CTL,                    PARENT,                 MSG_CTL_OPENED,      0,     ctl_open),
[MSG_CTL_OPENED]      = ROW("ctl-opened",      PARENT | SMTPD | AUTH | QUEUE | DELIVER, CTL,           MSG_NONE,            0,     ctl_opened),
[MSG_STATUS]          = ROW("status",          CTL,                    PARENT,                 MSG_CMD_DONE,        0,     empty),
[MSG_STATUS_ROW]      = ROW("status-row",      PARENT | QUEUE | AUTH | DELIVER, CTL,           MSG_NONE,            0,     status_row),
[MSG_METRICS]         = ROW("metrics",         CTL,                    SMTPD | AUTH | QUEUE | DELIVER, MSG_CMD_DONE, 0,     empty),
[MSG_METRIC_ROW]      = ROW("metric-row",      SMTPD | AUTH | QUEUE | DELIVER, CTL,            MSG_NONE,            0,     metric_row),
[MSG_TLS_RELOAD]      = ROW("tls-reload",      CTL,                    PARENT,                 MSG_CMD_DONE,        0,     empty),
[MSG_KEY_ROW]         = ROW("key-row",         AUTH,                   CTL,                    MSG_NONE,            0,     key_row),
[MSG_ACCOUNT_CMD]     = ROW("account-cmd",     CTL,                    AUTH,                   MSG_CMD_DONE,        SECRET,account_cmd),
[MSG_ACCOUNT_ROW]     = ROW("account-row",     AUTH,                   CTL,                    MSG_NONE,            0,     account_row),
[MSG_GRANT_ROW]       = ROW("grant-row",       AUTH,                   CTL,                    MSG_NONE,            0,     grant_row),
[MSG_ITEM]            = ROW("item",            CTL,                    AUTH,                   MSG_NONE,            SECRET,item),
[MSG_ITEM_ROW]        = ROW("item-row",        AUTH,                   CTL,                    MSG_NONE,            SECRET,item),
[MSG_IMPORT_ROW]      = ROW("import-row",      AUTH,                   CTL,                    MSG_NONE,            0,     import_row),
[MSG_CREDENTIAL_ROW]  = ROW("credential-row",  AUTH,                   CTL,                    MSG_NONE,            0,     credential_row),
[MSG_ISSUED]          = ROW("issued",          AUTH,                   CTL,                    MSG_NONE,            SECRET,issued),
[MSG_LOGIN_ROW]       = ROW("login-row",       AUTH,                   CTL,                    MSG_NONE,            0,     login_row),
[MSG_LIMITS_ROW]      = ROW("limits-row",      AUTH,                   CTL,                    MSG_NONE,            0,     limits_row),
[MSG_QUEUE_CMD]       = ROW("queue-cmd",       CTL,                    QUEUE,                  MSG_CMD_DONE,        0,     queue_cmd),
[MSG_QUEUE_ROW]       = ROW("queue-row",       QUEUE,                  CTL,                    MSG_NONE,            0,     queue_row),
[MSG_RCPT_ROW]        = ROW("rcpt-row",        QUEUE,                  CTL,                    MSG_NONE,            0,     rcpt_row),
[MSG_SHAPE_ROW]       = ROW("shape-row",       QUEUE,                  CTL,                    MSG_NONE,            0,     shape_row),
[MSG_EVENT_ROW]       = ROW("event-row",       QUEUE,                  CTL,                    MSG_NONE,            0,     event_row),
[MSG_SPOOL_MESSAGE]   = ROW("spool-message",   QUEUE,                  CTL,                    MSG_NONE,            0,     spool_message),
[MSG_SPOOL_JOB]       = ROW("spool-job",       QUEUE,                  CTL,                    MSG_NONE,            0,     spool_job),
[MSG_SPOOL_ANSWER]    = ROW("spool-answer",    QUEUE,                  CTL,                    MSG_NONE,            0,     spool_answer),
[MSG_SPOOL_RCPT]      = ROW("spool-rcpt",      QUEUE,                  CTL,                    MSG_NONE,            0,     spool_rcpt),
[MSG_SPOOL_BODY]      = ROW("spool-body",      QUEUE,                  CTL,                    MSG_NONE,            FD,    spool_body),
[MSG_RESTORE_MESSAGE] = ROW("restore-message", CTL,                    QUEUE,                  MSG_NONE,            0,     spool_message),
[MSG_RESTORE_JOB]     = ROW("restore-job",     CTL,                    QUEUE,                  MSG_NONE,            0,     spool_job),
[MSG_RESTORE_ANSWER]  = ROW("restore-answer",  CTL,                    QUEUE,                  MSG_NONE,            0,     spool_answer),
[MSG_RESTORE_RCPT]    = ROW("restore-rcpt",    CTL,                    QUEUE,                  MSG_NONE,            0,     spool_rcpt),
[MSG_RESTORE_BODY]    = ROW("restore-body",    CTL,                    QUEUE,                  MSG_NONE,            0,     spool_body),
[MSG_DKIM_CMD]        = ROW("dkim-cmd",        CTL,                    AUTH,                   MSG_CMD_DONE,        0,     dkim_cmd),
[MSG_DKIM_ROW]        = ROW("dkim-row",        AUTH,                   CTL,                    MSG_NONE,            0,     dkim_row),
[MSG_RELAY_TEST]      = ROW("relay-test",      CTL,                    DELIVER,                MSG_CMD_DONE,        0,     relay_test),
[MSG_RELAY_ROW]       = ROW("relay-row",       DELIVER,                CTL,                    MSG_NONE,            0,     relay_row),
[MSG_DKIM_KEY]        = ROW("dkim-key",        AUTH,                   CTL,                    MSG_NONE,            SECRET,dkim_key),
[MSG_DKIM_KEEP]       = ROW("dkim-keep",       CTL,                    AUTH,                   MSG_CMD_DONE,        SECRET,dkim_key),
[MSG_DNS_QUERY]       = ROW("dns-query",       CTL,                    DELIVER,                MSG_CMD_DONE,        0,     dns_query),
[MSG_DNS_ANSWER]      = ROW("dns-answer",      DELIVER,                CTL,                    MSG_NONE,            0,     dns_answer),
[MSG_CLIENT_TEST]     = ROW("client-test",     CTL,                    DELIVER,                MSG_CMD_DONE,        0,     conn_check),
[MSG_CMD_DONE]        = ROW("cmd-done",        PARENT | SMTPD | AUTH | QUEUE | DELIVER, CTL,           MSG_NONE,            0,     cmd_done),
};
/* clang-format on */

#define HEAD 12 /* u16 version, u16 type, u64 tag */

static_assert(HEAD + sizeof(struct msg_job) + RCPTS_MAX + PARTS_MAX + 4096 +
	    BODY_HASH + BODY_INLINE <
	MSG_MAX,
    "the longest message fits a record");
static_assert(
    HEAD + sizeof(struct msg_tx_commit) + RCPTS_MAX + BODY_HASH + BODY_INLINE <
	MSG_MAX,
    "the longest message fits a record");

static void
put(uint8_t *p, uint64_t v, int bytes)
{
	while (bytes-- > 0)
		*p++ = (uint8_t)(v >> (8 * bytes));
}

static uint64_t
get(const uint8_t *p, int bytes)
{
	uint64_t v = 0;

	while (bytes-- > 0)
		v = v << 8 | *p++;
	return v;
}

static void
stir(uint32_t *h, const void *p, size_t n)
{
	const uint8_t *c = p;

	for (; n > 0; n--)
		*h = (*h ^ *c++) * 16777619u; /* FNV-1a */
}

static void
stir_text(uint32_t *h, const char *s)
{
	stir(h, s, strlen(s) + 1);
}

static uint16_t
digest(void)
{
	uint32_t h = 2166136261u;

	stir_text(&h, VERSION);
	for (size_t t = MSG_NONE + 1; t < MSG_TYPES; t++) {
		const struct message *m = &messages[t];
		const unsigned about[] = { m->from, m->to, m->answer,
			m->traits };

		stir_text(&h, m->name);
		stir(&h, about, sizeof(about));
		for (const struct field *f = m->fields; f->kind != FIELD_END;
		     f++) {
			stir(&h, &f->kind, sizeof(f->kind));
			stir(&h, &f->size, sizeof(f->size));
			stir_text(&h, f->name);
		}
	}
	h = (h >> 16 ^ h) & 0xffff;
	return (uint16_t)(h != 0 ? h : 1);
}

uint16_t
msg_version(void)
{
	static _Atomic uint16_t version; /* threads may ask at once */

	if (version == 0)
		version = digest();
	return version;
}

/* The two by which ctl and a server of any versions understand each other. */
static const struct {
	enum msg_type type;
	uint16_t wire;
} greetings[] = { { MSG_CTL_OPEN, 0xfff0 }, { MSG_CTL_OPENED, 0xfff1 } };

#define ANY_VERSION 0

/* Version and type as they stand in a record. */
static void
put_type(uint8_t *out, enum msg_type t)
{
	uint16_t version = msg_version(), wire = (uint16_t)t;

	for (int i = 0; i < 2; i++)
		if (greetings[i].type == t) {
			version = ANY_VERSION;
			wire = greetings[i].wire;
		}
	put(out, version, 2);
	put(out + 2, wire, 2);
}

static enum msg_type
get_type(const uint8_t *in)
{
	uint64_t version = get(in, 2), wire = get(in + 2, 2);

	for (int i = 0; i < 2; i++) {
		if (version == ANY_VERSION && greetings[i].wire == wire)
			return greetings[i].type;
		if (greetings[i].type == wire)
			return MSG_NONE;
	}
	return version == msg_version() && wire < MSG_TYPES
	    ? (enum msg_type)wire
	    : MSG_NONE;
}

bool
msg_is_ours(const uint8_t *in, size_t len)
{
	return len >= HEAD && get(in, 2) == msg_version();
}

size_t
msg_encode(const struct msg *m, uint8_t *out, size_t size)
{
	const struct message *row = &messages[m->type];
	size_t n;

	assert(m->type > MSG_NONE && m->type < MSG_TYPES && size >= MSG_MAX);
	put_type(out, m->type);
	put(out + 4, m->tag, 8);
	n = record_encode(row->fields, &m->u, out + HEAD, size - HEAD);
	return n == 0 ? 0 : HEAD + n;
}

bool
msg_decode(struct msg *m, const uint8_t *in, size_t len)
{
	enum msg_type type;

	if (len < HEAD || (type = get_type(in)) == MSG_NONE)
		return false;
	m->type = type;
	m->tag = get(in + 4, 8);
	return record_decode(messages[type].fields, &m->u, messages[type].size,
	    in + HEAD, len - HEAD);
}

bool
msg_allowed(enum msg_type t, enum process from, enum process to)
{
	return (messages[t].from & 1u << from) && (messages[t].to & 1u << to);
}

bool
msg_carries_fd(enum msg_type t)
{
	return messages[t].traits & FD;
}

bool
msg_is_secret(enum msg_type t)
{
	return messages[t].traits & SECRET;
}

enum msg_type
msg_answer_to(enum msg_type t)
{
	return messages[t].answer;
}

const char *
msg_name(enum msg_type t)
{
	return t > MSG_NONE && t < MSG_TYPES ? messages[t].name : "none";
}

const char *
process_name(enum process p)
{
	static const char *const names[P_COUNT] = {
		[P_PARENT] = "parent",
		[P_SMTPD] = "smtpd",
		[P_AUTH] = "auth",
		[P_QUEUE] = "queue",
		[P_DELIVER] = "deliver",
		[P_STS] = "sts",
		[P_CTL] = "ctl",
	};

	return p < P_COUNT ? names[p] : "none";
}

enum process
service_owner(uint32_t service)
{
	static const enum process owners[SERVICE_COUNT] = {
		[SERVICE_PARENT] = P_PARENT,
		[SERVICE_AUTH] = P_AUTH,
		[SERVICE_QUEUE] = P_QUEUE,
		[SERVICE_DELIVER] = P_DELIVER,
		[SERVICE_SMTPD] = P_SMTPD,
	};

	return service < SERVICE_COUNT ? owners[service] : P_COUNT;
}

const struct field *
msg_fields(enum msg_type t, size_t *struct_size)
{
	*struct_size = messages[t].size;
	return messages[t].fields;
}
