/*
 * wipe.c - see wipe.h.
 */
#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/wipe.h"

static void
wiped_free(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void
wipe_json(void)
{
	json_set_alloc_funcs(malloc, wiped_free);
}
