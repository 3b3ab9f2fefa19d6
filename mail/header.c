/*
 * header.c - what the server needs to know of a message header.
 *
 *   state       what came last
 *   LINE        a line end, or nothing yet
 *   NAME        some of a field's name
 *   VALUE       some of a field's value
 *   VALUE_CR    ... and CR
 *   BLANK_CR    CR at the start of a line
 */
#include <string.h>

#include "mail/ascii.h"
#include "mail/header.h"
#include "mail/lines.h"

enum { LINE, NAME, VALUE, VALUE_CR, BLANK_CR };

/* The fields we look at; no field yet is NONE, any other one is OTHER. */
enum field {
	NONE,
	OTHER,
	FROM,
	SENDER,
	RESENT,
	MESSAGE_ID,
	RECEIVED,
	TLS_REQUIRED,
};

/*
 *   twice  what a second one is; HEADER_CLEAN: it may be there
 *   drop   it does not go on from here
 */
/* clang-format off */
static const struct row {
	const char *name;
	enum field field;
	enum header_fault twice;
	bool drop;
} known[] = {
	{ "From",          FROM,         HEADER_TWO_FROM,       false },
	{ "Sender",        SENDER,       HEADER_TWO_SENDER,     false },
	{ "Date",          OTHER,        HEADER_TWO_DATE,       false },
	{ "Reply-To",      OTHER,        HEADER_TWO_REPLY_TO,   false },
	{ "Subject",       OTHER,        HEADER_TWO_SUBJECT,    false },
	{ "Message-ID",    MESSAGE_ID,   HEADER_TWO_MESSAGE_ID, false },
	{ "Received",      RECEIVED,     HEADER_CLEAN,          false },
	{ "Resent-From",   RESENT,       HEADER_CLEAN,          false },
	{ "Resent-Sender", RESENT,       HEADER_CLEAN,          false },
	{ "TLS-Required",  TLS_REQUIRED, HEADER_CLEAN,          false },
	{ "Bcc",           OTHER,        HEADER_CLEAN,          true },
	{ "Resent-Bcc",    OTHER,        HEADER_CLEAN,          true },
	{ "Return-Path",   OTHER,        HEADER_CLEAN,          true },
};
/* clang-format on */

#define KNOWN (sizeof(known) / sizeof(*known))

void
header_init(struct header_scan *h)
{
	/* Not the value stores: they are large, and their lengths rule. */
	memset(h, 0, offsetof(struct header_scan, from));
	memset(&h->at, 0,
	    sizeof(*h) - offsetof(struct header_scan, at) - sizeof(h->name));
	h->message_id[0] = '\0';
}

static void
blame(struct header_scan *h, enum header_fault fault)
{
	if (h->fault == HEADER_CLEAN)
		h->fault = fault;
}

static size_t
trim(const char *s, size_t n)
{
	while (n > 0 && ascii_blank(s[n - 1]))
		n--;
	return n;
}

/* Make the Message-ID a string fit for the log. */
static void
close_message_id(struct header_scan *h)
{
	size_t n = trim(h->message_id, h->message_id_len);

	for (size_t i = 0; i < n; i++)
		if (h->message_id[i] == '\0')
			h->message_id[i] = '?';
	h->message_id[n] = '\0';
	utf8_clean(h->message_id);
}

/* The field under way is complete. */
static void
close_field(struct header_scan *h)
{
	switch (h->field) {
	case NONE:
		return;
	case FROM:
		h->from_len = trim(h->from, h->from_len);
		break;
	case SENDER:
		h->sender_len = trim(h->sender, h->sender_len);
		break;
	case RESENT:
		if (h->resent_len < sizeof(h->resent))
			h->resent[h->resent_len++] = '\0';
		break;
	case MESSAGE_ID:
		close_message_id(h);
		break;
	case TLS_REQUIRED:
		h->tls_optional |= ascii_is(h->tls_required,
		    trim(h->tls_required, h->tls_required_len), "No");
		break;
	}
	h->field = OTHER;
}

static void
end_header(struct header_scan *h)
{
	close_field(h);
	h->ended = true;
	h->empty = h->field == NONE;
}

