/*
 * notice.c - see notice.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "mail/lines.h"
#include "mail/msgid.h"
#include "queue/bodyfile.h"
#include "queue/notice.h"
#include "queue/settings.h"
#include "queue/t_body.h"
#include "queue/t_journal.h"

#define HEADER_READ (DSN_HEADER_MAX + 4096)
/* Of each answer in a brief notice: with these even 100 recipients with the
 * longest names stay under BODY_ROWS_MAX. */
#define BRIEF_TEXT 160
/* The whole message is returned up to this size, if the notice then fits. */
#define WHOLE_MOST (BODY_ROWS_MAX - 16 * 1024)

/* The words about one recipient; the strings that struct dsn borrows. */
struct words {
	struct answer_row answer;
	char reply[600];
};

/* The first bytes of the body, from wherever it is. */
static size_t
read_head(const struct letter *l, char *out, size_t size)
{
	size_t n = l->size < size ? (size_t)l->size : size;
	ssize_t k;
	int fd;

	if (l->body != NULL) {
		memcpy(out, l->body->data, n);
		return n;
	}
	if (l->at.kind != BODY_FILE)
		return t_body_get(l->at, l->id, (uint8_t *)out, n) ? n : 0;
	if ((fd = bodyfile_read(l->id)) == -1)
		return 0;
	k = pread(fd, out, n, 0);
	close(fd);
	return k > 0 ? (size_t)k : 0;
}

/* What of text is header: all up to the empty line. */
static size_t
header_length(const char *text, size_t n)
{
	const char *end = memmem(text, n, "\r\n\r\n", 4);

	return end != NULL ? (size_t)(end - text) + 2 : n;
}

static void
describe(const struct job *j, const struct rcpt *r, bool brief, struct words *w,
    struct dsn_recipient *d)
{
	memset(d, 0, sizeof(*d));
	d->address = r->address;
	d->orcpt = r->orcpt;
	if (!job_answer(j, r->answer, &w->answer)) {
		d->status = "4.4.7";
		d->reason = "Its server has not answered so far.";
		return;
	}
	if (brief)
		w->answer.text[BRIEF_TEXT] = '\0';
	d->status = w->answer.status;
	d->last_attempt = (time_t)(w->answer.when / 1000);
	if (w->answer.mx[0] != '\0')
		d->remote = w->answer.mx;
	if (w->answer.code != 0) {
		int n =
		    snprintf(w->reply, sizeof(w->reply), "%u ", w->answer.code);

		memcpy(w->reply + n, w->answer.text, sizeof(w->answer.text));
		d->reply = w->reply;
	} else {
		d->reason = w->answer.text;
	}
}

static void
put(void *arg, const char *text, size_t n)
{
	buf_add(arg, text, n);
}

static bool
concerns(const struct rcpt *r, enum dsn_kind kind)
{
	if (kind == DSN_FAILED)
		return r->event == EVENT_BOUNCED;
	if (kind == DSN_RELAYED)
		return r->event == EVENT_DELIVERED && r->tell;
	return r->state == RCPT_WAITING && rcpt_wants(r, NOTIFY_DELAY);
}

/* How much of the original is returned, and of each answer. */
enum detail { WHOLE_MESSAGE, HEADER, BRIEF };

/* RFC 3461 4.3; RFC 8689 5: not of what asked for TLS. */
bool
notice_returns_whole(const struct letter *l)
{
	return (l->flags & TX_RET_FULL) &&
	    !(l->flags & (TX_BINARY | TX_REQUIRETLS)) && l->size <= WHOLE_MOST;
}

/*
 * A notice of mail that requires TLS may go without it (RFC 8689 5), so it
 * tells no more than is needed to know the mail again.
 */
static size_t
redact(char *header, size_t n)
{
	static const char *const kept[] = { "Date:", "From:", "Message-ID:" };
	size_t out = 0, len;
	bool keep = false;

	for (size_t at = 0; at < n; at += len) {
		const char *line = header + at;
		const char *lf = memchr(line, '\n', n - at);

		len = lf != NULL ? (size_t)(lf - line) + 1 : n - at;
		if (*line != ' ' && *line != '\t') {
			keep = false;
			for (size_t i = 0; i < 3; i++)
				keep |= len > strlen(kept[i]) &&
				    strncasecmp(
					line, kept[i], strlen(kept[i])) == 0;
		}
		if (keep) {
			memmove(header + out, line, len);
			out += len;
		}
	}
	return out;
}

