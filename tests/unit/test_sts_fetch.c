/*
 * Fetches by the hundred: servers that do not answer keep those of other
 * domains waiting, and make none of them fail.
 */
#include <malloc.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/loop.h"
#include "sts/fetch.h"

#define MORE    20 /* than are under way at once */
#define POLL_MS 5
#define TURNS   6000
#define ROUND   300 /* fetches, all of other domains */

/* Of nobody; without any root there is no fetch. */
static const char root[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBdTCCARugAwIBAgIUO51rbUG/IWMiAXFew5W7YdWqJcAwCgYIKoZIzj0EAwIw\n"
    "DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjIxNjQxNDJaGA8yMTI2MTAyOTE2NDE0\n"
    "MlowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHRr\n"
    "7GoCcG2HDFb0g6/Ms1rnNHTtf1ad4QN3xCijFjnzn/JfibDoCIUKsT92hNyUUYSW\n"
    "8zO4iigUK1DEzxyCfK6jUzBRMB0GA1UdDgQWBBTDuuFoQ+J6myX2yvQGGlF10q0y\n"
    "RTAfBgNVHSMEGDAWgBTDuuFoQ+J6myX2yvQGGlF10q0yRTAPBgNVHRMBAf8EBTAD\n"
    "AQH/MAoGCCqGSM49BAMCA0gAMEUCIQDSzPhLKkwQN+pKOgri9sYaqJ4JvnXwIsUU\n"
    "uuiy3hvbXAIgSHfIdy/+5uErWZam3sqLf9JhXSZaiqxlswCXXQjmgfE=\n"
    "-----END CERTIFICATE-----\n";

static int listener, held[FETCH_MANY + MORE];
static unsigned nheld, done, closed, turns;
static struct timer timer;

static void
on_done(void *asker, const struct msg *m)
{
	(void)asker;
	assert_int_equal(m->type, MSG_FETCHED);
	done++;
}

/* Take whoever comes, and say nothing to him. */
static void
take_all(void)
{
	int fd;

	while (nheld < FETCH_MANY + MORE &&
	    (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) != -1)
		held[nheld++] = fd;
}

static void
on_timer(void *arg)
{
	(void)arg;
	take_all();
	/* All that may be are here; then one hangs up for each that waits. */
	if (nheld >= FETCH_MANY && nheld == FETCH_MANY + closed) {
		assert_int_equal(done, closed);
		if (closed == MORE) {
			loop_stop();
			return;
		}
		close(held[closed]);
		held[closed++] = -1;
	}
	assert_true(++turns < TURNS);
	timer_set(&timer, POLL_MS);
}

static unsigned
listen_somewhere(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&in, len), 0);
	assert_int_equal(listen(listener, 1024), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&in, &len), 0);
	return ntohs(in.sin_port);
}

static void
on_finish_timer(void *arg)
{
	const unsigned *all = arg;

	assert_true(++turns < TURNS);
	if (done < *all)
		timer_set(&timer, POLL_MS);
	else
		loop_stop();
}

/* Let them be refused: nobody listens at port 1. */
static void
finish_all(unsigned all)
{
	turns = 0;
	timer_init(&timer, on_finish_timer, &all);
	timer_set(&timer, POLL_MS);
	loop_run();
	assert_int_equal(done, all);
}

static void
who_comes_late_waits(void **state)
{
	struct msg_fetch f = { .port = listen_somewhere() };

	(void)state;
	loop_init();
	fetch_init();
	fetch_trust(strdup(root), sizeof(root) - 1);
	strcpy(f.addresses, "127.0.0.1");
	for (unsigned i = 0; i < FETCH_MANY + MORE; i++) {
		snprintf(f.host, sizeof(f.host), "mta-sts.d%u.example", i);
		snprintf(f.url, sizeof(f.url), "https://%s:%u/", f.host,
		    (unsigned)f.port);
		fetch(&f, i, 0, on_done);
	}
	assert_int_equal(done, 0);
	timer_init(&timer, on_timer, NULL);
	timer_set(&timer, POLL_MS);
	loop_run();
	assert_int_equal(done, MORE);
	for (unsigned i = MORE; i < nheld; i++)
		close(held[i]);
	close(listener);
}

/* A deliver that died left as many as may be; the new one's find room. */
static void
nobody_waits_for_the_dead(void **state)
{
	struct msg_fetch f = { .port = 1, .addresses = "127.0.0.1" };
	uint64_t n = 0;

	(void)state;
	strcpy(f.host, "mta-sts.example");
	strcpy(f.url, "https://mta-sts.example:1/");
	done = 0;
	while (done == 0 && n < 10000)
		fetch(&f, n++, 1, on_done);
	assert_true(n > FETCH_MANY);
	fetch_forget(2);
	fetch(&f, 0, 3, on_done);
	assert_int_equal(done, 2);
	fetch_forget(1);
	assert_int_equal(done, 2);
	for (unsigned i = 0; i < MORE; i++)
		fetch(&f, i, 3, on_done);
	assert_int_equal(done, 2);
	finish_all(FETCH_MANY + MORE + 2);
}

/* Nothing stays of one that is over.  A build for a sanitizer counts none. */
static void
memory(void **state)
{
	struct msg_fetch f = { .port = 1, .addresses = "127.0.0.1" };
	size_t before = 0;

	(void)state;
	for (unsigned round = 0; round < 11; round++) {
		done = 0;
		for (unsigned i = 0; i < ROUND; i++) {
			snprintf(f.host, sizeof(f.host),
			    "mta-sts.r%u-d%u.example", round, i);
			snprintf(f.url, sizeof(f.url), "https://%s:1/", f.host);
			fetch(&f, i, 0, on_done);
		}
		finish_all(ROUND);
		if (round == 0)
			before = mallinfo2().uordblks;
	}
	assert_in_range(mallinfo2().uordblks, 0, before + 10 * ROUND * 50);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_comes_late_waits),
		cmocka_unit_test(nobody_waits_for_the_dead),
		cmocka_unit_test(memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