/* The line under way is no field and continues none. */
static void
not_a_field(struct header_scan *h)
{
	if (h->field != NONE)
		blame(h, HEADER_BAD_FIELD);
	end_header(h);
}

/* The row of the name under way, or NULL. */
static const struct row *
find(const struct header_scan *h)
{
	for (const struct row *r = known; r < known + KNOWN; r++)
		if (ascii_is(h->name, h->name_len, r->name))
			return r;
	return NULL;
}

/* Note what fields there are; which come once is the table's to know. */
static void
note(struct header_scan *h, const struct row *r)
{
	unsigned bit = 1u << (r - known);

	if (r->twice != HEADER_CLEAN && (h->seen & bit))
		blame(h, r->twice);
	h->seen |= bit;
	h->has_from |= r->twice == HEADER_TWO_FROM;
	h->has_sender |= r->twice == HEADER_TWO_SENDER;
	h->has_date |= r->twice == HEADER_TWO_DATE;
	h->has_message_id |= r->twice == HEADER_TWO_MESSAGE_ID;
	if (r->field == RECEIVED && ++h->received > HEADER_RECEIVED_MAX)
		blame(h, HEADER_LOOP);
}

static void
begin_value(struct header_scan *h)
{
	const struct row *r = find(h);

	h->at = VALUE;
	h->field = OTHER;
	if (r == NULL)
		return;
	/* Of what may come once the first one is kept. */
	if (r->twice == HEADER_CLEAN || !(h->seen & 1u << (r - known)))
		h->field = r->field;
	note(h, r);
	h->dropping = r->drop;
	h->tls_required_len = 0;
}

/* Take one byte of a field's name. */
static void
name_byte(struct header_scan *h, char c)
{
	if (c == ':' && h->name_len > 0) {
		begin_value(h);
	} else if (ascii_blank(c) && h->name_len > 0) {
		h->name_blank = true; /* RFC 5322 4.5: "From :" is From */
	} else if (c > ' ' && c <= '~' && c != ':' && !h->name_blank) {
		/* A name that fills the array is none that we know. */
		if (h->name_len < sizeof(h->name))
			h->name[h->name_len++] = c;
	} else {
		not_a_field(h);
	}
}

/* Add to a stored value, without blanks in front; false: no room. */
static bool
store(char *to, size_t size, size_t *len, const char *s, size_t n)
{
	for (; *len == 0 && n > 0 && ascii_blank(*s); n--)
		s++;
	if (n > size - *len) {
		memcpy(to + *len, s, size - *len);
		*len = size;
		return false;
	}
	memcpy(to + *len, s, n);
	*len += n;
	return true;
}

static void
value_bytes(struct header_scan *h, const char *s, size_t n)
{
	bool fits = true;

	if (lines_eight_bit(s, n) || h->utf8.more > 0) {
		h->eight_bit = true;
		utf8_feed(&h->utf8, s, n);
	}
	switch (h->field) {
	case FROM:
		fits = store(h->from, sizeof(h->from), &h->from_len, s, n);
		break;
	case SENDER:
		fits =
		    store(h->sender, sizeof(h->sender), &h->sender_len, s, n);
		break;
	case RESENT:
		/* One octet is for the NUL. */
		fits = h->resent_len + n < sizeof(h->resent);
		if (fits) {
			memcpy(h->resent + h->resent_len, s, n);
			h->resent_len += n;
		}
		break;
	case MESSAGE_ID:
		(void)store(h->message_id, sizeof(h->message_id) - 1,
		    &h->message_id_len, s, n);
		break;
	case TLS_REQUIRED:
		(void)store(h->tls_required, sizeof(h->tls_required),
		    &h->tls_required_len, s, n);
		break;
	}
	if (!fits)
		blame(h, HEADER_LONG_VALUE);
}

/* Take a byte at the start of a line. */
static void
line_byte(struct header_scan *h, char c)
{
	if (c == '\r') {
		h->at = BLANK_CR;
	} else if (ascii_blank(c)) {
		if (h->field == NONE) {
			not_a_field(h);
			return;
		}
		value_bytes(h, &c, 1);
		h->at = VALUE;
	} else {
		close_field(h);
		h->name_len = 0;
		h->name_blank = false;
		h->at = NAME;
		name_byte(h, c);
	}
}

