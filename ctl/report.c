/*
 * report.c - see report.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/report.h"
#include "ctl/story.h"
#include "ctl/text.h"
#include "mail/date.h"
#include "mail/msgid.h"

struct report {
	uint64_t id;
	unsigned messages;
	unsigned delivered, failed, other;
	bool removed;
};

/* "key=value" of a detail, up to the next blank. */
static const char *
value(const char *detail, const char *key, char *out, size_t size)
{
	char name[32];
	const char *at;

	snprintf(name, sizeof(name), "%s=", key);
	for (at = detail; (at = strstr(at, name)) != NULL; at++)
		if (at == detail || at[-1] == ' ')
			break;
	snprintf(out, size, "%.*s",
	    at != NULL ? (int)strcspn(at + strlen(name), " ") : 0,
	    at != NULL ? at + strlen(name) : "");
	return out;
}

static void
summary(const struct report *r)
{
	if (r->id != 0)
		printf("\nIt was delivered to %u and failed for %u "
		       "recipients%s.\n",
		    r->delivered, r->failed,
		    r->removed ? ", and was then removed by hand" : "");
}

static void
begin(struct report *r, const struct msg_event_row *e)
{
	char id[MSGID_SIZE], when[DATE_MAX], text[700], from[ADDR_SIZE * 2];

	summary(r);
	if (r->messages++ > 0)
		printf("\n--\n\n");
	r->id = e->id;
	r->delivered = r->failed = r->other = 0;
	r->removed = false;
	msgid_format(e->id, id);
	printf("Feedback-Type: abuse\nUser-Agent: postern/%s\nVersion: 1\n"
	       "Original-Envelope-Id: %s\n",
	    VERSION, id);
	if (strcmp(e->event, "accepted") != 0)
		return;
	date_rfc5322((time_t)(e->time / 1000), when);
	printf("Original-Mail-From: <%s>\nArrival-Date: %s\nSource-IP: %s\n\n",
	    text_clean(from, sizeof(from), e->rcpt), when,
	    value(e->detail, "ip", text, sizeof(text)));
	printf("The message came through this server, from the account %s",
	    text_clean(from, sizeof(from), e->account));
	if (*value(e->detail, "credential", text, sizeof(text)) != '\0')
		printf(" (its credential %s)", text);
	printf(
	    ",\nlogged in by %s", value(e->detail, "mech", text, sizeof(text)));
	printf(" over %s", value(e->detail, "tls", text, sizeof(text)));
	printf(
	    " to port %s.\n\n", value(e->detail, "port", text, sizeof(text)));
}

static void
on_event(void *arg, const struct msg_event_row *e)
{
	struct report *r = arg;
	char when[TEXT_SHORT], rcpt[ADDR_SIZE * 2], detail[1200];

	if (e->id != r->id)
		begin(r, e);
	r->delivered += strcmp(e->event, "delivered") == 0;
	r->removed |= strcmp(e->event, "removed") == 0;
	r->failed += strcmp(e->event, "bounced") == 0 ||
	    strcmp(e->event, "dropped") == 0;
	if (strcmp(e->event, "accepted") != 0)
		printf("%s  %-10s %s  %s\n", text_second(when, e->time / 1000),
		    e->event, text_clean(rcpt, sizeof(rcpt), e->rcpt),
		    text_clean(detail, sizeof(detail), e->detail));
}

int
report_tell(struct ctl *c, struct msg *ask)
{
	struct report r = { 0 };
	int code = story_tell(c, ask, on_event, &r);

	summary(&r);
	return code;
}
