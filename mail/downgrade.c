/*
 * downgrade.c - an 8-bit message for a server without 8BITMIME, and a binary
 * one for a server without BINARYMIME.
 *
 * The first reading takes the message apart by lines.  What is open at any
 * time is a stack of entities: multiparts, messages within messages, and on
 * top the one whose header or body is being read.  Only a delimiter line of
 * an open multipart closes anything.  When a leaf with such bytes ends, its
 * encoding, its label and the labels of everything around it go into a list
 * of edits, in the order of their places; the second reading (downgrade_read.c)
 * copies the message and carries them out.
 */
#include <string.h>

#include "mail/ascii.h"
#include "mail/downgrade_edit.h"
#include "mail/lines.h"
#include "mail/mime.h"

enum {
	DEPTH_MAX = 32,
	LINE_KEPT = 1024,  /* of each line; a delimiter is shorter */
	FIELD_KEPT = 2048, /* of each field; an honest one is shorter */
	LINE_MOST = 998,   /* RFC 5322 2.1.1 */
};

enum state {
	IN_HEADER,
	IN_LEAF,
	BESIDE_PARTS, /* before the first or behind the last one */
};

/*
 *   broken   its header cannot be trusted, so nothing in it can be changed
 *   frozen   it or something around it must not be changed: it is signed
 *   message  it has a message header, not only that of a part
 *   label    where its Content-Transfer-Encoding field is; 0, 0 for none
 *   end      where its header ends, at the empty line
 */
struct entity {
	bool broken, frozen, message, digest;
	bool has_version, has_type, has_encoding, labelled;
	enum mime_encoding encoding;
	struct mime_type type;
	uint64_t label_at, label_end, header_end, body;
};

struct scan {
	struct downgrade *d;
	unsigned what; /* as in d */
	enum state state;
	bool eight_bit; /* in this leaf */
	bool binary;    /* this leaf is not lines of text */

	uint64_t line_at; /* where the line under way begins */
	size_t line_len;  /* its true length */
	size_t eol;       /* length of the line end in front of it */
	bool line_eight_bit;
	bool line_binary; /* it is none: see DOWNGRADE_BINARY */
	bool cr;          /* its last byte so far */

	uint64_t field_at;
	size_t field_len;
	bool field_cut; /* its end is not kept */

	struct entity now;
	unsigned depth; /* how many entities are open around it */
	struct entity stack[DEPTH_MAX];
	char line[LINE_KEPT];
	char field[FIELD_KEPT];
};

#define UNFIT(s, where) \
	(((s)->what & DOWNGRADE_BINARY) ? "binary data " where \
					: "8-bit text " where)

static bool
cannot(struct scan *s, const char *problem)
{
	if (s->d->problem == NULL)
		s->d->problem = problem;
	return false;
}

/* Put an edit into its place; behind those at the same one. */
static bool
add_edit(struct scan *s, uint64_t at, uint64_t end, enum what what)
{
	struct downgrade *d = s->d;
	unsigned i = d->nedits;

	if (d->nedits == DOWNGRADE_EDITS_MAX)
		return cannot(s, "too many parts");
	for (; i > 0 && d->edits[i - 1].at > at; i--)
		d->edits[i] = d->edits[i - 1];
	d->edits[i].at = at;
	d->edits[i].end = end;
	d->edits[i].what = (unsigned char)what;
	d->nedits++;
	return true;
}

/* Label an entity, and make its header one of MIME, once. */
static bool
label(struct scan *s, struct entity *e, enum what what)
{
	if (e->labelled)
		return true;
	e->labelled = true;
	if (e->message && !e->has_version &&
	    !add_edit(s, e->header_end, e->header_end, ADD_MIME_VERSION))
		return false;
	if (what != LABEL_7BIT && what != LABEL_8BIT && !e->has_type &&
	    !add_edit(s, e->header_end, e->header_end, ADD_TYPE))
		return false;
	if (e->has_encoding)
		return (what == LABEL_7BIT && e->encoding == MIME_7BIT) ||
		    add_edit(s, e->label_at, e->label_end, what);
	/* Without a label it is 7-bit already: RFC 2045 6.1. */
	return what == LABEL_7BIT ||
	    add_edit(s, e->header_end, e->header_end, what);
}

