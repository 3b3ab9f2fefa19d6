/*
 * Whose turn it is, and how much a destination takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/loop.h"
#include "queue/flow.h"
#include "queue/settings.h"
#include "queue/sites.h"

static struct conf conf = { .per_destination = 20,
	.in_flight = 1000,
	.retry_s = { 60, 300 },
	.nretries = 2,
	.nroutes = 1,
	.routes = { { .name = "*", .mx = true } } };
static uint64_t last_id;

static struct job *
new_job_from(const char *account, const char *domain, const char *sender)
{
	uint8_t rcpts[400];
	struct message_row m = { .jobs = 1, .accepted = 1 };
	struct job_row row = { .due = 1000 };
	char address[300];

	snprintf(m.account, sizeof(m.account), "%s", account);
	snprintf(m.sender, sizeof(m.sender), "%s", sender);
	snprintf(row.domain, sizeof(row.domain), "%s", domain);
	snprintf(address, sizeof(address), "a@%s", domain);
	row.rcpts = (struct bytes){ rcpts,
		job_pack_rcpt(rcpts, sizeof(rcpts), 0, RCPT_WAITING, NO_ANSWER,
		    (struct bytes){
			(const uint8_t *)address, strlen(address) }) };
	return job_new(letter_new(++last_id, &m), 0, &row);
}

static struct job *
new_job(const char *account, const char *domain)
{
	return new_job_from(account, domain, "");
}

static bool
admit(const char *account, const char *domain)
{
	struct job *j = new_job(account, domain);

	if (flow_admit(j))
		return true;
	job_free(j);
	return false;
}

/* The next one; deliver says of each domain that it goes its own way. */
static struct job *
next_job(void)
{
	struct job *j = flow_next();
	char domain[256];

	if (j != NULL)
		return j;
	while (dest_ask(domain))
		flow_site_is(domain, "");
	return flow_next();
}

static void
land(struct job *j, enum landing how)
{
	flow_land(j, how);
	flow_leave(j);
	job_free(j);
}

static int
begin(void **state)
{
	(void)state;
	settings = &conf;
	conf.routes[0].mx = true;
	if (loop_base() == NULL)
		loop_init();
	return 0;
}

/* Nothing is left over for the next test. */
static int
end(void **state)
{
	struct job *j;

	(void)state;
	while ((j = next_job()) != NULL)
		land(j, LANDED_WELL);
	return job_count() == 0 ? 0 : -1;
}

/* Take off as many as may; returns how many, in jobs[]. */
static unsigned
take_off(struct job **jobs, unsigned most)
{
	unsigned n = 0;

	while (n < most && (jobs[n] = next_job()) != NULL)
		n++;
	return n;
}

static void
success_opens_the_way(void **state)
{
	struct job *jobs[64];
	unsigned n, widest = 0;

	(void)state;
	for (int i = 0; i < 300; i++)
		assert_true(admit("alice", "grow.example"));
	while ((n = take_off(jobs, 64)) > 0) {
		widest = n > widest ? n : widest;
		for (unsigned i = 0; i < n; i++)
			land(jobs[i], LANDED_WELL);
	}
	assert_int_equal(widest, 20);
	assert_int_equal(job_count(), 0);
}

static void
a_relay_takes_more(void **state)
{
	struct job *jobs[64];
	unsigned n, widest = 0;

	(void)state;
	conf.routes[0].mx = false;
	strcpy(conf.routes[0].host, "relay.example");
	conf.routes[0].port = 25;
	for (int i = 0; i < 400; i++)
		assert_true(admit("alice", i % 2 ? "a.example" : "b.example"));
	while ((n = take_off(jobs, 64)) > 0) {
		widest = n > widest ? n : widest;
		for (unsigned i = 0; i < n; i++)
			land(jobs[i], LANDED_WELL);
	}
	assert_int_equal(widest, 40);
}

