/*
 * domains.c - see domains.h.
 */
#include <stdlib.h>

#include "queue/domains.h"
#include "queue/group.h"
#include "queue/t_domain.h"

struct learnt {
	struct change change; /* the first member */
	struct msg_domain domain;
};

static void
write_row(struct txn *t, struct totals *totals, struct change *c)
{
	(void)totals;
	t_domain_put(t, &((struct learnt *)c)->domain);
}

static void
forget(struct change *c)
{
	free(c);
}

static void
put(const struct msg_domain *d)
{
	struct learnt *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	l->change.apply = write_row;
	l->change.durable = forget;
	l->domain = *d;
	group_add(&l->change, HURRY_NOT);
}

bool
domains_message(struct channel *deliver, const struct msg *m)
{
	struct msg answer = { .type = MSG_DOMAIN_IS, .tag = m->tag };

	switch (m->type) {
	case MSG_DOMAIN_GET:
		t_domain_get(m->u.domain_get.domain, &answer.u.domain);
		channel_send(deliver, &answer, -1);
		return true;
	case MSG_DOMAIN_PUT:
		put(&m->u.domain);
		return true;
	default:
		return false;
	}
}
