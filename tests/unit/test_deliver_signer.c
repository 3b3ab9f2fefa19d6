/* Signatures of messages: what auth is asked, and what is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "deliver/keeper.h"
#include "deliver/signer.h"
#include "ipc/channel.h"
#include "lib/loop.h"

#define MESSAGE "From: a@example.org\r\nSubject: x\r\n\r\nbody\r\n"

static int auth = -1;
static uint8_t buf[MSG_MAX];
static struct timer timer;
static char got[8192];
static unsigned answers;

static int64_t set_s; /* the wall clock was */

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ts);

	if (clock == CLOCK_REALTIME)
		ts->tv_sec += set_s;
	return r;
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop();
}

/* Let the loop do what it has to do. */
static void
turn(void)
{
	timer_init(&timer, stop, NULL);
	timer_set(&timer, 20);
	loop_run();
}

static void
connect_auth(void)
{
	int pair[2];

	if (auth != -1)
		close(auth);
	assert_int_equal(message_pair(pair), 0);
	auth = pair[0];
	keeper_peer(pair[1]);
	turn();
}

static struct msg
hear(enum msg_type type)
{
	struct msg m;

	turn();
	assert_true(message_recv(auth, P_DELIVER, P_AUTH, &m, buf, NULL));
	assert_int_equal(m.type, type);
	return m;
}

static void
say(struct msg *m, uint64_t tag)
{
	m->tag = tag;
	assert_true(message_send(auth, m, -1));
	turn();
}

static void
say_keys(uint64_t tag, const char *domain)
{
	struct msg m = { .type = MSG_DKIM_KEYS_ARE };

	strcpy(m.u.dkim_keys_are.domain, domain);
	if (*domain != '\0') {
		strcpy(m.u.dkim_keys_are.ed25519, "e1");
		strcpy(m.u.dkim_keys_are.rsa, "r1");
	}
	say(&m, tag);
}

static void
say_signed(uint64_t tag, enum verdict verdict)
{
	static const uint8_t bytes[256];
	struct msg m = { .type = MSG_DKIM_SIGNED };

	m.u.dkim_signed.verdict = verdict;
	if (verdict == V_OK) {
		m.u.dkim_signed.ed25519_signature = (struct bytes){ bytes, 64 };
		m.u.dkim_signed.rsa_signature = (struct bytes){ bytes, 256 };
	}
	say(&m, tag);
}

static void
on_answer(void *arg, const char *fields)
{
	(void)arg;
	answers++;
	strcpy(got, fields != NULL ? fields : "nobody");
}

static const struct letter letter = {
	.body = { (const uint8_t *)MESSAGE, sizeof(MESSAGE) - 1 },
	.fd = -1,
};

static uint64_t
ask(uint64_t id)
{
	struct reading r;
	uint64_t ticket;

	reading_init(&r, &letter);
	ticket = signer_ask(id, &r, on_answer, NULL);
	reading_clear(&r);
	return ticket;
}

static const char *
find(uint64_t id)
{
	struct reading r;

	reading_init(&r, &letter);
	return signer_find(id, &r);
}

static int
setup(void **state)
{
	(void)state;
	connect_auth();
	answers = 0;
	got[0] = '\0';
	return 0;
}

static void
two_fields_are_kept_until_keys_change(void **state)
{
	struct msg changed = { .type = MSG_DKIM_CHANGED }, m;

	(void)state;
	assert_null(find(1));
	assert_int_not_equal(ask(1), 0);
	m = hear(MSG_DKIM_KEYS);
	assert_string_equal(m.u.dkim_keys.domain, "example.org");
	say_keys(m.tag, "example.org");
	m = hear(MSG_DKIM_SIGN);
	assert_string_equal(m.u.dkim_sign.ed25519, "e1");
	assert_string_equal(m.u.dkim_sign.rsa, "r1");
	assert_int_equal(m.u.dkim_sign.ed25519_digest.len, 32);
	assert_int_equal(m.u.dkim_sign.rsa_digest.len, 32);
	assert_int_equal(answers, 0);
	say_signed(m.tag, V_OK);
	assert_int_equal(answers, 1);
	assert_non_null(strstr(got, "a=rsa-sha256"));
	assert_non_null(strstr(got, "a=ed25519-sha256"));
	assert_string_equal(find(1), got);
	/* The keys are known now. */
	assert_int_not_equal(ask(2), 0);
	m = hear(MSG_DKIM_SIGN);
	say_signed(m.tag, V_OK);
	say(&changed, 0);
	assert_null(find(1));
	assert_null(find(2));
	ask(1);
	m = hear(MSG_DKIM_KEYS);
	say_keys(m.tag, "");
	assert_string_equal(got, "");
}