static void
silence_stops_it(void **state)
{
	struct job *jobs[64];
	struct due_key key = { 1000, 1, 0 };
	struct due_row row = { hash64("alice"), hash64("mute.example"), 0 };
	unsigned n;

	(void)state;
	for (int i = 0; i < 50; i++)
		assert_true(admit("alice", "mute.example"));
	/* Nobody knows whether it answers: one finds out for all. */
	n = take_off(jobs, 64);
	assert_int_equal(n, 1);
	assert_true(jobs[0]->probe);
	land(jobs[0], LANDED_NOWHERE);
	assert_null(next_job());
	/* The ready ones became rows again. */
	assert_int_equal(job_count(), 0);
	assert_false(flow_has_place(&key, &row));
	assert_false(admit("bob", "mute.example"));
	assert_int_equal(dest_count_waiting(), 1);
	/* Asked to, it is tried again, by one. */
	flow_wake_all();
	assert_int_equal(dest_count_waiting(), 0);
	assert_true(flow_has_place(&key, &row));
	assert_true(admit("alice", "mute.example"));
	assert_true(admit("bob", "mute.example"));
	assert_int_equal(take_off(jobs, 64), 1);
	land(jobs[0], LANDED_WELL);
	assert_non_null(jobs[0] = next_job());
	land(jobs[0], LANDED_WELL);
}

static void
one_lost_connection_only_narrows(void **state)
{
	struct job *jobs[64];
	unsigned n;

	(void)state;
	for (int i = 0; i < 200; i++)
		assert_true(admit("alice", "flaky.example"));
	for (int round = 0; round < 4; round++) {
		n = take_off(jobs, 64);
		for (unsigned i = 0; i < n; i++)
			land(jobs[i], LANDED_WELL);
	}
	n = take_off(jobs, 64);
	assert_true(n > 5);
	land(jobs[0], LANDED_NOWHERE);
	assert_int_equal(dest_count_waiting(), 0);
	for (unsigned i = 1; i < n; i++)
		land(jobs[i], LANDED_ANSWERED);
	assert_in_range(take_off(jobs, 64), 2, n / 2 + 1);
	for (unsigned i = 0; i < 64 && jobs[i] != NULL; i++)
		land(jobs[i], LANDED_WELL);
}

static void
turns_go_round(void **state)
{
	struct job *j;
	unsigned alice = 0, carol_net = 0, carol_com = 0;

	(void)state;
	for (int i = 0; i < 40; i++)
		assert_true(admit("alice", "uno.example"));
	for (int i = 0; i < 6; i++) {
		assert_true(admit("carol", "two.example"));
		assert_true(admit("carol", "three.example"));
	}
	for (int i = 0; i < 12; i++) {
		j = next_job();
		assert_non_null(j);
		alice += strcmp(j->letter->account, "alice") == 0;
		carol_net += strcmp(j->domain, "two.example") == 0;
		carol_com += strcmp(j->domain, "three.example") == 0;
		land(j, LANDED_WELL);
	}
	assert_int_equal(alice, 6);
	assert_int_equal(carol_net, 3);
	assert_int_equal(carol_com, 3);
}

static void
the_suspended_make_room(void **state)
{
	struct due_key key = { 1000, 1, 0 };
	struct due_row row = { hash64("dave"), hash64("four.example"), 0 };
	struct job *j;

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_true(admit("dave", "four.example"));
	j = next_job();
	assert_non_null(j);
	flow_suspend("dave", 1);
	assert_true(flow_suspended("dave"));
	assert_null(next_job());
	assert_int_equal(job_count(), 1); /* the one that flies */
	assert_false(admit("dave", "four.example"));
	assert_false(flow_has_place(&key, &row));
	assert_true(flow_row_suspended(&row));
	/* Deliver died: it waits here, and goes when it may. */
	flow_land(j, LANDED_UNKNOWN);
	flow_return(j);
	assert_null(next_job());
	flow_resume_untold(1);
	assert_true(flow_suspended("dave"));
	flow_resume_untold(2);
	assert_false(flow_suspended("dave"));
	assert_ptr_equal(next_job(), j);
	land(j, LANDED_WELL);
	flow_resume("nobody@example.org");
}

/* However much one has, a new one finds some place. */
static void
memory_is_shared(void **state)
{
	unsigned n = 0;

	(void)state;
	while (n < JOBS_IN_MEMORY && admit("eve", "five.example"))
		n++;
	assert_in_range(n, JOBS_IN_MEMORY / 3 - 1, JOBS_IN_MEMORY / 3 + 1);
	n = 0;
	while (n < JOBS_IN_MEMORY && admit("eve", "six.example"))
		n++;
	/* One account has half of it at most. */
	assert_in_range(n, JOBS_IN_MEMORY / 7, JOBS_IN_MEMORY / 5);
	assert_true(admit("frank", "five.example"));
	assert_true(job_count() < JOBS_IN_MEMORY);
}