static bool
is_identity(enum mime_encoding e)
{
	return e == MIME_7BIT || e == MIME_8BIT || e == MIME_BINARY;
}

/* A message/ type whose body may be encoded (RFC 6532 3.7, RFC 6533 4). */
static bool
is_global(const struct mime_type *t)
{
	return strncmp(t->subtype, "global", 6) == 0 &&
	    (t->subtype[6] == '\0' || t->subtype[6] == '-');
}

/* Must this leaf be encoded? */
static bool
is_unfit(const struct scan *s)
{
	if ((s->what & DOWNGRADE_8BIT) && s->eight_bit)
		return true;
	return (s->what & DOWNGRADE_BINARY) &&
	    (s->binary || s->now.encoding == MIME_BINARY);
}

/* The entity under way ends at this offset; if it is a leaf, decide. */
static bool
end_entity(struct scan *s, uint64_t end)
{
	struct entity *e = &s->now;
	bool text = strcmp(e->type.type, "text") == 0 && !s->binary;

	if (s->state != IN_LEAF || !is_unfit(s))
		return true;
	if (e->frozen)
		return cannot(s, UNFIT(s, "in a signed part"));
	if (e->broken)
		return cannot(s, UNFIT(s, "behind a malformed header"));
	if (!is_identity(e->encoding))
		return cannot(s, UNFIT(s, "in an encoded part"));
	if (strcmp(e->type.type, "multipart") == 0)
		return cannot(s, UNFIT(s, "in a malformed multipart"));
	if (strcmp(e->type.type, "message") == 0 && !is_global(&e->type))
		return cannot(s, UNFIT(s, "in a message part"));
	for (unsigned i = 0; i < s->depth; i++)
		if ((s->what & DOWNGRADE_8BIT) &&
		    !label(s, &s->stack[i], LABEL_7BIT))
			return false;
	if (!label(s, e, text ? LABEL_QP : LABEL_BASE64))
		return false;
	/* A part labelled binary may be empty. */
	return e->body >= end ||
	    add_edit(s, e->body, end, text ? ENCODE_QP : ENCODE_BASE64);
}

static void
begin_entity(struct scan *s, bool message)
{
	const struct entity *parent =
	    s->depth > 0 ? &s->stack[s->depth - 1] : NULL;

	memset(&s->now, 0, sizeof(s->now));
	s->now.message = message;
	s->now.frozen = parent != NULL && parent->frozen;
	/* RFC 2045 5.2, RFC 2046 5.1.5. */
	if (parent != NULL && parent->digest && !message)
		s->now.type = (struct mime_type){ "message", "rfc822", "" };
	else
		s->now.type = (struct mime_type){ "text", "plain", "" };
	s->state = IN_HEADER;
	s->field_len = 0;
	s->eight_bit = s->binary = false;
}

/* The name of the field kept; its value is set if it is this one. */
static bool
field_is(const struct scan *s, const char *name, const char **value, size_t *n)
{
	const char *colon = memchr(s->field, ':', s->field_len);
	size_t len;

	if (colon == NULL)
		return false;
	len = (size_t)(colon - s->field);
	while (len > 0 && ascii_blank(s->field[len - 1]))
		len--;
	*value = colon + 1;
	*n = (size_t)(s->field + s->field_len - *value);
	return ascii_is(s->field, len, name);
}

/* A whole field of the header has been read; it ends at this offset. */
static void
end_field(struct scan *s, uint64_t end)
{
	struct entity *e = &s->now;
	const char *value;
	size_t n;

	if (s->field_len == 0)
		return;
	if (field_is(s, "Content-Type", &value, &n)) {
		if (e->has_type || s->field_cut ||
		    !mime_type(&e->type, value, n))
			e->broken = true;
		e->has_type = true;
	} else if (field_is(s, "Content-Transfer-Encoding", &value, &n)) {
		if (e->has_encoding || s->field_cut)
			e->broken = true;
		e->encoding = mime_encoding(value, n);
		e->has_encoding = true;
		e->label_at = s->field_at;
		e->label_end = end;
	} else if (field_is(s, "MIME-Version", &value, &n)) {
		e->has_version = true;
	}
	s->field_len = 0;
}

