/*
 * dkim_header.c - the header as DKIM hashes it, and the field that DKIM adds.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "mail/ascii.h"
#include "mail/dkim.h"
#include "mail/header.h"

enum {
	LAST_FEW = 4, /* of fields with one name */
	WIDTH = 76,
};

/*
 * What is signed (RFC 6376 5.4.1), in the order of h=.  `once`: RFC 5322 3.6
 * allows one, so h= forbids a second.
 */
static const struct {
	const char *name;
	bool once;
} names[] = {
	{ "From", true },
	{ "Sender", false },
	{ "Reply-To", true },
	{ "To", true },
	{ "Cc", true },
	{ "Subject", true },
	{ "Date", true },
	{ "Message-ID", true },
	{ "In-Reply-To", false },
	{ "References", false },
	{ "MIME-Version", true },
	{ "Content-Type", true },
	{ "Content-Transfer-Encoding", true },
	{ "List-Id", false },
	{ "List-Help", false },
	{ "List-Unsubscribe", false },
	{ "List-Unsubscribe-Post", false },
	{ "List-Subscribe", false },
	{ "List-Post", false },
	{ "List-Owner", false },
	{ "List-Archive", false },
};

enum { NAMES = sizeof(names) / sizeof(names[0]), FROM = 0 };

/* Every instance and one more of every name fit. */
static_assert(NAMES * LAST_FEW <= DKIM_FIELDS, "all fields fit");
static_assert(NAMES * (LAST_FEW + 1) * 16 < DKIM_NAMES, "all names fit");

/* Bytes gathered for as few calls of put as possible. */
struct gather {
	dkim_put *put;
	void *arg;
	size_t n;
	char text[256];
};

static void
flush(struct gather *g)
{
	if (g->n > 0)
		g->put(g->arg, g->text, g->n);
	g->n = 0;
}

static void
add(struct gather *g, char c)
{
	if (g->n == sizeof(g->text))
		flush(g);
	g->text[g->n++] = c;
}

void
dkim_field(const char *field, size_t n, dkim_put *put, void *arg)
{
	struct gather g = { .put = put, .arg = arg };
	bool space = false, value = false;
	bool begun = false; /* this side of the colon has something */

	for (size_t i = 0; i < n; i++) {
		char c = field[i];

		if (c == '\r' || c == '\n')
			continue;
		if (ascii_blank(c)) {
			space = true;
			continue;
		}
		if (!value && c == ':') {
			value = true;
			begun = false;
		} else {
			if (space && begun)
				add(&g, ' ');
			begun = true;
			if (!value)
				c = ascii_lower(c);
		}
		space = false;
		add(&g, c);
	}
	flush(&g);
}

/* The next field of a header, with its CRLF; 0 at the header's end. */
static size_t
next_field(const char *p, const char *end)
{
	const char *from = p, *lf;

	if (p == end || *p == '\n' ||
	    (*p == '\r' && p + 1 < end && p[1] == '\n'))
		return 0;
	do {
		lf = memchr(p, '\n', (size_t)(end - p));
		p = lf != NULL ? lf + 1 : end;
	} while (p < end && ascii_blank(*p));
	return (size_t)(p - from);
}

/* Which of names[] it is; NAMES for none. */
static unsigned
field_name(const char *field, size_t n)
{
	const char *colon = memchr(field, ':', n);
	size_t len = colon != NULL ? (size_t)(colon - field) : 0;
	unsigned i = 0;

	while (len > 0 && ascii_blank(field[len - 1]))
		len--;
	while (i < NAMES && (len == 0 || !ascii_is(field, len, names[i].name)))
		i++;
	return i;
}

static void
add_name(struct dkim_header *h, size_t *len, const char *name)
{
	*len += (size_t)snprintf(h->names + *len, sizeof(h->names) - *len,
	    "%s%s", *len > 0 ? ":" : "", name);
}

bool
dkim_header_read(struct dkim_header *h, const char *text, size_t n)
{
	/* The last few of each name, in a ring. */
	struct {
		const char *at;
		size_t len;
	} last[NAMES][LAST_FEW];
	unsigned count[NAMES] = { 0 };
	const char *p = text, *end = text + n;
	size_t k, len = 0;

	for (; (k = next_field(p, end)) > 0; p += k) {
		unsigned i = field_name(p, k);

		if (i == NAMES)
			continue;
		last[i][count[i] % LAST_FEW].at = p;
		last[i][count[i]++ % LAST_FEW].len = k;
	}
	h->n = 0;
	for (unsigned i = 0; i < NAMES; i++) {
		unsigned few = count[i] < LAST_FEW ? count[i] : LAST_FEW;

		/* RFC 6376 5.4.2: from the bottom of the header up. */
		for (unsigned b = 1; b <= few; b++) {
			h->fields[h->n].at =
			    last[i][(count[i] - b) % LAST_FEW].at;
			h->fields[h->n++].len =
			    last[i][(count[i] - b) % LAST_FEW].len;
			add_name(h, &len, names[i].name);
		}
		if (names[i].once && few > 0 && few == count[i])
			add_name(h, &len, names[i].name);
	}
	return count[FROM] > 0;
}

