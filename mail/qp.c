/*
 * qp.c - the quoted-printable encoder.
 */
#include <string.h>

#include "mail/ascii.h"
#include "mail/qp.h"

#define QP_LINE 76 /* RFC 2045 6.7, rule 5; a soft break's "=" included */

void
qp_init(struct qp *q)
{
	memset(q, 0, sizeof(*q));
}

/* Write one byte, encoded if it must be, on a new line if there is no room. */
static char *
put(struct qp *q, char c, bool encode, char *o)
{
	static const char hex[] = "0123456789ABCDEF";

	if (q->column + (encode ? 3 : 1) >= QP_LINE) {
		memcpy(o, "=\r\n", 3);
		o += 3;
		q->column = 0;
		q->soft = true;
	}
	if (q->soft && (c == '-' || c == '.'))
		encode = true;
	q->soft = false;
	if (!encode) {
		*o++ = c;
		q->column++;
		return o;
	}
	*o++ = '=';
	*o++ = hex[(unsigned char)c >> 4];
	*o++ = hex[c & 15];
	q->column = (unsigned char)(q->column + 3);
	return o;
}

/* Write what is held back, now that it is known not to end a line. */
static char *
release(struct qp *q, char *o)
{
	if (q->blank != '\0')
		o = put(q, q->blank, false, o);
	if (q->cr)
		o = put(q, '\r', true, o);
	q->blank = '\0';
	q->cr = false;
	return o;
}

static char *
line_end(struct qp *q, char *o)
{
	/* RFC 2045 6.7, rule 3: blanks at the end of a line may get lost. */
	if (q->blank != '\0')
		o = put(q, q->blank, true, o);
	*o++ = '\r';
	*o++ = '\n';
	qp_init(q);
	return o;
}

size_t
qp_write(struct qp *q, const char *in, size_t n, char *out)
{
	char *o = out;

	for (size_t i = 0; i < n; i++) {
		char c = in[i];

		if (c == '\n' && q->cr) {
			o = line_end(q, o);
			continue;
		}
		if (c == '\r' && !q->cr) {
			q->cr = true;
			continue;
		}
		o = release(q, o);
		if (c == '\r')
			q->cr = true;
		else if (ascii_blank(c))
			q->blank = c;
		else
			o = put(q, c, !ascii_print(c) || c == '=', o);
	}
	return (size_t)(o - out);
}

size_t
qp_end(struct qp *q, char out[QP_END])
{
	char *o = out;

	if (q->cr)
		o = release(q, o);
	else if (q->blank != '\0')
		o = put(q, q->blank, true, o);
	qp_init(q);
	return (size_t)(o - out);
}