/* It is stopped: the first attempt finds nobody. */
static void
stop(const char *account, const char *domain, const char *sender)
{
	struct job *j = new_job_from(account, domain, sender);

	assert_true(flow_admit(j));
	assert_ptr_equal(next_job(), j);
	land(j, LANDED_NOWHERE);
}

static bool
has_place(const char *account, const char *domain)
{
	struct due_key key = { 1000, 1, 0 };
	struct due_row row = { hash64(account), hash64(domain), 0 };

	return flow_has_place(&key, &row);
}

/* What goes elsewhere does not wait with the others, and a route that was
 * corrected helps what waits. */
static void
a_corrected_route_helps(void **state)
{
	(void)state;
	stop("grace", "seven.example", "");
	assert_false(has_place("grace", "seven.example"));
	assert_false(admit("grace", "seven.example"));
	/* The same routes: it goes on waiting. */
	flow_reroute();
	assert_false(admit("grace", "seven.example"));
	assert_false(has_place("grace", "seven.example"));
	conf.routes[0].mx = false;
	strcpy(conf.routes[0].host, "new.example");
	conf.routes[0].port = 25;
	flow_reroute();
	assert_true(has_place("grace", "seven.example"));
	assert_true(admit("grace", "seven.example"));
	flow_wake_all();
}

/* One domain, three ways: by account, by sender, by default.  Where one is
 * stopped, the others go on. */
static void
each_route_waits_alone(void **state)
{
	struct job *j;

	(void)state;
	conf.nroutes = 3;
	conf.routes[1] = (struct conf_route){ .name = "account:heidi@x.org",
		.kind = ROUTE_ACCOUNT,
		.host = "h.example",
		.port = 25 };
	conf.routes[2] = (struct conf_route){ .name = "from:y.org",
		.kind = ROUTE_FROM,
		.host = "y.example",
		.port = 25 };
	flow_reroute();
	stop("heidi@x.org", "eight.example", "heidi@x.org");
	stop("ivan@x.org", "eight.example", "ivan@y.org");
	assert_false(has_place("heidi@x.org", "eight.example"));
	assert_false(has_place("ivan@x.org", "eight.example"));
	assert_true(admit("ivan@x.org", "eight.example"));
	/* The row of an account with two ways does not tell which one it
	 * goes; its job does. */
	assert_true(has_place("ivan@x.org", "eight.example"));
	j = new_job_from("ivan@x.org", "eight.example", "ivan@y.org");
	assert_false(flow_admit(j));
	job_free(j);
	assert_true(admit("ivan@x.org", "eight.example"));
	/* A notice is nobody's. */
	j = new_job_from("", "eight.example", "");
	assert_true(flow_admit(j));
	conf.nroutes = 1;
	flow_reroute();
	assert_true(admit("heidi@x.org", "eight.example"));
	flow_wake_all();
}

/* From another address of ours the same domain may answer. */
static void
a_source_waits_alone(void **state)
{
	(void)state;
	conf.nroutes = 2;
	conf.routes[1] = (struct conf_route){ .name = "account:judy@x.org",
		.kind = ROUTE_ACCOUNT,
		.mx = true,
		.port = 25,
		.source4 = { .len = 16 } };
	flow_reroute();
	stop("judy@x.org", "nine.example", "");
	assert_false(admit("judy@x.org", "nine.example"));
	assert_true(admit("mallory@x.org", "nine.example"));
	conf.nroutes = 1;
	flow_reroute();
	flow_wake_all();
}

/* A probe that has found somebody lets the others go while it goes on. */
static void
contact_opens_the_way(void **state)
{
	struct job *jobs[64], *probe;
	unsigned n;

	(void)state;
	for (int i = 0; i < 50; i++)
		assert_true(admit("alice", "new.example"));
	assert_int_equal(take_off(&probe, 1), 1);
	assert_null(next_job());
	flow_contact(probe);
	n = take_off(jobs, 64);
	assert_int_equal(n, PACE_START - 1);
	assert_false(jobs[0]->probe);
	land(probe, LANDED_WELL);
	for (unsigned i = 0; i < n; i++)
		land(jobs[i], LANDED_WELL);
}

static void
domain_name(char out[32], unsigned i)
{
	snprintf(out, 32, "d%u.example", i);
}

/* A thousand domains of one provider are one destination, from the first
 * connection on. */
