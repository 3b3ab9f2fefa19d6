/*
 * tlsrpt.c - see tlsrpt.h.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hex.h"
#include "mail/ascii.h"
#include "mail/base64.h"
#include "mail/date.h"
#include "mail/msgid.h"
#include "mail/tlsrpt.h"

#define RECORD_TAG "v=TLSRPTv1"

static const char *
skip_blanks(const char *s)
{
	while (ascii_blank(*s))
		s++;
	return s;
}

static bool
has_scheme(const char *s, size_t n)
{
	return (n > 7 && ascii_same(s, "mailto:", 7)) ||
	    (n > 8 && ascii_same(s, "https://", 8));
}

/* RFC 3986: what a URI is made of, so no blanks and no quotes. */
static bool
is_uri(const char *s, size_t n)
{
	if (n >= TLSRPT_URI_SIZE || !has_scheme(s, n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!ascii_print(s[i]) || strchr(" \"<>\\^`{|}", s[i]) != NULL)
			return false;
	return true;
}

static void
add_place(char rua[TLSRPT_RUA_SIZE], unsigned *count, const char *s, size_t n)
{
	size_t len = strlen(rua);

	while (n > 0 && ascii_blank(s[n - 1]))
		n--;
	if (*count == TLSRPT_URIS || !is_uri(s, n))
		return;
	if ((*count)++ > 0)
		rua[len++] = ' ';
	memcpy(rua + len, s, n);
	rua[len + n] = '\0';
}

bool
tlsrpt_read_record(const char *txt, char rua[TLSRPT_RUA_SIZE])
{
	const char *s = txt;
	unsigned count = 0;
	size_t n;

	rua[0] = '\0';
	if (strncmp(s, RECORD_TAG, strlen(RECORD_TAG)) != 0)
		return false;
	s = skip_blanks(s + strlen(RECORD_TAG));
	if (*s != ';')
		return false;
	s = skip_blanks(s + 1);
	if (strncmp(s, "rua=", 4) != 0)
		return false;
	for (s += 3; *s == '=' || *s == ','; s += n) {
		s = skip_blanks(s + 1);
		n = strcspn(s, ",;");
		add_place(rua, &count, s, n);
	}
	return count > 0;
}

bool
tlsrpt_place(const char *rua, unsigned n, char uri[TLSRPT_URI_SIZE])
{
	size_t len;

	if (n >= TLSRPT_URIS)
		return false; /* whoever wrote it */
	for (; n > 0; n--) {
		rua = strchr(rua, ' ');
		if (rua++ == NULL)
			return false;
	}
	len = strcspn(rua, " ");
	if (len == 0 || len >= TLSRPT_URI_SIZE)
		return false;
	memcpy(uri, rua, len);
	uri[len] = '\0';
	return true;
}

bool
tlsrpt_mailto(const char *uri, char address[TLSRPT_URI_SIZE])
{
	size_t n = 0;

	if (strlen(uri) >= TLSRPT_URI_SIZE || !ascii_same(uri, "mailto:", 7))
		return false;
	for (uri += 7; *uri != '\0' && *uri != '?'; uri++) {
		char c = *uri;

		if (c == '%') {
			if (!hex_read(uri + 1, &c, 1))
				return false;
			uri += 2;
		}
		if (!ascii_print(c))
			return false;
		address[n++] = c;
	}
	address[n] = '\0';
	return n > 0;
}

/* clang-format off */
static const char *const policy_names[TLSRPT_POLICIES] = {
	[TLSRPT_NO_POLICY] = "no-policy-found",
	[TLSRPT_TLSA]      = "tlsa",
	[TLSRPT_STS]       = "sts",
};

static const char *const result_names[TLSRPT_RESULTS] = {
	[TLSRPT_SUCCESS]        = "",
	[TLSRPT_NO_STARTTLS]    = "starttls-not-supported",
	[TLSRPT_HOST_MISMATCH]  = "certificate-host-mismatch",
	[TLSRPT_EXPIRED]        = "certificate-expired",
	[TLSRPT_NOT_TRUSTED]    = "certificate-not-trusted",
	[TLSRPT_VALIDATION]     = "validation-failure",
	[TLSRPT_TLSA_INVALID]   = "tlsa-invalid",
	[TLSRPT_DNSSEC_INVALID] = "dnssec-invalid",
	[TLSRPT_STS_FETCH]      = "sts-policy-fetch-error",
	[TLSRPT_STS_INVALID]    = "sts-policy-invalid",
	[TLSRPT_STS_WEBPKI]     = "sts-webpki-invalid",
};
/* clang-format on */

struct writer {
	tlsrpt_put *put;
	void *arg;
};

static void
put(struct writer *w, const char *s)
{
	w->put(w->arg, s, strlen(s));
}

static void putf(struct writer *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* For bounded arguments. */
static void
putf(struct writer *w, const char *fmt, ...)
{
	char text[1200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(w, text);
}

/* A JSON string; bytes that are not printable ASCII become "?". */
static void
put_string(struct writer *w, const char *s, size_t n)
{
	char c[2];

	put(w, "\"");
	for (size_t i = 0; i < n; i++) {
		c[0] = '\\';
		c[1] = ascii_print(s[i]) ? s[i] : '?';
		if (c[1] == '"' || c[1] == '\\')
			w->put(w->arg, c, 2);
		else
			w->put(w->arg, c + 1, 1);
	}
	put(w, "\"");
}

static void
put_member(struct writer *w, const char *name, const char *value)
{
	putf(w, "\"%s\": ", name);
	put_string(w, value, strlen(value));
}

/* The lines that begin with a prefix, without it, as a JSON array. */
static void
put_lines(struct writer *w, const char *lines, const char *prefix)
{
	const char *comma = "";
	size_t n, skip = strlen(prefix);

	put(w, "[");
	for (; *lines != '\0'; lines += n + (lines[n] == '\n')) {
		n = strcspn(lines, "\n");
		if (n == 0 || strncmp(lines, prefix, skip) != 0)
			continue;
		put(w, comma);
		put_string(w, lines + skip, n - skip);
		comma = ", ";
	}
	put(w, "]");
}

static void
put_policy(
    struct writer *w, const struct tlsrpt *r, const struct tlsrpt_applied *p)
{
	put(w, "      \"policy\": {\n        ");
	put_member(w, "policy-type", policy_names[p->policy]);
	if (p->policy != TLSRPT_NO_POLICY && *p->lines != '\0') {
		put(w, ",\n        \"policy-string\": ");
		put_lines(w, p->lines, "");
	}
	put(w, ",\n        ");
	put_member(w, "policy-domain", r->domain);
	/* An array of patterns (erratum 6241). */
	if (p->policy == TLSRPT_STS && *p->lines != '\0') {
		put(w, ",\n        \"mx-host\": ");
		put_lines(w, p->lines, "mx: ");
	}
	put(w, "\n      }");
}

static void
put_optional(struct writer *w, const char *name, const char *value)
{
	if (*value == '\0')
		return;
	put(w, ",\n          ");
	put_member(w, name, value);
}

static void
put_failure(struct writer *w, const struct tlsrpt_failure *f)
{
	put(w, "        {\n          ");
	put_member(w, "result-type", result_names[f->result]);
	put_optional(w, "sending-mta-ip", f->ip);
	put_optional(w, "receiving-mx-hostname", f->mx);
	put_optional(w, "receiving-ip", f->mx_ip);
	putf(w, ",\n          \"failed-session-count\": %" PRIu64, f->sessions);
	put_optional(w, "failure-reason-code", f->reason);
	put(w, "\n        }");
}

static void
put_applied(
    struct writer *w, const struct tlsrpt *r, const struct tlsrpt_applied *p)
{
	put(w, "    {\n");
	put_policy(w, r, p);
	putf(w,
	    ",\n      \"summary\": {\n"
	    "        \"total-successful-session-count\": %" PRIu64 ",\n"
	    "        \"total-failure-session-count\": %" PRIu64 "\n      }",
	    p->good, p->bad);
	if (p->nfailures > 0) {
		put(w, ",\n      \"failure-details\": [\n");
		for (size_t i = 0; i < p->nfailures; i++) {
			put(w, i > 0 ? ",\n" : "");
			put_failure(w, &p->failures[i]);
		}
		put(w, "\n      ]");
	}
	put(w, "\n    }");
}

static void
write_id(const struct tlsrpt *r, char *out, size_t size)
{
	char date[DATE_MAX];

	date_rfc3339((time_t)r->begin, date);
	snprintf(out, size, "%s_%.255s@%.255s", date, r->domain, r->submitter);
}

void
tlsrpt_write_json(const struct tlsrpt *r, tlsrpt_put *to, void *arg)
{
	struct writer w = { to, arg };
	char begin[DATE_MAX], end[DATE_MAX], id[600];

	date_rfc3339((time_t)r->begin, begin);
	date_rfc3339((time_t)r->end, end);
	write_id(r, id, sizeof(id));
	put(&w, "{\n  ");
	put_member(&w, "organization-name", r->submitter);
	put(&w, ",\n  \"date-range\": {\n    ");
	put_member(&w, "start-datetime", begin);
	put(&w, ",\n    ");
	put_member(&w, "end-datetime", end);
	put(&w, "\n  },\n  ");
	put_member(&w, "contact-info", r->contact);
	put(&w, ",\n  ");
	put_member(&w, "report-id", id);
	put(&w, ",\n  \"policies\": [\n");
	for (size_t i = 0; i < r->npolicies; i++) {
		put(&w, i > 0 ? ",\n" : "");
		put_applied(&w, r, &r->policies[i]);
	}
	put(&w, "\n  ]\n}\n");
}

static void
put_encoded(struct writer *w, const char *s, size_t n)
{
	char out[BASE64_MIME_ROOM(1024)];
	struct base64_mime m;
	size_t k;

	base64_mime_init(&m);
	for (; n > 0; s += k, n -= k) {
		k = n < 1024 ? n : 1024;
		w->put(w->arg, out, base64_mime_write(&m, s, k, out));
	}
	w->put(w->arg, out, base64_mime_end(&m, out));
}

static void
put_header(struct writer *w, const struct tlsrpt *r,
    const struct tlsrpt_message *m, const char *boundary)
{
	char date[DATE_MAX], id[600], msgid[MSGID_SIZE];

	date_rfc5322((time_t)m->now, date);
	write_id(r, id, sizeof(id));
	msgid_format(m->id, msgid);
	putf(w, "From: TLS reports of %s <%s>\r\n", r->submitter, m->from);
	putf(w, "To: <%s>\r\n", m->to);
	putf(w, "Date: %s\r\n", date);
	putf(w, "Message-ID: <%s.tlsrpt@%s>\r\n", msgid, r->submitter);
	putf(w,
	    "Subject: Report Domain: %s\r\n Submitter: %s\r\n"
	    " Report-ID: <%s>\r\n",
	    r->domain, r->submitter, id);
	putf(w, "TLS-Report-Domain: %s\r\n", r->domain);
	putf(w, "TLS-Report-Submitter: %s\r\n", r->submitter);
	/* RFC 8460 3: a report about broken TLS is not to need it. */
	put(w,
	    "TLS-Required: No\r\n"
	    "Auto-Submitted: auto-generated\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n");
	putf(w, " boundary=\"%s\"\r\n\r\n", boundary);
}

void
tlsrpt_write_message(const struct tlsrpt *r, const struct tlsrpt_message *m,
    tlsrpt_put *to, void *arg)
{
	struct writer w = { to, arg };
	char boundary[40], begin[DATE_MAX], end[DATE_MAX];

	date_rfc3339((time_t)r->begin, begin);
	date_rfc3339((time_t)r->end, end);
	snprintf(boundary, sizeof(boundary), "=_tlsrpt_%016" PRIx64, m->id);
	put_header(&w, r, m, boundary);
	putf(&w, "--%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n",
	    boundary);
	putf(&w,
	    "How TLS went on the way to %s,\r\nfrom %s to %s,\r\n"
	    "as seen by %s (RFC 8460).\r\n\r\n",
	    r->domain, begin, end, r->submitter);
	putf(&w,
	    "--%s\r\nContent-Type: application/tlsrpt+json\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment;\r\n",
	    boundary);
	putf(&w, " filename=\"%s!%s!%" PRId64 "!%" PRId64 ".json\"\r\n\r\n",
	    r->submitter, r->domain, r->begin, r->end);
	put_encoded(&w, m->json, m->json_len);
	putf(&w, "--%s--\r\n", boundary);
}
