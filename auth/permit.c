/*
 * permit.c - see permit.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "auth/book.h"
#include "auth/permit.h"
#include "auth/quota.h"
#include "lib/log.h"

static bool
answer(struct msg_allowed *, enum verdict, uint32_t code, const char *status,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* True when it is a yes. */
static bool
answer(struct msg_allowed *r, enum verdict v, uint32_t code, const char *status,
    const char *fmt, ...)
{
	va_list ap;

	memset(r, 0, sizeof(*r));
	r->verdict = v;
	r->code = code;
	snprintf(r->status, sizeof(r->status), "%s", status);
	va_start(ap, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
	return v == V_OK;
}

/* The page of an account that may send, or NULL with the refusal in *r. */
static const struct page *
find_active(const char *login, struct msg_allowed *r)
{
	const struct page *page = book_find(login);

	if (page == NULL || page->state == ACC_REMOVED) {
		answer(r, V_PERM, 550, "5.7.13",
		    "account %.100s has been removed", login);
		return NULL;
	}
	if (page->state != ACC_ACTIVE) {
		answer(r, V_PERM, 550, "5.7.13",
		    "account %.100s is suspended; ask your administrator",
		    login);
		return NULL;
	}
	return page;
}

static bool
allow_address(const struct page *page, const char *text, size_t n,
    uint32_t code, struct msg_allowed *r)
{
	struct address a;

	if (!address_parse(&a, text, n))
		return answer(r, V_PERM, code, "5.1.7",
		    "%.*s is not an address", (int)(n < 100 ? n : 100), text);
	if (!page_covers(page, &a))
		return answer(r, V_PERM, code, "5.7.1",
		    "you may not send as %.*s; your administrator can allow "
		    "it: postern grant add %.90s %.*s",
		    (int)(n < 90 ? n : 90), text, page->login,
		    (int)(n < 90 ? n : 90), text);
	return answer(r, V_OK, 250, "2.1.0", "sender ok");
}

void
permit_sender(const struct msg_sender_check *m, struct msg_allowed *r)
{
	const struct page *page = find_active(m->account, r);

	if (page == NULL)
		return;
	if (m->sender[0] == '\0')
		answer(r, V_OK, 250, "2.1.0", "sender ok");
	else
		allow_address(page, m->sender, strlen(m->sender), 553, r);
	if (r->verdict != V_OK)
		log_event("sender.refused", "account=%s sender=%s",
		    log_quote(m->account), log_quote(m->sender));
}

static bool
allow_authors(const struct page *page, struct bytes list, struct msg_allowed *r)
{
	struct bytes item;
	size_t count;
	char author[ADDR_SIZE];

	if (!list_valid(list, sizeof(author) - 1, &count))
		fatal("smtpd sent a malformed list of authors");
	if (count == 0)
		return answer(r, V_PERM, 550, "5.6.0",
		    "the message has no author: From: is missing or empty");
	while (list_next(&list, &item)) {
		if (allow_address(
			page, (const char *)item.data, item.len, 550, r))
			continue;
		snprintf(author, sizeof(author), "%.*s", (int)item.len,
		    (const char *)item.data);
		log_event("author.refused", "account=%s author=%s",
		    log_quote(page->login), log_quote(author));
		return false;
	}
	return true;
}

static void
allow_rcpts(const struct msg_submit_check *m, uint32_t per_hour,
    uint32_t per_day, int64_t now_s, struct msg_allowed *r)
{
	int64_t wait_s;
	enum quota q = quota_charge(
	    m->account, m->rcpts, per_hour, per_day, now_s, &wait_s);
	uint32_t limit = q == QUOTA_DAY ? per_day : per_hour;
	const char *span = q == QUOTA_DAY ? "a day" : "an hour";

	if (q == QUOTA_OK) {
		answer(r, V_OK, 250, "2.0.0", "ok");
		return;
	}
	log_event("limit.reached", "per=%s limit=%u rcpts=%u account=%s",
	    q == QUOTA_DAY ? "day" : "hour", limit, m->rcpts,
	    log_quote(m->account));
	if (wait_s < 0)
		answer(r, V_PERM, 550, "5.7.1",
		    "account %.100s may send to %u recipients %s; this message "
		    "has %u: send it to fewer at a time",
		    m->account, limit, span, m->rcpts);
	else
		answer(r, V_TEMP, 450, "4.7.1",
		    "account %.100s may send to %u recipients %s; these %u fit "
		    "again in %lld minutes, or ask your administrator",
		    m->account, limit, span, m->rcpts,
		    (long long)(wait_s + 59) / 60);
}

void
permit_submit(const struct msg_submit_check *m, uint32_t per_hour,
    uint32_t per_day, int64_t now_s, struct msg_allowed *r)
{
	const struct page *page = find_active(m->account, r);

	if (page != NULL && allow_authors(page, m->authors, r))
		allow_rcpts(m, per_hour, per_day, now_s, r);
}