static void
all_who_wait_get_the_same(void **state)
{
	struct msg m;

	(void)state;
	ask(3);
	ask(3);
	signer_forget(ask(3));
	m = hear(MSG_DKIM_KEYS);
	say_keys(m.tag, "example.org");
	m = hear(MSG_DKIM_SIGN);
	say_signed(m.tag, V_OK);
	assert_int_equal(answers, 2);
}

static void
a_key_that_is_gone_is_asked_for_anew(void **state)
{
	struct msg m;

	(void)state;
	ask(4);
	m = hear(MSG_DKIM_KEYS);
	say_keys(m.tag, "example.org");
	m = hear(MSG_DKIM_SIGN);
	say_signed(m.tag, V_PERM);
	m = hear(MSG_DKIM_KEYS);
	say_keys(m.tag, "example.org");
	m = hear(MSG_DKIM_SIGN);
	say_signed(m.tag, V_OK);
	assert_int_equal(answers, 1);
	assert_non_null(strstr(got, "s=e1"));
}

static void
without_a_key_the_answer_is_at_hand(void **state)
{
	struct msg m;

	(void)state;
	ask(5);
	m = hear(MSG_DKIM_KEYS);
	say_keys(m.tag, "");
	assert_int_equal(answers, 1);
	assert_int_equal(ask(6), 0);
	assert_string_equal(find(6), "");
}

static void
nobody_signs_when_auth_is_gone(void **state)
{
	(void)state;
	ask(7);
	hear(MSG_DKIM_KEYS);
	close(auth);
	auth = -1;
	turn();
	assert_int_equal(answers, 1);
	assert_string_equal(got, "nobody");
	assert_null(find(7));
	/* And while it is: not before signer_ask() has returned. */
	ask(8);
	assert_int_equal(answers, 1);
	turn();
	assert_int_equal(answers, 2);
	signer_forget(ask(9));
	turn();
	assert_int_equal(answers, 2);
}

/* Nobody believes what will be signed next year. */
static void
a_signature_of_the_future_is_made_anew(void **state)
{
	struct msg m;

	(void)state;
	connect_auth();
	set_s = 400 * 86400;
	turn();
	ask(10);
	m = hear(MSG_DKIM_KEYS);
	say_keys(m.tag, "example.org");
	m = hear(MSG_DKIM_SIGN);
	say_signed(m.tag, V_OK);
	assert_non_null(find(10));
	set_s = 0;
	turn();
	assert_null(find(10));
	ask(10);
	m = hear(MSG_DKIM_SIGN);
	say_signed(m.tag, V_OK);
	assert_non_null(find(10));
	assert_int_equal(answers, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    two_fields_are_kept_until_keys_change, setup),
		cmocka_unit_test_setup(all_who_wait_get_the_same, setup),
		cmocka_unit_test_setup(
		    a_key_that_is_gone_is_asked_for_anew, setup),
		cmocka_unit_test_setup(
		    without_a_key_the_answer_is_at_hand, setup),
		cmocka_unit_test_setup(nobody_signs_when_auth_is_gone, setup),
		cmocka_unit_test_setup(
		    a_signature_of_the_future_is_made_anew, setup),
	};

	loop_init();
	return cmocka_run_group_tests_name("signer", tests, NULL, NULL);
}
