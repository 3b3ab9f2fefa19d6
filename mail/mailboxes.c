/*
 * mailboxes.c - address lists of header fields (RFC 5322 3.4, 4.4).
 *
 * Mail programs guess when From: is odd, each in its own way, so what could
 * be read in two ways is refused: who signs a message must be beyond doubt.
 */
#include <string.h>

#include "mail/ascii.h"
#include "mail/cfws.h"
#include "mail/header.h"

enum token {
	END,
	ATOM,    /* RFC 5322 3.2.3, and 8-bit bytes (RFC 6532) */
	ENCODED, /* an encoded word with characters that no atom has */
	QUOTED,
	LITERAL, /* a domain in brackets */
	SPECIAL, /* one of < > @ , ; : . */
	BAD,
};

/* What is left to read, and the token in front of it. */
struct lexer {
	const char *p, *end;
	enum token token;
	const char *text; /* of the token; a quoted string without its quotes */
	size_t len;
};

static bool
is_atext(char c)
{
	return ascii_alnum(c) || (c & 0x80) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/*
 * The length of the encoded word (RFC 2047 2) at p, or 0.  Mail programs put
 * more characters into it than the RFC lets them in a phrase, such as commas;
 * but none with which another reader could find an address in there.
 */
static size_t
encoded_word(const char *p, const char *end)
{
	const char *s;
	int marks = 0;

	if (end - p < 2 || p[0] != '=' || p[1] != '?')
		return 0;
	for (s = p + 2; s < end && ascii_print(*s); s++) {
		if (strchr(" <>@\"\\()", *s) != NULL)
			return 0;
		if (*s == '?' && ++marks == 3)
			return s + 1 < end && s[1] == '=' ? (size_t)(s + 2 - p)
							  : 0;
	}
	return 0;
}

static void
set_token(struct lexer *lx, enum token token, const char *text, size_t len,
    const char *rest)
{
	lx->token = token;
	lx->text = text;
	lx->len = len;
	lx->p = rest;
}

/* Go on to the next token, over blanks and comments. */
static void
next(struct lexer *lx)
{
	const char *end = lx->end, *p = cfws_skip(lx->p, end), *q = p;
	size_t n;

	if (p == NULL) {
		set_token(lx, BAD, end, 0, end);
	} else if (p == end) {
		set_token(lx, END, p, 0, p);
	} else if (*p != '\0' && strchr("<>@,;:.", *p) != NULL) {
		set_token(lx, SPECIAL, p, 1, p + 1);
	} else if (*p == '"' && (q = cfws_quote(p + 1, end)) != NULL) {
		set_token(lx, QUOTED, p + 1, (size_t)(q - p - 1), q + 1);
	} else if (*p == '[' && (q = memchr(p, ']', (size_t)(end - p)))) {
		set_token(lx, LITERAL, p, (size_t)(q - p + 1), q + 1);
	} else if (is_atext(*p)) {
		while (q < end && is_atext(*q))
			q++;
		n = encoded_word(p, end);
		if (n > (size_t)(q - p))
			set_token(lx, ENCODED, p, n, p + n);
		else
			set_token(lx, ATOM, p, (size_t)(q - p), q);
	} else {
		set_token(lx, BAD, p, 0, end);
	}
}

static bool
at(const struct lexer *lx, char special)
{
	return lx->token == SPECIAL && *lx->text == special;
}

/*
 * Some words and dots: a display name, or a local part.
 *
 *   phrase  it can be the former: not empty, a word first
 *   dotted  it can be the latter: words with dots between them
 *   local   its meaning then, and len may say that it did not fit
 */
struct words {
	bool phrase, dotted;
	size_t len;
	char local[65];
};

static void
add(struct words *w, char c)
{
	if (w->len < sizeof(w->local))
		w->local[w->len++] = c;
}

static void
read_words(struct lexer *lx, struct words *w)
{
	bool word_before = false;

	memset(w, 0, sizeof(*w));
	w->dotted = true;
	for (;; next(lx)) {
		bool dot = at(lx, '.');

		if (!dot && lx->token != ATOM && lx->token != ENCODED &&
		    lx->token != QUOTED)
			break;
		if (dot != word_before || lx->token == ENCODED)
			w->dotted = false;
		if (!dot && !word_before && w->len == 0)
			w->phrase = true;
		for (size_t i = 0; i < lx->len; i++) {
			char c = lx->text[i];

			if (lx->token == QUOTED) {
				if (c == '\\')
					c = lx->text[++i];
				else if (c == '\r' || c == '\n')
					continue; /* folding */
			}
			add(w, c);
		}
		word_before = !dot;
	}
	if (!word_before)
		w->dotted = false;
}

/* The rest of an address, at its "@". */
static bool
read_domain(struct lexer *lx, const struct words *w, struct address *a)
{
	char text[2 + 255] = { 'x', '@' };
	size_t n = 2;
	bool more;

	if (!at(lx, '@') || !w->dotted || w->len == sizeof(w->local))
		return false;
	/* Some mail programs decode an encoded word even in here, and show
	 * whatever address it holds. */
	if (memmem(w->local, w->len, "=?", 2) != NULL)
		return false;
	do {
		next(lx);
		if (lx->token != ATOM && (lx->token != LITERAL || n > 2))
			return false;
		if (lx->len >= sizeof(text) - n)
			return false;
		memcpy(text + n, lx->text, lx->len);
		n += lx->len;
		next(lx);
		more = at(lx, '.');
		if (more)
			text[n++] = '.';
	} while (more);
	if (!address_parse(a, text, n))
		return false;
	memset(a->local, 0, sizeof(a->local));
	memcpy(a->local, w->local, w->len);
	return address_valid(a);
}

struct list {
	struct lexer lx;
	struct address *out;
	size_t max, count;
	bool any, in_group;
};

/* What may follow a mailbox or a group. */
static bool
at_separator(const struct list *l)
{
	return l->lx.token == END || at(&l->lx, ',') ||
	    (l->in_group && at(&l->lx, ';'));
}

/* A mailbox, or the name of a group and its colon. */
static bool
read_element(struct list *l)
{
	struct lexer *lx = &l->lx;
	struct words w;

	l->any = true;
	read_words(lx, &w);
	if (at(lx, ':') && w.phrase && !l->in_group) {
		l->in_group = true;
		next(lx);
		return true;
	}
	if (l->count == l->max)
		return false;
	if (at(lx, '<') && (w.phrase || (w.len == 0 && !w.dotted))) {
		next(lx);
		read_words(lx, &w);
		if (!read_domain(lx, &w, &l->out[l->count]) || !at(lx, '>'))
			return false;
		next(lx);
	} else if (!read_domain(lx, &w, &l->out[l->count])) {
		return false;
	}
	l->count++;
	return at_separator(l);
}

bool
header_mailboxes(
    const char *value, size_t n, struct address *out, size_t max, size_t *count)
{
	struct list l = {
		.lx = { .p = value, .end = value + n }, .out = out, .max = max
	};

	next(&l.lx);
	while (l.lx.token != END) {
		if (at(&l.lx, ',')) { /* RFC 5322 4.4: none before it */
			next(&l.lx);
		} else if (l.in_group && at(&l.lx, ';')) {
			l.in_group = false;
			next(&l.lx);
			if (!at_separator(&l))
				return false;
		} else if (!read_element(&l)) {
			return false;
		}
	}
	if (!l.any || l.in_group)
		return false;
	*count = l.count;
	return true;
}