void
dkim_header_put(const struct dkim_header *h, dkim_put *put, void *arg)
{
	for (unsigned i = 0; i < h->n; i++) {
		dkim_field(h->fields[i].at, h->fields[i].len, put, arg);
		put(arg, "\r\n", 2);
	}
}

/* The value of a field without its line ends; false when it is too long. */
static bool
unfold(const char *field, size_t n, char *out, size_t size, size_t *len)
{
	const char *colon = memchr(field, ':', n);

	if (colon == NULL)
		return false;
	*len = 0;
	for (const char *p = colon + 1; p < field + n; p++) {
		if (*p == '\r' || *p == '\n')
			continue;
		if (*len == size)
			return false;
		out[(*len)++] = *p;
	}
	return true;
}

bool
dkim_author(const char *text, size_t n, char domain[256])
{
	char value[sizeof(((struct header_scan *)0)->from)];
	const char *p = text, *end = text + n;
	struct address boxes[100];
	size_t k, len, count;

	while ((k = next_field(p, end)) > 0 && field_name(p, k) != FROM)
		p += k;
	if (k == 0 || !unfold(p, k, value, sizeof(value), &len) ||
	    !header_mailboxes(
		value, len, boxes, sizeof(boxes) / sizeof(boxes[0]), &count) ||
	    count == 0 || boxes[0].domain[0] == '\0' ||
	    boxes[0].domain[0] == '[')
		return false;
	memcpy(domain, boxes[0].domain, sizeof(boxes[0].domain));
	return true;
}

/* A field under way, folded where its width is used up. */
struct fold {
	char *out;
	size_t len, column;
};

/* A piece that is not to be broken. */
static void
put_piece(struct fold *f, const char *text, size_t n, const char *blank)
{
	size_t gap = strlen(blank);

	if (f->column + gap + n > WIDTH && f->column > 1) {
		memcpy(f->out + f->len, "\r\n\t", 3);
		f->len += 3;
		f->column = 1;
	} else {
		memcpy(f->out + f->len, blank, gap);
		f->len += gap;
		f->column += gap;
	}
	memcpy(f->out + f->len, text, n);
	f->len += n;
	f->column += n;
}

static void
put_tag(struct fold *f, const char *name, const char *value, const char *end)
{
	char tag[340];
	int n = snprintf(tag, sizeof(tag), "%s=%s%s", name, value, end);

	put_piece(f, tag, (size_t)n, " ");
}

static void
put_names(struct fold *f, const char *list)
{
	size_t n;

	put_piece(f, "h=", 2, " ");
	for (; *list != '\0'; list += n) {
		n = strcspn(list, ":");
		n += list[n] == ':';
		put_piece(f, list, n, "");
	}
	put_piece(f, ";", 1, "");
}

size_t
dkim_signature_begin(char out[DKIM_SIGNATURE_MAX], const struct dkim_tags *t)
{
	struct fold f = { out, 0, 0 };
	char when[24];

	snprintf(when, sizeof(when), "%llu", (unsigned long long)t->when);
	put_piece(&f, "DKIM-Signature:", 15, "");
	put_tag(&f, "v", "1", ";");
	put_tag(&f, "a", t->algorithm, ";");
	put_tag(&f, "c", "relaxed/relaxed", ";");
	put_tag(&f, "d", t->domain, ";");
	put_tag(&f, "s", t->selector, ";");
	put_tag(&f, "t", when, ";");
	put_names(&f, t->names);
	put_tag(&f, "bh", t->body_hash, ";");
	f.column = WIDTH; /* a line of its own */
	put_tag(&f, "b", "", "");
	f.out[f.len] = '\0';
	return f.len;
}

size_t
dkim_signature_end(char out[DKIM_SIGNATURE_MAX], size_t len, const char *base64)
{
	size_t n = strlen(base64), k;

	for (size_t at = 0; at < n; at += k) {
		k = n - at < WIDTH - 4 ? n - at : WIDTH - 4;
		if (at > 0) {
			memcpy(out + len, "\r\n\t", 3);
			len += 3;
		}
		memcpy(out + len, base64 + at, k);
		len += k;
	}
	memcpy(out + len, "\r\n", 3);
	return len + 2;
}
