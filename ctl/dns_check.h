/*
 * dns_check.h - is a record of the plan in DNS, and if not, what is?
 */
#ifndef CTL_DNS_CHECK_H
#define CTL_DNS_CHECK_H

#include "ctl/dns_plan.h"

enum check_result {
	CHECK_OK,
	CHECK_MISSING,
	CHECK_DIFFERS,
	CHECK_LISTED, /* on a block list */
	CHECK_UNKNOWN,
};

#define CHECK_HAVE 400

struct check {
	enum check_result result;
	char have[CHECK_HAVE]; /* what there is instead, "" nothing */
};

/* addresses: ours, for SPF.  Reasons that there is no answer at all are on
 * stderr. */
void check_wish(struct lookup *, const struct wish *, const struct addresses *,
    struct check *);

const char *check_name(enum check_result);

#endif
