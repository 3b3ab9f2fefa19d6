/*
 * The guard against the run of 1997, sent with a stolen password, and against
 * a month of ordinary people.
 *
 * Both are simulated: the rules are pure, the clock is a number.  The limit of
 * new recipients is the server's own bucket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/guard_rules.h"
#include "auth/meter.h"

#define DAY_S     86400
#define T0        ((uint64_t)20000 * DAY_S)
#define NEW_A_DAY 90
#define RUN       45000 /* addresses, in 500 domains */
#define UNKNOWN   13    /* percent of them */
#define ACCOUNTS  1000

static const struct guard_rules rules = { 180, 10, 30, 5, 150, false,
	{ 7, 11 } };
static const struct meter_rate new_rate = { NEW_A_DAY, (uint64_t)DAY_S * 1000 };

static uint64_t dice;

static uint64_t
roll(void)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return dice * 0x2545f4914f6cdd1d;
}

static bool
chance(unsigned percent)
{
	return roll() % 100 < percent;
}

/* An account, and what is on its way to others. */
struct one {
	struct guard g;
	struct guard_verdict v;
	struct meter news;
	uint64_t home;
	uint32_t known; /* it wrote to recipients 0 to here */
	uint32_t reached, delivered, refused;
	bool frozen;
};

/* Submit to `old` known recipients and `fresh` new ones. */
static bool
submit(struct one *o, uint64_t now_s, uint64_t network, uint32_t old,
    uint32_t fresh)
{
	static uint8_t hashes[2000 * 8];
	bool fits;

	if (o->frozen)
		return false;
	for (uint32_t i = 0; i < fresh; i++) {
		uint64_t h = (o->known + i + o->home) * 0x9e3779b97f4a7c15;

		h ^= h >> 29;
		memcpy(hashes + i * 8, &h, 8);
	}
	fits = meter_wait_ms(&o->news, new_rate, fresh, now_s * 1000) == 0;
	if (guard_submit(&o->g, &rules, now_s, network, old + fresh, fits,
		hashes, fresh, &o->v) != GUARD_FINE)
		o->frozen = true;
	if (!fits || o->frozen)
		return false;
	meter_add(&o->news, new_rate, fresh, now_s * 1000);
	o->known += fresh;
	o->reached += old + fresh;
	return true;
}

static void
results(struct one *o, uint64_t now_s, uint32_t delivered, uint32_t refused)
{
	if (!o->frozen && delivered + refused > 0 &&
	    guard_results(&o->g, &rules, now_s, delivered, refused, &o->v) !=
		GUARD_FINE)
		o->frozen = true;
}

/* An ordinary life before: two weeks from home. */
static uint64_t
grow_up(struct one *o, uint64_t home)
{
	uint64_t now = T0;

	memset(o, 0, sizeof(*o));
	o->home = home;
	for (int day = 0; day < 14; day++, now += DAY_S + 60) {
		submit(o, now, home, 3, day % 3 == 0);
		results(o, now + 5, 3, 0);
	}
	assert_false(o->frozen);
	o->reached = 0;
	return now;
}

/*
 * The run: `size` addresses a message, a message each `pace_s` seconds, the
 * answers `late_s` seconds later, or never.  Returns how many were reached,
 * that is: accepted and not held by the time of the freeze.
 */
static uint32_t
run_of_1997(uint64_t network, uint32_t size, uint32_t pace_s, int late_s)
{
	static uint8_t pending[RUN]; /* by number: 1 is unknown there */
	struct one o;
	uint64_t now = grow_up(&o, 77);
	uint32_t told = 0;

	for (uint32_t at = 0; at < RUN && !o.frozen; at += size) {
		if (submit(&o, now, network, 0, size))
			for (uint32_t i = 0; i < size; i++)
				pending[o.reached - size + i] = chance(UNKNOWN);
		else
			o.known += size; /* the next ones on the list */
		/* Answers to what was sent late_s ago. */
		for (uint32_t lag = late_s < 0
			 ? UINT32_MAX
			 : (uint32_t)late_s / pace_s * size;
		     told + lag < o.reached && !o.frozen; told++)
			results(&o, now, !pending[told], pending[told]);
		now += pace_s;
	}
	assert_true(o.frozen);
	return o.reached;
}