/* A container cannot be encoded, but what is in it will be. */
static bool
relabel_binary(struct scan *s, struct entity *e)
{
	if (!(s->what & DOWNGRADE_BINARY) || e->encoding != MIME_BINARY)
		return true;
	if (e->frozen)
		return cannot(s, UNFIT(s, "in a signed part"));
	return label(
	    s, e, (s->what & DOWNGRADE_8BIT) ? LABEL_7BIT : LABEL_8BIT);
}

/* The header has ended with its empty line: what is its body? */
static bool
begin_body(struct scan *s, uint64_t body)
{
	struct entity *e = &s->now;
	const struct mime_type *t = &e->type;
	bool parts, message;

	e->header_end = s->line_at;
	e->body = body;
	s->state = IN_LEAF;
	parts = strcmp(t->type, "multipart") == 0 && t->boundary[0] != '\0';
	message = strcmp(t->type, "message") == 0 &&
	    strcmp(t->subtype, "rfc822") == 0;
	if ((!parts && !message) || e->broken || !is_identity(e->encoding))
		return true;
	if (s->depth == DEPTH_MAX) {
		e->broken = true;
		return true;
	}
	/* RFC 1847: what is signed or encrypted is not to be changed. */
	if (parts &&
	    (strcmp(t->subtype, "signed") == 0 ||
		strcmp(t->subtype, "encrypted") == 0))
		e->frozen = true;
	e->digest = parts && strcmp(t->subtype, "digest") == 0;
	if (!relabel_binary(s, e))
		return false;
	s->stack[s->depth++] = *e;
	if (message)
		begin_entity(s, true);
	else
		s->state = BESIDE_PARTS;
	return true;
}

/*
 * Is the line a delimiter of this boundary?  1: a part begins; 2: the last
 * one has ended; 0: it is not.  RFC 2046 5.1.1: blanks may follow.
 */
static int
delimiter(const struct scan *s, const char *boundary)
{
	const char *p = s->line + 2, *end = s->line + s->line_len;
	size_t n = strlen(boundary);
	int found = 1;

	if (n == 0 || s->line_len > LINE_KEPT || s->line_len < n + 2 ||
	    memcmp(s->line, "--", 2) != 0 || memcmp(p, boundary, n) != 0)
		return 0;
	p += n;
	if (end - p >= 2 && p[0] == '-' && p[1] == '-') {
		found = 2;
		p += 2;
	}
	while (p < end && ascii_blank(*p))
		p++;
	return p == end ? found : 0;
}

/* If the line ends a part, end it.  False: the conversion cannot be. */
static bool
check_delimiter(struct scan *s, bool *found)
{
	*found = false;
	for (unsigned i = s->depth; i-- > 0;) {
		int kind = delimiter(s, s->stack[i].type.boundary);
		uint64_t end = s->line_at - s->eol;

		if (kind == 0)
			continue;
		*found = true;
		/* The line end in front belongs to the delimiter. */
		if (!end_entity(s, end > s->now.body ? end : s->now.body))
			return false;
		s->depth = i + (kind == 1);
		if (kind == 1)
			begin_entity(s, false);
		else
			s->state = BESIDE_PARTS;
		return true;
	}
	return true;
}

/* Must this line not be where it cannot be encoded? */
static bool
line_is_unfit(const struct scan *s)
{
	return ((s->what & DOWNGRADE_8BIT) && s->line_eight_bit) ||
	    ((s->what & DOWNGRADE_BINARY) && s->line_binary);
}

static bool
header_line(struct scan *s, uint64_t next)
{
	size_t n = s->line_len < LINE_KEPT ? s->line_len : LINE_KEPT;

	if (line_is_unfit(s))
		return cannot(s, UNFIT(s, "in a header"));
	if (s->line_len == 0) {
		end_field(s, s->line_at);
		return begin_body(s, next);
	}
	if (!ascii_blank(s->line[0])) {
		end_field(s, s->line_at);
		s->field_at = s->line_at;
		s->field_cut = false;
		if (memchr(s->line, ':', n) == NULL)
			s->now.broken = true;
	} else if (s->field_len == 0) {
		s->now.broken = true; /* a continuation of nothing */
	}
	if (n < s->line_len)
		s->field_cut = true;
	if (n > sizeof(s->field) - s->field_len) {
		n = sizeof(s->field) - s->field_len;
		s->field_cut = true;
	}
	memcpy(s->field + s->field_len, s->line, n);
	s->field_len += n;
	return true;
}

