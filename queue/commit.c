/*
 * commit.c - see commit.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "mail/ascii.h"
#include "mail/header.h"
#include "mail/lines.h"
#include "mail/msgid.h"
#include "mail/utf8.h"
#include "queue/bodyfile.h"
#include "queue/commit.h"
#include "queue/permits.h"
#include "queue/settings.h"
#include "queue/t_body.h"

/* What smtpd allows is no more, whatever [limits] hold is (RFC 4865 4, RFC
 * 2852 4, RFC 6710 4.1). */
#define HOLD_MOST_S   ((uint64_t)CONF_TIME_MOST)
#define BY_MOST_MS    ((uint64_t)1000000000 * 1000)
#define PRIORITY_MOST 19

/* clang-format off */
const struct reply
	reply_stopping    = { V_TEMP, 451, "4.3.2", "The server is being restarted, please try again" },
	reply_no_room     = { V_TEMP, 452, "4.3.1", "The disk is nearly full, please try again later" },
	reply_no_file     = { V_TEMP, 451, "4.3.0", "The message could not be stored, please try again" },
	reply_bad_request = { V_TEMP, 451, "4.3.0", "Internal error, please try again" },
	reply_too_large   = { V_PERM, 552, "5.3.4", "The message is larger than this server takes" };

static const struct reply
	reply_too_many    = { V_TEMP, 452, "4.5.3", "Too many recipients" },
	reply_too_late    = { V_TEMP, 451, "4.3.0", "A part of the server was restarted meanwhile, please send the message again" },
	reply_no_rcpts    = { V_PERM, 554, "5.5.1", "No valid recipients" },
	reply_bad_address = { V_PERM, 550, "5.1.3", "An address is not valid" };
/* clang-format on */

/*
 * A message that does not begin with a header field is all body: an empty
 * line must stand between it and the lines that we put in front.
 */
static bool
lacks_header(const uint8_t *body, size_t len)
{
	const uint8_t *end = memchr(body, '\n', len < 1000 ? len : 1000);
	struct header_scan *h;
	bool lacks;

	if (len == 0 || body[0] == '\r')
		return false;
	if ((h = malloc(sizeof(*h))) == NULL)
		abort();
	header_init(h);
	header_feed(h, (const char *)body,
	    end != NULL ? (size_t)(end - body) + 1 : len);
	lacks = h->ended && h->empty && !h->blank_line;
	free(h);
	return lacks;
}

/* The journal knows the mark of our Received: line. */
static void
tell_tag(struct accept *a, uint64_t tag)
{
	char text[MSGID_SIZE];
	size_t n = strlen(a->detail);

	msgid_format(tag, text);
	snprintf(a->detail + n, sizeof(a->detail) - n, " tag=%s", text);
}

static void
compose_added(struct accept *a, const struct msg_tx_commit *m,
    const uint8_t *head, size_t head_len)
{
	struct trace t = { .hostname = settings->hostname,
		.id = a->id,
		.when = (time_t)(a->row.accepted / 1000),
		.esmtp = true,
		.tls = true,
		.auth = true,
		.add_date = (m->flags & TX_ADD_DATE) != 0,
		.add_message_id = (m->flags & TX_ADD_MSGID) != 0 };

	arc4random_buf(&t.tag, sizeof(t.tag));
	tell_tag(a, t.tag);
	/* The words of RFC 3848 back to what they are made of. */
	for (unsigned i = 0; i < 16; i++)
		if (strcmp(m->with,
			trace_protocol(i & 1, i & 2, i & 4, i & 8)) == 0) {
			t.esmtp = i & 1;
			t.tls = i & 2;
			t.auth = i & 4;
			t.utf8 = i & 8;
			break;
		}
	a->added_len = trace_headers(&t, a->added, TRACE_MAX);
	if (a->added_len == 0)
		fatal("the trace header does not fit");
	/* RFC 6409 8.1: who From: does not name. */
	if ((m->flags & TX_ADD_SENDER) && m->sender[0] != '\0')
		a->added_len += (size_t)sprintf(a->added + a->added_len,
		    "Sender: %.*s\r\n", ADDR_SIZE, m->sender);
	if (lacks_header(head, head_len)) {
		memcpy(a->added + a->added_len, "\r\n", 2);
		a->added_len += 2;
	}
}