/* The original, or the beginning of it, into buf; sets what d has of it. */
static void
add_original(const struct letter *l, struct dsn *d, struct buf *buf)
{
	size_t most = d->whole ? (size_t)l->size : HEADER_READ;
	char *to = buf_reserve(buf, l->added.len + most);
	size_t n = l->added.len;

	if (n > 0)
		memcpy(to, l->added.data, n);
	n += read_head(l, to + n, most);
	d->header = to;
	d->header_len = n;
	if (d->whole && n == l->added.len + l->size)
		return;
	d->whole = false;
	d->header_len = header_length(to, n);
	if (l->flags & TX_REQUIRETLS)
		d->header_len = redact(to, d->header_len);
}

static bool
write_text(const struct job *j, enum dsn_kind kind, uint64_t id,
    enum detail detail, struct buf *out)
{
	static struct words words[JOB_RCPTS];
	struct dsn_recipient rcpts[JOB_RCPTS];
	const struct letter *l = j->letter;
	struct dsn d = { .kind = kind,
		.hostname = settings->hostname,
		.to = l->sender,
		.id = id,
		.now = (time_t)(loop_wall_ms() / 1000),
		.original_id = l->id,
		.original_message_id = l->msgid[0] != '\0' ? l->msgid : NULL,
		.envid = l->options.envid,
		.arrived = (time_t)(l->accepted / 1000),
		.give_up =
		    (time_t)((int64_t)(l->begun / 1000) + settings->give_up_s),
		.recipients = rcpts,
		.whole = detail == WHOLE_MESSAGE,
		.utf8 = (l->flags & TX_SMTPUTF8) != 0 };
	struct buf original = { 0 };
	bool eight_bit;

	for (unsigned i = 0; i < j->nrcpts; i++)
		if (concerns(&j->rcpts[i], kind)) {
			describe(j, &j->rcpts[i], detail == BRIEF,
			    &words[d.nrecipients], &rcpts[d.nrecipients]);
			d.nrecipients++;
		}
	if (detail != BRIEF)
		add_original(l, &d, &original);
	eight_bit = dsn_write(&d, put, out);
	buf_release(&original);
	return eight_bit;
}

/* What other servers answer may be long, and all of it is repeated: a brief
 * notice is without the header, and has the beginning of each answer. */
static bool
write_bounded(
    const struct job *j, enum dsn_kind kind, uint64_t id, struct buf *out)
{
	bool whole = kind == DSN_FAILED && notice_returns_whole(j->letter);
	int detail = whole ? WHOLE_MESSAGE : HEADER;
	bool eight_bit;

	for (;; detail++) {
		eight_bit = write_text(j, kind, id, (enum detail)detail, out);
		if (out->len <= BODY_ROWS_MAX || detail == BRIEF)
			return eight_bit;
		buf_release(out);
	}
}

struct accept *
notice_begin(const char *to)
{
	uint8_t list[2 + ADDR_SIZE];
	struct bytes rcpts = { list,
		list_add(list, sizeof(list), 0, to, strlen(to)) };
	struct accept *a = accept_new();

	if (envelope_read(&a->envelope, rcpts, 1) != ENVELOPE_FINE) {
		log_event("warning", "text=%s to=%s",
		    log_quote("a notice cannot be addressed"), log_quote(to));
		accept_free(a);
		return NULL;
	}
	a->id = group_new_id();
	return a;
}

void
notice_end(struct accept *a, const char *to, uint32_t flags, struct buf *text)
{
	a->row.flags = TX_BOUNCE | flags;
	if (lines_eight_bit(to, strlen(to)))
		a->row.flags |= TX_SMTPUTF8 | TX_UTF8_HEADER;
	a->body = body_new(text->len);
	memcpy(a->body->data, buf_data(text), text->len);
	buf_release(text);
	a->row.size = a->body->len;
	a->row.body = BODY_ROWS;
	a->row.accepted = (uint64_t)loop_wall_ms();
	a->no_delay_notice = true;
}

struct accept *
notice_new(const struct job *j, enum dsn_kind kind)
{
	static const char *const names[DSN_KINDS] = { [DSN_FAILED] = "failed",
		[DSN_DELAYED] = "delayed",
		[DSN_RELAYED] = "relayed" };
	const struct letter *l = j->letter;
	struct accept *a = notice_begin(l->sender);
	char about[MSGID_SIZE];
	struct buf text = { 0 };
	uint32_t flags = l->flags & TX_REQUIRETLS;

	if (a == NULL)
		return NULL;
	if (write_bounded(j, kind, a->id, &text))
		flags |= TX_8BIT;
	notice_end(a, l->sender, flags, &text);
	msgid_format(l->id, about);
	snprintf(a->detail, sizeof(a->detail), "kind=%s about=%s size=%zu",
	    names[kind], about, a->body->len);
	return a;
}
