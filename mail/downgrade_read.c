/*
 * downgrade_read.c - see downgrade.h: the edits carried out, in pieces.
 */
#include <assert.h>
#include <string.h>

#include "mail/downgrade_edit.h"

enum {
	EXPANSION = 4, /* no encoder makes more of a byte, see QP_ROOM() */
};

static const char *const lines[] = {
	[ADD_MIME_VERSION] = "MIME-Version: 1.0\r\n",
	/* RFC 1428 2: the bytes mean something, but nobody said what. */
	[ADD_TYPE] = "Content-Type: text/plain; charset=unknown-8bit\r\n",
	[LABEL_7BIT] = "Content-Transfer-Encoding: 7bit\r\n",
	[LABEL_8BIT] = "Content-Transfer-Encoding: 8bit\r\n",
	[LABEL_QP] = "Content-Transfer-Encoding: quoted-printable\r\n",
	[LABEL_BASE64] = "Content-Transfer-Encoding: base64\r\n",
};

/* Read up to n bytes of the original, but not past end; -1 on an error. */
static ssize_t
pull(struct downgrade *d, char *out, size_t n, uint64_t end)
{
	ssize_t got;

	if (n > end - d->offset)
		n = (size_t)(end - d->offset);
	got = d->source(d->arg, d->offset, out, n);
	if (got > 0)
		d->offset += (uint64_t)got;
	return got;
}

/* Some of an encoded stretch; -1 when the source failed. */
static ssize_t
encode(
    struct downgrade *d, const struct downgrade_edit *e, char *out, size_t size)
{
	bool qp = e->what == ENCODE_QP;
	size_t n = (size - 2 * QP_END) / EXPANSION, len;
	ssize_t got;

	if (!d->inside) {
		d->inside = true;
		qp_init(&d->qp);
		base64_mime_init(&d->base64);
	}
	if (n > sizeof(d->in))
		n = sizeof(d->in);
	got = pull(d, d->in, n, e->end);
	if (got <= 0)
		return -1;
	if (qp)
		len = qp_write(&d->qp, d->in, (size_t)got, out);
	else
		len = base64_mime_write(&d->base64, d->in, (size_t)got, out);
	if (d->offset < e->end)
		return (ssize_t)len;
	d->inside = false;
	d->edit++;
	if (qp)
		len += qp_end(&d->qp, out + len);
	else
		len += base64_mime_end(&d->base64, out + len);
	return (ssize_t)len;
}

ssize_t
downgrade_read(struct downgrade *d, char *out, size_t size)
{
	size_t len = 0;

	assert(size >= DOWNGRADE_OUT_MIN);
	/* The last bytes of out may be too few for a label or an encoder. */
	while (size - len >= DOWNGRADE_OUT_MIN / 2) {
		const struct downgrade_edit *e =
		    d->edit < d->nedits ? &d->edits[d->edit] : NULL;
		ssize_t n;

		if (e == NULL || d->offset < e->at) {
			n = pull(d, out + len, size - len,
			    e != NULL ? e->at : UINT64_MAX);
			if (n == 0 && e == NULL)
				break;
			if (n <= 0)
				return -1;
		} else if (e->what == ENCODE_QP || e->what == ENCODE_BASE64) {
			n = encode(d, e, out + len, size - len);
			if (n < 0)
				return -1;
		} else {
			n = (ssize_t)strlen(lines[e->what]);
			memcpy(out + len, lines[e->what], (size_t)n);
			d->offset = e->end;
			d->edit++;
		}
		len += (size_t)n;
	}
	return (ssize_t)len;
}

void
downgrade_rewind(struct downgrade *d)
{
	d->offset = 0;
	d->edit = 0;
	d->inside = false;
}
