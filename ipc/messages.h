/*
 * messages.h - every message that crosses a process boundary.
 *
 * A message is one SOCK_SEQPACKET record: u16 version, u16 type, u64 tag, and
 * the fields of its struct in the order its field table lists them (the codec
 * is lib/record.h).  The structs hold no pointers but for bulk bytes, which
 * borrow from the record and are gone when the handler returns.  A struct and
 * its table stand in the messages_*.h and .c of the talk they belong to, which
 * are had by including this one.
 *
 * The tag is the asker's: a session, a job, a command.  An answer echoes it.
 * A file descriptor may ride along; the rows of messages.c say where.
 *
 * To add a message: an enum value and a member of the union here, a row in
 * messages.c, a struct and a table beside their like, and its name in
 * messages_parts.h.  The version follows from the rows, see msg_version().
 */
#ifndef IPC_MESSAGES_H
#define IPC_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages_account.h"
#include "ipc/messages_child.h"
#include "ipc/messages_ctl.h"
#include "ipc/messages_deliver.h"
#include "ipc/messages_queue.h"
#include "ipc/messages_submit.h"
#include "ipc/sizes.h"
#include "lib/record.h"

enum process {
	P_PARENT,
	P_SMTPD,
	P_AUTH,
	P_QUEUE,
	P_DELIVER,
	P_STS,
	P_CTL,
	P_COUNT
};

enum verdict { V_OK, V_TEMP, V_PERM, V_COUNT }; /* 2yz, 4yz, 5yz */

enum msg_type {
	MSG_NONE,

	/* The parent and its children: messages_child.h. */
	MSG_CONF,
	MSG_FILE,
	MSG_LISTEN,
	MSG_PEER,
	MSG_TICKET_KEYS,
	MSG_TOKEN_KEY,
	MSG_START,
	MSG_STOP,
	MSG_CTL_CLIENT,
	MSG_READY,

	/* smtpd and auth: messages_submit.h, as the next three. */
	MSG_AUTH_CHECK,
	MSG_SASL_STEP,
	MSG_AUTH_RESULT,
	MSG_SENDER_CHECK,
	MSG_SUBMIT_CHECK,
	MSG_PERMIT_RETURN,
	MSG_SUBMIT_UNDO,
	MSG_ALLOWED,
	MSG_TLS_SIGN,
	MSG_TLS_SIGNED,

	/* auth tells smtpd and queue. */
	MSG_ACCOUNT_STATE,
	MSG_ACCOUNTS_DONE,
	MSG_SESSIONS_END,
	MSG_FROZEN,
	MSG_ACCOUNT_RESULTS,

	/* smtpd and deliver. */
	MSG_CONN_CHECK,
	MSG_CONN_VERDICT,

	/* smtpd and queue. */
	MSG_QUEUE_STATE,
	MSG_TX_RCPTS,
	MSG_TX_FILE,
	MSG_TX_FILE_LENT,
	MSG_TX_COMMIT,
	MSG_TX_RESULT,
	MSG_TX_ABORT,

	/* queue and deliver: messages_deliver.h, as the next two. */
	MSG_JOB,
	MSG_JOB_VERDICT,
	MSG_MARKS,
	MSG_MARKS_ARE,
	MSG_JOB_CONTACT, /* of a probe: its servers answer, it goes on */
	MSG_WIDTH,
	MSG_SITE_GET,
	MSG_SITE_IS,
	MSG_DOMAIN_GET,
	MSG_DOMAIN_IS,
	MSG_DOMAIN_PUT,
	MSG_TLS_SESSIONS,
	MSG_TLS_POST,
	MSG_TLS_POSTED,

	/* deliver and sts. */
	MSG_FETCH,
	MSG_FETCHED,

	/* deliver and auth. */
	MSG_ROUTE_SECRET,
	MSG_ROUTE_SECRET_IS,
	MSG_DKIM_KEYS,
	MSG_DKIM_KEYS_ARE,
	MSG_DKIM_SIGN,
	MSG_DKIM_SIGNED,
	MSG_DKIM_CHANGED,

	/* The operator's command, through the control socket:
	 * messages_ctl.h, messages_account.h, messages_queue.h. */
	MSG_CTL_OPEN,
	MSG_CTL_OPENED,
	MSG_STATUS,
	MSG_STATUS_ROW,
	MSG_METRICS,
	MSG_METRIC_ROW,
	MSG_TLS_RELOAD,
	MSG_KEY_ROW,
	MSG_ACCOUNT_CMD,
	MSG_ACCOUNT_ROW,
	MSG_GRANT_ROW,
	MSG_ITEM,
	MSG_ITEM_ROW,
	MSG_IMPORT_ROW,
	MSG_CREDENTIAL_ROW,
	MSG_ISSUED,
	MSG_LOGIN_ROW,
	MSG_LIMITS_ROW,
	MSG_QUEUE_CMD,
	MSG_QUEUE_ROW,
	MSG_RCPT_ROW,
	MSG_SHAPE_ROW,
	MSG_EVENT_ROW,
	MSG_SPOOL_MESSAGE,
	MSG_SPOOL_JOB,
	MSG_SPOOL_ANSWER,
	MSG_SPOOL_RCPT,
	MSG_SPOOL_BODY,
	MSG_RESTORE_MESSAGE, /* in the order of MSG_SPOOL_ */
	MSG_RESTORE_JOB,
	MSG_RESTORE_ANSWER,
	MSG_RESTORE_RCPT,
	MSG_RESTORE_BODY,
	MSG_DKIM_CMD,
	MSG_DKIM_ROW,
	MSG_DKIM_KEY,
	MSG_DKIM_KEEP,
	MSG_DNS_QUERY,
	MSG_DNS_ANSWER,
	MSG_RELAY_TEST,
	MSG_RELAY_ROW,
	MSG_CLIENT_TEST,
	MSG_CMD_DONE,

