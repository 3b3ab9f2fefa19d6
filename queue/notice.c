/*
 * notice.c - see notice.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/log.h"
#include "lib/loop.h"
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
	return kind == DSN_FAILED ? r->event == EVENT_BOUNCED
				  : r->state == RCPT_WAITING;
}

/* A brief one is without the header, and holds the beginning of each answer. */
static bool
write_text(const struct job *j, enum dsn_kind kind, uint64_t id, bool brief,
    struct buf *out)
{
	static struct words words[JOB_RCPTS];
	static char header[HEADER_READ];
	struct dsn_recipient rcpts[JOB_RCPTS];
	const struct letter *l = j->letter;
	struct dsn d = { .kind = kind,
		.hostname = settings->hostname,
		.to = l->sender,
		.id = id,
		.now = (time_t)(loop_wall_ms() / 1000),
		.original_id = l->id,
		.original_message_id = l->msgid[0] != '\0' ? l->msgid : NULL,
		.arrived = (time_t)(l->accepted / 1000),
		.give_up = (time_t)((int64_t)(l->accepted / 1000) +
		    settings->give_up_s),
		.recipients = rcpts,
		.header = header };
	size_t n = 0;

	for (unsigned i = 0; i < j->nrcpts; i++)
		if (concerns(&j->rcpts[i], kind)) {
			describe(j, &j->rcpts[i], brief, &words[d.nrecipients],
			    &rcpts[d.nrecipients]);
			d.nrecipients++;
		}
	if (l->added.len > 0 && !brief)
		memcpy(header, l->added.data, n = l->added.len);
	if (!brief)
		n += read_head(l, header + n, sizeof(header) - n);
	d.header_len = header_length(header, n);
	return dsn_write(&d, put, out);
}

/* What other servers answer may be long, and all of it is repeated. */
static bool
write_bounded(
    const struct job *j, enum dsn_kind kind, uint64_t id, struct buf *out)
{
	bool eight_bit = write_text(j, kind, id, false, out);

	if (out->len <= BODY_ROWS_MAX)
		return eight_bit;
	buf_release(out);
	return write_text(j, kind, id, true, out);
}

struct accept *
notice_new(const struct job *j, enum dsn_kind kind)
{
	const char *to = j->letter->sender;
	char about[MSGID_SIZE];
	uint8_t list[2 + ADDR_SIZE];
	struct bytes rcpts = { list,
		list_add(list, sizeof(list), 0, to, strlen(to)) };
	struct accept *a = accept_new();
	struct buf text = { 0 };

	msgid_format(j->letter->id, about);
	if (envelope_read(&a->envelope, rcpts, 1) != ENVELOPE_FINE) {
		log_event("warning", "text=%s id=%s to=%s",
		    log_quote("a notice cannot be addressed"), about,
		    log_quote(to));
		accept_free(a);
		return NULL;
	}
	a->id = group_new_id();
	a->row.flags = TX_BOUNCE;
	if (write_bounded(j, kind, a->id, &text))
		a->row.flags |= TX_8BIT;
	a->body = body_new(text.len);
	memcpy(a->body->data, buf_data(&text), text.len);
	buf_release(&text);
	a->row.size = a->body->len;
	a->row.body = BODY_ROWS;
	a->row.accepted = (uint64_t)loop_wall_ms();
	a->no_delay_notice = true;
	snprintf(a->detail, sizeof(a->detail), "kind=%s about=%s size=%zu",
	    kind == DSN_FAILED ? "failed" : "delayed", about, a->body->len);
	return a;
}
