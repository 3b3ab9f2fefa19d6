/*
 * intake.c - see intake.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "mail/header.h"
#include "mail/msgid.h"
#include "queue/bodyfile.h"
#include "queue/intake.h"
#include "queue/settings.h"
#include "queue/spool.h"
#include "queue/t_body.h"
#include "queue/upkeep.h"

#define SMTPDS  64
#define TX_MOST 20000 /* transactions begun, of one smtpd */
/* Bytes of recipients that came ahead of their commits, of one smtpd: much
 * more than its clients need, and less than would hurt. */
#define AHEAD_MOST ((size_t)32 << 20)

/* What an smtpd said of a transaction ahead of its commit. */
struct tx_key {
	uint64_t smtpd;
	uint64_t tag;
};

struct tx {
	struct tx_key key;
	uint8_t *rcpts; /* packed */
	size_t rcpts_len;
	bool too_many;
	int fd;      /* of the file lent, or -1 */
	uint64_t id; /* of the file lent */
	UT_hash_handle hh;
};

/* A refusal, as smtpd passes it on. */
struct reply {
	enum verdict verdict;
	unsigned code;
	const char *status, *text;
};

/* clang-format off */
static const struct reply
	accepted     = { V_OK,   250, "2.6.0", NULL },
	stopping     = { V_TEMP, 451, "4.3.2", "The server is being restarted, please try again" },
	no_room      = { V_TEMP, 452, "4.3.1", "The disk is nearly full, please try again later" },
	no_file      = { V_TEMP, 451, "4.3.0", "The message could not be stored, please try again" },
	bad_request  = { V_TEMP, 451, "4.3.0", "Internal error, please try again" },
	too_large    = { V_PERM, 552, "5.3.4", "The message is larger than this server takes" },
	too_many     = { V_TEMP, 452, "4.5.3", "Too many recipients" },
	no_rcpts     = { V_PERM, 554, "5.5.1", "No valid recipients" },
	bad_address  = { V_PERM, 550, "5.1.3", "An address is not valid" };
/* clang-format on */

static struct channel smtpds[SMTPDS];
static unsigned nsmtpds; /* the highest index in use, and one */
static unsigned begun[SMTPDS];
static size_t ahead[SMTPDS];
static struct tx *txs;
static enum intake_state state;

static void
be_ready(void)
{
	if (nsmtpds > 0)
		return;
	for (unsigned i = 0; i < SMTPDS; i++)
		smtpds[i].fd = -1;
}

/* ---- transactions under way ---- */

static struct tx *
find(unsigned smtpd, uint64_t tag)
{
	struct tx_key key = { smtpd, tag };
	struct tx *t;

	HASH_FIND(hh, txs, &key, sizeof(key), t);
	return t;
}

static void
drop(struct tx *t)
{
	if (t == NULL)
		return;
	if (t->fd != -1) {
		close(t->fd);
		bodyfile_remove(t->id);
	}
	HASH_DEL(txs, t);
	begun[t->key.smtpd]--;
	ahead[t->key.smtpd] -= t->rcpts_len;
	free(t->rcpts);
	free(t);
}

static void
drop_all(unsigned smtpd)
{
	struct tx *t, *next;

	HASH_ITER(hh, txs, t, next)
	{
		if (t->key.smtpd == smtpd)
			drop(t);
	}
}

static struct tx *
find_or_begin(struct channel *c, uint64_t tag)
{
	struct tx *t = find(c->index, tag);

	if (t != NULL)
		return t;
	if (begun[c->index] >= TX_MOST)
		fatal("smtpd broke the protocol: too many transactions");
	if ((t = calloc(1, sizeof(*t))) == NULL)
		abort();
	t->key.smtpd = c->index;
	t->key.tag = tag;
	t->fd = -1;
	begun[c->index]++;
	HASH_ADD(hh, txs, key, sizeof(t->key), t);
	return t;
}

/* ---- answers ---- */

static void
say_state(struct channel *c)
{
	struct msg m = { .type = MSG_QUEUE_STATE };

	m.u.queue_state.accepting = state == INTAKE_OPEN;
	if (state != INTAKE_OPEN)
		snprintf(m.u.queue_state.text, sizeof(m.u.queue_state.text),
		    "%s",
		    state == INTAKE_NO_ROOM ? no_room.text : stopping.text);
	channel_send(c, &m, -1);
}

static void
answer(struct channel *c, uint64_t tag, const struct reply *r)
{
	struct msg m = { .type = MSG_TX_RESULT, .tag = tag };
	struct msg_tx_result *t = &m.u.tx_result;

	t->verdict = r->verdict;
	t->code = r->code;
	snprintf(t->status, sizeof(t->status), "%s", r->status);
	snprintf(t->text, sizeof(t->text), "%s", r->text);
	channel_send(c, &m, -1);
}

