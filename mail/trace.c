/*
 * trace.c - the header lines that the server adds.
 */
#include <stdio.h>
#include <string.h>

#include "mail/date.h"
#include "mail/msgid.h"
#include "mail/trace.h"

const char *
trace_protocol(bool esmtp, bool tls, bool auth, bool utf8)
{
	/* Both AUTH and SMTPUTF8 are extensions, so without EHLO there is
	 * neither; indexed by utf8, tls and auth. */
	static const char names[2][2][2][12] = {
		{ { "ESMTP", "ESMTPA" }, { "ESMTPS", "ESMTPSA" } },
		{ { "UTF8SMTP", "UTF8SMTPA" }, { "UTF8SMTPS", "UTF8SMTPSA" } },
	};

	return esmtp ? names[utf8][tls][auth] : "SMTP";
}

size_t
trace_headers(const struct trace *t, char *out, size_t size)
{
	char id[MSGID_SIZE], tag[1 + MSGID_SIZE] = "", date[DATE_MAX];
	const char *with = trace_protocol(t->esmtp, t->tls, t->auth, t->utf8);
	size_t len;
	bool fold;
	int n;

	msgid_format(t->id, id);
	if (t->tag != 0) {
		tag[0] = '-';
		msgid_format(t->tag, tag + 1);
	}
	date_rfc5322(t->when, date);
	/* RFC 5322 2.1.1: 78 characters. */
	fold = strlen("Received: by  (postern) with  id ;") +
		strlen(t->hostname) + strlen(with) + strlen(id) + strlen(tag) >
	    78;
	n = snprintf(out, size,
	    "Received: by %s (postern)%swith %s id %s%s;\r\n\t%s\r\n",
	    t->hostname, fold ? "\r\n\t" : " ", with, id, tag, date);
	if (n < 0 || (size_t)n >= size)
		return 0;
	len = (size_t)n;
	if (t->add_date) {
		n = snprintf(out + len, size - len, "Date: %s\r\n", date);
		if (n < 0 || (size_t)n >= size - len)
			return 0;
		len += (size_t)n;
	}
	if (t->add_message_id) {
		n = snprintf(out + len, size - len, "Message-ID: <%s@%s>\r\n",
		    id, t->hostname);
		if (n < 0 || (size_t)n >= size - len)
			return 0;
		len += (size_t)n;
	}
	return len;
}
