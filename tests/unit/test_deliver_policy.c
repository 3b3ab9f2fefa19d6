/* The one decision: how a server must prove itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "deliver/policy.h"

#define MAY      ROUTE_TLS_MAY
#define REQUIRED ROUTE_TLS_REQUIRED
#define VERIFIED ROUTE_TLS_VERIFIED
#define IMPLICIT ROUTE_TLS_IMPLICIT
#define NEVER    ROUTE_TLS_NEVER
#define NO       DEMAND_NOTHING
#define RTLS     DEMAND_TLS
#define ANYHOW   DEMAND_DELIVERY

/* clang-format off */
static const struct row {
	const char *what;
	enum route_tls route; enum demand demand; bool by_mx, secure;
	enum dane_state dane; enum sts_mode sts; bool lists;
	/* then */
	enum verdict verdict; const char *name; enum route_tls tls;
	enum policy_proof proof; bool watch;
} rows[] = {
/* what                           route     demand  mx secure dane           sts          lists  verdict  name             tls       proof       watch */
{ "nothing special",              MAY,      NO,     1, 0, DANE_NONE,     STS_NONE,    0,  V_OK,   "opportunistic", MAY,      PROOF_NONE, 0 },
{ "a signed domain without TLSA", MAY,      NO,     1, 1, DANE_NONE,     STS_NONE,    0,  V_OK,   "opportunistic", MAY,      PROOF_NONE, 0 },
{ "route: required",              REQUIRED, NO,     1, 0, DANE_NONE,     STS_NONE,    0,  V_OK,   "route",         REQUIRED, PROOF_NONE, 0 },
{ "route: verified",              VERIFIED, NO,     1, 1, DANE_USABLE,   STS_NONE,    0,  V_OK,   "route",         VERIFIED, PROOF_NAME, 0 },
{ "route: implicit",              IMPLICIT, NO,     0, 1, DANE_NONE,     STS_NONE,    0,  V_OK,   "route",         IMPLICIT, PROOF_NAME, 0 },
{ "route: never",                 NEVER,    NO,     1, 1, DANE_USABLE,   STS_ENFORCE, 0,  V_OK,   "none",          NEVER,    PROOF_NONE, 0 },
{ "DANE",                         MAY,      NO,     1, 1, DANE_USABLE,   STS_NONE,    0,  V_OK,   "dane",          VERIFIED, PROOF_TLSA, 0 },
{ "DANE over required",           REQUIRED, NO,     1, 1, DANE_USABLE,   STS_NONE,    0,  V_OK,   "dane",          VERIFIED, PROOF_TLSA, 0 },
{ "DANE wins over MTA-STS",       MAY,      NO,     1, 1, DANE_USABLE,   STS_ENFORCE, 0,  V_OK,   "dane",          VERIFIED, PROOF_TLSA, 0 },
{ "DANE cannot be looked up",     MAY,      NO,     1, 1, DANE_FAILED,   STS_NONE,    0,  V_TEMP, NULL,            0,        0,          0 },
{ "nor does MTA-STS replace it",  MAY,      NO,     1, 1, DANE_FAILED,   STS_ENFORCE, 1,  V_TEMP, NULL,            0,        0,          0 },
{ "unusable TLSA",                MAY,      NO,     1, 1, DANE_UNUSABLE, STS_NONE,    0,  V_OK,   "opportunistic", REQUIRED, PROOF_NONE, 0 },
{ "unusable TLSA and MTA-STS",    MAY,      NO,     1, 1, DANE_UNUSABLE, STS_ENFORCE, 1,  V_OK,   "sts",           VERIFIED, PROOF_NAME, 0 },
{ "enforce",                      MAY,      NO,     1, 0, DANE_NONE,     STS_ENFORCE, 1,  V_OK,   "sts",           VERIFIED, PROOF_NAME, 0 },
{ "enforce, host not listed",     MAY,      NO,     1, 0, DANE_NONE,     STS_ENFORCE, 0,  V_TEMP, NULL,            0,        0,          0 },
{ "testing",                      MAY,      NO,     1, 0, DANE_NONE,     STS_TESTING, 0,  V_OK,   "opportunistic", MAY,      PROOF_NONE, 1 },
{ "testing, route required",      REQUIRED, NO,     1, 0, DANE_NONE,     STS_TESTING, 1,  V_OK,   "route",         REQUIRED, PROOF_NONE, 1 },
{ "TLS-Required: No, DANE",       MAY,      ANYHOW, 1, 1, DANE_USABLE,   STS_NONE,    0,  V_OK,   "opportunistic", MAY,      PROOF_NONE, 0 },
{ "TLS-Required: No, lookup",     MAY,      ANYHOW, 1, 1, DANE_FAILED,   STS_NONE,    0,  V_OK,   "opportunistic", MAY,      PROOF_NONE, 0 },
{ "TLS-Required: No, enforce",    MAY,      ANYHOW, 1, 0, DANE_NONE,     STS_ENFORCE, 0,  V_OK,   "opportunistic", MAY,      PROOF_NONE, 0 },
{ "TLS-Required: No, the route",  REQUIRED, ANYHOW, 1, 0, DANE_NONE,     STS_NONE,    0,  V_OK,   "route",         REQUIRED, PROOF_NONE, 0 },
{ "REQUIRETLS, nothing secure",   MAY,      RTLS,   1, 0, DANE_NONE,     STS_NONE,    0,  V_PERM, NULL,            0,        0,          0 },
{ "REQUIRETLS, signed MX",        MAY,      RTLS,   1, 1, DANE_NONE,     STS_NONE,    0,  V_OK,   "requiretls",    VERIFIED, PROOF_NAME, 0 },
{ "REQUIRETLS, DANE",             MAY,      RTLS,   1, 1, DANE_USABLE,   STS_NONE,    0,  V_OK,   "dane",          VERIFIED, PROOF_TLSA, 0 },
{ "REQUIRETLS, unusable TLSA",    MAY,      RTLS,   1, 1, DANE_UNUSABLE, STS_NONE,    0,  V_OK,   "requiretls",    VERIFIED, PROOF_NAME, 0 },
{ "REQUIRETLS, lookup failed",    MAY,      RTLS,   1, 1, DANE_FAILED,   STS_NONE,    0,  V_TEMP, NULL,            0,        0,          0 },
{ "REQUIRETLS, enforce",          MAY,      RTLS,   1, 0, DANE_NONE,     STS_ENFORCE, 1,  V_OK,   "sts",           VERIFIED, PROOF_NAME, 0 },
{ "REQUIRETLS, testing",          MAY,      RTLS,   1, 0, DANE_NONE,     STS_TESTING, 1,  V_PERM, NULL,            0,        0,          0 },
{ "REQUIRETLS, smarthost",        REQUIRED, RTLS,   0, 1, DANE_NONE,     STS_NONE,    0,  V_OK,   "requiretls",    VERIFIED, PROOF_NAME, 0 },
{ "REQUIRETLS, route verified",   VERIFIED, RTLS,   1, 0, DANE_NONE,     STS_NONE,    0,  V_PERM, NULL,            0,        0,          0 },
{ "REQUIRETLS, route never",      NEVER,    RTLS,   0, 1, DANE_NONE,     STS_NONE,    0,  V_PERM, NULL,            0,        0,          0 },
};
/* clang-format on */

