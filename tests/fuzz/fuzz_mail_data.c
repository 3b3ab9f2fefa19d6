/*
 * Cut anyhow, DATA reads the same; and what it calls clean has only CRLF line
 * ends, so that stuffing it again gives back the input.
 */
#include "fuzz_mail.h"

#include "mail/data.h"
#include "mail/lines.h"
#include "mail/stuff.h"

/* The same of chunks; and both doors hold the same against a text. */
static void
chunks(const char *s, size_t n, uint32_t seed)
{
	struct data_reader a, b;
	bool ignored, ends;

	data_init(&a);
	data_chunk(&a, s, n, false);
	ends = data_chunk_end(&a);
	data_init(&b);
	for (size_t i = 0, k; i < n; i += k) {
		k = next_cut(&seed, n - i);
		data_chunk(&b, s + i, k, false);
	}
	assert(data_chunk_end(&b) == ends && a.fault == b.fault);
	assert(a.eight_bit == b.eight_bit && a.size == n && b.size == n);
	if (a.fault == DATA_CLEAN || a.fault == DATA_LONG_LINE) {
		assert(lines_clean(s, n, &ignored));
		assert(n == 0 || (s[0] != '\n' && s[n - 1] != '\r'));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	const char *s = (const char *)in;
	uint32_t seed = seed_of(in, n);
	char *whole = room(n + 4), *cut = room(n + 4), *back;
	size_t whole_n, whole_used, cut_n = 0, cut_used = 0, k, used, len;
	struct data_reader a, b;
	enum data_result ra, rb = DATA_MORE;
	struct stuffer st;

	chunks(s, n, seed);
	data_init(&a);
	ra = data_read(&a, s, n, &whole_used, whole, &whole_n);
	assert(whole_used <= n && whole_n <= n && a.size == whole_n);
	assert(ra == DATA_END || whole_used == n);

	data_init(&b);
	for (size_t i = 0; i < n && rb == DATA_MORE; i += k) {
		char *piece, *out;

		k = next_cut(&seed, n - i);
		piece = exact(s + i, k);
		out = room(k + 4);
		rb = data_read(&b, piece, k, &used, out, &len);
		assert(used <= k && len <= k + 4);
		memcpy(cut + cut_n, out, len);
		cut_n += len;
		cut_used += used;
		free(piece);
		free(out);
	}
	assert(ra == rb && whole_used == cut_used && whole_n == cut_n);
	assert(memcmp(whole, cut, cut_n) == 0);
	assert(a.fault == b.fault && a.eight_bit == b.eight_bit);
	assert(a.size == b.size);

	if (ra == DATA_END &&
	    (a.fault == DATA_CLEAN || a.fault == DATA_LONG_LINE)) {
		back = room(STUFF_ROOM(whole_n) + STUFF_END);
		stuff_init(&st);
		len = stuff_write(&st, whole, whole_n, back);
		len += stuff_end(&st, back + len);
		/* But for dots that need not have been doubled. */
		assert(len <= whole_used + whole_n / 2 + 3);
		data_init(&b);
		assert(
		    data_read(&b, back, len, &used, cut, &cut_n) == DATA_END);
		assert(used == len && cut_n == whole_n);
		assert(memcmp(cut, whole, cut_n) == 0);
		free(back);
	}
	free(whole);
	free(cut);
	return 0;
}