static void
on_safe(struct accept *a)
{
	struct channel *c = &smtpds[a->smtpd];
	struct msg m = { .type = MSG_TX_RESULT, .tag = a->tag };
	struct msg_tx_result *t = &m.u.tx_result;
	char id[MSGID_SIZE];

	if (!channel_up(c) || c->serial != a->serial)
		return; /* the asker died; the message is safe all the same */
	msgid_format(a->id, id);
	t->verdict = V_OK;
	t->id = a->id;
	t->code = accepted.code;
	snprintf(t->status, sizeof(t->status), "%s", accepted.status);
	snprintf(t->text, sizeof(t->text), "Accepted, id %s", id);
	channel_send(c, &m, -1);
}

static const struct reply *
refusal(void)
{
	switch (state) {
	case INTAKE_OPEN:
		break;
	case INTAKE_NO_ROOM:
		return &no_room;
	case INTAKE_STOPPING:
		return &stopping;
	}
	return NULL;
}

/* ---- TX_RCPTS, TX_FILE ---- */

static unsigned
most_rcpts(void)
{
	return settings->recipients < ENVELOPE_MOST ? settings->recipients
						    : ENVELOPE_MOST;
}

static void
on_rcpts(struct channel *c, const struct msg *m)
{
	const struct bytes *more = &m->u.tx_rcpts.rcpts;
	struct tx *t = find_or_begin(c, m->tag);

	if (t->too_many || ahead[c->index] + more->len > AHEAD_MOST ||
	    t->rcpts_len + more->len > (size_t)most_rcpts() * (ADDR_SIZE + 2)) {
		t->too_many = true;
		return;
	}
	t->rcpts = realloc(t->rcpts, t->rcpts_len + more->len + 1);
	if (t->rcpts == NULL)
		abort();
	if (more->len > 0)
		memcpy(t->rcpts + t->rcpts_len, more->data, more->len);
	t->rcpts_len += more->len;
	ahead[c->index] += more->len;
}

static const struct reply *
lend(struct tx *t, uint64_t size)
{
	upkeep_check_room();
	if (refusal() != NULL)
		return refusal();
	if (size > settings->message_size)
		return &too_large;
	if (t->fd != -1)
		return &bad_request; /* one file for a transaction */
	t->id = group_new_id();
	t->fd = bodyfile_new(t->id);
	if (t->fd == -1) {
		log_event("warning", "text=%s error=%s",
		    log_quote("a file for a body cannot be made"),
		    log_quote(strerror(errno)));
		return errno == ENOSPC || errno == EDQUOT ? &no_room : &no_file;
	}
	return NULL;
}

static void
on_file(struct channel *c, const struct msg *m)
{
	struct tx *t = find_or_begin(c, m->tag);
	const struct reply *r = lend(t, m->u.tx_file.size);
	struct msg lent = { .type = MSG_TX_FILE_LENT, .tag = m->tag };
	struct msg_tx_file_lent *l = &lent.u.tx_file_lent;

	if (r != NULL) {
		l->verdict = r->verdict;
		l->code = r->code;
		snprintf(l->status, sizeof(l->status), "%s", r->status);
		snprintf(l->text, sizeof(l->text), "%s", r->text);
	}
	channel_send(c, &lent, r == NULL ? t->fd : -1);
}

/* ---- TX_COMMIT ---- */

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
	msgid_format(a->id, id);
	if (r->msgid[0] == '\0' && (m->flags & TX_ADD_MSGID))
		snprintf(r->msgid, sizeof(r->msgid), "<%s@%.200s>", id,
		    settings->hostname);
	r->flags = m->flags & TX_8BIT;
	r->size = m->size;
	r->accepted = (uint64_t)loop_wall_ms();
	snprintf(a->detail, sizeof(a->detail),
	    "ip=%s port=%u tls=%s mech=%s credential=%s rcpts=%u size=%llu",
	    m->ip, m->port, m->tls[0] ? m->tls : "-", m->mech,
	    m->credential[0] ? m->credential : "-", a->envelope.nrcpts,
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
		return &too_many;
	if (t != NULL && t->rcpts_len > 0) {
		joined = malloc(t->rcpts_len + list.len);
		if (joined == NULL)
			abort();
		memcpy(joined, t->rcpts, t->rcpts_len);
		if (list.len > 0)
			memcpy(joined + t->rcpts_len, list.data, list.len);
		list = (struct bytes){ joined, t->rcpts_len + list.len };
	}
	fault = envelope_read(&a->envelope, list, most_rcpts());
	free(joined);
	switch (fault) {
	case ENVELOPE_FINE:
		break;
	case ENVELOPE_EMPTY:
		return &no_rcpts;
	case ENVELOPE_TOO_MANY:
		return &too_many;
	case ENVELOPE_BAD:
		return &bad_address;
	}
	if (m->sender[0] != '\0' && !envelope_address_valid(m->sender))
		return &bad_address;
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
		body_unref(b);
		return NULL;
	}
	for (size_t at = 0; at < size; at += (size_t)n) {
		n = pread(fd, b->data + at, size - at, (off_t)at);
		if (n <= 0) {
			body_unref(b);
			return NULL;
		}
	}
	return b;
}

