/*
 * Cut anyhow, a body reads the same; what comes out reads as itself, and is
 * no longer than what went in but for one line end.  A header is read within
 * its bounds, and the field made of it fits.
 */
#include "fuzz_mail.h"

#include "mail/dkim.h"

struct text {
	char *s;
	size_t n, size;
};

static void
put(void *arg, const char *s, size_t n)
{
	struct text *t = arg;

	assert(n <= t->size - t->n);
	memcpy(t->s + t->n, s, n);
	t->n += n;
}

static void
check_body(const char *s, size_t n)
{
	struct text a = { room(n + 2), 0, n + 2 };
	struct text b = { room(n + 2), 0, n + 2 };
	struct text c = { room(n + 2), 0, n + 2 };
	uint32_t seed = seed_of((const uint8_t *)s, n);
	struct dkim_body body;
	size_t k;

	dkim_body_init(&body, put, &a);
	dkim_body_feed(&body, s, n);
	dkim_body_end(&body);
	dkim_body_init(&body, put, &b);
	for (size_t at = 0; at < n; at += k) {
		char *piece;

		k = next_cut(&seed, n - at);
		piece = exact(s + at, k);
		dkim_body_feed(&body, piece, k);
		free(piece);
	}
	dkim_body_end(&body);
	assert(a.n == b.n && memcmp(a.s, b.s, a.n) == 0);
	assert(a.n == 0 || memcmp(a.s + a.n - 2, "\r\n", 2) == 0);
	dkim_body_init(&body, put, &c);
	dkim_body_feed(&body, a.s, a.n);
	dkim_body_end(&body);
	assert(c.n == a.n && memcmp(c.s, a.s, a.n) == 0);
	free(a.s);
	free(b.s);
	free(c.s);
}

static void
check_header(const char *s, size_t n)
{
	static struct dkim_header h;
	struct text t = { room(n + 2 * DKIM_FIELDS), 0, n + 2 * DKIM_FIELDS };
	char out[DKIM_SIGNATURE_MAX], domain[256];
	struct dkim_tags tags = { "rsa-sha256", "example.org", "s", 1, "b",
		h.names };
	size_t len;

	if (dkim_header_read(&h, s, n)) {
		assert(h.n > 0 && h.n <= DKIM_FIELDS);
		dkim_header_put(&h, put, &t);
		assert(strlen(h.names) < sizeof(h.names));
		len = dkim_signature_begin(out, &tags);
		len = dkim_signature_end(out, len, "signature");
		assert(len < sizeof(out) && strlen(out) == len);
	}
	if (dkim_author(s, n, domain))
		assert(domain[0] != '\0' && domain[0] != '[');
	free(t.s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	char *s = exact((const char *)in, n);

	check_body(s, n);
	check_header(s, n);
	free(s);
	return 0;
}