static void
decisions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];
		struct policy_input in = { r->route, r->demand, r->by_mx,
			r->secure, r->dane, r->sts, r->lists };
		struct policy p = policy_decide(&in);

		if (p.verdict != r->verdict ||
		    (p.verdict == V_OK &&
			(p.tls != r->tls || p.proof != r->proof ||
			    p.watch != r->watch ||
			    strcmp(policy_name(&p, r->tls != NEVER), r->name) !=
				0)))
			fail_msg("%s: verdict %d, tls %d, proof %d, %s",
			    r->what, p.verdict, p.tls, p.proof,
			    policy_name(&p, true));
		if (p.verdict != V_OK) {
			assert_non_null(p.why);
			assert_int_equal(
			    p.status[0], p.verdict == V_TEMP ? '4' : '5');
		}
		assert_int_equal(p.requiretls, r->demand == RTLS);
		assert_string_equal(policy_name(&p, false), "none");
	}
}

/* Whatever comes together: what DANE or MTA-STS asks for is never less. */
static void
nothing_weakens(void **state)
{
	(void)state;
	for (int n = 0; n < 5 * 3 * 2 * 2 * 4 * 3 * 2; n++) {
		int k = n;
		struct policy_input in;
		struct policy p;

		in.route = (enum route_tls)(k % 5), k /= 5;
		in.demand = (enum demand)(k % 3), k /= 3;
		in.by_mx = k % 2, k /= 2;
		in.secure_mx = k % 2, k /= 2;
		in.dane = (enum dane_state)(k % 4), k /= 4;
		in.sts = (enum sts_mode)(k % 3), k /= 3;
		in.sts_lists_host = k % 2;
		p = policy_decide(&in);
		if (p.verdict != V_OK)
			continue;
		if (in.demand == RTLS)
			assert_int_not_equal(p.proof, PROOF_NONE);
		if (in.demand == ANYHOW || in.route == NEVER)
			continue;
		if (in.dane != DANE_NONE || in.sts == STS_ENFORCE)
			assert_true(p.tls != MAY && p.tls != NEVER);
		if (in.dane == DANE_FAILED || in.dane == DANE_USABLE)
			assert_int_not_equal(p.proof, PROOF_NONE);
		if (in.route != MAY)
			assert_true(p.tls != MAY);
	}
}

