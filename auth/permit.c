/*
 * permit.c - see permit.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "auth/book.h"
#include "auth/card.h"
#include "auth/permit.h"
#include "auth/quota.h"
#include "auth/scope.h"
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

/* The page of an account that may send with this credential, or NULL with the
 * refusal in *r. */
static const struct page *
find_active(const char *login, const char *label, const struct card **card,
    struct msg_allowed *r)
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
	*card = NULL;
	if (label[0] == '\0' || strcmp(label, CREDENTIAL_PASSWORD) == 0)
		return page;
	*card = page_card(page, label);
	if (*card == NULL || card_expired(*card)) {
		answer(r, V_PERM, 550, "5.7.1",
		    "the app password or certificate %.63s is not valid any "
		    "more; log in with another",
		    label);
		return NULL;
	}
	return page;
}

static bool
allow_address(const struct page *page, const struct card *card,
    const char *text, size_t n, uint32_t code, struct msg_allowed *r)
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
	if (card != NULL && !scope_senders_cover(card->c.senders, &a))
		return answer(r, V_PERM, code, "5.7.1",
		    "%.63s may not send as %.*s, only as %.100s: log in with "
		    "another credential",
		    card->label, (int)(n < 90 ? n : 90), text, card->c.senders);
	return answer(r, V_OK, 250, "2.1.0", "sender ok");
}

void
permit_sender(const struct msg_sender_check *m, struct msg_allowed *r)
{
	const struct card *card;
	const struct page *page =
	    find_active(m->account, m->credential, &card, r);

	if (page == NULL)
		return;
	if (m->sender[0] == '\0')
		answer(r, V_OK, 250, "2.1.0", "sender ok");
	else
		allow_address(page, card, m->sender, strlen(m->sender), 553, r);
	if (r->verdict != V_OK)
		log_event("sender.refused", "account=%s sender=%s",
		    log_quote(m->account), log_quote(m->sender));
}

static bool
allow_authors(const struct page *page, const struct card *card,
    struct bytes list, struct msg_allowed *r)
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
			page, card, (const char *)item.data, item.len, 550, r))
			continue;
		snprintf(author, sizeof(author), "%.*s", (int)item.len,
		    (const char *)item.data);
		log_event("author.refused", "account=%s author=%s",
		    log_quote(page->login), log_quote(author));
		return false;
	}
	return true;
}

/*
 * The credential's own limit.  It is charged before the account's: what that
 * one then refuses is counted here all the same, and only here.
 */
static bool
allow_card(const struct card *card, const struct msg_submit_check *m,
    int64_t now_s, struct msg_allowed *r)
{
	char key[ADDR_SIZE + 1 + CREDENTIAL_LABEL];
	uint32_t limit = card->c.per_day;
	int64_t wait_s;

	/* No domain holds a slash: this is nobody's login. */
	snprintf(key, sizeof(key), "%s/%s", m->account, card->label);
	if (limit == 0 ||
	    quota_charge(key, m->rcpts, limit, limit, now_s, &wait_s) ==
		QUOTA_OK)
		return true;
	log_event("limit.reached",
	    "per=day limit=%u rcpts=%u account=%s credential=%s", limit,
	    m->rcpts, log_quote(m->account), log_quote(card->label));
	if (wait_s < 0)
		return answer(r, V_PERM, 550, "5.7.1",
		    "%.63s may send to %u recipients a day; this message has "
		    "%u: send it to fewer at a time",
		    card->label, limit, m->rcpts);
	return answer(r, V_TEMP, 450, "4.7.1",
	    "%.63s may send to %u recipients a day; these %u fit again in "
	    "%lld minutes",
	    card->label, limit, m->rcpts, (long long)(wait_s + 59) / 60);
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
	const struct card *card;
	const struct page *page =
	    find_active(m->account, m->credential, &card, r);

	if (page != NULL && allow_authors(page, card, m->authors, r) &&
	    (card == NULL || allow_card(card, m, now_s, r)))
		allow_rcpts(m, per_hour, per_day, now_s, r);
}
