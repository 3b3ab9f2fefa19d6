/*
 * body.c - the body of a message and its end (RFC 5321 4.1.1.4, RFC 6409 6.1),
 * by whatever command it comes.
 *
 * The header is judged as soon as it is complete, and auth is asked about its
 * addresses while the body still comes in.  Every message is read to its real
 * end, also one that is refused, so that client and server stay in step; then
 * the gravest reason is told, whatever the order in which they were found.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/metric.h"
#include "mail/msgid.h"
#include "smtpd/authors.h"
#include "smtpd/handler.h"
#include "smtpd/text.h"
#include "smtpd/transaction.h"

#define SLICE       16384 /* octets read in one go */
#define FILE_WRITES 65536 /* octets gathered for one write(2) */

static const struct outcome header_faults[] = {
	[HEADER_CLEAN] = { V_OK, 0, "", "" },
	[HEADER_TOO_BIG] = { V_PERM, 552, "5.3.4", "header too large" },
	[HEADER_BAD_FIELD] = { V_PERM, 550, "5.6.0",
	    "the header has a line that is no field; put an empty line "
	    "between header and body" },
	[HEADER_LONG_LINE] = { V_PERM, 550, "5.6.0",
	    "the header has a line of more than 998 octets; fold it" },
	[HEADER_TWO_FROM] = { V_PERM, 550, "5.6.0", "two From: fields" },
	[HEADER_TWO_SENDER] = { V_PERM, 550, "5.6.0", "two Sender: fields" },
	[HEADER_TWO_DATE] = { V_PERM, 550, "5.6.0", "two Date: fields" },
	[HEADER_TWO_REPLY_TO] = { V_PERM, 550, "5.6.0",
	    "two Reply-To: fields" },
	[HEADER_TWO_SUBJECT] = { V_PERM, 550, "5.6.0", "two Subject: fields" },
	[HEADER_TWO_MESSAGE_ID] = { V_PERM, 550, "5.6.0",
	    "two Message-ID: fields" },
	[HEADER_LONG_VALUE] = { V_PERM, 550, "5.6.0",
	    "From:, Sender: or Resent-From: too long" },
	[HEADER_LOOP] = { V_PERM, 554, "5.4.6",
	    "mail loop: too many Received: fields" },
};

static const struct outcome data_faults[] = {
	[DATA_CLEAN] = { V_OK, 0, "", "" },
	[DATA_BARE_CR] = { V_PERM, 554, "5.6.0",
	    "the message has a CR without LF" },
	[DATA_BARE_LF] = { V_PERM, 554, "5.6.0",
	    "the message has a LF without CR" },
	[DATA_NUL] = { V_PERM, 554, "5.6.0", "the message has a NUL" },
	/* Common, and every server we know takes them. */
	[DATA_LONG_LINE] = { V_OK, 0, "", "" },
};

/* The header is complete: check what can be, and ask auth about the rest. */
static void
judge_header(struct session *s)
{
	struct transaction *tx = s->tx;
	struct msg m = { .type = MSG_SUBMIT_CHECK };
	struct msg_submit_check *c = &m.u.submit_check;
	uint8_t list[AUTHORS_MAX];
	const char *fault;
	size_t len;

	tx->judged = true;
	tx->header_fault = header_faults[tx->header.fault];
	if (tx->header_fault.verdict == V_OK) {
		if ((tx->flags & TX_SMTPUTF8) &&
		    (tx->header.utf8.bad || tx->header.utf8.more > 0))
			fault = "the header is not UTF-8, and SMTPUTF8 was "
				"given with MAIL";
		else
			fault = authors_read(tx, list, &len);
		if (fault != NULL)
			outcome_set(
			    &tx->header_fault, V_PERM, 550, "5.6.0", fault);
	}
	if (tx->header_fault.verdict != V_OK) {
		tx_doom(tx);
		return;
	}
	if (tx->doomed)
		return; /* auth would charge the account for nothing */
	text_copy(c->account, sizeof(c->account), s->account);
	text_copy(c->credential, sizeof(c->credential), s->credential);
	c->token = s->token;
	text_copy(c->sender, sizeof(c->sender), tx->sender);
	text_copy(c->ip, sizeof(c->ip), s->ip);
	c->authors.data = list;
	c->authors.len = len;
	c->rcpts = tx->nrcpts;
	c->hashes.data = (const uint8_t *)buf_data(&tx->hashes);
	c->hashes.len = tx->hashes.len;
	if (!expect(s, &m)) {
		no_answer(&m, MSG_ALLOWED);
		body_allowed(s, &m);
	}
}

void
body_allowed(struct session *s, const struct msg *m)
{
	const struct msg_allowed *a = &m->u.allowed;

	outcome_set(&s->tx->allowed, a->verdict, a->code, a->status, a->text);
	s->tx->charged = s->tx->allowed.verdict == V_OK;
	s->tx->permit = a->permit;
	if (!s->tx->charged)
		tx_doom(s->tx);
}

