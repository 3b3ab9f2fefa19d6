/*
 * Account files of other servers, line by line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/hash.h"
#include "ctl/import.h"

#define MD5      "$1$Daxl/Tq0$RlbdagHN.SwBipatBqmtg1"
#define OWN(a)   "account " a "\n"
#define GRANT(a) "grant " a " " a "\n"

static char told[4096];

static void
on_item(void *arg, const struct msg_item *i)
{
	size_t n = strlen(told);

	(void)arg;
	if (i->item == ITEM_ACCOUNT)
		snprintf(
		    told + n, sizeof(told) - n, "account %s\n", i->account);
	else
		snprintf(told + n, sizeof(told) - n, "%s %s %s\n",
		    i->item == ITEM_GRANT ? "grant" : "hash", i->account,
		    i->item == ITEM_GRANT ? i->name : i->hash);
}

static struct import im;

static void
begin(enum import_format format, const char *domain)
{
	im = (struct import){ .format = format,
		.domain = domain,
		.insist = domain[0] != '\0',
		.today = 19700,
		.item = on_item };
	told[0] = '\0';
}

static bool
feed(const char *text)
{
	char line[1024];

	snprintf(line, sizeof(line), "%s", text);
	return import_line(&im, line, strlen(line));
}

static void
names_and_passwords(void **state)
{
	(void)state;
	begin(IMPORT_AUTO, "example.org");
	assert_true(feed("# a comment"));
	assert_true(feed(""));
	assert_true(feed("Bob:" MD5));
	assert_int_equal(im.format, IMPORT_HTPASSWD);
	assert_string_equal(told,
	    OWN("bob@example.org") "hash bob@example.org " MD5
				   "\n" GRANT("bob@example.org"));
	begin(IMPORT_AUTO, "");
	assert_false(feed("bob:" MD5));
	assert_non_null(strstr(im.error, "--domain"));
	assert_true(feed("bob@b.example:" MD5));
	assert_false(feed("b b@b.example:" MD5));
	assert_false(feed("no colon"));
	assert_int_equal(im.accounts, 1);
}

static void
locks_stay(void **state)
{
	(void)state;
	begin(IMPORT_AUTO, "e.org");
	assert_true(feed("root:*:19000:0:99999:7:::"));
	assert_int_equal(im.format, IMPORT_SHADOW);
	assert_true(feed("daemon:!*:19000:0:99999:7:::"));
	assert_true(feed("open::19000:0:99999:7:::"));
	assert_true(feed("never:!:19000:0:99999:7:::"));
	assert_int_equal(im.left_out, 4);
	assert_string_equal(told, "");
	assert_true(feed("a:!" MD5 ":19000:0:99999:7:::"));
	assert_non_null(strstr(told, "hash a@e.org !" MD5 "\n"));
	/* Expired yesterday, and not yet. */
	assert_true(feed("b:" MD5 ":19000:0:99999:7::19699:"));
	assert_non_null(strstr(told, "hash b@e.org !" MD5 "\n"));
	assert_true(feed("c:" MD5 ":19000:0:99999:7::19701:"));
	assert_non_null(strstr(told, "hash c@e.org " MD5 "\n"));
	begin(IMPORT_PASSWD_FILE, "");
	assert_true(
	    feed("a@e.org:{MD5-CRYPT}" MD5 "::::::userdb_mail=x:y nologin"));
	assert_non_null(strstr(told, "hash a@e.org !" MD5 "\n"));
	assert_true(feed("b@e.org:{MD5-CRYPT}" MD5 "::::::nologinx"));
	assert_non_null(strstr(told, "hash b@e.org " MD5 "\n"));
}

