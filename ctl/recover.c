/*
 * recover.c - see recover.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "ctl/accounts.h"
#include "ctl/item.h"
#include "ctl/output.h"
#include "ctl/recover.h"
#include "ctl/row.h"
#include "ctl/text.h"
#include "ipc/channel.h"
#include "lib/code.h"

/* So much is on its way to the disk before the queue is asked. */
#define AHEAD_MESSAGES 200
#define AHEAD_BYTES    ((uint64_t)8 << 20)
#define PATIENCE_S     900

struct recovery {
	struct archive *a;
	struct daemon *line; /* NULL: only look */
	bool hold;
	size_t at; /* the next of a->mail */
	int code;
	unsigned ahead;
	uint64_t ahead_bytes;
	uint64_t line_number;
};

/* The first thing that is wrong. */
static bool
refuse(struct recovery *r, const char *what, const char *why)
{
	if (r->a->error[0] == '\0')
		snprintf(r->a->error, sizeof(r->a->error),
		    "line %" PRIu64 " of %s: %s", r->line_number, what, why);
	return false;
}

static bool
send_to(struct recovery *r, struct msg *m)
{
	if (r->line == NULL)
		return true;
	if (m->type >= MSG_SPOOL_MESSAGE && m->type <= MSG_SPOOL_BODY)
		m->type += MSG_RESTORE_MESSAGE - MSG_SPOOL_MESSAGE;
	if (message_send(r->line->sock, m, -1))
		return true;
	r->code = output_fail(CODE_TEMP,
	    "the process that keeps the store ended; its log may say why");
	return false;
}

static bool
send_item(struct recovery *r, struct msg *m, const char *account)
{
	bool sent;

	snprintf(m->u.item.account, sizeof(m->u.item.account), "%s", account);
	m->u.item.line = (uint32_t)r->line_number;
	sent = send_to(r, m);
	explicit_bzero(&m->u, sizeof(m->u.item));
	return sent;
}

static bool
send_items(struct recovery *r, json_t *list, const char *account,
    bool (*read)(struct msg_item *, json_t *))
{
	struct msg m = { .type = MSG_ITEM };
	json_t *value;
	size_t at;

	if (!json_is_array(list))
		return refuse(r, ARCHIVE_ACCOUNTS, "a list is missing");
	json_array_foreach(list, at, value)
	{
		if (!read(&m.u.item, value))
			return refuse(
			    r, ARCHIVE_ACCOUNTS, "a member is malformed");
		if (!send_item(r, &m, account))
			return false;
	}
	return true;
}

static bool
account_line(void *arg, const char *line, size_t len)
{
	struct recovery *r = arg;
	json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	struct msg m = { .type = MSG_ITEM };
	char account[ADDR_SIZE];
	bool good;

	r->line_number++;
	good = item_account(&m.u.item, object);
	if (good) {
		strcpy(account, m.u.item.account);
		good = send_item(r, &m, account) &&
		    send_items(r, json_object_get(object, "credentials"),
			account, item_credential) &&
		    send_items(r, json_object_get(object, "grants"), account,
			item_grant);
	} else {
		refuse(r, ARCHIVE_ACCOUNTS, "it is no account");
	}
	json_decref(object);
	return good;
}

static bool
dkim_line(void *arg, const char *line, size_t len)
{
	struct recovery *r = arg;
	json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	struct msg m = { .type = MSG_DKIM_KEY };
	bool good;

	r->line_number++;
	good = json_is_object(object) && row_read(&m, object, 0);
	if (!good)
		refuse(r, ARCHIVE_DKIM, "it is no key");
	if (good && r->line != NULL) {
		m.type = MSG_DKIM_KEEP;
		r->code = daemon_call(r->line, &m, NULL, NULL, NULL);
		good = r->code == CODE_OK;
	}
	explicit_bzero(&m, sizeof(m));
	json_decref(object);
	return good;
}

/* A message's rows; its added lines are in the file that stands beside. */
static bool
spool_row(void *arg, struct msg *m)
{
	static uint8_t added[ADDED_MAX];
	struct recovery *r = arg;
	struct msg_spool_message *s = &m->u.spool_message;
	const struct archive_mail *mail;

	if (m->type != MSG_SPOOL_MESSAGE)
		return send_to(r, m);
	if (r->at == r->a->nmail || r->a->mail[r->at].id != s->id)
		return refuse(
		    r, ARCHIVE_MESSAGES, "the file of the message is missing");
	mail = &r->a->mail[r->at];
	if (s->size > mail->size || mail->size - s->size > sizeof(added))
		return refuse(r, ARCHIVE_MESSAGES,
		    "the file of the message is of another size");
	s->added = (struct bytes){ added, mail->size - s->size };
	if (r->line != NULL &&
	    !archive_read(r->a, mail->at, added, s->added.len))
		return false;
	if (r->hold)
		s->held = 1;
	return send_to(r, m);
}