/* Take a whole line; the next one begins at this offset. */
static bool
take_line(struct scan *s, uint64_t next)
{
	bool delimiter_found = false;

	/* In a binary message only lines are lines. */
	if (s->line_len >= 2 && s->line[0] == '-' && s->line[1] == '-' &&
	    (!(s->what & DOWNGRADE_BINARY) ||
		(!s->line_binary && s->eol != 1)) &&
	    !check_delimiter(s, &delimiter_found))
		return false;
	if (delimiter_found)
		return true;
	switch (s->state) {
	case IN_HEADER:
		return header_line(s, next);
	case IN_LEAF:
		s->eight_bit |= s->line_eight_bit;
		s->binary |= s->line_binary;
		return true;
	case BESIDE_PARTS:
		if (line_is_unfit(s))
			return cannot(s, UNFIT(s, "beside the parts"));
		return true;
	}
	return true;
}

/* Take some bytes of a line. */
static void
take_bytes(struct scan *s, const char *p, size_t n)
{
	if (lines_eight_bit(p, n))
		s->line_eight_bit = true;
	if (n > 0 && (s->what & DOWNGRADE_BINARY) &&
	    (s->cr || memchr(p, '\0', n) != NULL ||
		memchr(p, '\r', n - 1) != NULL))
		s->line_binary = true;
	if (s->line_len < LINE_KEPT) {
		size_t room = LINE_KEPT - s->line_len;

		memcpy(s->line + s->line_len, p, n < room ? n : room);
	}
	s->line_len += n;
	if (n > 0)
		s->cr = p[n - 1] == '\r';
}

/* The line under way has ended in front of this offset, or the message has:
 * eol is 0 then. */
static bool
end_line(struct scan *s, uint64_t next, size_t eol)
{
	if (eol == 2)
		s->line_len--;
	if ((s->what & DOWNGRADE_BINARY) &&
	    (eol == 1 || (eol == 0 && s->cr) || s->line_len > LINE_MOST))
		s->line_binary = true;
	if (!take_line(s, next))
		return false;
	s->eol = eol;
	s->line_at = next;
	s->line_len = 0;
	s->line_eight_bit = s->line_binary = false;
	s->cr = false;
	return true;
}

/* Take some bytes of the message, which are at this offset. */
static bool
take_chunk(struct scan *s, uint64_t offset, const char *p, size_t n)
{
	const char *start = p, *end = p + n, *lf;

	while (p < end) {
		lf = memchr(p, '\n', (size_t)(end - p));
		take_bytes(s, p, (size_t)((lf != NULL ? lf : end) - p));
		if (lf == NULL)
			return true;
		p = lf + 1;
		if (!end_line(s, offset + (uint64_t)(p - start), 1 + s->cr))
			return false;
	}
	return true;
}

enum downgrade_result
downgrade_plan(
    struct downgrade *d, unsigned what, downgrade_source *source, void *arg)
{
	struct scan s;
	uint64_t offset = 0;
	ssize_t n;

	memset(d, 0, offsetof(struct downgrade, edits));
	d->what = what;
	d->source = source;
	d->arg = arg;
	memset(&s, 0, offsetof(struct scan, stack));
	s.d = d;
	s.what = what;
	begin_entity(&s, true);
	while ((n = source(arg, offset, d->in, sizeof(d->in))) > 0) {
		if (!take_chunk(&s, offset, d->in, (size_t)n))
			return DOWNGRADE_CANNOT;
		offset += (uint64_t)n;
	}
	if (n < 0)
		return DOWNGRADE_ERROR;
	if ((s.line_len > 0 && !end_line(&s, offset, 0)) ||
	    !end_entity(&s, offset))
		return DOWNGRADE_CANNOT;
	return d->nedits > 0 ? DOWNGRADE_READY : DOWNGRADE_NONE;
}
