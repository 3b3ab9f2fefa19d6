/*
 * dns_plan.h - every DNS record that a sending domain is to have.
 */
#ifndef CTL_DNS_PLAN_H
#define CTL_DNS_PLAN_H

#include "ctl/dkim_keys.h"
#include "lib/conf.h"

enum need {
	NEED_MUST,   /* mail is refused or clients fail without it */
	NEED_SHOULD, /* receivers trust the mail less without it */
	NEED_MAY,
};

/* How a record is compared with what there is. */
enum wish_kind {
	WISH_ADDRESS,
	WISH_PTR,
	WISH_MX,
	WISH_SPF,
	WISH_DKIM,
	WISH_DMARC,
	WISH_SRV,
	WISH_CNAME,
	WISH_TXT, /* optional; its first word tells what it is */
	WISH_UNLISTED,
};

struct wish {
	enum wish_kind kind;
	enum need need;
	const char *type; /* "TXT", ... */
	char name[DKIM_NAME];
	char value[DKIM_VALUE]; /* in parentheses: words, nothing to copy */
	const char *why;
	struct msg_dkim_row key; /* WISH_DKIM */
};

struct plan {
	struct wish *wishes;
	size_t n;
};

/* Addresses that our name has. */
struct addresses {
	size_t n;
	char list[8][46];
};

/*
 * Make the list for a domain.
 *
 *   addresses  NULL when they are not known
 *   lists      ask block lists about them too
 */
void plan_make(struct plan *, const char *domain, const struct conf *,
    const struct dkim_keys *, const struct addresses *, bool lists);
void plan_clear(struct plan *);

const char *need_name(enum need);

#endif