static void
schemes_get_one_spelling(void **state)
{
	static const struct {
		const char *theirs, *ours;
	} rows[] = {
		{ "{CRYPT}" MD5, MD5 },
		{ "{MD5}" MD5, MD5 },
		{ "{md5-crypt}" MD5, MD5 },
		{ "{PLAIN-MD5}5ebe2294ecd0e0f08eab7690d2a6ee69",
		    "{MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ==" },
		{ "{LDAP-MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ",
		    "{MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ==" },
		{ "{PLAIN-MD5.b64}Xr4ilOzQ4PCOq3aQ0qbuaQ==",
		    "{MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ==" },
		{ "{SHA1}5en6G6MezRroT3XKqkdPOmY/BfQ=",
		    "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=" },
		{ "{SHA1.HEX}e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4",
		    "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=" },
		{ "{SSHA.hex}38042020e026f2844f2635c05bfd87aebd847f4baee2487f",
		    "{SSHA}OAQgIOAm8oRPJjXAW/2Hrr2Ef0uu4kh/" },
		{ "{NTLM}878D8014606CDA29677A44EFA1353FC7",
		    "$3$$878d8014606cda29677a44efa1353fc7" },
		{ "{CRYPT.b64}JDEkRGF4bC9UcTAkUmxiZGFnSE4uU3dCaXBhdEJxbXRnMQ==",
		    MD5 },
		{ "!{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
		    "!{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=" },
		{ "*LK*" MD5, "!" MD5 },
		{ "*LK*", "" },
		{ "*NP*", "" },
		{ "NP", "" },
		{ "!disabled", "" },
		{ "x", "" },
		{ "", "" },
	};
	static const char *const bad[] = { "{CRAM-MD5}cd3ba7deaad6",
		"{DIGEST-MD5}3d43f24c71b71cdd4be54e0721962a79", "{SHA", "{}x",
		"{SHA.rot13}x", "{SHA}abc", "{SSHA.hex}zz", "{PLAIN}",
		"{PLAIN-MD5}5ebe2294ecd0e0f08eab7690d2a6ee",
		"{SHA}OAQgIOAm8oRPJjXAW/2Hrr2Ef0uu4kh/" };
	char out[HASH_SIZE], scram[224];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    hash_read(rows[i].theirs, out, scram), HASH_READ);
		assert_string_equal(out, rows[i].ours);
		assert_string_equal(scram, "");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(hash_read(bad[i], out, scram), HASH_HOPELESS);
	assert_int_equal(
	    hash_read("{SCRAM-SHA-256}4096,a,b,c", out, scram), HASH_READ);
	assert_string_equal(scram, "4096,a,b,c");
	/* What was in the clear is so no more. */
	assert_int_equal(hash_read("{PLAIN}secret", out, scram), HASH_READ);
	assert_memory_equal(out, "{SSHA512}", 9);
	assert_null(strstr(out, "secret"));
}

static void
no_hash_is_taken_for_one(void **state)
{
	static const struct {
		const char *theirs;
		enum hash_result result;
	} rows[] = {
		{ "secret", HASH_NONE },
		{ "correcthorsebattery", HASH_NONE },
		{ "_secret", HASH_NONE },
		{ "{CRYPT}secret", HASH_NONE },
		{ "$99$salt$hash", HASH_HOPELESS },
		{ "/LgVj7g9me8So", HASH_READ },
		{ "$1$Daxl/Tq0$RlbdagHN.SwBipatBqmtg", HASH_CUT },
		{ "{MD5-CRYPT}$1$Daxl/Tq0$RlbdagHN", HASH_CUT },
		{ "$6$saltsaltsalt", HASH_CUT },
	};
	char out[HASH_SIZE], scram[224];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		    hash_read(rows[i].theirs, out, scram), rows[i].result);
	begin(IMPORT_AUTO, "e.org");
	assert_false(feed("a:hunter2"));
	assert_non_null(strstr(im.error, "{PLAIN}"));
	assert_null(strstr(im.error, "hunter2"));
	assert_false(feed("a:$6$salt$cut"));
	assert_non_null(strstr(im.error, "sha512crypt"));
	assert_null(strstr(im.error, "salt"));
	/* As postfixadmin calls its column. */
	begin(IMPORT_AUTO, "");
	assert_true(feed("username\tpassword\tactive"));
	assert_false(feed("a@e.org\t{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\t1"));
	assert_non_null(strstr(im.error, "\"hash\""));
	assert_false(feed("a@e.org\t" MD5 "\t1"));
	begin(IMPORT_AUTO, "");
	assert_true(feed("username\thash\tactive"));
	assert_true(feed("a@e.org\t" MD5 "\t1"));
	assert_non_null(strstr(told, "hash a@e.org " MD5));
	assert_true(feed("b@e.org\t" MD5 "\t0"));
	assert_non_null(strstr(told, "hash b@e.org !" MD5));
}

