/* A header ends where it ends: none of its beginnings is one, what follows does
 * not matter, and no octet outside is looked at. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static enum proxy
parse(const uint8_t *in, size_t n, size_t *used)
{
	/* Of its own size: a sanitizer sees what is behind it. */
	uint8_t *copy = malloc(n);
	struct sockaddr_storage client = { 0 };
	enum proxy result;

	assert(copy != NULL);
	memcpy(copy, in, n);
	result = proxy_parse(copy, n, &client, used);
	assert(client.ss_family == AF_UNSPEC || result == PROXY_OK);
	free(copy);
	return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	size_t used = 0, again = 0;
	enum proxy whole;

	if (len == 0)
		return 0;
	whole = parse(in, len, &used);
	assert(whole != PROXY_OK || (used > 0 && used <= len));
	assert(whole != PROXY_MORE || len < PROXY_MOST);
	if (whole != PROXY_OK)
		return 0;
	assert(parse(in, used, &again) == PROXY_OK && again == used);
	for (size_t n = 1; n < used; n++)
		assert(parse(in, n, &again) == PROXY_MORE);
	return 0;
}
