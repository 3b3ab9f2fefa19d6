/* Any bytes decode to nothing, or to a message that encodes to the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "ipc/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	static uint8_t out[MSG_MAX];
	struct msg m;
	size_t n;

	if (len > MSG_MAX || !msg_decode(&m, in, len))
		return 0;
	n = msg_encode(&m, out, sizeof(out));
	assert(n == len && memcmp(in, out, n) == 0);
	return 0;
}
