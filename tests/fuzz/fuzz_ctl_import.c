/* Any file of any format is read without harm, and what comes out of it are
 * items with all their strings ended and an account. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
on_item(void *arg, const struct msg_item *i)
{
	++*(int *)arg;
	assert(i->item < ITEM_KINDS);
	assert(strlen(i->account) < sizeof(i->account) && *i->account != '\0');
	assert(strlen(i->name) < sizeof(i->name));
	assert(strlen(i->hash) < sizeof(i->hash));
}

/* The first byte says the format. */
int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	int items = 0;
	struct import im = { .domain = "example.org",
		.today = 19700,
		.item = on_item,
		.arg = &items };
	const uint8_t *end = in + len, *eol;
	char *line;
	size_t n;

	if (len == 0)
		return 0;
	im.format = *in % IMPORT_FORMATS;
	im.grants = *in & 0x80;
	for (in++; in < end; in = eol + 1) {
		eol = memchr(in, '\n', (size_t)(end - in));
		if (eol == NULL)
			eol = end;
		n = (size_t)(eol - in);
		line = malloc(n + 1);
		assert(line != NULL);
		memcpy(line, in, n);
		line[n] = '\0';
		assert(import_line(&im, line, n) || im.error[0] != '\0');
		free(line);
	}
	return 0;
}