static void
fill_row(struct accept *a, const struct msg_tx_commit *m)
{
	struct message_row *r = &a->row;
	char id[MSGID_SIZE];

	memcpy(r->account, m->account, sizeof(r->account));
	memcpy(r->credential, m->credential, sizeof(r->credential));
	memcpy(r->sender, m->sender, sizeof(r->sender));
	memcpy(r->ip, m->ip, sizeof(r->ip));
	r->port = m->port;
	memcpy(r->tls, m->tls, sizeof(r->tls));
	memcpy(r->mech, m->mech, sizeof(r->mech));
	memcpy(r->msgid, m->msgid, sizeof(r->msgid));
	/* They are told to people, and a backup must be one that can be
	 * restored (spooled_fault()), whatever smtpd has become. */
	utf8_clean(r->ip);
	utf8_clean(r->tls);
	utf8_clean(r->mech);
	utf8_clean(r->msgid);
	msgid_format(a->id, id);
	if (r->msgid[0] == '\0' && (m->flags & TX_ADD_MSGID))
		snprintf(r->msgid, sizeof(r->msgid), "<%s@%.200s>", id,
		    settings->hostname);
	r->flags = m->flags & TX_KEPT & (uint32_t)~TX_BOUNCE;
	if ((m->flags & TX_ADD_SENDER) &&
	    lines_eight_bit(m->sender, strlen(m->sender)))
		r->flags |= TX_8BIT | TX_UTF8_HEADER;
	r->options = m->options;
	r->size = m->size;
	a->hash_len = m->body_hash.len;
	if (a->hash_len > 0)
		memcpy(a->body_hash, m->body_hash.data, a->hash_len);
	r->accepted = (uint64_t)loop_wall_ms();
	snprintf(a->detail, sizeof(a->detail),
	    "ip=%s port=%u tls=%s mech=%s credential=%s rcpts=%u size=%llu",
	    r->ip, r->port, r->tls[0] ? r->tls : "-", r->mech,
	    r->credential[0] ? r->credential : "-", a->envelope.nrcpts,
	    (unsigned long long)m->size);
	a->no_delay_notice = r->sender[0] == '\0';
}

static const struct reply *
read_envelope(
    struct accept *a, const struct tx *t, const struct msg_tx_commit *m)
{
	struct bytes list = m->rcpts;
	uint8_t *joined = NULL;
	enum envelope_fault fault;

	if (t != NULL && t->too_many)
		return &reply_too_many;
	if (t != NULL && t->rcpts_len > 0) {
		joined = malloc(t->rcpts_len + list.len);
		if (joined == NULL)
			abort();
		memcpy(joined, t->rcpts, t->rcpts_len);
		if (list.len > 0)
			memcpy(joined + t->rcpts_len, list.data, list.len);
		list = (struct bytes){ joined, t->rcpts_len + list.len };
	}
	fault = envelope_read(&a->envelope, list, envelope_most());
	free(joined);
	switch (fault) {
	case ENVELOPE_FINE:
		break;
	case ENVELOPE_EMPTY:
		return &reply_no_rcpts;
	case ENVELOPE_TOO_MANY:
		return &reply_too_many;
	case ENVELOPE_BAD:
		return &reply_bad_address;
	}
	if (m->sender[0] != '\0' && !envelope_address_valid(m->sender))
		return &reply_bad_address;
	return NULL;
}

/* A lent file that turned out small enough for the store. */
static struct body *
read_file(int fd, size_t size)
{
	struct body *b = body_new(size);
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) == -1 || (uint64_t)st.st_size != size) {
		body_free(b);
		return NULL;
	}
	for (size_t at = 0; at < size; at += (size_t)n) {
		n = pread(fd, b->data + at, size - at, (off_t)at);
		if (n <= 0) {
			body_free(b);
			return NULL;
		}
	}
	return b;
}

/* A body on its way to being a file of the spool. */
struct keeping {
	struct bodyfile_keep keep; /* the first member */
	struct accept *accept;
	commit_refuse_fn *refuse;
};

static void
on_kept(struct bodyfile_keep *k)
{
	struct keeping *kg = (struct keeping *)k;
	struct accept *a = kg->accept;

	if (k->fd != -1)
		close(k->fd);
	if (k->error == 0) {
		spool_accept(a);
	} else {
		log_event("warning", "text=%s error=%s",
		    log_quote("a body could not be kept"),
		    log_quote(strerror(k->error)));
		bodyfile_remove(k->id);
		kg->refuse(a,
		    k->error == ENOSPC || k->error == EDQUOT ? &reply_no_room
							     : &reply_no_file);
		accept_free(a);
	}
	free(kg);
}

