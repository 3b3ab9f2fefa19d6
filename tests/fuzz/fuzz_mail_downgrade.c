/*
 * What is converted is 7-bit, needs no more, and is the same whatever the
 * sizes of buffers; what is not, was 7-bit before or has a reason.
 */
#include "fuzz_mail.h"

#include "mail/downgrade.h"
#include "mail/lines.h"

struct memory {
	const char *s;
	size_t n;
	uint32_t seed; /* 0: as much as is asked for */
};

static ssize_t
source(void *arg, uint64_t offset, char *out, size_t n)
{
	struct memory *m = arg;

	if (offset >= m->n)
		return 0;
	if (n > m->n - offset)
		n = (size_t)(m->n - offset);
	if (m->seed != 0) {
		n = next_cut(&m->seed, n);
		n += n == 0;
	}
	memcpy(out, m->s + offset, n);
	return (ssize_t)n;
}

static struct downgrade a, b;

/* Nothing that stuffing would have to blot out. */
static bool
are_lines(const char *s, size_t n)
{
	bool ignored;

	return n == 0 ||
	    (s[0] != '\n' && s[n - 1] != '\r' && lines_clean(s, n, &ignored));
}

static void
try(const uint8_t *in, size_t n, unsigned what)
{
	const char *s = (const char *)in;
	struct memory whole = { s, n, 0 };
	struct memory cut = { s, n, seed_of(in, n) | 1 };
	bool eight_bit = lines_eight_bit(s, n);
	enum downgrade_result r;
	size_t size, len = 0, at = 0;
	ssize_t got;
	char *out, piece[DOWNGRADE_OUT_MIN];

	r = downgrade_plan(&a, what, source, &whole);
	assert(downgrade_plan(&b, what, source, &cut) == r);
	if (what == DOWNGRADE_8BIT)
		assert((r == DOWNGRADE_NONE) == !eight_bit);
	else if (r == DOWNGRADE_NONE)
		assert(
		    !((what & DOWNGRADE_8BIT) && eight_bit) && are_lines(s, n));
	assert((r == DOWNGRADE_CANNOT) == (a.problem != NULL));
	assert(r != DOWNGRADE_ERROR);
	if (r != DOWNGRADE_READY)
		return;
	assert(a.nedits == b.nedits);
	size = n * 4 + a.nedits * 100 + 4096;
	out = room(size);
	while ((got = downgrade_read(&a, out + len, size - len)) > 0)
		len += (size_t)got;
	assert(got == 0 && len < size);
	assert(!(what & DOWNGRADE_8BIT) || !lines_eight_bit(out, len));
	assert(!(what & DOWNGRADE_BINARY) || are_lines(out, len));
	while ((got = downgrade_read(&b, piece, sizeof(piece))) > 0) {
		assert((size_t)got <= len - at);
		assert(memcmp(piece, out + at, (size_t)got) == 0);
		at += (size_t)got;
	}
	assert(got == 0 && at == len);
	/* The same structure: what had parts still has them. */
	whole.s = out;
	whole.n = len;
	assert(downgrade_plan(&a, what, source, &whole) == DOWNGRADE_NONE);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	for (unsigned what = 1; what <= 3; what++)
		try(in, n, what);
	return 0;
}
