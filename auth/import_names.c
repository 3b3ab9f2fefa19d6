/*
 * import_names.c - see import_names.h.
 */
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "auth/import_names.h"

struct import_name {
	UT_hash_handle hh;
	uint32_t line;
	char account[];
};

bool
import_names_find(
    const struct import_name *names, const char *account, uint32_t *first)
{
	const struct import_name *name;

	HASH_FIND(hh, names, account, strlen(account), name);
	if (name == NULL)
		return false;
	*first = name->line;
	return true;
}

void
import_names_add(struct import_name **names, const char *account, uint32_t line)
{
	size_t n = strlen(account);
	struct import_name *name;

	name = calloc(1, sizeof(*name) + n + 1);
	if (name == NULL)
		abort();
	name->line = line;
	memcpy(name->account, account, n);
	HASH_ADD(hh, *names, account[0], n, name);
}

void
import_names_free(struct import_name **names)
{
	struct import_name *name, *next;

	HASH_ITER(hh, *names, name, next)
	{
		HASH_DEL(*names, name);
		free(name);
	}
}
