/*
 * permit.c - see permit.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "auth/book.h"
#include "auth/card.h"
#include "auth/guard.h"
#include "auth/limits.h"
#include "auth/permit.h"
#include "auth/quota.h"
#include "auth/scope.h"
#include "ipc/channel.h"
#include "lib/log.h"
#include "lib/shell.h"

#define SHOWN 90 /* letters of an address in a reply */

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

/* Does this name fit into the line, as a word of a command? */
static bool
is_word(const char *s, size_t n)
{
	return n <= SHOWN && s[0] != '-' && shell_plain(s, n);
}

/* The sender is a stranger's choice and the reply may reach an administrator:
 * a command is there only when it does what it seems to do. */
static bool
refuse_address(const struct page *page, const char *text, size_t n,
    uint32_t code, struct msg_allowed *r)
{
	if (!is_word(text, n) || !is_word(page->login, strlen(page->login)))
		return answer(r, V_PERM, code, "5.7.1",
		    "you may not send as %.*s%s; your administrator can allow "
		    "it with a grant",
		    (int)(n < SHOWN ? n : SHOWN), text, n > SHOWN ? "..." : "");
	return answer(r, V_PERM, code, "5.7.1",
	    "you may not send as %.*s; your administrator can allow "
	    "it: postern grant add %s %.*s",
	    (int)n, text, page->login, (int)n, text);
}

static bool
allow_address(const struct page *page, const struct card *card,
    const char *text, size_t n, uint32_t code, struct msg_allowed *r)
{
	struct address a;

	if (!address_parse(&a, text, n))
		return answer(r, V_PERM, code, "5.1.7",
		    "%.*s is not an address", (int)(n < SHOWN ? n : SHOWN),
		    text);
	if (!page_covers(page, &a))
		return refuse_address(page, text, n, code, r);
	if (card != NULL && !scope_senders_cover(card->c.senders, &a))
		return answer(r, V_PERM, code, "5.7.1",
		    "%.63s may not send as %.*s, only as %.100s: log in with "
		    "another credential",
		    card->label, (int)(n < SHOWN ? n : SHOWN), text,
		    card->c.senders);
	return answer(r, V_OK, 250, "2.1.0", "sender ok");
}

static bool
allow_sender(const struct page *page, const struct card *card,
    const char *sender, struct msg_allowed *r)
{
	if (sender[0] == '\0')
		return answer(r, V_OK, 250, "2.1.0", "sender ok");
	return allow_address(page, card, sender, strlen(sender), 553, r);
}

/* Of one message; a credential may have less than its account. */
static void
fill_limits(const struct page *page, const struct card *card,
    const struct conf *conf, uint32_t *rcpts, uint64_t *size)
{
	uint64_t limit[LIMITS];

	limits_of(page, conf, (uint64_t)loop_wall_ms() / 1000, limit);
	if (card != NULL)
		limits_narrow(limit, card->c.limit);
	*rcpts = (uint32_t)limit[LIMIT_RECIPIENTS];
	*size = limit[LIMIT_SIZE];
}

void
permit_limits(const char *login, const char *label, const struct conf *conf,
    uint32_t *rcpts, uint64_t *size)
{
	const struct page *page = book_find(login);

	*rcpts = 0;
	*size = 0;
	if (page != NULL)
		fill_limits(page, page_card(page, label), conf, rcpts, size);
}

void
permit_sender(const struct msg_sender_check *m, const struct conf *conf,
    struct msg_allowed *r)
{
	const struct card *card;
	const struct page *page =
	    find_active(m->account, m->credential, &card, r);

