/* Whatever is an address list is a list of addresses. */
#include "fuzz_mail.h"

#include "mail/header.h"
#include "mail/mime.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	char *s = exact((const char *)in, n), *twice;
	struct address out[16], again[32];
	size_t count = SIZE_MAX, more;

	if (header_mailboxes(s, n, out, 16, &count)) {
		assert(count <= 16);
		for (size_t i = 0; i < count; i++) {
			char text[ADDRESS_MAX];
			size_t len = address_format(&out[i], text);

			assert(address_valid(&out[i]));
			/* Its canonical text is an address list too. */
			assert(header_mailboxes(text, len, again, 1, &more));
			assert(more == 1 && address_equal(&out[i], again));
		}
		/* A list and a list are a list. */
		twice = room(2 * n + 1);
		memcpy(twice, s, n);
		twice[n] = ',';
		memcpy(twice + n + 1, s, n);
		if (n < 2 || s[n - 1] != '\n') {
			assert(header_mailboxes(
			    twice, 2 * n + 1, again, 32, &more));
			assert(more == 2 * count);
		}
		free(twice);
	} else {
		assert(count == SIZE_MAX);
	}
	free(s);
	return 0;
}