static void
domains_share_a_site(void **state)
{
	const struct conf_mail seven = { "d7.example", "bob", "" };
	struct job *jobs[64], *probe;
	char name[32], domain[256];
	unsigned n;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		domain_name(name, i);
		assert_true(admit(i % 2 ? "alice" : "bob", name));
	}
	/* Nothing leaves before it is known where it goes. */
	assert_null(flow_next());
	while (dest_ask(domain)) {
		flow_site_is(domain, "mx1.host.example,mx2.host.example");
		probe = flow_next();
		if (probe != NULL)
			break;
	}
	assert_non_null(probe);
	while (flow_next() == NULL && dest_ask(domain))
		flow_site_is(domain, "mx1.host.example,mx2.host.example");
	/* Nobody but the probe. */
	assert_null(flow_next());
	assert_false(dest_ask(domain));
	flow_contact(probe);
	n = take_off(jobs, 64);
	assert_int_equal(n, PACE_START - 1);
	land(jobs[0], LANDED_BUSY);
	for (unsigned i = 1; i < n; i++)
		land(jobs[i], LANDED_BUSY);
	land(probe, LANDED_WELL);
	/* One 421 or four: it halves once. */
	assert_int_equal(take_off(jobs, 64), 2);
	/* It goes: all of them wait, and a domain that was not even tried. */
	land(jobs[0], LANDED_NOWHERE);
	land(jobs[1], LANDED_NOWHERE);
	assert_int_equal(take_off(jobs, 64), 1);
	land(jobs[0], LANDED_NOWHERE);
	assert_null(flow_next());
	assert_int_equal(dest_count_waiting(), 1);
	assert_int_equal(job_count(), 0);
	assert_false(admit("carol", "d999.example"));
	/* The trouble of one domain is nobody else's. */
	flow_wake(&seven);
	assert_int_equal(dest_count_waiting(), 0);
	assert_true(admit("alice", "d1.example"));
	assert_true(admit("alice", "d2.example"));
	assert_int_equal(take_off(jobs, 64), 1);
	flow_contact(jobs[0]);
	land(jobs[0], LANDED_ASTRAY);
	assert_int_equal(dest_count_waiting(), 1);
	assert_false(admit("alice", "d1.example"));
	assert_true(admit("bob", "d2.example"));
	assert_int_equal(take_off(jobs, 64), 2);
	land(jobs[0], LANDED_WELL);
	land(jobs[1], LANDED_WELL);
	flow_wake_all();
	assert_int_equal(dest_count_waiting(), 0);
}

/* Whoever sends to a thousand servers that take their time leaves room for
 * another's letter. */
static void
flights_are_shared(void **state)
{
	struct job *jobs[40], *j;
	char name[32];
	unsigned n;

	(void)state;
	conf.in_flight = 30;
	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "slow%u.example", i);
		assert_true(admit("bulk", name));
	}
	n = take_off(jobs, 40);
	assert_int_equal(n, 11);
	assert_true(admit("letter", "quick.example"));
	assert_non_null(j = next_job());
	assert_string_equal(j->letter->account, "letter");
	land(j, LANDED_WELL);
	assert_null(next_job());
	land(jobs[0], LANDED_WELL);
	assert_non_null(jobs[0] = next_job());
	assert_null(next_job());
	/* When they land it gets more: two thirds while nobody else has any. */
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < n; i++)
			land(jobs[i], LANDED_WELL);
		n = take_off(jobs, 40);
	}
	assert_int_equal(n, 20);
	for (unsigned i = 0; i < n; i++)
		land(jobs[i], LANDED_WELL);
	conf.in_flight = 1000;
}

/* Many whose servers take long leave something, and who came last of all has
 * what one of them gives back, not who has most already. */
static void
flights_are_left(void **state)
{
	struct job *jobs[8][64], *j;
	unsigned n[8], used = 0;
	char account[8], name[32];

	(void)state;
	conf.in_flight = 60;
	for (unsigned a = 0; a < 8; a++) {
		snprintf(account, sizeof(account), "bulk%u", a);
		for (unsigned i = 0; i < 80; i++) {
			snprintf(name, sizeof(name), "s%u.b%u.example", i, a);
			assert_true(admit(account, name));
		}
		used += n[a] = take_off(jobs[a], 64);
		/* With the rules for quick ones five would leave nothing. */
		if (a == 4)
			assert_in_range(60 - used, 6, 60);
	}
	for (unsigned i = 0; used < 60; i++) {
		snprintf(account, sizeof(account), "more%u", i);
		assert_true(admit(account, "some.example"));
		assert_non_null(jobs[7][n[7]] = next_job());
		flow_contact(jobs[7][n[7]++]);
		used++;
	}
	assert_true(admit("letter", "quick.example"));
	assert_null(next_job());
	land(jobs[0][0], LANDED_WELL);
	assert_non_null(j = next_job());
	assert_string_equal(j->letter->account, "letter");
	land(j, LANDED_WELL);
	for (unsigned a = 0; a < 8; a++)
		for (unsigned i = a == 0; i < n[a]; i++)
			land(jobs[a][i], LANDED_WELL);
	conf.in_flight = 1000;
}

