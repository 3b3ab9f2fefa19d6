/*
 * What people type, in its one spelling.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/login_name.h"

static void
logins_have_one_spelling(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "alice@example.org", "alice@example.org" },
		{ "ALICE@Example.ORG", "alice@example.org" },
		{ "\"alice\"@example.org", "alice@example.org" },
		{ "\"A b\"@example.org", "\"a b\"@example.org" },
		{ "a+tag@example.org", "a+tag@example.org" },
		{ "alice", NULL },
		{ "alice@", NULL },
		{ "@example.org", NULL },
		{ "alice@example.org ", NULL },
		{ "alice@exa\nmple.org", NULL },
		{ "", NULL },
	};
	char out[ADDR_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    login_canonical(out, rows[i].in), rows[i].out != NULL);
		if (rows[i].out != NULL)
			assert_string_equal(out, rows[i].out);
	}
}

static void
names_without_domain_get_one(void **state)
{
	char out[ADDR_SIZE];

	(void)state;
	assert_true(login_guess(out, "Alice", "", "mail.example.org", 0));
	assert_string_equal(out, "alice@mail.example.org");
	assert_true(login_guess(out, "Alice", "", "mail.example.org", 1));
	assert_string_equal(out, "alice@example.org");
	assert_false(login_guess(out, "Alice", "", "mail.example.org", 2));
	/* A top-level domain is nobody's mail domain. */
	assert_false(login_guess(out, "alice", "", "example.org", 1));
	assert_false(login_guess(out, "alice", "", "localhost", 1));
	assert_true(login_guess(out, "Bob@b.example", "", "example.org", 0));
	assert_string_equal(out, "bob@b.example");
	assert_false(
	    login_guess(out, "bob@b.example", "", "mail.example.org", 1));
	assert_false(login_guess(out, "", "", "mail.example.org", 0));
	assert_false(login_guess(out, "a b", "", "mail.example.org", 0));
	/* With a default domain there is one answer. */
	assert_true(login_guess(out, "Bob", "b.example", "mail.a.example", 0));
	assert_string_equal(out, "bob@b.example");
	assert_false(login_guess(out, "bob", "b.example", "mail.a.example", 1));
}

/* RFC 8265 3.3; and blanks that a telephone put there. */
static void
names_are_found_however_they_were_typed(void **state)
{
	char out[ADDR_SIZE];

	(void)state;
	assert_true(login_guess(out, " bob@b.example ", "", "a.example", 0));
	assert_string_equal(out, "bob@b.example");
	assert_true(login_guess(out, "bob ", "b.example", "a.example", 0));
	assert_string_equal(out, "bob@b.example");
	assert_false(login_guess(out, " ", "b.example", "a.example", 0));
	/* As it came first: it may have been made so. */
	assert_true(login_guess(out, "JU\xcc\x88RGEN@b.example", "", "h", 0));
	assert_string_equal(out, "ju\xcc\x88rgen@b.example");
	assert_true(login_guess(out, "JU\xcc\x88RGEN@b.example", "", "h", 1));
	assert_string_equal(out, "j\xc3\xbcrgen@b.example");
	assert_false(login_guess(out, "JU\xcc\x88RGEN@b.example", "", "h", 2));
	assert_true(login_guess(out, "\xc3\x9c", "", "m.b.example", 1));
	assert_string_equal(out, "\xc3\x9c@b.example");
	assert_true(login_guess(out, "\xc3\x9c", "", "m.b.example", 3));
	assert_string_equal(out, "\xc3\xbc@b.example");
	assert_false(login_guess(out, "\xc3\xbc@b.example", "", "h", 1));
	assert_false(login_guess(out, "\xff@b.example", "", "h", 1));
}

static void
new_accounts_have_one_spelling(void **state)
{
	static const struct {
		const char *login, *called;
	} rows[] = {
		{ "bob@b.example", "bob@b.example" },
		{ "\xc3\x89lodie@b.example", "\xc3\xa9lodie@b.example" },
		{ "e\xcc\x81lodie@b.example", "\xc3\xa9lodie@b.example" },
		/* U+037E is composed to a semicolon, U+1FEF to a backtick. */
		{ "\xc3\x89\xcd\xbe@b.example", "\xc3\x89\xcd\xbe@b.example" },
		{ "\xe1\xbf\xaf@b.example", "`@b.example" },
	};
	char out[ADDR_SIZE], again[ADDR_SIZE], local[65], long_one[80];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(login_canonical(again, rows[i].login));
		assert_string_equal(again, rows[i].login);
		login_spell(out, rows[i].login);
		assert_string_equal(out, rows[i].called);
		assert_true(login_canonical(again, out));
		assert_string_equal(again, out);
	}
	/* U+023A has two octets, and three as a small letter. */
	for (int i = 0; i < 32; i++)
		memcpy(local + 2 * i, "\xc8\xba", 2);
	local[64] = '\0';
	snprintf(long_one, sizeof(long_one), "%s@b.example", local);
	assert_true(login_canonical(again, long_one));
	login_spell(out, long_one);
	assert_string_equal(out, long_one);
}

static void
grants_are_addresses_or_domains(void **state)
{
	char out[ADDR_SIZE];

	(void)state;
	assert_true(grant_canonical(out, "Sales@Example.org"));
	assert_string_equal(out, "sales@example.org");
	assert_true(grant_canonical(out, "@Example.ORG"));
	assert_string_equal(out, "@example.org");
	assert_false(grant_canonical(out, "@"));
	assert_false(grant_canonical(out, "@exa mple.org"));
	assert_false(grant_canonical(out, "@@example.org"));
	assert_false(grant_canonical(out, "example.org"));
	assert_false(grant_canonical(out, ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logins_have_one_spelling),
		cmocka_unit_test(names_are_found_however_they_were_typed),
		cmocka_unit_test(names_without_domain_get_one),
		cmocka_unit_test(new_accounts_have_one_spelling),
		cmocka_unit_test(grants_are_addresses_or_domains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