/* A body on its way to being a file of the spool. */
struct keeping {
	struct bodyfile_keep keep; /* the first member */
	struct accept *accept;
};

static void
on_kept(struct bodyfile_keep *k)
{
	struct keeping *kg = (struct keeping *)k;
	struct accept *a = kg->accept;
	struct channel *c = &smtpds[a->smtpd];
	const struct reply *r;

	if (k->fd != -1)
		close(k->fd);
	if (k->error == 0) {
		spool_accept(a);
	} else {
		log_event("warning", "text=%s error=%s",
		    log_quote("a body could not be kept"),
		    log_quote(strerror(k->error)));
		r = k->error == ENOSPC || k->error == EDQUOT ? &no_room
							     : &no_file;
		bodyfile_remove(k->id);
		if (channel_up(c) && c->serial == a->serial)
			answer(c, a->tag, r);
		accept_free(a);
	}
	free(kg);
}

/* The message's body is the lent file; takes the file from t. */
static void
keep_file(struct accept *a, struct tx *t)
{
	struct keeping *kg = calloc(1, sizeof(*kg));

	if (kg == NULL)
		abort();
	a->row.body = BODY_FILE;
	kg->accept = a;
	kg->keep.id = a->id;
	kg->keep.size = a->row.size;
	kg->keep.fd = t->fd;
	kg->keep.done = on_kept;
	t->fd = -1;
	bodyfile_keep(&kg->keep);
}

static const struct reply *
check(const struct msg_tx_commit *m, const struct tx *t)
{
	bool in_file = (m->flags & TX_IN_FILE) != 0;

	upkeep_check_room();
	if (refusal() != NULL)
		return refusal();
	if (m->size > settings->message_size)
		return &too_large;
	if (m->account[0] == '\0' || in_file != (t != NULL && t->fd != -1))
		return &bad_request;
	if (!in_file && m->body.len != m->size)
		return &bad_request;
	return NULL;
}

/* Returns NULL when a (taken then) is on its way into the spool. */
static const struct reply *
take(struct accept *a, struct tx *t, const struct msg_tx_commit *m)
{
	uint8_t head[1000];
	const struct reply *r = read_envelope(a, t, m);
	ssize_t n;

	if (r != NULL)
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
			return &no_file;
	} else {
		if ((n = pread(t->fd, head, sizeof(head), 0)) <= 0)
			return &no_file;
		compose_added(a, m, head, (size_t)n);
		keep_file(a, t);
		return NULL;
	}
	compose_added(a, m, a->body->data, a->body->len);
	spool_accept(a);
	return NULL;
}

static void
on_commit(struct channel *c, const struct msg *m)
{
	const struct msg_tx_commit *tc = &m->u.tx_commit;
	struct tx *t = find(c->index, m->tag);
	const struct reply *r = check(tc, t);
	struct accept *a;

	if (r == NULL) {
		a = accept_new();
		a->smtpd = c->index;
		a->serial = c->serial;
		a->tag = m->tag;
		a->safe = on_safe;
		r = take(a, t, tc);
		if (r != NULL)
			accept_free(a);
	}
	if (r != NULL)
		answer(c, m->tag, r);
	drop(t);
}

/* ---- channels ---- */

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	if (fd != -1)
		close(fd);
	switch (m->type) {
	case MSG_TX_RCPTS:
		on_rcpts(c, m);
		break;
	case MSG_TX_FILE:
		on_file(c, m);
		break;
	case MSG_TX_COMMIT:
		on_commit(c, m);
		break;
	case MSG_TX_ABORT:
		drop(find(c->index, m->tag));
		break;
	default:
		break;
	}
}

static void
on_gone(struct channel *c)
{
	log_event("smtpd.gone", "index=%u", c->index);
	drop_all(c->index);
}

void
intake_smtpd_is(unsigned index, int fd)
{
	be_ready();
	if (index >= SMTPDS)
		fatal("more smtpd processes than %d", SMTPDS);
	channel_close(&smtpds[index]);
	drop_all(index);
	channel_open(&smtpds[index], fd, P_QUEUE, P_SMTPD, index, on_message,
	    on_gone, NULL);
	if (index >= nsmtpds)
		nsmtpds = index + 1;
	say_state(&smtpds[index]);
}

void
intake_set(enum intake_state s)
{
	if (s == state)
		return;
	state = s;
	for (unsigned i = 0; i < nsmtpds; i++)
		if (channel_up(&smtpds[i]))
			say_state(&smtpds[i]);
}

enum intake_state
intake_get(void)
{
	return state;
}

void
intake_turn(void)
{
	for (unsigned i = 0; i < nsmtpds; i++)
		if (channel_up(&smtpds[i]) && channel_backlog(&smtpds[i]) > 0)
			channel_flush(&smtpds[i]);
}
