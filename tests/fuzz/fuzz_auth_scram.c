/* Whatever a client says, SCRAM ends in a result, and never in OK without the
 * password. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "auth/scram.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The first byte: which mechanism; then two messages, a line each. */
int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	static const struct scram_verifier v = { .iterations = 4096,
		.salt = "salt",
		.salt_len = 4,
		.stored = { 1 },
		.server = { 2 },
		.key_len = SCRAM_KEY };
	const char *p = (const char *)in + 1, *eol;
	char out[SCRAM_MESSAGE];
	struct scram s;

	if (len == 0)
		return 0;
	eol = memchr(p, '\n', --len);
	if (eol == NULL)
		eol = p + len;
	if (scram_first(&s, p, (size_t)(eol - p), *in & 1, *in & 2) != SCRAM_OK)
		return 0;
	assert(s.user[0] != '\0' && strlen(s.user) < sizeof(s.user));
	scram_challenge(&s, &v, "0123456789abcdefghijklmn", out);
	if (eol < p + len)
		assert(
		    scram_final(&s, eol + 1, (size_t)(p + len - eol - 1),
			(const unsigned char *)"binding", 7, out) != SCRAM_OK);
	return 0;
}
