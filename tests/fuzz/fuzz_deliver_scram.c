/* Whatever a server says: a proof fits its line, and nobody is believed who
 * does not know the password.  Challenge, line end, last message; the first
 * octet says whether our nonce is put in front. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "deliver/scram.h"
#include "mail/base64.h"

#define NONCE "0123456789abcdefghijklmn"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	char text[512], challenge[SCRAM_TEXT], out[SCRAM_TEXT] = "";
	const char *p, *eol;
	struct scram s;
	size_t n;

	if (len < 2 || len > 400)
		return 0;
	p = (const char *)in + 1;
	eol = memchr(p, '\n', len - 1);
	n = eol != NULL ? (size_t)(eol - p) : len - 1;
	memcpy(text, "r=" NONCE, 26);
	memcpy(text + 26, p, n);
	if (*in & 1)
		base64_encode(text, n + 26, challenge);
	else
		base64_encode(p, n, challenge);
	scram_first(&s, "u", NONCE, out);
	*out = '\0';
	if (scram_proof(&s, challenge, "p", out) != NULL) {
		assert(*out == '\0');
		return 0;
	}
	assert(strlen(out) < SCRAM_TEXT && strlen(out) > 60);
	if (eol == NULL)
		return 0;
	base64_encode(eol + 1, len - 2 - n, text);
	assert(!scram_proven(&s, text));
	return 0;
}