/* The server's limit, or less: what auth says of the account. */
uint64_t
body_most(const struct session *s)
{
	uint64_t all = s->world->conf->message_size;

	return s->tx->most_size < all ? s->tx->most_size : all;
}

/* By the server's limit alone: who is over its own shall hear so, with an
 * attachment as people have them. */
uint64_t
body_flood(const struct session *s)
{
	return 2 * s->world->conf->message_size + 1024 * 1024;
}

/* Where the next n octets go: sized for the whole message when it is told. */
static char *
room(struct transaction *tx, size_t n)
{
	if (tx->body.cap == 0 && !tx->doomed && tx->size_hint < BODY_INLINE &&
	    tx->size_hint > n)
		return buf_reserve(&tx->body, tx->size_hint + 4);
	return buf_reserve(&tx->body, n + 4);
}

/* Take octets of DATA; returns how many go to out. */
static size_t
read_data(
    struct transaction *tx, const char *p, size_t n, size_t *used, char *out)
{
	size_t len;

	tx->ended = data_read(&tx->reader, p, n, used, out, &len) == DATA_END;
	return len;
}

/*
 * Take octets of a chunk.  A text ends with a line end, or everybody behind
 * us would have to add it; something binary ends where it ends.
 */
static size_t
read_chunk(
    struct transaction *tx, const char *p, size_t n, size_t *used, char *out)
{
	if (n > tx->chunk_left)
		n = (size_t)tx->chunk_left;
	memcpy(out, p, n);
	*used = n;
	tx->chunk_left -= n;
	tx->ended = tx->chunk_left == 0 && tx->last_chunk;
	if (tx->flags & TX_BINARY)
		return n; /* judge_binary() knows more */
	data_chunk(&tx->reader, p, n, false);
	if (tx->ended && !data_chunk_end(&tx->reader)) {
		memcpy(out + n, "\r\n", 2);
		tx->reader.size += 2;
		n += 2;
	}
	return n;
}

/*
 * Also in front of binary octets the header is lines.
 *
 *   p, n    as they came
 *   before  octets of the header in front of them
 */
static void
judge_binary(struct transaction *tx, const char *p, size_t n, size_t before)
{
	const struct header_scan *h = &tx->header;
	size_t header = n;

	if (h->ended)
		header = h->bytes > before ? h->bytes - before : 0;
	data_chunk(&tx->reader, p, header, false);
	data_chunk(&tx->reader, p + header, n - header, true);
	if (tx->ended)
		(void)data_chunk_end(&tx->reader);
}

/* Returns how many octets stay at *out, which moves back over those that the
 * header's scanner had not let go. */
static size_t
edit_header(struct transaction *tx, char **out, size_t len)
{
	if (tx->header.ended || tx->doomed)
		return len;
	*out -= tx->header.held;
	tx->body.len -= tx->header.held;
	len = header_edit(&tx->header, *out, len);
	if (tx->ended)
		header_finish(&tx->header);
	return len;
}

enum data_step
body_feed(struct session *s, const char *p, size_t n, size_t *used)
{
	struct transaction *tx = s->tx;
	uint64_t limit = body_most(s);
	size_t len, before = tx->header.bytes;
	char *out;

	if (n > SLICE)
		n = SLICE;
	out = room(tx, n);
	len = (tx->chunked ? read_chunk : read_data)(tx, p, n, used, out);
	tx->received += *used;
	len = edit_header(tx, &out, len);
	if (tx->chunked && (tx->flags & TX_BINARY))
		judge_binary(tx, p, *used, before);
	/* Kept, for a reload may change the limit under way. */
	tx->too_large |= tx->reader.size > limit;
	if (tx->too_large || data_faults[tx->reader.fault].verdict != V_OK)
		tx->doomed = true;
	if (tx->header.ended && !tx->judged)
		judge_header(s);
	if (tx->doomed) {
		buf_release(&tx->body);
	} else {
		tx_hash(tx, out, len);
		buf_commit(&tx->body, len);
	}
	if (tx->ended || (tx->chunked && tx->chunk_left == 0))
		return DATA_STOP;
	if (tx->received > body_flood(s))
		return DATA_FLOOD;
	if (tx->fd != -1 && tx->body.len >= FILE_WRITES)
		tx_flush(tx);
	return tx->fd == -1 && tx->body.len > BODY_INLINE ? DATA_STOP : DATA_ON;
}

static int
borrow_file(struct session *s)
{
	struct msg m = { .type = MSG_TX_FILE };

	m.u.tx_file.size = s->tx->size_hint;
	ask(s, &m);
	s->tx->known |= !s->unheard;
	return WAIT;
}

