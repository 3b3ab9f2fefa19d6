/*
 * notice_digest.c - many failures in one notice; see notice.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/loop.h"
#include "mail/dsn_digest.h"
#include "queue/notice.h"
#include "queue/settings.h"

#define ANSWER 160 /* bytes of each that are repeated */

/* The strings that struct dsn_failure borrows beside the row's. */
struct words {
	char reply[ANSWER + 16];
};

static void
describe(const struct digest_row *d, struct words *w, struct dsn_failure *f)
{
	const struct answer_row *a = &d->answer;

	*f = (struct dsn_failure){ .id = d->id,
		.message_id = d->msgid,
		.envid = d->envid,
		.arrived = (time_t)(d->arrived / 1000),
		.rcpt = { .address = d->address,
		    .orcpt = d->orcpt,
		    .status = a->status[0] != '\0' ? a->status : "4.4.7",
		    .last_attempt = (time_t)(a->when / 1000) } };
	if (a->mx[0] != '\0')
		f->rcpt.remote = a->mx;
	if (a->code != 0) {
		snprintf(w->reply, sizeof(w->reply), "%u %.*s", a->code, ANSWER,
		    a->text);
		f->rcpt.reply = w->reply;
	} else if (a->status[0] == '\0') {
		f->rcpt.reason = "Its server has not answered so far.";
	} else {
		snprintf(w->reply, sizeof(w->reply), "%.*s", ANSWER, a->text);
		f->rcpt.reason = w->reply;
	}
}

size_t
notice_failure_size(const struct digest_row *d)
{
	struct dsn_failure f;
	struct words w;

	describe(d, &w, &f);
	return dsn_failure_size(&f);
}

static void
put(void *arg, const char *text, size_t n)
{
	buf_add(arg, text, n);
}

struct accept *
notice_digest(const struct digest_row *rows, size_t n)
{
	struct accept *a = notice_begin(rows->sender);
	struct dsn_failure *failures = calloc(n, sizeof(*failures));
	struct words *words = calloc(n, sizeof(*words));
	struct dsn_digest d = { .hostname = settings->hostname,
		.to = rows->sender,
		.now = (time_t)(loop_wall_ms() / 1000),
		.failures = failures,
		.nfailures = n };
	uint32_t flags = rows->flags;
	struct buf text = { 0 };

	if (failures == NULL || words == NULL)
		abort();
	if (a == NULL)
		goto out;
	for (size_t i = 0; i < n; i++)
		describe(&rows[i], &words[i], &failures[i]);
	d.id = a->id;
	if (dsn_digest_write(&d, put, &text))
		flags |= TX_8BIT;
	notice_end(a, rows->sender, flags, &text);
	snprintf(a->detail, sizeof(a->detail),
	    "kind=digest failures=%zu size=%zu", n, a->body->len);
out:
	free(failures);
	free(words);
	return a;
}