/* What a flight finds while deliver is asked for the site of its domain has to
 * be waited for, and ends all the same. */
static void
a_wait_outlives_the_question(void **state)
{
	struct job *first, *j;
	char domain[256];

	(void)state;
	conf.nroutes = 2;
	conf.routes[1] = (struct conf_route){ .name = "account:judy@x.org",
		.kind = ROUTE_ACCOUNT,
		.mx = true,
		.port = 25,
		.source4 = { .len = 16 } };
	flow_reroute();
	assert_true(admit("alice", "ten.example"));
	assert_null(flow_next());
	assert_true(dest_ask(domain));
	flow_site_is(domain, "mx.ten.example");
	assert_non_null(first = flow_next());
	/* Where judy's goes is known, and then not any more. */
	assert_true(admit("judy@x.org", "ten.example"));
	assert_non_null(j = flow_next());
	sites_forget("ten.example");
	assert_true(admit("judy@x.org", "ten.example"));
	assert_null(flow_next());
	assert_true(dest_ask(domain));
	conf.retry_s[0] = 0;
	land(j, LANDED_ASTRAY);
	conf.retry_s[0] = 60;
	assert_int_equal(dest_count_waiting(), 1);
	flow_site_is(domain, "");
	flow_tick();
	assert_int_equal(dest_count_waiting(), 0);
	land(first, LANDED_WELL);
	conf.nroutes = 1;
	flow_reroute();
}

/* However many domains a list has, another account's letter has a place. */
static void
places_are_shared(void **state)
{
	char name[32];
	unsigned n = 0;

	(void)state;
	for (; n < 45000; n++) {
		snprintf(name, sizeof(name), "list%u.example", n);
		if (!admit("bulk", name))
			break;
	}
	assert_in_range(n, JOBS_IN_MEMORY / 2 - 1, JOBS_IN_MEMORY / 2 + 1);
	assert_true(admit("letter", "one.example"));
	n = 0;
	while (n < JOBS_IN_MEMORY && admit("other", "list1.example"))
		n++;
	assert_true(n >= 1);
	assert_true(admit("third", "one.example"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

static void
admit_with(const char *account, uint32_t priority)
{
	struct job *j = new_job(account, "a.net");

	j->letter->options.priority = priority;
	assert_true(flow_admit(j));
}

/* Of one's own mail the urgent one goes first, and nobody else's is later for
 * it. */
static void
priority_within_an_account(void **state)
{
	static const struct {
		const char *account;
		uint32_t priority;
	} expected[] = { { "bulk", 19 }, { "other", 0 }, { "bulk", 12 },
		{ "other", 0 }, { "bulk", 0 }, { "bulk", 10 }, { "bulk", 1 } };
	struct job *j;

	(void)state;
	admit_with("bulk", 1);
	admit_with("bulk", 0);
	admit_with("bulk", 10);
	admit_with("other", 0);
	admit_with("other", 0);
	admit_with("bulk", 12);
	admit_with("bulk", 19);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_non_null(j = next_job());
		assert_string_equal(j->letter->account, expected[i].account);
		assert_int_equal(
		    j->letter->options.priority, expected[i].priority);
		flow_land(j, LANDED_WELL);
		flow_leave(j);
		job_free(j);
	}
	assert_null(next_job());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(success_opens_the_way),
		CASE(a_relay_takes_more),
		CASE(silence_stops_it),
		CASE(contact_opens_the_way),
		CASE(domains_share_a_site),
		CASE(flights_are_shared),
		CASE(flights_are_left),
		CASE(a_wait_outlives_the_question),
		CASE(places_are_shared),
		CASE(one_lost_connection_only_narrows),
		CASE(turns_go_round),
		CASE(the_suspended_make_room),
		CASE(memory_is_shared),
		CASE(priority_within_an_account),
		CASE(a_corrected_route_helps),
		CASE(each_route_waits_alone),
		CASE(a_source_waits_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