static const struct outcome *
too_large(const struct session *s)
{
	static struct outcome o;
	char text[160];

	snprintf(text, sizeof(text), TOO_LARGE, body_most(s));
	outcome_set(&o, V_PERM, 552, "5.3.4", text);
	return &o;
}

/* Why it is refused, or NULL. */
static const struct outcome *
fault(const struct session *s)
{
	static const struct outcome barred = { V_TEMP, 421, "4.7.0",
		"this account is not active any more" };
	static const struct outcome relogin = { V_TEMP, 421, "4.7.0", RELOGIN };
	static const struct outcome away = { V_TEMP, 451, "4.3.0", QUEUE_AWAY };
	const struct transaction *tx = s->tx;

	if (s->parting == PART_BARRED)
		return &barred;
	if (s->parting == PART_RELOGIN)
		return &relogin;
	if (data_faults[tx->reader.fault].verdict != V_OK)
		return &data_faults[tx->reader.fault];
	if (tx->too_large)
		return too_large(s);
	if (tx->header_fault.verdict != V_OK)
		return &tx->header_fault;
	if (tx->allowed.verdict != V_OK)
		return &tx->allowed;
	if (tx->trouble.verdict != V_OK)
		return &tx->trouble;
	return tx->lost ? &away : NULL;
}

int
body_next(struct session *s)
{
	struct transaction *tx = s->tx;
	const struct outcome *o;
	struct msg m;

	if (tx->fd == -1 && tx->body.len > BODY_INLINE) {
		if (!tx->lost)
			return borrow_file(s);
		tx_doom(tx);
	}
	if (!tx->ended && (!tx->chunked || tx->chunk_left > 0))
		return MORE;
	if (s->expects != MSG_NONE)
		return await_expected(s);
	if (tx->ended && tx->fd != -1 && !tx->doomed)
		tx_flush(tx);
	o = fault(s);
	if (o != NULL) {
		tx_give_back(s->tx, s);
		return refuse(s, o);
	}
	if (!tx->ended) {
		tx->chunk_end_ms = s->world->now_ms;
		return reply(s, 250, "2.0.0", "%" PRIu64 " octets received",
		    tx->chunk_size);
	}
	tx_commit(tx, s, &m);
	/* Before it asks: the queue keeps the file only when nobody can write
	 * to it any more, and must copy it otherwise. */
	tx_close_file(tx);
	ask(s, &m);
	/* From here on it is the queue's, come what may; but of one that it is
	 * too busy to hear of it must be told that it is over. */
	tx->committing = !s->unheard;
	tx->known = tx->known && s->unheard;
	buf_release(&tx->body);
	return WAIT;
}

static void
file_lent(struct session *s, const struct msg_tx_file_lent *f, int fd)
{
	struct transaction *tx = s->tx;

	if (f->verdict == V_OK && fd != -1) {
		tx->fd = fd;
		if (!tx->doomed)
			tx_flush(tx);
		return;
	}
	if (fd != -1)
		close(fd);
	outcome_set(&tx->trouble, f->verdict == V_OK ? V_TEMP : f->verdict,
	    f->code, f->status, f->text);
	tx_doom(tx);
}

static int
stored(struct session *s, const struct msg_tx_result *r)
{
	const struct transaction *tx = s->tx;
	char id[MSGID_SIZE];
	struct outcome o;

	if (r->verdict != V_OK) {
		tx_give_back(s->tx, s);
		outcome_set(&o, r->verdict, r->code, r->status, r->text);
		return refuse(s, &o);
	}
	msgid_format(r->id, id);
	log_event("msg.accepted",
	    "id=%s ip=%s port=%u tls=%s mech=%s account=%s from=%s rcpts=%u "
	    "size=%" PRIu64 " ms=%" PRId64 " msgid=%s",
	    id, s->ip, s->port, s->tls, s->mech, log_quote(s->account),
	    log_quote(tx->sender), tx->nrcpts, tx->reader.size,
	    s->world->now_ms - tx->began_ms, log_quote(tx->header.message_id));
	s->errors = s->idle_commands = s->put_offs = 0;
	metric_add(METRIC_ACCEPTED, NULL, NULL, NULL, 1);
	metric_observe(METRIC_SIZE, tx->reader.size);
	metric_observe(
	    METRIC_ACCEPT_TIME, (uint64_t)(s->world->now_ms - s->since_ms));
	return reply(s, 250, "2.0.0", "queued as %s", id);
}

int
body_answered(struct session *s, const struct msg *m, int fd)
{
	switch (m->type) {
	case MSG_TX_FILE_LENT:
		file_lent(s, &m->u.tx_file_lent, fd);
		return body_next(s);
	case MSG_ALLOWED:
		body_allowed(s, m);
		return body_next(s);
	default:
		assert(m->type == MSG_TX_RESULT);
		return stored(s, &m->u.tx_result);
	}
}