static void
flags_of_messages(void **state)
{
	(void)state;
	assert_int_equal(policy_demand(0), NO);
	assert_int_equal(policy_demand(TX_8BIT), NO);
	assert_int_equal(policy_demand(TX_REQUIRETLS), RTLS);
	assert_int_equal(policy_demand(TX_TLS_OPTIONAL), ANYHOW);
	assert_int_equal(policy_demand(TX_REQUIRETLS | TX_TLS_OPTIONAL), RTLS);
}

static void
usable_records(void **state)
{
	static const uint8_t digest[64] = { 1 };
	static const struct {
		uint8_t usage, selector, matching;
		size_t len;
		bool usable;
	} cases[] = {
		{ 3, 1, 1, 32, true },
		{ 3, 0, 1, 32, true },
		{ 2, 0, 1, 32, true },
		{ 2, 1, 2, 64, true },
		{ 0, 1, 1, 32, false }, /* PKIX-TA */
		{ 1, 1, 1, 32, false }, /* PKIX-EE */
		{ 4, 1, 1, 32, false },
		{ 3, 2, 1, 32, false },
		{ 3, 1, 3, 32, false },
		{ 3, 1, 1, 31, false },
		{ 3, 1, 1, 0, false },
		{ 3, 1, 2, 32, false },
		{ 3, 0, 0, 64, false }, /* not a certificate */
		{ 3, 1, 0, 64, false },
	};
	struct answer a = { .n = 2 };
	struct dane *d;
	struct tlsa t;
	uint8_t bad[35] = { 1, 1, 1 }, good[35] = { 3, 1, 1, 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		t = (struct tlsa){ cases[i].usage, cases[i].selector,
			cases[i].matching, digest, cases[i].len };
		if (dane_usable(&t) != cases[i].usable)
			fail_msg("case %zu", i);
	}
	assert_false(dane_read(&t, digest, 3));
	a.records[0].data = bad;
	a.records[1].data = good;
	a.records[0].len = a.records[1].len = 35;
	assert_int_equal(dane_take(&a, "mx.example", &d), DANE_USABLE);
	assert_int_equal(d->n, 1);
	assert_int_equal(d->records[0].data[0], 7);
	assert_string_equal(d->base, "mx.example");
	free(d);
	a.n = 1;
	assert_int_equal(dane_take(&a, "mx.example", &d), DANE_UNUSABLE);
	assert_null(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decisions),
		cmocka_unit_test(nothing_weakens),
		cmocka_unit_test(flags_of_messages),
		cmocka_unit_test(usable_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
