/* The printed form of ids. */
#include "test_mail.h"

#include "mail/msgid.h"

struct row {
	const char *name;
	uint64_t id;
	const char *text;
};

static const struct row rows[] = {
	{ "zero", 0, "0000000000000" },
	{ "one", 1, "0000000000001" },
	{ "31", 31, "000000000000z" },
	{ "32", 32, "0000000000010" },
	{ "the largest", UINT64_MAX, "fzzzzzzzzzzzz" },
	{ "the top bit", UINT64_C(1) << 63, "8000000000000" },
	{ "all digits once", UINT64_C(0x110c8531d0952d8d), "123456789abcd" },
};

static void
both_ways(void **state)
{
	const struct row *t = *state;
	char text[MSGID_SIZE], upper[MSGID_SIZE];
	uint64_t id = 99;

	msgid_format(t->id, text);
	assert_string_equal(text, t->text);
	assert_true(msgid_parse(text, &id));
	assert_true(id == t->id);
	for (size_t i = 0; i < MSGID_SIZE; i++)
		upper[i] = (char)(text[i] >= 'a' ? text[i] - 32 : text[i]);
	assert_true(msgid_parse(upper, &id));
	assert_true(id == t->id);
}

static void
refuses(void **state)
{
	static const char *const bad[] = { "", "0", "000000000000",
		"00000000000000", "g000000000000", "z000000000000",
		"zzzzzzzzzzzzz", "000000000000i", "000000000000l",
		"000000000000o", "000000000000u", "00000000000 0",
		" 000000000000", "000000000000\n", "0000000-00000",
		"000000000000\xff", "00000000000000000000000000000" };
	uint64_t id = 99;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(msgid_parse(bad[i], &id));
		assert_true(id == 99);
	}
}

static void
sorts_as_numbers(void **state)
{
	uint64_t id = 1;
	char before[MSGID_SIZE], text[MSGID_SIZE];

	(void)state;
	msgid_format(0, before);
	for (; id < UINT64_MAX / 2; id += id / 3 + 1) {
		msgid_format(id, text);
		assert_true(strcmp(before, text) < 0);
		memcpy(before, text, sizeof(text));
	}
}

static void
digits_each_have_a_place(void **state)
{
	uint64_t id;
	char text[MSGID_SIZE];

	(void)state;
	srand(1);
	for (int i = 0; i < 10000; i++) {
		uint64_t want = (uint64_t)rand() << 42 ^
		    (uint64_t)rand() << 21 ^ (uint64_t)rand();

		msgid_format(want, text);
		assert_true(msgid_parse(text, &id));
		assert_true(id == want);
	}
}

int
main(void)
{
	ADD_TABLE(rows, both_ways);
	add("refuses other texts", refuses, NULL);
	add("texts sort as numbers do", sorts_as_numbers, NULL);
	add("ids at random", digits_each_have_a_place, NULL);
	return run_cases("mail/msgid");
}
