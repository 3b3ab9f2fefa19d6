/*
 * messages_ctl.c - how the messages of messages_ctl.h look on the wire.
 */
#include "ipc/messages_parts.h"

/* clang-format off */

const struct field msg_ctl_open_fields[] = {
	F_U32(msg_ctl_open, service),
	F_U32(msg_ctl_open, version),
	F_U32(msg_ctl_open, index),
	F_END,
};

const struct field msg_ctl_opened_fields[] = {
	F_U32(msg_ctl_opened, exit_code),
	F_STR(msg_ctl_opened, text),
	F_END,
};

const struct field msg_status_row_fields[] = {
	F_STR(msg_status_row, key),
	F_STR(msg_status_row, value),
	F_U32(msg_status_row, numeric),
	F_END,
};

const struct field msg_metric_row_fields[] = {
	F_U32(msg_metric_row, metric),
	F_U32(msg_metric_row, part),
	F_STR(msg_metric_row, label[0]),
	F_STR(msg_metric_row, label[1]),
	F_STR(msg_metric_row, label[2]),
	F_U64(msg_metric_row, value),
	F_END,
};

const struct field msg_dkim_key_fields[] = {
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

const struct field msg_dkim_cmd_fields[] = {
	F_U32(msg_dkim_cmd, verb),
	F_STR(msg_dkim_cmd, domain),
	F_U32(msg_dkim_cmd, force),
	F_U32(msg_dkim_cmd, kinds),
	F_END,
};

const struct field msg_dkim_row_fields[] = {
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

const struct field msg_relay_test_fields[] = {
	F_STR(msg_relay_test, target),
	F_STR(msg_relay_test, account),
	F_STR(msg_relay_test, sender),
	F_END,
};

const struct field msg_relay_row_fields[] = {
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

const struct field msg_dns_query_fields[] = {
	F_STR(msg_dns_query, name),
	F_U32(msg_dns_query, type),
	F_END,
};

const struct field msg_dns_answer_fields[] = {
	F_U32(msg_dns_answer, result),
	F_U32(msg_dns_answer, secure),
	F_BYTES(msg_dns_answer, records, 65536),
	F_END,
};

const struct field msg_cmd_done_fields[] = {
	F_U32(msg_cmd_done, exit_code),
	F_U32(msg_cmd_done, more),
	F_U64(msg_cmd_done, next),
	F_U64(msg_cmd_done, next_seq),
	F_U64(msg_cmd_done, count),
	F_STR(msg_cmd_done, text),
	F_END,
};
/* clang-format on */
