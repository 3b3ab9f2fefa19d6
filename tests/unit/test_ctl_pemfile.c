/*
 * What an administrator reads about a file that holds the wrong thing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/pemfile.h"

#define CERTIFICATE "-----BEGIN CERTIFICATE-----\nMIIB"
#define KEY         "-----BEGIN PRIVATE KEY-----\nMIIB"
#define LOCKED      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB"
#define OLD_LOCKED  "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"

static void
each_mistake_has_its_remedy(void **state)
{
	static const struct {
		enum pem kind;
		const char *text, *says;
	} cases[] = {
		{ PEM_CERTIFICATE, "", "/f is empty: put the certificate" },
		{ PEM_KEY, "", "/f is empty: put the private key" },
		{ PEM_CERTIFICATE, "0\x82\x01", "openssl x509 -inform DER" },
		{ PEM_KEY, "0\x82\x01", "openssl pkey -inform DER" },
		{ PEM_CERTIFICATE, "0 is no DER\n" CERTIFICATE, "damaged" },
		{ PEM_CERTIFICATE, CERTIFICATE, "damaged or cut short" },
		{ PEM_CERTIFICATE, KEY, "holds a private key and no cert" },
		{ PEM_KEY, CERTIFICATE, "holds a certificate and no private" },
		{ PEM_KEY, KEY, "damaged or cut short" },
		{ PEM_KEY, LOCKED, "needs a passphrase" },
		{ PEM_KEY, OLD_LOCKED, "needs a passphrase" },
		{ PEM_KEY, "nonsense\n", "/f holds no private key in PEM" },
	};
	char out[400];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		pemfile_explain("/f", cases[i].text, strlen(cases[i].text),
		    cases[i].kind, out, sizeof(out));
		if (strstr(out, cases[i].says) == NULL)
			fail_msg("%zu: %s", i, out);
	}
}

static void
a_file_that_is_not_there(void **state)
{
	char out[400];

	(void)state;
	pemfile_tell("/none/x", PEM_KEY, out, sizeof(out));
	assert_string_equal(out, "/none/x: No such file or directory");
	pemfile_tell("/", PEM_CERTIFICATE, out, sizeof(out));
	assert_string_equal(out,
	    "/ is a directory: name the file in it that holds the "
	    "certificate");
	pemfile_tell("/proc/self/mem", PEM_KEY, out, sizeof(out));
	assert_string_equal(out, "/proc/self/mem: Input/output error");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mistake_has_its_remedy),
		cmocka_unit_test(a_file_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