static void
the_run_is_stopped_by_its_recipients(void **state)
{
	static const uint32_t sizes[] = { 1, 5, 10, 50, 100 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (int from_home = 0; from_home < 2; from_home++) {
			uint32_t n =
			    run_of_1997(from_home ? 77 : 666, sizes[i], 1, -1);

			printf("%u a message, %s, no answers: %u reached\n",
			    sizes[i],
			    from_home ? "from home" : "from elsewhere", n);
			assert_true(n < 100);
		}
}

static void
the_run_is_stopped_by_refusals(void **state)
{
	uint64_t sum = 0;
	uint32_t most = 0, n;
	enum { RUNS = 1000 };

	(void)state;
	dice = 1997;
	for (int i = 0; i < RUNS; i++) {
		n = run_of_1997(666, 1, 1, 1);
		sum += n;
		if (n > most)
			most = n;
	}
	printf("one a second, answers a second later: %.1f reached on average, "
	       "%u at most of %d runs\n",
	    (double)sum / RUNS, most, RUNS);
	assert_true(sum / RUNS < 20);
	assert_true(most < 100);
}

/* What a person does on a day. */
static void
live_a_day(struct one *o, int who, int day, uint64_t now)
{
	uint64_t network = o->home;
	uint32_t mails = (uint32_t)(roll() % 15), fresh, bad, n;
	bool travels = (who + day) % 30 < 4 && who % 5 == 0;
	bool phone = who % 3 == 0 && chance(40);

	/* A newsletter every week, to 80 who change little. */
	if (who % 20 == 1 && day % 7 == who % 7) {
		fresh = day < 7 ? 80 : (uint32_t)(roll() % 4);
		submit(o, now, network, 80 - fresh, fresh);
		bad = (uint32_t)(roll() % 5);
		results(o, now + 3, 80 - bad, bad);
	}
	/* A wedding: 80 guests, from an old address book. */
	if (who % 50 == 2 && day == 10 + who % 9) {
		for (int i = 0; i < 8; i++)
			submit(
			    o, now + 600 + (uint64_t)i * 300, network, 0, 10);
		bad = 3 + (uint32_t)(roll() % 9);
		results(o, now + 4000, 80 - bad, bad);
	}
	for (uint32_t i = 0; i < mails; i++, now += 1800 + roll() % 900) {
		/* A hotel, a train, a café; a phone's network changes. */
		if (travels)
			network = 1000000 + (uint64_t)who * 100 +
			    (uint64_t)day * 3 + roll() % 3;
		else if (phone)
			network = 2000000 + roll() % 40;
		else
			network = o->home;
		n = 1 + (uint32_t)(roll() % 4);
		fresh = chance(12) ? 1 + (uint32_t)(roll() % 2) : 0;
		submit(o, now, network, n, fresh);
		/* People mistype. */
		bad = chance(3) || (fresh > 0 && chance(8));
		results(o, now + 2, n + fresh - bad, bad);
		if (chance(3))
			for (int tries = 0; tries < 4; tries++)
				guard_login(&o->g, now, network, false);
		guard_login(&o->g, now, network, true);
	}
}

static void
ordinary_people_are_left_alone(void **state)
{
	static struct one people[ACCOUNTS];
	unsigned frozen = 0;
	uint64_t sent = 0;

	(void)state;
	dice = 2026;
	for (int who = 0; who < ACCOUNTS; who++) {
		struct one *o = &people[who];

		o->home = 5000 + (uint64_t)who;
		for (int day = 0; day < 30 && !o->frozen; day++)
			live_a_day(o, who, day,
			    T0 + (uint64_t)day * DAY_S + 8 * 3600 +
				roll() % 7200);
		sent += o->reached;
		if (!o->frozen)
			continue;
		frozen++;
		printf("account %d: %s: %s\n", who, guard_rule_name(o->v.rule),
		    o->v.text);
	}
	printf("%d accounts, 30 days, %llu recipients: %u frozen\n", ACCOUNTS,
	    (unsigned long long)sent, frozen);
	assert_true(sent > 500000);
	assert_int_equal(frozen, 0);
}

static void
a_share_that_does_not_exist_is_enough(void **state)
{
	struct one o;
	uint64_t now = grow_up(&o, 77);

	(void)state;
	submit(&o, now, 77, 0, 40);
	results(&o, now, 30, 9);
	assert_false(o.frozen);
	results(&o, now, 0, 5);
	assert_true(o.frozen);
	assert_int_equal(o.v.rule, GUARD_REFUSED);
	assert_string_equal(
	    o.v.text, "14 of 44 recipients in a day do not exist");
	/* Looked at and let go, it is not frozen for the same again. */
	guard_forgive(&o.g, now);
	o.frozen = false;
	results(&o, now, 0, 1);
	assert_false(o.frozen);
}

static void
many_networks_are_a_botnet(void **state)
{
	struct one o;
	uint64_t now = grow_up(&o, 77);

	(void)state;
	for (uint64_t n = 0; n < 6 && !o.frozen; n++)
		submit(&o, now + n, 9000 + n, 0, 2);
	assert_true(o.frozen);
	assert_int_equal(o.v.rule, GUARD_NETS);
	/* The same, to known ones, is a train with many tunnels. */
	now = grow_up(&o, 77);
	for (uint64_t n = 0; n < 10; n++)
		submit(&o, now + n, 9000 + n, 2, 0);
	assert_false(o.frozen);
}

/* A thief with somebody's address book, and its owner with the same. */
static void
much_faster_than_usual_from_elsewhere(void **state)
{
	struct one o;
	uint64_t now = grow_up(&o, 77);
	struct guard_evidence e;

	(void)state;
	for (uint64_t n = 0; n < 60 && !o.frozen; n++)
		submit(&o, now + n * 30, 666, 5, 0);
	assert_true(o.frozen);
	assert_int_equal(o.v.rule, GUARD_RATE);
	assert_string_equal(o.v.text,
	    "155 recipients within an hour, from an unfamiliar network; the "
	    "busiest had 4");
	e = guard_weigh(&o.g, &rules);
	assert_true(e.hour > e.hour_most);
	now = grow_up(&o, 77);
	for (uint64_t n = 0; n < 60; n++)
		submit(&o, now + n * 30, 77, 5, 0);
	assert_false(o.frozen);
	submit(&o, now + 1900, 77, 1, 0);
	assert_true(o.frozen);
	/* What an account does often it may do from a hotel. */
	now = grow_up(&o, 77);
	for (int day = 0; day < 4; day++, now += DAY_S + 60)
		submit(&o, now, 77, 80, 0);
	submit(&o, now, 666, 390, 0);
	assert_false(o.frozen);
	/* What does not fit is not sent. */
	now = grow_up(&o, 77);
	for (int i = 0; i < 50; i++)
		assert_false(submit(&o, now + (uint64_t)i, 666, 300, 95));
	assert_int_equal(o.g.hour, 0);
}

static void
guessing_makes_it_stricter(void **state)
{
	struct one o;
	uint64_t now = grow_up(&o, 77);

	(void)state;
	for (int i = 0; i < 5; i++)
		guard_login(&o.g, now, 666, false);
	guard_login(&o.g, now, 666, true);
	for (int i = 0; i < 80 && !o.frozen; i++)
		submit(&o, now, 77, 0, 1);
	assert_false(o.frozen);
	for (int i = 0; i < 20 && !o.frozen; i++, o.known++)
		submit(&o, now, 77, 0, 1);
	assert_true(o.frozen);
	assert_int_equal(o.v.rule, GUARD_STRANGERS);
}

static void
the_same_again_is_counted_once(void **state)
{
	struct one o;
	uint64_t now = grow_up(&o, 77);

	(void)state;
	/* The program of somebody with 95 guests tries and tries. */
	for (int i = 0; i < 50; i++)
		assert_false(submit(&o, now + (uint64_t)i, 77, 0, 95));
	assert_false(o.frozen);
	assert_in_range(guard_new(&o.g), 85, 105);
}

static void
a_new_account_has_half(void **state)
{
	const struct guard_rules young = { 180, 10, 30, 5, 150, true,
		{ 7, 11 } };
	struct guard g = { 0 };
	struct guard_verdict v;
	uint8_t hash[8] = { 0 };
	int n;

	(void)state;
	for (n = 1; n < 200; n++) {
		hash[0] = (uint8_t)((n * 5) >> 8);
		hash[1] = (uint8_t)(n * 5);
		if (guard_submit(&g, &young, T0, 1, 1, true, hash, 1, &v) !=
		    GUARD_FINE)
			break;
	}
	assert_in_range(n, 80, 95);
}

/* A letter to sixty that breaks off again and again on a bad line. */
static void
broken_uploads(void **state)
{
	struct one o;
	uint64_t now = grow_up(&o, 77);

	(void)state;
	for (int i = 0; i < 30; i++) {
		assert_true(submit(&o, now + (uint64_t)i * 60, 77, 60, 0));
		guard_undo(&o.g, 60);
	}
	assert_int_equal(o.g.hour, 0);
	/* Those that arrive count. */
	while (submit(&o, now + 1800, 77, 60, 0))
		assert_in_range(o.g.hour, 60, 300);
	assert_true(o.frozen);
	assert_int_equal(o.v.rule, GUARD_RATE);
	guard_undo(&o.g, 1000000);
	assert_int_equal(o.g.hour, 0);
}

/* Recipients that a thief chose so that their hashes begin alike, which tags
 * allow him, are as many as they are. */
static void
chosen_recipients(void **state)
{
	struct guard g = { 0 };
	struct guard_verdict v;
	unsigned n;

	(void)state;
	for (n = 0; n < 400; n++) {
		uint8_t hash[8] = { 1, 2, 3, 4, 5, 6, (uint8_t)(n >> 8),
			(uint8_t)n };

		if (guard_submit(&g, &rules, T0, 1, 1, true, hash, 1, &v) !=
		    GUARD_FINE)
			break;
	}
	assert_in_range(n, 150, 220);
	assert_int_equal(v.rule, GUARD_STRANGERS);
}

static void
as_good_as_unlimited(void **state)
{
	static const struct guard_rules r = { UINT32_MAX, 10, 30, 5, UINT32_MAX,
		true, { 7, 11 } };
	struct guard g = { 0 };
	struct guard_evidence e = guard_weigh(&g, &r);

	(void)state;
	assert_int_equal(e.news_most, UINT32_MAX / 2 + 1);
	assert_int_equal(e.hour_most, UINT32_MAX);
}

static void
what_is_over_counts_no_more(void **state)
{
	struct guard g = { 0 }, later;
	struct guard_verdict v;

	(void)state;
	guard_submit(&g, &rules, T0, 1, 40, true, NULL, 0, &v);
	guard_submit(&g, &rules, T0 + 60, 1, 2, false, NULL, 0, &v);
	later = g;
	guard_look(&later, T0 + 3599);
	assert_int_equal(later.hour, 40);
	assert_int_equal(later.rcpts, 42);
	guard_look(&later, T0 + 3600);
	assert_int_equal(later.hour, 0);
	assert_int_equal(later.rcpts, 42);
	later = g;
	guard_look(&later, T0 + 3 * DAY_S);
	assert_int_equal(guard_weigh(&later, &rules).rcpts, 0);
	assert_int_equal(guard_weigh(&later, &rules).hour, 0);
	assert_int_equal(later.usual_rcpts, 42);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_run_is_stopped_by_its_recipients),
		cmocka_unit_test(the_run_is_stopped_by_refusals),
		cmocka_unit_test(ordinary_people_are_left_alone),
		cmocka_unit_test(a_share_that_does_not_exist_is_enough),
		cmocka_unit_test(many_networks_are_a_botnet),
		cmocka_unit_test(much_faster_than_usual_from_elsewhere),
		cmocka_unit_test(guessing_makes_it_stricter),
		cmocka_unit_test(the_same_again_is_counted_once),
		cmocka_unit_test(a_new_account_has_half),
		cmocka_unit_test(chosen_recipients),
		cmocka_unit_test(broken_uploads),
		cmocka_unit_test(as_good_as_unlimited),
		cmocka_unit_test(what_is_over_counts_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
