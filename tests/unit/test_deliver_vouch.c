/*
 * What DNSSEC says of a host: which questions follow from which answers, and
 * what is believed in the end (RFC 7672 2.2.2).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "deliver/vouch.h"

#define HOST  "mx.example.org"
#define REAL  "real.example.net"
#define OWN   "_25._tcp." HOST
#define OTHER "_25._tcp." REAL

static const uint8_t tlsa[35] = { 3, 1, 1 };
static const struct answer nothing;

static struct vouch
found(bool secure, bool alias)
{
	struct answer a = { .alias = alias };
	struct vouch v = { 0 };

	snprintf(a.canonical, sizeof(a.canonical), "%s", alias ? REAL : HOST);
	vouch_address(&v, &a, secure);
	vouch_begin(&v);
	return v;
}

static void
asks(const struct vouch *v, enum rr_type type, const char *name)
{
	char question[VOUCH_QUESTION];
	enum rr_type of;

	assert_true(vouch_asks(v, HOST, 25, question, &of));
	assert_int_equal(of, type);
	assert_string_equal(question, name);
}

static void
says(const struct vouch *v, enum dane_state dane)
{
	char question[VOUCH_QUESTION];
	enum rr_type of;

	assert_false(vouch_asks(v, HOST, 25, question, &of));
	assert_int_equal(v->dane, dane);
}

static void
hear(struct vouch *v, enum dns_result result, bool secure)
{
	struct answer a = { .n = 1 };

	a.records[0].data = tlsa;
	a.records[0].len = sizeof(tlsa);
	vouch_hear(
	    v, HOST, result, result == DNS_FOUND ? &a : &nothing, secure);
}

static void
test_name(void **state)
{
	struct vouch v = found(true, false);

	(void)state;
	asks(&v, RR_TLSA, OWN);
	hear(&v, DNS_FOUND, true);
	says(&v, DANE_USABLE);
	assert_string_equal(v.tlsa->base, HOST);
	vouch_clear(&v);
	assert_null(v.tlsa);
}

static void
test_nobody_knows(void **state)
{
	static const struct {
		enum dns_result result;
		bool secure;
		enum dane_state dane;
	} cases[] = {
		{ DNS_NOTHING, true, DANE_NONE },
		{ DNS_NO_NAME, false, DANE_NONE },
		{ DNS_FOUND, false, DANE_NONE },
		{ DNS_BOGUS, false, DANE_FAILED },
		{ DNS_FAILED, false, DANE_FAILED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vouch v = found(true, false);

		assert_int_equal(v.dane, DANE_FAILED);
		hear(&v, cases[i].result, cases[i].secure);
		says(&v, cases[i].dane);
		vouch_clear(&v);
	}
}

/* Nothing is asked where the way to the host was not validated, or there is
 * no way. */
static void
test_insecure(void **state)
{
	struct vouch v = found(false, false), none = { 0 };

	(void)state;
	says(&v, DANE_NONE);
	vouch_begin(&none);
	says(&none, DANE_NONE);
}

static void
test_alias(void **state)
{
	struct vouch v = found(true, true);

	(void)state;
	asks(&v, RR_TLSA, OTHER);
	hear(&v, DNS_FOUND, true);
	says(&v, DANE_USABLE);
	assert_string_equal(v.tlsa->base, REAL);
	vouch_clear(&v);

	v = found(true, true);
	hear(&v, DNS_NOTHING, true);
	asks(&v, RR_TLSA, OWN);
	hear(&v, DNS_FOUND, true);
	says(&v, DANE_USABLE);
	assert_string_equal(v.tlsa->base, HOST);
	vouch_clear(&v);

	v = found(true, true);
	hear(&v, DNS_NOTHING, true);
	hear(&v, DNS_NOTHING, true);
	says(&v, DANE_NONE);
}

/* Who keeps the second answer away does not take the protection away. */
static void
test_alias_unanswered(void **state)
{
	struct vouch v = found(true, true);

	(void)state;
	hear(&v, DNS_NOTHING, true);
	assert_int_equal(v.dane, DANE_FAILED);
	hear(&v, DNS_FAILED, false);
	says(&v, DANE_FAILED);

	v = found(true, true);
	hear(&v, DNS_NOTHING, true);
	hear(&v, DNS_BOGUS, false);
	says(&v, DANE_FAILED);
}

/* An alias into a zone without DNSSEC. */
static void
test_alias_leads_out(void **state)
{
	struct vouch v = found(false, true);

	(void)state;
	asks(&v, RR_CNAME, HOST);
	hear(&v, DNS_FOUND, true);
	asks(&v, RR_TLSA, OWN);
	hear(&v, DNS_FOUND, true);
	says(&v, DANE_USABLE);
	assert_string_equal(v.tlsa->base, HOST);
	vouch_clear(&v);

	v = found(false, true);
	hear(&v, DNS_FOUND, false);
	says(&v, DANE_NONE);
	v = found(false, true);
	hear(&v, DNS_FAILED, false);
	says(&v, DANE_FAILED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_nobody_knows),
		cmocka_unit_test(test_insecure),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_alias_unanswered),
		cmocka_unit_test(test_alias_leads_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