/* The message's body is the lent file; takes the file from t. */
static void
keep_file(struct accept *a, struct tx *t, commit_refuse_fn *refuse)
{
	struct keeping *kg = calloc(1, sizeof(*kg));

	if (kg == NULL)
		abort();
	a->row.body = BODY_FILE;
	kg->accept = a;
	kg->refuse = refuse;
	kg->keep.id = a->id;
	kg->keep.size = a->row.size;
	kg->keep.fd = tx_take_file(t);
	kg->keep.done = on_kept;
	bodyfile_keep(&kg->keep);
}

bool
commit_options_valid(uint32_t flags, const struct tx_options *o)
{
	const uint32_t by = flags & (TX_BY_RETURN | TX_BY_NOTIFY);
	uint64_t now = (uint64_t)loop_wall_ms();

	if (by == (TX_BY_RETURN | TX_BY_NOTIFY) || (by != 0) != (o->by != 0) ||
	    ((flags & TX_BY_TRACE) && by == 0))
		return false;
	if ((flags & TX_RET_FULL) && (flags & TX_RET_HDRS))
		return false;
	for (const char *p = o->envid; *p != '\0'; p++)
		if (!ascii_print(*p))
			return false;
	return o->priority <= PRIORITY_MOST &&
	    o->hold_until <= now / 1000 + HOLD_MOST_S &&
	    o->by <= now + BY_MOST_MS;
}

/* What can be told before anything is copied. */
static const struct reply *
check(const struct msg_tx_commit *m, const struct tx *t)
{
	bool in_file = (m->flags & TX_IN_FILE) != 0;

	if (m->size > settings->message_size)
		return &reply_too_large;
	if (!commit_options_valid(m->flags, &m->options))
		return &reply_bad_request;
	if (m->account[0] == '\0' || in_file != (t != NULL && t->fd != -1))
		return &reply_bad_request;
	if (!in_file && m->body.len != m->size)
		return &reply_bad_request;
	return NULL;
}

/* Nobody sends but who has logged in, and nothing but what auth allowed,
 * whatever smtpd has become. */
static const struct reply *
prove(struct accept *a, const struct msg_tx_commit *m)
{
	struct permit_claim claim = {
		{ a->smtpd, a->tag, m->account, m->credential }, m->sender
	};
	enum token_fault fault =
	    permits_spend(&m->permit, &claim, a->envelope.nrcpts, m->size);

	if (fault == TOKEN_FINE) {
		a->permit = m->permit;
		return NULL;
	}
	log_event("token.refused", "smtpd=%u reason=%s account=%s", a->smtpd,
	    token_fault_name(fault), log_quote(m->account));
	return fault == TOKEN_OLD ? &reply_too_late : &reply_bad_request;
}

static const struct reply *
not_taken(const struct accept *a, const struct reply *r)
{
	permits_restore(&a->permit);
	return r;
}

const struct reply *
commit_take(struct accept *a, struct tx *t, const struct msg_tx_commit *m,
    commit_refuse_fn *refuse)
{
	uint8_t head[1000];
	const struct reply *r;
	ssize_t n;

	if ((r = check(m, t)) != NULL || (r = read_envelope(a, t, m)) != NULL ||
	    (r = prove(a, m)) != NULL)
		return r;
	/* A file keeps the id that it was lent under.  All others get theirs
	 * now, so that what is committed is in the order of ids (rescue.c). */
	a->id = (m->flags & TX_IN_FILE) && m->size > BODY_ROWS_MAX
	    ? t->id
	    : group_new_id();
	fill_row(a, m);
	if (!(m->flags & TX_IN_FILE)) {
		a->body = body_new(m->size);
		memcpy(a->body->data, m->body.data, m->size);
	} else if (m->size <= BODY_ROWS_MAX) {
		if ((a->body = read_file(t->fd, m->size)) == NULL)
			return not_taken(a, &reply_no_file);
	} else {
		if ((n = pread(t->fd, head, sizeof(head), 0)) <= 0)
			return not_taken(a, &reply_no_file);
		compose_added(a, m, head, (size_t)n);
		keep_file(a, t, refuse);
		return NULL;
	}
	compose_added(a, m, a->body->data, a->body->len);
	spool_accept(a);
	return NULL;
}