	MSG_TYPES
};

struct msg {
	enum msg_type type;
	uint64_t tag;
	union {
		struct msg_conf conf;
		struct msg_file file;
		struct msg_listen listen;
		struct msg_peer peer;
		struct msg_ticket_keys ticket_keys;
		struct msg_token_key token_key;
		struct msg_empty empty;
		struct msg_ctl_client ctl_client;
		struct msg_auth_check auth_check;
		struct msg_sasl_step sasl_step;
		struct msg_auth_result auth_result;
		struct msg_sender_check sender_check;
		struct msg_submit_check submit_check;
		struct msg_permit_return permit_return;
		struct msg_submit_undo submit_undo;
		struct msg_allowed allowed;
		struct msg_tls_sign tls_sign;
		struct msg_tls_signed tls_signed;
		struct msg_account_state account_state;
		struct msg_sessions_end sessions_end;
		struct msg_frozen frozen;
		struct msg_account_results account_results;
		struct msg_conn_check conn_check;
		struct msg_conn_verdict conn_verdict;
		struct msg_queue_state queue_state;
		struct msg_tx_rcpts tx_rcpts;
		struct msg_tx_file tx_file;
		struct msg_tx_file_lent tx_file_lent;
		struct msg_tx_commit tx_commit;
		struct msg_tx_result tx_result;
		struct msg_job job;
		struct msg_job_verdict job_verdict;
		struct msg_marks_are marks_are;
		struct msg_width width;
		struct msg_site_get site_get;
		struct msg_site_is site_is;
		struct msg_domain_get domain_get;
		struct msg_domain domain;
		struct msg_tls_sessions tls_sessions;
		struct msg_tls_post tls_post;
		struct msg_tls_posted tls_posted;
		struct msg_fetch fetch;
		struct msg_fetched fetched;
		struct msg_route_secret route_secret;
		struct msg_route_secret_is route_secret_is;
		struct msg_dkim_keys dkim_keys;
		struct msg_dkim_keys_are dkim_keys_are;
		struct msg_dkim_sign dkim_sign;
		struct msg_dkim_signed dkim_signed;
		struct msg_ctl_open ctl_open;
		struct msg_ctl_opened ctl_opened;
		struct msg_status_row status_row;
		struct msg_metric_row metric_row;
		struct msg_account_cmd account_cmd;
		struct msg_limits_row limits_row;
		struct msg_account_row account_row;
		struct msg_grant_row grant_row;
		struct msg_item item;
		struct msg_import_row import_row;
		struct msg_key_row key_row;
		struct msg_credential_row credential_row;
		struct msg_issued issued;
		struct msg_login_row login_row;
		struct msg_queue_cmd queue_cmd;
		struct msg_queue_row queue_row;
		struct msg_rcpt_row rcpt_row;
		struct msg_shape_row shape_row;
		struct msg_event_row event_row;
		struct msg_dkim_cmd dkim_cmd;
		struct msg_dkim_row dkim_row;
		struct msg_relay_test relay_test;
		struct msg_relay_row relay_row;
		struct msg_dkim_key dkim_key;
		struct msg_spool_message spool_message;
		struct msg_spool_job spool_job;
		struct msg_spool_answer spool_answer;
		struct msg_spool_rcpt spool_rcpt;
		struct msg_spool_body spool_body;
		struct msg_dns_query dns_query;
		struct msg_dns_answer dns_answer;
		struct msg_cmd_done cmd_done;
	} u;
};

/*
 * Encode m into out[size], size at least MSG_MAX.  Returns the length; 0 when
 * a bulk field is over its bound, which is the caller's bug.
 */
size_t msg_encode(const struct msg *m, uint8_t *out, size_t size);

/*
 * Decode one record of len bytes; bulk fields borrow from `in`.  False, with
 * *m unspecified, when the version, type, length or any field is out of
 * bounds.  Enumerations are for the receiver to check.
 */
bool msg_decode(struct msg *m, const uint8_t *in, size_t len);

/*
 * A digest of the program's version and of all that rows and tables say of
 * each message: who knows another one is of another build, and what it says is
 * not understood.  Never 0.
 */
uint16_t msg_version(void);
/* Is this record of our version? */
bool msg_is_ours(const uint8_t *in, size_t len);

/* Whether process `from` may send this type to process `to`. */
bool msg_allowed(enum msg_type, enum process from, enum process to);

/* Whether a descriptor may ride with this type. */
bool msg_carries_fd(enum msg_type);

/* Whether it holds a password or a key: both ends wipe its record. */
bool msg_is_secret(enum msg_type);

enum msg_type msg_answer_to(enum msg_type); /* MSG_NONE if unanswered */
const char *msg_name(enum msg_type);
const char *process_name(enum process);
/* P_COUNT when there is no such service. */
enum process service_owner(uint32_t service);

/* For generic tests. */
const struct field *msg_fields(enum msg_type, size_t *struct_size);

#endif
