/* Cut anyhow, a header reads the same, within its bounds. */
#include "fuzz_mail.h"

#include "mail/header.h"

static struct header_scan a, b;

/* Edited however cut, the same is taken out, and never a byte of the rest. */
static void
edit(const uint8_t *in, size_t n, uint32_t seed)
{
	char *whole = exact((const char *)in, n), *cut = room(n);
	size_t len, cut_len = 0, k;

	header_init(&a);
	len = header_edit(&a, whole, n);
	header_finish(&a);
	header_init(&b);
	for (size_t i = 0; i < n; i += k) {
		k = next_cut(&seed, n - i);
		memcpy(cut + cut_len, in + i, k);
		assert(b.held <= cut_len);
		cut_len -= b.held;
		cut_len += header_edit(&b, cut + cut_len, k);
	}
	header_finish(&b);
	assert(a.fault == b.fault && a.dropped == b.dropped);
	assert(len == cut_len && memcmp(whole, cut, len) == 0);
	assert(len + a.dropped == n && a.dropped <= n);
	/* What comes out has nothing more to be taken out. */
	if (a.fault == HEADER_CLEAN && !a.empty) {
		header_init(&b);
		k = header_edit(&b, whole, len);
		assert(b.dropped == 0 && k == len);
	}
	free(whole);
	free(cut);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	const char *s = (const char *)in;
	uint32_t seed = seed_of(in, n);
	struct address out[8];
	size_t count, k;

	header_init(&a);
	header_feed(&a, s, n);
	header_finish(&a);
	header_init(&b);
	for (size_t i = 0; i < n; i += k) {
		char *piece;

		k = next_cut(&seed, n - i);
		piece = exact(s + i, k);
		header_feed(&b, piece, k);
		free(piece);
	}
	header_finish(&b);

	assert(a.ended && b.ended);
	assert(a.fault == b.fault && a.empty == b.empty);
	assert(a.blank_line == b.blank_line && a.bytes == b.bytes);
	assert(a.eight_bit == b.eight_bit && a.received == b.received);
	assert(a.has_from == b.has_from && a.has_sender == b.has_sender);
	assert(a.has_date == b.has_date);
	assert(a.has_message_id == b.has_message_id);
	assert(a.tls_optional == b.tls_optional && a.utf8.bad == b.utf8.bad);
	assert(a.resent_len == b.resent_len);
	assert(a.resent_len <= sizeof(a.resent));
	assert(memcmp(a.resent, b.resent, a.resent_len) == 0);
	assert(a.from_len == b.from_len && a.from_len <= sizeof(a.from));
	assert(memcmp(a.from, b.from, a.from_len) == 0);
	assert(a.sender_len == b.sender_len);
	assert(a.sender_len <= sizeof(a.sender));
	assert(memcmp(a.sender, b.sender, a.sender_len) == 0);
	assert(memchr(a.message_id, '\0', sizeof(a.message_id)) != NULL);
	assert(strcmp(a.message_id, b.message_id) == 0);
	if (a.fault == HEADER_CLEAN) {
		assert(a.bytes <= n && a.bytes <= HEADER_BYTES_MAX);
		if (a.blank_line)
			assert(memcmp(s + a.bytes - 2, "\r\n", 2) == 0);
		assert(!a.empty || a.bytes == (a.blank_line ? 2 : 0));
	}
	edit(in, n, seed);
	(void)header_mailboxes(a.from, a.from_len, out, 8, &count);
	return 0;
}
