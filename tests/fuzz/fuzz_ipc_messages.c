/* Any bytes decode to nothing, or to a message that encodes to the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "ipc/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	static uint8_t rec[MSG_MAX], out[MSG_MAX];
	struct msg m;
	size_t n;

	if (len < 2 || len > MSG_MAX)
		return 0;
	memcpy(rec, in, len);
	/* The version is another one with every change of the rows. */
	if (rec[0] != 0 || rec[1] != 0) {
		rec[0] = (uint8_t)(msg_version() >> 8);
		rec[1] = (uint8_t)msg_version();
	}
	if (!msg_decode(&m, rec, len))
		return 0;
	n = msg_encode(&m, out, sizeof(out));
	assert(n == len && memcmp(rec, out, n) == 0);
	return 0;
}
