/* Cut anyhow, it encodes the same, in short lines, and decodes to itself. */
#include "fuzz_mail.h"

#include "mail/ascii.h"
#include "mail/qp.h"

static int
hex(char c)
{
	return ascii_digit(c) ? c - '0' : c - 'A' + 10;
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	const char *s = (const char *)in;
	uint32_t seed = seed_of(in, n);
	char *whole = room(QP_ROOM(n) + QP_END), *cut, *out, *back;
	size_t whole_n, cut_n = 0, len, k, column = 0;
	struct qp q;

	qp_init(&q);
	whole_n = qp_write(&q, s, n, whole);
	assert(whole_n <= QP_ROOM(n));
	whole_n += qp_end(&q, whole + whole_n);

	cut = room(whole_n);
	for (size_t i = 0; i <= n; i += k) {
		k = next_cut(&seed, n - i);
		out = room(QP_ROOM(k) + QP_END);
		len = qp_write(&q, s + i, k, out);
		assert(len <= QP_ROOM(k));
		if (i + k == n) {
			len += qp_end(&q, out + len);
			k++;
		}
		assert(len <= whole_n - cut_n);
		memcpy(cut + cut_n, out, len);
		cut_n += len;
		free(out);
	}
	assert(whole_n == cut_n && memcmp(whole, cut, cut_n) == 0);

	back = room(whole_n);
	len = 0;
	for (size_t i = 0; i < whole_n; i++) {
		char c = whole[i];

		assert(ascii_print(c) || c == '\t' || c == '\r' || c == '\n');
		if (c == '\r') {
			assert(whole[i + 1] == '\n');
			column = 0;
			back[len++] = '\r';
			back[len++] = '\n';
			i++;
		} else if (c == '=' && whole[i + 1] == '\r') {
			assert(whole[i + 2] == '\n' && column < 76);
			assert(i + 3 < whole_n && whole[i + 3] != '-');
			column = 0;
			i += 2;
		} else if (c == '=') {
			back[len++] =
			    (char)(hex(whole[i + 1]) << 4 | hex(whole[i + 2]));
			i += 2;
			column += 3;
		} else {
			back[len++] = c;
			column++;
		}
		assert(column <= 76);
	}
	assert(len == n && memcmp(back, s, n) == 0);
	free(whole);
	free(cut);
	free(back);
	return 0;
}
