/*
 * reply.c - the words of the server (RFC 5321 4.2, RFC 2034).
 *
 * Every octet of a reply is printable ASCII, whatever went into it, and a
 * line never passes 512 octets.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/metric.h"
#include "mail/ascii.h"
#include "smtpd/handler.h"
#include "smtpd/text.h"
#include "smtpd/transaction.h"

#define LINE_SIZE   512
#define STATUS_MOST 12
#define TEXT_SIZE   490 /* LINE_SIZE less the code, the status and CRLF */

static size_t put_text(char *, const char *fmt, va_list)
    __attribute__((format(printf, 2, 0)));
static void add(struct session *, int code, char separator, const char *status,
    const char *fmt, va_list) __attribute__((format(printf, 5, 0)));

/* Three digits, the separator, and the status where there is one. */
static char *
put_head(char *p, int code, char separator, const char *status)
{
	*p++ = (char)('0' + code / 100);
	*p++ = (char)('0' + code / 10 % 10);
	*p++ = (char)('0' + code % 10);
	*p++ = separator;
	if (*status == '\0')
		return p;
	for (int i = 0; i < STATUS_MOST && status[i] != '\0'; i++)
		*p++ = status[i];
	*p++ = ' ';
	return p;
}

/* How long the text is at p.  Most are constant. */
static size_t
put_text(char *p, const char *fmt, va_list ap)
{
	size_t n;
	int k;

	if (strchr(fmt, '%') == NULL) {
		n = strnlen(fmt, TEXT_SIZE - 1);
		memcpy(p, fmt, n);
		return n;
	}
	k = vsnprintf(p, TEXT_SIZE, fmt, ap);
	return k < 0 ? 0 : k < TEXT_SIZE ? (size_t)k : TEXT_SIZE - 1;
}

static void
add(struct session *s, int code, char separator, const char *status,
    const char *fmt, va_list ap)
{
	char *line = buf_reserve(s->out, LINE_SIZE), *text, *p;

	assert(code >= 0 && code < 1000);
	text = put_head(line, code, separator, status);
	p = text + put_text(text, fmt, ap);
	for (char *c = text; c < p; c++)
		if (!ascii_print(*c))
			*c = '?';
	*p++ = '\r';
	*p++ = '\n';
	buf_commit(s->out, (size_t)(p - line));
}

int
reply(struct session *s, int code, const char *status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(s, code, ' ', status, fmt, ap);
	va_end(ap);
	return code;
}

void
reply_line(
    struct session *s, int code, const char *status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(s, code, '-', status, fmt, ap);
	va_end(ap);
}

int
reply_misread(struct session *s, enum args_result r, const char *address,
    const char *shape)
{
	static const struct {
		int code;
		const char *status; /* NULL: that of a wrong address */
		const char *text;   /* NULL: the shape */
	} rows[ARGS_RESULTS] = {
		[ARGS_SYNTAX] = { 501, NULL, NULL },
		[ARGS_UNKNOWN_PARAM] = { 555, "5.5.4",
		    "parameter not recognised" },
		[ARGS_BAD_PARAM] = { 501, "5.5.4", "bad value of a parameter" },
		[ARGS_DUPLICATE_PARAM] = { 501, "5.5.4",
		    "parameter given twice" },
		[ARGS_ROUTE] = { 501, NULL, "source routes are not taken" },
		[ARGS_TOO_LONG] = { 501, NULL, "address too long" },
		/* RFC 6531 3.5. */
		[ARGS_NEEDS_UTF8] = { 553, "5.6.7",
		    "only after MAIL with SMTPUTF8 may an address be "
		    "other than ASCII" },
	};

	return reply(s, rows[r].code,
	    rows[r].status != NULL ? rows[r].status : address, "%s",
	    rows[r].text != NULL ? rows[r].text : shape);
}

void
outcome_set(struct outcome *o, uint32_t verdict, uint32_t code,
    const char *status, const char *text)
{
	static const struct {
		uint32_t code;
		char digit;
		const char *status, *text;
	} general[V_COUNT] = {
		[V_OK] = { 250, '2', "2.0.0", "ok" },
		[V_TEMP] = { 451, '4', "4.3.0", "try again later" },
		[V_PERM] = { 550, '5', "5.7.1", "refused" },
	};
	bool fits;

	if (verdict >= V_COUNT)
		verdict = V_TEMP;
	fits = code / 100 == (uint32_t)(general[verdict].digit - '0') &&
	    code < 600 && status[0] == general[verdict].digit;
	o->verdict = (enum verdict)verdict;
	o->code = (int)(fits ? code : general[verdict].code);
	text_copy(o->status, sizeof(o->status),
	    fits ? status : general[verdict].status);
	text_copy(o->text, sizeof(o->text),
	    *text != '\0' ? text : general[verdict].text);
}

int
reply_outcome(struct session *s, const struct outcome *o)
{
	return reply(s, o->code, o->status, "%s", o->text);
}

int
refuse_sender(struct session *s, const char *sender, const struct outcome *o)
{
	metric_add(METRIC_REJECTED, o->status, NULL, NULL, 1);
	log_event("msg.refused",
	    "ip=%s port=%u tls=%s mech=%s code=%d status=%s account=%s "
	    "from=%s reason=%s",
	    s->ip, s->port, s->tls, s->mech, o->code, o->status,
	    log_quote(s->account), log_quote(sender), log_quote(o->text));
	return reply_outcome(s, o);
}

int
refuse(struct session *s, const struct outcome *o)
{
	return refuse_sender(s, s->tx->sender, o);
}
