/*
 * messages.c - who may send each message to whom, what answers it, and how a
 * record begins.
 */
#include <assert.h>
#include <string.h>

#include "ipc/messages_parts.h"

/* clang-format off */

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
	{ type, f, t, answers, traits, msg_##u_##_fields, \
	    sizeof(((struct msg *)0)->u.u_) }

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
