/* What decodes, encodes to itself; what is encoded, decodes to itself. */
#include "fuzz_mail.h"

#include "mail/base64.h"
#include "mail/utf8.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	const char *s = (const char *)in;
	uint32_t seed = seed_of(in, n);
	char *text = room(BASE64_SIZE(n)), *bytes = room(n), *mime, *out;
	size_t len, back, k;
	struct base64_mime m;

	if (base64_decode(s, n, bytes, n, &len)) {
		assert(len <= n / 4 * 3);
		assert(base64_encode(bytes, len, text) == n);
		assert(memcmp(text, s, n) == 0);
		out = room(len);
		assert(base64_decode(s, n, out, len, &back));
		assert(len == 0 || !base64_decode(s, n, out, len - 1, &back));
		free(out);
	}
	len = base64_encode(s, n, text);
	assert(len == BASE64_SIZE(n) - 1 && text[len] == '\0');
	assert(base64_decode(text, len, bytes, n, &back) && back == n);
	assert(memcmp(bytes, s, n) == 0);

	/* In lines, it is the same text. */
	mime = room(BASE64_MIME_ROOM(n) + BASE64_MIME_END);
	base64_mime_init(&m);
	back = 0;
	for (size_t i = 0; i < n; i += k) {
		size_t some;

		k = next_cut(&seed, n - i);
		out = room(BASE64_MIME_ROOM(k));
		some = base64_mime_write(&m, s + i, k, out);
		assert(some <= BASE64_MIME_ROOM(k));
		memcpy(mime + back, out, some);
		back += some;
		free(out);
	}
	back += base64_mime_end(&m, mime + back);
	for (size_t i = 0, at = 0; i < back; i++) {
		if (at % 76 == 0 && at > 0 && mime[i] == '\r') {
			assert(mime[++i] == '\n');
			continue;
		}
		if (at == len) {
			assert(back - i == 2 && mime[i] == '\r');
			break;
		}
		assert(mime[i] == text[at]);
		at++;
	}
	(void)utf8_valid(s, n);
	free(mime);
	free(text);
	free(bytes);
	return 0;
}
