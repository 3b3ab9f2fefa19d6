/*
 * admin_limits.c - see admin_limits.h.
 */
#include <string.h>

#include "auth/admin_limits.h"
#include "auth/limits.h"
#include "auth/peers.h"
#include "auth/quota.h"

void
admin_show_limits(struct console *con)
{
	struct msg m = { .type = MSG_LIMITS_ROW };
	struct msg_limits_row *r = &m.u.limits_row;
	const struct page *page = book_find(con->login);
	uint64_t now_ms = (uint64_t)loop_wall_ms();

	if (page == NULL || page->state == ACC_REMOVED) {
		console_done(con, CODE_MISSING, "no account %s", con->login);
		return;
	}
	strcpy(r->account, con->login);
	r->young = limits_of(page, peers_conf(), now_ms / 1000, r->limit);
	for (enum limit l = 0; l < LIMITS; l++) {
		if (limits_own(page, peers_conf(), l) == 0)
			continue;
		r->own |= 1u << l;
		if (page->limit[l] == 0)
			r->grown |= 1u << l;
	}
	quota_used(con->login, NULL, r->limit, now_ms, r->used);
	console_row(con, &m);
	console_done(con, CODE_OK, "1 row");
}