/* Everything sent is on the disk, or why not. */
static bool
ask_queue(struct recovery *r)
{
	struct msg m = { .type = MSG_QUEUE_CMD };

	r->ahead = 0;
	r->ahead_bytes = 0;
	m.u.queue_cmd.verb = QUEUE_RESTORE;
	r->code = daemon_call(r->line, &m, NULL, NULL, NULL);
	return r->code == CODE_OK;
}

static bool
send_body(struct recovery *r, const struct row_message *row)
{
	static uint8_t piece[SPOOL_PIECE];
	struct msg m = { .type = MSG_RESTORE_BODY };
	struct msg_spool_body *s = &m.u.spool_body;
	uint64_t at = r->a->mail[r->at].at + row->added, left = row->size;

	do {
		s->piece = (struct bytes){ piece,
			left < sizeof(piece) ? left : sizeof(piece) };
		if (!archive_read(r->a, at, piece, s->piece.len))
			return false;
		at += s->piece.len;
		left -= s->piece.len;
		s->last = left == 0;
		if (!send_to(r, &m))
			return false;
	} while (left > 0);
	r->ahead_bytes += row->size;
	return (++r->ahead < AHEAD_MESSAGES && r->ahead_bytes < AHEAD_BYTES) ||
	    ask_queue(r);
}

static bool
message_line(void *arg, const char *line, size_t len)
{
	struct recovery *r = arg;
	struct row_message row;

	r->line_number++;
	if (!row_message(line, len, &row, spool_row, r))
		return r->code == CODE_OK &&
		    refuse(r, ARCHIVE_MESSAGES, "it is no message");
	if (row.added + row.size != r->a->mail[r->at].size)
		return refuse(r, ARCHIVE_MESSAGES,
		    "the file of the message is of another size");
	if (r->line != NULL && !send_body(r, &row))
		return false;
	r->at++;
	return true;
}

static bool
event_line(void *arg, const char *line, size_t len)
{
	struct recovery *r = arg;
	json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	struct msg m = { .type = MSG_EVENT_ROW };
	bool good = json_is_object(object) && row_read(&m, object, 0);

	r->line_number++;
	json_decref(object);
	return good || refuse(r, ARCHIVE_JOURNAL, "it is no event");
}

static bool
each(struct recovery *r, const struct archive_lines *lines, const char *what,
    archive_line_fn *fn)
{
	r->line_number = 0;
	return archive_each(r->a, lines, what, fn, r);
}

bool
recover_check(struct archive *a)
{
	struct recovery r = { .a = a };

	return each(&r, &a->accounts, ARCHIVE_ACCOUNTS, account_line) &&
	    each(&r, &a->dkim, ARCHIVE_DKIM, dkim_line) &&
	    each(&r, &a->messages, ARCHIVE_MESSAGES, message_line) &&
	    each(&r, &a->journal, ARCHIVE_JOURNAL, event_line) &&
	    (r.at == a->nmail ||
		refuse(&r, ARCHIVE_MESSAGES, "a message has no line"));
}

static int
result(const struct recovery *r, bool good)
{
	char error[sizeof(r->a->error) * 4];

	if (good || r->code != CODE_OK)
		return r->code;
	return output_fail(CODE_NO, "%s: %s", r->a->name,
	    text_clean(error, sizeof(error), r->a->error));
}

/* Only what is refused is told. */
static void
import_row(void *arg, const struct msg *m)
{
	char who[ADDR_SIZE * 4], why[sizeof(m->u.import_row.why) * 4];

	(void)arg;
	if (m->type == MSG_IMPORT_ROW)
		output_note("    %s: %s",
		    text_clean(who, sizeof(who), m->u.import_row.account),
		    text_clean(why, sizeof(why), m->u.import_row.why));
}

int
recover_accounts(struct archive *a, struct daemon *auth)
{
	struct recovery r = { .a = a, .line = auth };
	struct msg m = accounts_ask(ACCOUNT_IMPORT);
	int code =
	    result(&r, each(&r, &a->accounts, ARCHIVE_ACCOUNTS, account_line));

	if (code != CODE_OK || a->accounts.size == 0)
		return code;
	daemon_patience(auth, PATIENCE_S);
	return daemon_call(auth, &m, import_row, NULL, NULL);
}

int
recover_dkim(struct archive *a, struct daemon *auth)
{
	struct recovery r = { .a = a, .line = auth };

	return result(&r, each(&r, &a->dkim, ARCHIVE_DKIM, dkim_line));
}

int
recover_spool(struct archive *a, struct daemon *queue, bool hold)
{
	struct recovery r = { .a = a, .line = queue, .hold = hold };
	bool good = each(&r, &a->messages, ARCHIVE_MESSAGES, message_line);
	int code = result(&r, good);

	if (code == CODE_OK)
		ask_queue(&r);
	return code != CODE_OK ? code : r.code;
}
