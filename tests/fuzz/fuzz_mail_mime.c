/* Types and encodings are bounded and lower case. */
#include "fuzz_mail.h"

#include "mail/ascii.h"
#include "mail/mime.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	char *s = exact((const char *)in, n);
	struct mime_type t;

	if (mime_type(&t, s, n)) {
		assert(t.type[0] != '\0' && t.subtype[0] != '\0');
		for (const char *p = t.type; *p != '\0'; p++)
			assert(ascii_lower(*p) == *p && ascii_print(*p));
		for (const char *p = t.subtype; *p != '\0'; p++)
			assert(ascii_lower(*p) == *p && ascii_print(*p));
		for (const char *p = t.boundary; *p != '\0'; p++)
			assert(ascii_print(*p));
		assert(strlen(t.boundary) <= 70);
	}
	assert(mime_encoding(s, n) <= MIME_OTHER);
	free(s);
	return 0;
}