static void
a_password_may_begin_like_a_hash(void **state)
{
	static const char *const passwords[] = { "$2cool4school", "$1$pass",
		"$6$saltsaltsalt", "$y$", "$99$a$b", "$md5", "{PLAIN}x",
		"{SHA}abc", "{SHA", "{CRYPT}x", "{}" };
	static const char *const hashes[] = { MD5, "$apr1$salt$hash",
		"$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA",
		"{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "{MD5-CRYPT}" MD5 };
	char line[200];

	(void)state;
	begin(IMPORT_CSV, "");
	assert_true(feed("user,password"));
	for (size_t i = 0; i < sizeof(passwords) / sizeof(passwords[0]); i++) {
		told[0] = '\0';
		snprintf(line, sizeof(line), "a@e.org,%s", passwords[i]);
		assert_true(feed(line));
		assert_non_null(strstr(told, "hash a@e.org {SSHA512}"));
	}
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		snprintf(line, sizeof(line), "a@e.org,\"%s\"", hashes[i]);
		assert_false(feed(line));
		assert_non_null(strstr(im.error, "\"hash\""));
	}
	/* And in the other column it is a hash cut short. */
	begin(IMPORT_CSV, "");
	assert_true(feed("user,hash"));
	assert_false(feed("a@e.org,$2y$05$saltsaltsaltsaltsalt"));
	assert_non_null(strstr(im.error, "(bcrypt, 27 bytes)"));
	assert_non_null(strstr(im.error, "too narrow"));
}

static void
a_file_is_not_what_its_first_line_looks_like(void **state)
{
	char line[] = "\0\0\0\0\0\0\0\0\0\0\0\0\x61\x15\x06";

	(void)state;
	/* Nine fields, as in shadow, but no days in them. */
	begin(IMPORT_AUTO, "e.org");
	assert_true(
	    feed("a:" MD5 ":5:5::/home/a::nologin userdb_mail=maildir:~"));
	assert_int_equal(im.format, IMPORT_PASSWD_FILE);
	assert_non_null(strstr(told, "hash a@e.org !" MD5));
	/* Two fields at first, as with htpasswd. */
	begin(IMPORT_AUTO, "e.org");
	assert_true(feed("a:" MD5));
	assert_true(feed("b:" MD5 "::::::nologin"));
	assert_non_null(strstr(told, "hash b@e.org !" MD5));
	begin(IMPORT_AUTO, "e.org");
	assert_false(import_line(&im, line, sizeof(line) - 1));
	assert_non_null(strstr(im.error, "db5.3_dump"));
}

static void
a_sasldb_comes_as_a_dump(void **state)
{
	(void)state;
	begin(IMPORT_AUTO, "");
	assert_true(feed("VERSION=3"));
	assert_true(feed("format=print"));
	assert_true(feed("HEADER=END"));
	assert_true(feed(" alice\\00example.org\\00userPassword"));
	assert_true(feed(" p\\c3\\a4ss\\\\word"));
	assert_true(feed(" alice\\00example.org\\00cmusaslsecretOTP"));
	assert_true(feed(" \\00\\01"));
	assert_true(feed("DATA=END"));
	assert_non_null(strstr(told, "hash alice@example.org {SSHA512}"));
	assert_int_equal(im.accounts, 1);
	begin(IMPORT_SASLDB, "b.example");
	feed("format=bytevalue");
	feed("HEADER=END");
	feed(" 616c696365006578616d706c652e6f7267007573657250617373776f7264");
	assert_true(feed(" 70617373"));
	assert_non_null(strstr(told, "account alice@b.example"));
	assert_false(feed(" 7"));
	assert_false(feed("x"));
	assert_false(feed(" 61"));
}

