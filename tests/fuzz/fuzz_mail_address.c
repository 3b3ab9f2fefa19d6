/* Whatever parses has one canonical text, and that text means the same. */
#include "fuzz_mail.h"

#include "mail/address.h"
#include "mail/ascii.h"

static void
check(const struct address *a)
{
	struct address again;
	char text[ADDRESS_MAX], twice[ADDRESS_MAX];
	size_t n = address_format(a, text);

	assert(n > 0 && n < sizeof(text) && strlen(text) == n);
	for (size_t i = 0; i < n; i++)
		assert(ascii_print(text[i]) || (text[i] & 0x80)); /* UTF-8 */
	assert(address_valid(a));
	assert(address_parse(&again, text, n));
	assert(memcmp(a, &again, sizeof(again)) == 0);
	assert(address_format(&again, twice) == n);
	assert(memcmp(text, twice, n) == 0);
	assert(address_equal(a, &again) && address_matches(a, a));
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	struct address a, b;
	char text[ADDRESS_MAX], *s = exact((const char *)in, n);
	size_t used = SIZE_MAX;
	enum path_result r;

	if (address_parse(&a, s, n)) {
		check(&a);
		/* The same mailbox as a path. */
		char *path = room(n + 3);

		path[0] = ' ';
		path[1] = '<';
		memcpy(path + 2, s, n);
		path[n + 2] = '>';
		assert(address_path(&b, path, n + 3, &used, true) == PATH_OK);
		assert(used == n + 3 && address_equal(&a, &b));
		free(path);
	}
	r = address_path(&a, s, n, &used, true);
	if (r == PATH_OK || r == PATH_NULL)
		assert(used <= n && s[used - 1] == '>');
	if (r == PATH_OK && a.domain[0] != '\0')
		check(&a);
	if (r == PATH_NULL)
		assert(address_format(&a, text) == 0);
	free(s);
	/* A pair from anywhere is bounded, and valid only if parsable. */
	memset(&a, 0, sizeof(a));
	memcpy(&a, in, n < sizeof(a) ? n : sizeof(a));
	if (address_valid(&a)) {
		used = address_format(&a, text);
		assert(address_parse(&b, text, used) && address_equal(&a, &b));
	}
	return 0;
}
