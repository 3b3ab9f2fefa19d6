/*
 * messages_deliver.c - how the messages of messages_deliver.h look on the wire.
 */
#include "ipc/messages_parts.h"

/* clang-format off */

const struct field msg_job_fields[] = {
	F_U64(msg_job, id),
	F_U32(msg_job, n),
	F_U64(msg_job, seal),
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

const struct field msg_job_verdict_fields[] = {
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

const struct field msg_marks_are_fields[] = {
	F_U32(msg_marks_are, ours),
	F_END,
};

const struct field msg_width_fields[] = {
	F_U64(msg_width, dest),
	F_U32(msg_width, width),
	F_END,
};

const struct field msg_site_get_fields[] = {
	F_STR(msg_site_get, domain),
	F_END,
};

const struct field msg_site_is_fields[] = {
	F_STR(msg_site_is, domain),
	F_STR(msg_site_is, site),
	F_END,
};

const struct field msg_domain_get_fields[] = {
	F_STR(msg_domain_get, domain),
	F_END,
};

const struct field msg_domain_fields[] = {
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

const struct field msg_tls_sessions_fields[] = {
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

const struct field msg_tls_post_fields[] = {
	F_STR(msg_tls_post, url),
	F_BYTES(msg_tls_post, body, FETCH_MAX),
	F_END,
};

const struct field msg_tls_posted_fields[] = {
	F_U32(msg_tls_posted, verdict),
	F_STR(msg_tls_posted, text),
	F_END,
};

const struct field msg_fetch_fields[] = {
	F_STR(msg_fetch, url),
	F_STR(msg_fetch, host),
	F_U32(msg_fetch, port),
	F_STR(msg_fetch, addresses),
	F_STR(msg_fetch, type),
	F_BYTES(msg_fetch, body, FETCH_MAX),
	F_END,
};

const struct field msg_fetched_fields[] = {
	F_U32(msg_fetched, verdict),
	F_U32(msg_fetched, code),
	F_U32(msg_fetched, certificate),
	F_STR(msg_fetched, text),
	F_STR(msg_fetched, type),
	F_BYTES(msg_fetched, body, FETCH_MAX),
	F_END,
};

const struct field msg_route_secret_fields[] = {
	F_STR(msg_route_secret, route),
	F_END,
};

const struct field msg_route_secret_is_fields[] = {
	F_U32(msg_route_secret_is, verdict),
	F_STR(msg_route_secret_is, secret),
	F_END,
};

const struct field msg_dkim_keys_fields[] = {
	F_STR(msg_dkim_keys, domain),
	F_END,
};

const struct field msg_dkim_keys_are_fields[] = {
	F_STR(msg_dkim_keys_are, domain),
	F_STR(msg_dkim_keys_are, ed25519),
	F_STR(msg_dkim_keys_are, rsa),
	F_END,
};

const struct field msg_dkim_sign_fields[] = {
	F_STR(msg_dkim_sign, domain),
	F_STR(msg_dkim_sign, ed25519),
	F_STR(msg_dkim_sign, rsa),
	F_BYTES(msg_dkim_sign, ed25519_digest, 32),
	F_BYTES(msg_dkim_sign, rsa_digest, 32),
	F_END,
};

const struct field msg_dkim_signed_fields[] = {
	F_U32(msg_dkim_signed, verdict),
	F_BYTES(msg_dkim_signed, ed25519_signature, 64),
	F_BYTES(msg_dkim_signed, rsa_signature, 512),
	F_END,
};
/* clang-format on */
