/* Any packet parses within its bounds, into hosts that are host names. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/dane.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	static const enum rr_type types[] = { RR_A, RR_MX, RR_AAAA, RR_CNAME,
		RR_TXT, RR_TLSA };
	struct answer a;
	struct dane *dane;
	char text[600];

	for (int i = 0; i < 6; i++) {
		if (!answer_parse(&a, types[i], in, n))
			continue;
		assert(a.n <= ANSWER_MAX);
		assert(memchr(a.canonical, '\0', sizeof(a.canonical)));
		for (unsigned k = 0; types[i] == RR_TXT && k < a.n; k++)
			if (answer_text(&a.records[k], text, sizeof(text)))
				assert(strlen(text) < sizeof(text));
		if (types[i] == RR_TLSA) {
			dane_take(&a, "example.net", &dane);
			free(dane);
		}
		for (unsigned k = 0; types[i] == RR_MX && k < a.n; k++) {
			const char *s = a.records[k].host;

			assert(memchr(s, '\0', sizeof(a.records[k].host)));
			for (; *s != '\0'; s++)
				assert(*s > ' ' && *s <= '~');
		}
	}
	return 0;
}
