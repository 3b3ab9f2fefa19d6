/*
 * messages_account.c - how the messages of messages_account.h look on the wire.
 */
#include "ipc/messages_parts.h"

/* clang-format off */

#define EACH_LIMIT(s, f) \
	F_U64(s, f[LIMIT_RECIPIENTS]), F_U64(s, f[LIMIT_SIZE]), \
	F_U64(s, f[LIMIT_HOUR]), F_U64(s, f[LIMIT_DAY]), \
	F_U64(s, f[LIMIT_MESSAGES_HOUR]), F_U64(s, f[LIMIT_MESSAGES_DAY]), \
	F_U64(s, f[LIMIT_NEW])

const struct field msg_limits_row_fields[] = {
	F_STR(msg_limits_row, account),
	EACH_LIMIT(msg_limits_row, limit),
	EACH_LIMIT(msg_limits_row, used),
	F_U32(msg_limits_row, own),
	F_U32(msg_limits_row, grown),
	F_U32(msg_limits_row, young),
	F_END,
};

const struct field msg_account_cmd_fields[] = {
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

const struct field msg_account_row_fields[] = {
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

const struct field msg_grant_row_fields[] = {
	F_STR(msg_grant_row, account),
	F_STR(msg_grant_row, address),
	F_STR(msg_grant_row, by),
	F_U64(msg_grant_row, created),
	F_END,
};

const struct field msg_item_fields[] = {
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
	EACH_LIMIT(msg_item, limit),
	F_END,
};

const struct field msg_import_row_fields[] = {
	F_U32(msg_import_row, line),
	F_STR(msg_import_row, account),
	F_STR(msg_import_row, address),
	F_STR(msg_import_row, action),
	F_STR(msg_import_row, hash),
	F_U32(msg_import_row, weak),
	F_STR(msg_import_row, why),
	F_END,
};

const struct field msg_key_row_fields[] = {
	F_STR(msg_key_row, section),
	F_STR(msg_key_row, key),
	F_STR(msg_key_row, type),
	F_U32(msg_key_row, bits),
	F_STR(msg_key_row, error),
	F_END,
};

const struct field msg_credential_row_fields[] = {
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

const struct field msg_issued_fields[] = {
	F_STR(msg_issued, secret),
	F_BYTES(msg_issued, file, 16384),
	F_END,
};

const struct field msg_login_row_fields[] = {
	F_U64(msg_login_row, time),
	F_STR(msg_login_row, ip),
	F_STR(msg_login_row, mech),
	F_STR(msg_login_row, result),
	F_STR(msg_login_row, credential),
	F_END,
};
/* clang-format on */
