/*
 * text.c - see text.h.
 */
#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/rcpt.h"
#include "text.h"

char *
text_show(const char *s, size_t n)
{
	char *text = malloc(4 * n + 1), *p = text;

	for (size_t i = 0; i < n; i++)
		if (s[i] == '\r')
			p += sprintf(p, "\\r");
		else if (s[i] == '\n')
			p += sprintf(p, "\\n");
		else if (s[i] < ' ' || s[i] > '~')
			p += sprintf(p, "\\x%02x", (unsigned char)s[i]);
		else
			*p++ = s[i];
	*p = '\0';
	return text;
}

void
text_unescape(struct buf *to, const char *s)
{
	unsigned hex;

	for (; *s != '\0'; s++) {
		char c = *s;

		if (c == '\\' && s[1] == '{') {
			const char *star = strstr(s, "*"), *end;
			struct buf once = { 0 };
			char *text;
			long n;

			if (star == NULL || (end = strchr(star, '}')) == NULL)
				fail("unfinished \\{TEXT*N}");
			n = strtol(star + 1, NULL, 10);
			text = strndup(s + 2, (size_t)(star - s - 2));
			text_unescape(&once, text);
			for (; n > 0; n--)
				buf_add(to, buf_data(&once), once.len);
			buf_release(&once);
			free(text);
			s = end;
			continue;
		}
		if (c == '\\') {
			s++;
			switch (*s) {
			case 'r':
				c = '\r';
				break;
			case 'n':
				c = '\n';
				break;
			case 't':
				c = '\t';
				break;
			case '0':
				c = '\0';
				break;
			case 'x':
				if (sscanf(s + 1, "%2x", &hex) != 1)
					fail("bad \\x");
				c = (char)hex;
				s += 2;
				break;
			default:
				c = *s;
				break;
			}
		}
		buf_add(to, &c, 1);
	}
}

bool
text_matches(const char *text, const char *pattern)
{
	regex_t re;
	char *whole;
	bool ok;

	if (asprintf(&whole, "^(%s)$", pattern) == -1)
		abort();
	if (regcomp(&re, whole, REG_EXTENDED | REG_NOSUB) != 0)
		fail("bad regular expression: %s", pattern);
	ok = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	free(whole);
	return ok;
}

/* "bob@b" or "bob@b(10 rfc822;bob@b)". */
static void
add_rcpt(struct buf *to, struct bytes item)
{
	struct rcpt_item r;
	char *text;
	int n;

	if (!rcpt_unpack(&r, item))
		fail("a recipient that is none");
	n = r.notify == 0 && r.orcpt[0] == '\0'
	    ? asprintf(&text, "%s", r.address)
	    : asprintf(&text, "%s(%u %s)", r.address, r.notify, r.orcpt);
	if (n == -1)
		abort();
	buf_add(to, text, (size_t)n);
	free(text);
}

static char *
list_text(struct bytes list, bool rcpts)
{
	struct buf text = { 0 };
	struct bytes item;

	while (list_next(&list, &item)) {
		if (text.len > 0)
			buf_add(&text, ",", 1);
		if (rcpts) {
			add_rcpt(&text, item);
			continue;
		}
		buf_add(&text, item.data, item.len);
	}
	buf_add(&text, "", 1);
	return text.base;
}

/* A letter for each, in the order of enum tx_flags. */
static const char *
flags_text(uint32_t flags)
{
	static const char letters[] = "8dmfbuUBqoFHsRNT";
	static char text[sizeof(letters)];
	size_t n = 0;

	for (unsigned i = 0; letters[i] != '\0'; i++)
		if (flags & 1u << i)
			text[n++] = letters[i];
	text[n] = '\0';
	return text;
}

/* " envid=... hold=... by=... priority=...", as far as they are there. */
static const char *
options_text(const struct tx_options *o)
{
	static char text[400];
	int n = 0;

	text[0] = '\0';
	if (o->envid[0] != '\0')
		n += sprintf(text + n, " envid=%s", o->envid);
	if (o->hold_until != 0)
		n += sprintf(text + n, " hold=%" PRIu64, o->hold_until);
	if (o->by != 0)
		n += sprintf(text + n, " by=%" PRIu64, o->by);
	if (o->priority != 0)
		sprintf(text + n, " priority=%u", o->priority);
	return text;
}

static char *
commit_text(const struct msg_tx_commit *c)
{
	char *rcpts = list_text(c->rcpts, true), *text;

	if (asprintf(&text,
		"tx-commit account=%s credential=%s sender=%s ip=%s port=%u "
		"tls=%s mech=%s with=%s msgid=%s flags=%s%s size=%" PRIu64
		" rcpts=%s",
		c->account, c->credential, c->sender, c->ip, c->port, c->tls,
		c->mech, c->with, c->msgid, flags_text(c->flags),
		options_text(&c->options), c->size, rcpts) == -1)
		abort();
	free(rcpts);
	return text;
}

char *
text_of_request(const struct msg *m)
{
	const struct msg_auth_check *a = &m->u.auth_check;
	const struct msg_sender_check *s = &m->u.sender_check;
	const struct msg_submit_check *h = &m->u.submit_check;
	char *text, *list;
	int n;

	switch (m->type) {
	case MSG_AUTH_CHECK:
		n = asprintf(&text,
		    "auth-check user=%s secret=%s ip=%s port=%u tls=%s mech=%s",
		    a->user, a->secret, a->ip, a->port, a->tls, a->mech);
		break;
	case MSG_SENDER_CHECK:
		n = asprintf(&text,
		    "sender-check account=%s credential=%s sender=%s",
		    s->account, s->credential, s->sender);
		break;
	case MSG_SUBMIT_CHECK:
		list = list_text(h->authors, false);
		n = asprintf(&text,
		    "submit-check account=%s credential=%s authors=%s rcpts=%u",
		    h->account, h->credential, list, h->rcpts);
		free(list);
		break;
	case MSG_TX_RCPTS:
		list = list_text(m->u.tx_rcpts.rcpts, true);
		n = asprintf(&text, "tx-rcpts %s", list);
		free(list);
		break;
	case MSG_TX_FILE:
		n = asprintf(&text, "tx-file size=%" PRIu64, m->u.tx_file.size);
		break;
	case MSG_TX_COMMIT:
		return commit_text(&m->u.tx_commit);
	default:
		n = asprintf(&text, "%s", msg_name(m->type));
		break;
	}
	if (n == -1)
		abort();
	return text;
}
