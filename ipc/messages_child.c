/*
 * messages_child.c - how the messages of messages_child.h look on the wire.
 */
#include "ipc/messages_parts.h"
#include "lib/conf.h"

/* clang-format off */

const struct field msg_conf_fields[] = {
	F_BYTES(msg_conf, text, CONF_MAX),
	F_END,
};

const struct field msg_file_fields[] = {
	F_U32(msg_file, kind),
	F_STR(msg_file, name),
	F_END,
};

const struct field msg_listen_fields[] = {
	F_STR(msg_listen, name),
	F_U32(msg_listen, tls_mode),
	F_U32(msg_listen, port),
	F_END,
};

const struct field msg_peer_fields[] = {
	F_U32(msg_peer, process),
	F_U32(msg_peer, index),
	F_U32(msg_peer, sign),
	F_END,
};

const struct field msg_ticket_keys_fields[] = {
	F_BYTES(msg_ticket_keys, keys, 240),
	F_END,
};

const struct field msg_token_key_fields[] = {
	F_U64(msg_token_key, key[0]),
	F_U64(msg_token_key, key[1]),
	F_END,
};

const struct field msg_empty_fields[] = {
	F_U32(msg_empty, zero),
	F_END,
};

const struct field msg_ctl_client_fields[] = {
	F_U32(msg_ctl_client, uid),
	F_U32(msg_ctl_client, pid),
	F_STR(msg_ctl_client, by),
	F_END,
};
/* clang-format on */
