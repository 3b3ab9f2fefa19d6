/*
 * scrub.c - see scrub.h.
 */
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "auth/scrub.h"
#include "lib/log.h"

static void *
take(size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return malloc(n);
}

static void
give(void *p, const char *file, int line)
{
	(void)file, (void)line;
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

/* realloc(3) would free the old place as it is. */
static void *
resize(void *old, size_t n, const char *file, int line)
{
	size_t had = old == NULL ? 0 : malloc_usable_size(old);
	void *p;

	if (n == 0) {
		give(old, file, line);
		return NULL;
	}
	p = malloc(n);
	if (p == NULL || old == NULL)
		return p;
	memcpy(p, old, had < n ? had : n);
	give(old, file, line);
	return p;
}

void
scrub_install(void)
{
	if (CRYPTO_set_mem_functions(take, resize, give) != 1)
		fatal("the library of cryptography is in use already");
}
