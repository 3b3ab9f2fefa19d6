/*
 * Whatever the message, the server at the other end finds one message, clean,
 * as long as ours, with our bytes where they were no stray line ends.
 */
#include "fuzz_mail.h"

#include "mail/data.h"
#include "mail/stuff.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	const char *s = (const char *)in;
	uint32_t seed = seed_of(in, n);
	size_t size = STUFF_ROOM(n) + STUFF_END, whole_n, cut_n = 0, k, used,
	       len;
	char *whole = room(size), *cut = room(size), *got = room(size + 4);
	char end[STUFF_END];
	struct stuffer st;
	struct data_reader r;

	stuff_init(&st);
	whole_n = stuff_write(&st, s, n, whole);
	assert(whole_n <= STUFF_ROOM(n));
	whole_n += stuff_end(&st, whole + whole_n);
	assert(whole_n <= size);

	for (size_t i = 0; i < n; i += k) {
		char *piece, *out;

		k = next_cut(&seed, n - i);
		piece = exact(s + i, k);
		out = room(STUFF_ROOM(k));
		len = stuff_write(&st, piece, k, out);
		assert(len <= STUFF_ROOM(k) && len <= size - cut_n);
		memcpy(cut + cut_n, out, len);
		cut_n += len;
		free(piece);
		free(out);
	}
	len = stuff_end(&st, end);
	assert(len <= size - cut_n);
	memcpy(cut + cut_n, end, len);
	cut_n += len;
	assert(whole_n == cut_n && memcmp(whole, cut, cut_n) == 0);

	data_init(&r);
	assert(data_read(&r, whole, whole_n, &used, got, &len) == DATA_END);
	assert(used == whole_n);
	assert(r.fault == DATA_CLEAN || r.fault == DATA_LONG_LINE);
	assert(len == n || len == n + 2);
	for (size_t i = 0; i < n; i++)
		assert(got[i] == s[i] ||
		    (got[i] == ' ' && memchr("\r\n", s[i], 3) != NULL));
	free(whole);
	free(cut);
	free(got);
	return 0;
}