/* Take a byte, or many of a value, and return how many. */
static size_t
step(struct header_scan *h, const char *in, size_t n)
{
	const char *cr;

	switch (h->at) {
	case LINE:
		line_byte(h, *in);
		return 1;
	case NAME:
		name_byte(h, *in);
		return 1;
	case VALUE:
		cr = memchr(in, '\r', n);
		if (cr != NULL)
			n = (size_t)(cr - in);
		value_bytes(h, in, n);
		if (cr == NULL)
			return n;
		h->at = VALUE_CR;
		return n + 1;
	case VALUE_CR:
		if (*in == '\n') {
			h->at = LINE;
			return 1;
		}
		/* A lone CR: the message is refused for it elsewhere. */
		value_bytes(h, "\r", 1);
		h->at = VALUE;
		return 0;
	case BLANK_CR:
		if (*in == '\n') {
			h->blank_line = true;
			end_header(h);
		} else {
			not_a_field(h);
		}
		return 1;
	}
	return n;
}

/*
 * Octets that stay are moved together when some in front are taken out.
 *
 *   to    behind what stays so far; NULL: nothing is to be moved
 *   from  the run that stays began here; NULL: none does
 */
struct cut {
	char *to;
	const char *from;
};

static void
keep_until(struct cut *c, const char *end)
{
	size_t n;

	if (c->from == NULL || c->to == NULL)
		return;
	n = (size_t)(end - c->from);
	if (c->to != c->from)
		memmove(c->to, c->from, n);
	c->to += n;
	c->from = NULL;
}

/* The line under way has its CRLF. */
static void
line_end(struct header_scan *h)
{
	if (h->line > HEADER_LINE_MAX + 2)
		blame(h, HEADER_LONG_LINE);
	h->line = 0;
}

/* A line begins: a new field, or the end, ends the one that is taken out. */
static void
line_begin(struct header_scan *h, struct cut *c, const char *in)
{
	if (!h->dropping || ascii_blank(*in))
		return;
	h->dropping = false;
	c->from = in;
}

/* The line under way began at line_at. */
static void
scan(struct header_scan *h, struct cut *c, const char *line_at, const char *in,
    size_t n)
{
	const char *end = in + n;
	size_t room = HEADER_BYTES_MAX - h->bytes, k;
	bool too_big = n > room;

	if (too_big)
		n = room;
	while (n > 0 && !h->ended) {
		bool dropped;

		if (h->at == LINE) {
			line_at = in;
			line_begin(h, c, in);
		}
		dropped = h->dropping;
		k = step(h, in, n);
		if (h->dropping && !dropped)
			keep_until(c, line_at);
		h->bytes += k;
		h->line += k;
		in += k;
		n -= k;
		if (h->at == LINE)
			line_end(h);
	}
	if (too_big && !h->ended) {
		blame(h, HEADER_TOO_BIG);
		end_header(h);
	}
	if (h->empty && !h->blank_line)
		h->bytes = 0; /* the body began with the first line */
	keep_until(c, end);
}

void
header_feed(struct header_scan *h, const char *in, size_t n)
{
	struct cut none = { NULL, NULL };

	if (!h->ended)
		scan(h, &none, in, in, n);
}

size_t
header_edit(struct header_scan *h, char *p, size_t n)
{
	struct cut c = { p, h->dropping ? NULL : p };
	size_t stays;

	if (h->ended)
		return n;
	scan(h, &c, p, p + h->held, n);
	stays = (size_t)(c.to - p);
	h->dropped += h->held + n - stays;
	/* A name that fills the array is none that is taken out. */
	h->held = h->at == NAME && !h->ended && h->name_len < sizeof(h->name)
	    ? h->line
	    : 0;
	return stays;
}

void
header_finish(struct header_scan *h)
{
	if (h->ended)
		return;
	if (h->at == NAME || h->at == BLANK_CR)
		not_a_field(h);
	else
		end_header(h);
	if (h->empty)
		h->bytes = 0;
}