	if (page == NULL)
		return;
	allow_sender(page, card, m->sender, r);
	fill_limits(page, card, conf, &r->rcpts, &r->size);
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
		channel_breach(P_SMTPD, "a malformed list of authors");
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

/* How a limit is called: "N recipients an hour". */
static const struct {
	const char *what, *span, *name;
} limits[LIMITS] = {
	/* clang-format off */
[LIMIT_RECIPIENTS]    = { "recipients", "in one message", "recipients" },
[LIMIT_SIZE]          = { "octets", "in one message", "size" },
[LIMIT_HOUR]          = { "recipients", "an hour", "hour" },
[LIMIT_DAY]           = { "recipients", "a day", "day" },
[LIMIT_MESSAGES_HOUR] = { "messages", "an hour", "messages-hour" },
[LIMIT_MESSAGES_DAY]  = { "messages", "a day", "messages-day" },
[LIMIT_NEW]           = { "recipients", "a day that it never wrote to", "new-day" },
	/* clang-format on */
};

static bool
amounts_to_rcpts(enum limit l)
{
	return l != LIMIT_MESSAGES_HOUR && l != LIMIT_MESSAGES_DAY;
}

static const char *
contact(const struct conf *conf)
{
	return conf->contact[0] != '\0' ? conf->contact : "your administrator";
}

/* "3 hours", "1 minute": never less than it is. */
static const char *
span(int64_t ms, char out[32])
{
	long long n = (ms + 59999) / 60000;
	const char *unit = "minute";

	if (n > 180) {
		n = (n + 59) / 60;
		unit = "hour";
	}
	snprintf(out, 32, "%lld %s%s", n, unit, n == 1 ? "" : "s");
	return out;
}

static void
refuse(const struct msg_submit_check *m, const struct conf *conf,
    const struct quota_answer *a, struct msg_allowed *r)
{
	char who[CREDENTIAL_LABEL + 128], wait[32];

	log_event("limit.reached",
	    "per=%s limit=%llu rcpts=%u new=%u account=%s%s%s",
	    limits[a->which].name, (unsigned long long)a->limit, m->rcpts,
	    a->news, log_quote(m->account), a->of_label ? " credential=" : "",
	    a->of_label ? log_quote(m->credential) : "");
	snprintf(who, sizeof(who), a->of_label ? "%.100s" : "account %.100s",
	    a->of_label ? m->credential : m->account);
	if (a->wait_ms < 0)
		answer(r, V_PERM, 550, "5.7.1",
		    "%s may send to %llu %s %s, and this message has %llu: "
		    "send it to fewer at a time, or ask %.80s",
		    who, (unsigned long long)a->limit, limits[a->which].what,
		    limits[a->which].span, (unsigned long long)a->n,
		    contact(conf));
	else
		answer(r, V_TEMP, 450, "4.7.1",
		    "%s may send %s%llu %s %s; this message fits again in %s, "
		    "or ask %.80s",
		    who, amounts_to_rcpts(a->which) ? "to " : "",
		    (unsigned long long)a->limit, limits[a->which].what,
		    limits[a->which].span, span(a->wait_ms, wait),
		    contact(conf));
}

/* The label when it has a limit of its own that is counted. */
static const char *
limited(const struct card *card)
{
	for (int l = 0; card != NULL && l < LIMITS; l++)
		if (l != LIMIT_RECIPIENTS && l != LIMIT_SIZE &&
		    card->c.limit[l] != 0)
			return card->label;
	return NULL;
}

/* Serials of an auth that was started later are higher: the queue counts on
 * that. */
static void
fill_permit(struct permit *p, uint32_t rcpts, uint64_t size)
{
	static uint64_t serial;

	if (serial == 0)
		serial = (uint64_t)loop_now_ms() << 20;
	p->serial = ++serial;
	p->rcpts = rcpts;
	p->size = size;
}

static void
allow_rcpts(const struct msg_submit_check *m, const struct page *page,
    const struct card *card, const struct conf *conf, struct msg_allowed *r)
{
	uint64_t limit[LIMITS], narrow[LIMITS];
	uint64_t now_ms = (uint64_t)loop_wall_ms();
	struct quota_ask q = { .login = m->account,
		.label = limited(card),
		.label_limit = card == NULL ? NULL : card->c.limit,
		.limit = limit,
		.rcpts = m->rcpts,
		.hashes = m->hashes,
		.now_ms = now_ms };
	struct quota_answer a;
	bool fits;

	if (m->hashes.len % RCPT_HASH != 0)
		channel_breach(P_SMTPD, "half a hash");
	limits_of(page, conf, now_ms / 1000, limit);
	memcpy(narrow, limit, sizeof(narrow));
	if (card != NULL)
		limits_narrow(narrow, card->c.limit);
	if (narrow[LIMIT_RECIPIENTS] != 0 &&
	    m->rcpts > narrow[LIMIT_RECIPIENTS]) {
		answer(r, V_TEMP, 452, "4.5.3", "too many recipients");
		return;
	}
	fits = quota_charge(&q, &a);
	if (guard_watch(page, conf, m->ip, m->rcpts, fits, a.new_hashes))
		answer(r, V_PERM, 550, "5.7.13",
		    "account %.100s is suspended: it looks as if somebody else "
		    "used it; ask %.80s",
		    m->account, contact(conf));
	else if (!fits)
		refuse(m, conf, &a, r);
	else if (answer(r, V_OK, 250, "2.0.0", "ok"))
		fill_permit(&r->permit, m->rcpts, narrow[LIMIT_SIZE]);
}

void
permit_submit(const struct msg_submit_check *m, const struct conf *conf,
    struct msg_allowed *r)
{
	const struct card *card;
	const struct page *page =
	    find_active(m->account, m->credential, &card, r);

	if (page != NULL && allow_sender(page, card, m->sender, r) &&
	    allow_authors(page, card, m->authors, r))
		allow_rcpts(m, page, card, conf, r);
}

void
permit_undo(const struct msg_submit_undo *m)
{
	const struct page *page = book_find(m->account);

	if (page != NULL && page->state != ACC_REMOVED) {
		quota_undo(m->account, limited(page_card(page, m->credential)),
		    m->rcpts);
		guard_give_back(m->account, m->rcpts);
	}
}
