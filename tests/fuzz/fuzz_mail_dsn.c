/* Whatever strings go in, the notice has its three parts and its header. */
#include "fuzz_mail.h"

#include "mail/dsn.h"
#include "mail/dsn_digest.h"
#include "mail/lines.h"

static char out[1 << 20];
static size_t len;

static void
put(void *arg, const char *s, size_t n)
{
	assert(arg == out && n < sizeof(out) - len);
	memcpy(out + len, s, n);
	len += n;
	out[len] = '\0';
}

/* The next string of the input, up to a NUL or its end; NULL at the end. */
static const char *
take(char **at, char *end)
{
	char *s = *at;

	if (s >= end)
		return NULL;
	*at = s + strlen(s) + 1;
	return s;
}

/* Lines of text, whatever went in; returns how many delimiters stand there. */
static size_t
check_lines(bool eight_bit, size_t n)
{
	size_t line = 0, delimiters = 0;

	assert(eight_bit == lines_eight_bit(out, len));
	for (size_t i = 0; i < len; i++) {
		if (out[i] != '\r') {
			assert(
			    (out[i] & 0x80) || out[i] >= ' ' || out[i] == '\t');
			line++;
			continue;
		}
		assert(out[++i] == '\n');
		/* Names of ours are bounded before they come here. */
		assert(line <= 998 || i < 3 * n + 2000);
		line = 0;
	}
	for (const char *p = out; (p = strstr(p, "\r\n--=_postern_")) != NULL;
	     p++)
		delimiters++;
	return delimiters;
}

/* The same recipients in a digest. */
static void
digest(const struct dsn *d, size_t n)
{
	struct dsn_failure f[2] = { { .rcpt = d->recipients[0] },
		{ .rcpt = d->recipients[1],
		    .message_id = d->original_message_id,
		    .envid = d->envid,
		    .arrived = d->arrived } };
	struct dsn_digest g = { .hostname = d->hostname,
		.to = d->to,
		.id = d->id,
		.now = d->now,
		.failures = f,
		.nfailures = 2 };
	bool eight_bit;

	len = 0;
	eight_bit = dsn_digest_write(&g, put, out);
	assert(check_lines(eight_bit, 3 * n) == 3);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	char *s = room(n + 1), *at = s, *end = s + n;
	struct dsn_recipient r[2];
	struct dsn d = { .nrecipients = 2, .recipients = r, .id = 7 };
	bool eight_bit;
	size_t fields = 0;
	const char *empty, *p;

	if (n < 2 || n > 16384) {
		free(s);
		return 0;
	}
	memcpy(s, in, n);
	s[n] = '\0';
	d.utf8 = *at & 4;
	d.kind = (enum dsn_kind)((unsigned char)*at++ % DSN_KINDS);
	d.now = d.arrived = d.give_up = seed_of(in, n);
	memset(r, 0, sizeof(r));
	d.hostname = take(&at, end);
	d.to = take(&at, end);
	d.original_message_id = take(&at, end);
	for (int i = 0; i < 2; i++) {
		r[i].address = take(&at, end);
		r[i].status = take(&at, end);
		r[i].remote = take(&at, end);
		r[i].reply = take(&at, end);
		r[i].reason = take(&at, end);
		r[i].orcpt = take(&at, end);
		if (r[i].address == NULL)
			r[i].address = "a@b";
		if (r[i].status == NULL)
			r[i].status = "5.0.0";
	}
	if (d.hostname == NULL)
		d.hostname = "h";
	if (d.to == NULL)
		d.to = "a@b";
	d.envid = take(&at, end);
	if (at < end) {
		d.header = at;
		d.header_len = (size_t)(end - at);
	}
	len = 0;
	eight_bit = dsn_write(&d, put, out);
	assert(check_lines(eight_bit, n) >= 3);
	empty = strstr(out, "\r\n\r\n");
	for (p = out; p < empty; p = strstr(p, "\r\n") + 2)
		fields += *p != ' ' && *p != '\t';
	assert(fields >= 8 && fields <= 11);
	digest(&d, n);
	free(s);
	return 0;
}
