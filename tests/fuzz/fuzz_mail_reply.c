/* Cut anyhow, a reply is the same, within its bounds, and printable. */
#include "fuzz_mail.h"

#include "mail/ascii.h"
#include "mail/reply.h"

static struct reply a, b;
static unsigned lines;

static void
on_line(void *arg, unsigned number, const char *text)
{
	assert(arg == &lines && number == lines);
	lines++;
	for (; *text != '\0'; text++)
		assert(ascii_print(*text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	const char *s = (const char *)in;
	uint32_t seed = seed_of(in, n);
	enum reply_result ra, rb = REPLY_MORE;
	size_t used_a, used_b = 0, used, k;
	char status[STATUS_MAX];

	lines = 0;
	reply_init(&a, on_line, &lines);
	ra = reply_feed(&a, s, n, &used_a);
	assert(used_a <= n && (ra != REPLY_MORE || used_a == n));
	assert(used_a <= REPLY_BYTES_MAX + 1);
	assert((ra == REPLY_BAD) == (a.problem != NULL));
	if (ra == REPLY_DONE) {
		assert(a.code >= 200 && a.code < 600 && lines > 0);
		assert(memcmp(s + used_a - 2, "\r\n", 2) == 0);
	}
	assert(strlen(a.text) == a.text_len);
	for (size_t i = 0; i < a.text_len; i++)
		assert(ascii_print(a.text[i]));
	if (a.status[0] != '\0') {
		assert(status_fits(a.status, a.code));
		assert(status_parse(a.status, strlen(a.status), status) ==
		    strlen(a.status));
	}

	lines = 0;
	reply_init(&b, on_line, &lines);
	for (size_t i = 0; i < n && rb == REPLY_MORE; i += k) {
		char *piece;

		k = next_cut(&seed, n - i);
		piece = exact(s + i, k);
		rb = reply_feed(&b, piece, k, &used);
		used_b += used;
		free(piece);
	}
	assert(ra == rb && used_a == used_b && a.code == b.code);
	assert(strcmp(a.text, b.text) == 0 && strcmp(a.status, b.status) == 0);
	return 0;
}
