/* Any packet parses within its bounds, into hosts that are host names. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "deliver/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	static const enum rr_type types[] = { RR_A, RR_MX, RR_AAAA };
	struct answer a;

	for (int i = 0; i < 3; i++) {
		if (!answer_parse(&a, types[i], in, n))
			continue;
		assert(a.n <= ANSWER_MAX);
		for (unsigned k = 0; types[i] == RR_MX && k < a.n; k++) {
			const char *s = a.records[k].host;

			assert(memchr(s, '\0', sizeof(a.records[k].host)));
			for (; *s != '\0'; s++)
				assert(*s > ' ' && *s <= '~');
		}
	}
	return 0;
}
