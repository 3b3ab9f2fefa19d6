/* Any packet becomes a list of texts that is one, within its bounds. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "deliver/rdata.h"
#include "lib/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	static const unsigned types[] = { 1, 2, 5, 12, 15, 16, 28, 33 };
	size_t sizes[] = { 0, 40, 65536 }, len, count;

	for (int i = 0; i < 8; i++)
		for (int k = 0; k < 3; k++) {
			uint8_t *list = malloc(sizes[k] + 1);

			assert(list != NULL);
			if (rdata_list(types[i], in, n, list, sizes[k], &len)) {
				assert(len <= sizes[k]);
				assert(list_valid((struct bytes){ list, len },
				    65535, &count));
			} else {
				assert(len == 0);
			}
			free(list);
		}
	return 0;
}