static void
tables_with_commas(void **state)
{
	(void)state;
	begin(IMPORT_AUTO, "");
	assert_true(feed("Email,extra,Hash,Aliases,locked"));
	assert_true(feed("\"a@e.org\",\"x,\"\"y\"," MD5 ",b@e.org @e.net,no"));
	assert_string_equal(told,
	    OWN("a@e.org") "hash a@e.org " MD5 "\n" GRANT(
		"a@e.org") "grant a@e.org b@e.org\ngrant a@e.org @e.net\n");
	told[0] = '\0';
	assert_true(feed("c@e.org,," MD5 ",,yes"));
	assert_non_null(strstr(told, "hash c@e.org !" MD5));
	assert_false(feed("not an address,," MD5));
	begin(IMPORT_CSV, "");
	assert_false(feed("a,b,c"));
	assert_true(feed("user,password"));
	assert_true(feed("d@e.org,secret"));
	assert_non_null(strstr(told, "hash d@e.org {SSHA512}"));
	/* As a spreadsheet on Windows writes it. */
	begin(IMPORT_AUTO, "");
	assert_true(feed("\xef\xbb\xbfuser;hash\r"));
	assert_true(feed("d@e.org;" MD5 "\r"));
	assert_string_equal(
	    told, OWN("d@e.org") "hash d@e.org " MD5 "\n" GRANT("d@e.org"));
	assert_false(feed("e@e.org;{CRAM-MD5}c0ffee"));
	assert_non_null(strstr(im.error, "({CRAM-MD5})"));
	assert_null(strstr(im.error, "c0ffee"));
}

static void
our_own_comes_back(void **state)
{
	(void)state;
	begin(IMPORT_AUTO, "");
	assert_true(feed("{\"account\":\"a@e.org\",\"state\":\"suspended\","
			 "\"credentials\":[{\"label\":\"password\","
			 "\"kind\":\"password\",\"hash\":\"" MD5 "\"}],"
			 "\"grants\":[\"@e.org\",{\"address\":\"b@e.org\"}]}"));
	assert_string_equal(told,
	    OWN("a@e.org") "hash a@e.org " MD5
			   "\ngrant a@e.org @e.org\ngrant a@e.org b@e.org\n");
	assert_false(feed("{\"account\":\"a@e.org\",\"state\":\"odd\"}"));
	assert_false(feed("{\"account\":17}"));
	assert_false(feed("{\"account\":"));
	assert_false(feed("[]"));
	assert_false(feed("{\"account\":\"a@e.org\",\"grants\":[5]}"));
	assert_false(feed("{\"account\":\"a@e.org\",\"created\":\"now\"}"));
}

static void
maps_grant(void **state)
{
	(void)state;
	begin(IMPORT_AUTO, "e.org");
	im.grants = true;
	assert_true(feed("postmaster:  Alice, bob@b.example"));
	assert_int_equal(im.format, IMPORT_ALIASES);
	assert_true(feed("\tcarol"));
	assert_true(feed("list: \"|/bin/list\", :include:/x, /dev/null, dan"));
	assert_true(feed("eve: \\eve, \"|/bin/vacation -a x, eve\""));
	assert_true(feed("fay: |\"/bin/vacation fay\", \\eve"));
	assert_string_equal(told,
	    "grant alice@e.org postmaster@e.org\n"
	    "grant bob@b.example postmaster@e.org\n"
	    "grant carol@e.org postmaster@e.org\n"
	    "grant dan@e.org list@e.org\n"
	    "grant eve@e.org eve@e.org\n"
	    "grant eve@e.org fay@e.org\n");
	begin(IMPORT_AUTO, "");
	im.grants = true;
	assert_true(feed("sales@e.org   alice@e.org bob@e.org"));
	assert_true(feed("@e.net\talice@e.org"));
	assert_false(feed("alone"));
	assert_false(feed("/^x/ alice@e.org"));
	assert_false(feed("x@e.org alice"));
	assert_string_equal(told,
	    "grant alice@e.org sales@e.org\n"
	    "grant bob@e.org sales@e.org\n"
	    "grant alice@e.org @e.net\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_passwords),
		cmocka_unit_test(locks_stay),
		cmocka_unit_test(schemes_get_one_spelling),
		cmocka_unit_test(no_hash_is_taken_for_one),
		cmocka_unit_test(a_password_may_begin_like_a_hash),
		cmocka_unit_test(a_file_is_not_what_its_first_line_looks_like),
		cmocka_unit_test(a_sasldb_comes_as_a_dump),
		cmocka_unit_test(tables_with_commas),
		cmocka_unit_test(our_own_comes_back),
		cmocka_unit_test(maps_grant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
