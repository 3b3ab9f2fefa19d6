/*
 * company.c - see company.h.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#include "ipc/messages.h"
#include "smtpd/company.h"

struct member {
	char account[ADDR_SIZE];
	unsigned count;
	UT_hash_handle hh;
};

static struct member *members;

static struct member *
find(const char *account)
{
	struct member *m;

	HASH_FIND_STR(members, account, m);
	return m;
}

bool
company_enter(const char *account, unsigned most)
{
	struct member *m = find(account);

	if (m != NULL && m->count >= most)
		return false;
	if (m == NULL) {
		if ((m = calloc(1, sizeof(*m))) == NULL)
			abort();
		snprintf(m->account, sizeof(m->account), "%s", account);
		HASH_ADD_STR(members, account, m);
	}
	m->count++;
	return true;
}

bool
company_has(const char *account)
{
	return find(account) != NULL;
}

void
company_leave(const char *account)
{
	struct member *m = find(account);

	assert(m != NULL);
	if (--m->count > 0)
		return;
	HASH_DEL(members, m);
	free(m);
}
