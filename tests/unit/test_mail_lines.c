/* The pass over bulk text, at every length and place, against a model. */
#include "test_mail.h"

#include "mail/lines.h"

static bool
model_clean(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\0')
			return false;
		if (i + 1 < n && (s[i] == '\r') != (s[i + 1] == '\n'))
			return false;
	}
	return true;
}

/* One odd byte, at each place of runs of each length. */
static void
finds_it_anywhere(void **state)
{
	static const char odd[] = { '\0', '\r', '\n', '\x80', '\xff', '\t' };

	(void)state;
	for (size_t n = 1; n < 70; n++)
		for (size_t at = 0; at < n; at++)
			for (size_t k = 0; k < sizeof(odd); k++) {
				char *s = malloc(n);
				bool eight = false;

				assert_non_null(s);
				memset(s, 'x', n);
				s[at] = odd[k];
				assert_int_equal(lines_clean(s, n, &eight),
				    model_clean(s, n));
				assert_int_equal(eight, (odd[k] & 0x80) != 0);
				assert_int_equal(lines_eight_bit(s, n), eight);
				free(s);
			}
}

static void
judges_pairs_anywhere(void **state)
{
	static const char *const pairs[] = { "\r\n", "\n\r", "\r\r", "\n\n",
		"\r\0", "\0\n" };

	(void)state;
	for (size_t n = 2; n < 70; n++)
		for (size_t at = 0; at + 1 < n; at++)
			for (size_t k = 0; k < COUNT(pairs); k++) {
				char *s = malloc(n);
				bool eight = false;

				assert_non_null(s);
				memset(s, 'x', n);
				memcpy(s + at, pairs[k], 2);
				assert_int_equal(lines_clean(s, n, &eight),
				    model_clean(s, n));
				assert_false(eight);
				free(s);
			}
}

static void
leaves_the_flag_alone(void **state)
{
	bool eight = true;

	(void)state;
	assert_true(lines_clean("abc", 3, &eight));
	assert_true(eight);
	assert_true(lines_clean("", 0, &eight));
	assert_false(lines_eight_bit("", 0));
}

int
main(void)
{
	add("one odd byte at each place", finds_it_anywhere, NULL);
	add("a pair at each place", judges_pairs_anywhere, NULL);
	add("only sets the flag", leaves_the_flag_alone, NULL);
	return run_cases("mail/lines");
}
