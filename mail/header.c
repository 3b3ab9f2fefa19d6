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
enum { NONE, OTHER, FROM, SENDER, DATE, MESSAGE_ID, RECEIVED };

void
header_init(struct header_scan *h)
{
	/* Not the value stores: they are large, and their lengths rule. */
	memset(h, 0, offsetof(struct header_scan, from));
	h->message_id[0] = '\0';
	h->message_id_len = 0;
	h->at = LINE;
	h->field = NONE;
	h->name_len = 0;
	h->name_blank = false;
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
		if ((unsigned char)h->message_id[i] < ' ' ||
		    h->message_id[i] == 0x7f)
			h->message_id[i] = '?';
	h->message_id[n] = '\0';
}

/* The field under way is complete. */
static void
close_field(struct header_scan *h)
{
	if (h->field == FROM)
		h->from_len = trim(h->from, h->from_len);
	else if (h->field == SENDER)
		h->sender_len = trim(h->sender, h->sender_len);
	else if (h->field == MESSAGE_ID)
		close_message_id(h);
	if (h->field != NONE)
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

/* A field that may come once: note it, or blame the second one. */
static unsigned char
only_one(struct header_scan *h, bool *has, unsigned char field,
    enum header_fault fault)
{
	if (*has) {
		blame(h, fault);
		return OTHER;
	}
	*has = true;
	return field;
}

static void
begin_value(struct header_scan *h)
{
	static const struct {
		const char *name;
		unsigned char field;
	} known[] = {
		{ "From", FROM },
		{ "Sender", SENDER },
		{ "Date", DATE },
		{ "Message-ID", MESSAGE_ID },
		{ "Received", RECEIVED },
	};
	unsigned char field = OTHER;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (ascii_is(h->name, h->name_len, known[i].name))
			field = known[i].field;
	switch (field) {
	case FROM:
		field = only_one(h, &h->has_from, field, HEADER_TWO_FROM);
		break;
	case SENDER:
		field = only_one(h, &h->has_sender, field, HEADER_TWO_SENDER);
		break;
	case DATE:
		field = only_one(h, &h->has_date, field, HEADER_TWO_DATE);
		break;
	case MESSAGE_ID:
		if (h->has_message_id)
			field = OTHER;
		h->has_message_id = true;
		break;
	case RECEIVED:
		if (++h->received > HEADER_RECEIVED_MAX)
			blame(h, HEADER_LOOP);
		break;
	}
	h->field = field;
	h->at = VALUE;
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
	if (lines_eight_bit(s, n))
		h->eight_bit = true;
	if (h->field == FROM) {
		if (!store(h->from, sizeof(h->from), &h->from_len, s, n))
			blame(h, HEADER_LONG_VALUE);
	} else if (h->field == SENDER) {
		if (!store(h->sender, sizeof(h->sender), &h->sender_len, s, n))
			blame(h, HEADER_LONG_VALUE);
	} else if (h->field == MESSAGE_ID) {
		(void)store(h->message_id, sizeof(h->message_id) - 1,
		    &h->message_id_len, s, n);
	}
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

void
header_feed(struct header_scan *h, const char *in, size_t n)
{
	size_t room = HEADER_BYTES_MAX - h->bytes;
	bool too_big = n > room;

	if (h->ended)
		return;
	if (too_big)
		n = room;
	while (n > 0 && !h->ended) {
		size_t k = step(h, in, n);
		h->bytes += k;
		in += k;
		n -= k;
	}
	if (too_big && !h->ended) {
		blame(h, HEADER_TOO_BIG);
		end_header(h);
	}
	if (h->empty && !h->blank_line)
		h->bytes = 0; /* the body began with the first line */
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
