/*
 * Frozen accounts: the first one in a while is told to the postmaster at once,
 * those behind it together; each owner at once.
 */
#include "test_queue.h"

/* Long enough that three messages come within it. */
#define GUARDED_CONF \
	"hostname = mail.example.org\n" \
	"[tls]\ncertificate = /c\nkey = /k\n" \
	"[listen x]\naddress = 127.0.0.1:465\ntls = implicit\n" \
	"[guard]\nnotify = help@admin.example\n" \
	"[queue]\nretry = 1m\ndigest = 4s\n"

#define DOMAIN_CONF \
	"hostname = mail.example.org\ndefault-domain = example.org\n" \
	"[tls]\ncertificate = /c\nkey = /k\n" \
	"[listen x]\naddress = 127.0.0.1:465\ntls = implicit\n"

static void
say_frozen(struct bed *b, const char *account, const char *why)
{
	struct msg m = { .type = MSG_FROZEN };

	strcpy(m.u.frozen.account, account);
	strcpy(m.u.frozen.text, why);
	bed_say(b->auth, &m, -1);
}

/* The next job is a notice for this one; its text. */
static const char *
next_mail(struct bed *b, const char *to)
{
	static char text[1 << 16];
	const struct msg_job *j = &b->m.u.job;
	size_t n;

	expect_job(b);
	assert_string_equal(job_rcpt(b, 0), to);
	assert_string_equal(j->sender, "");
	assert_true(j->flags & TX_BOUNCE);
	n = j->body.len < sizeof(text) ? j->body.len : sizeof(text) - 1;
	memcpy(text, j->body.data, n);
	text[n] = '\0';
	judge_all(b, V_OK, SCOPE_RCPT);
	return text;
}

static void
has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no \"%s\" in: %s", part, text);
}

/* Behind the host's own name often nobody reads. */
static void
postmaster_is_of_the_domain(void **state)
{
	struct bed *b = *state;

	bed_start(b, DOMAIN_CONF, NULL);
	say_frozen(b, "a@one.example", "reason one");
	(void)next_mail(b, "postmaster@example.org");
	(void)next_mail(b, "a@one.example");
}

static void
first_at_once_others_together(void **state)
{
	struct bed *b = *state;
	const char *text;

	bed_start(b, GUARDED_CONF, NULL);
	say_frozen(b, "a@one.example", "reason one");
	text = next_mail(b, "help@admin.example");
	has(text, "Subject: An account was suspended");
	has(text, "    reason one\r\n");
	has(next_mail(b, "a@one.example"), "Your account was suspended");

	say_frozen(b, "bobby@two.example", "reason two");
	has(next_mail(b, "bobby@two.example"), "    reason two\r\n");
	say_frozen(b, "c@three.example", "reason three");
	has(next_mail(b, "c@three.example"), "    reason three\r\n");

	text = next_mail(b, "help@admin.example");
	has(text, "Subject: 2 accounts were suspended");
	has(text, "suspended 2 more accounts");
	has(text, "Z  bobby@two.example  reason two\r\n");
	has(text, "Z  c@three.example    reason three\r\n");
	has(text, " postern account resume c@three.example --drop-held\r\n");
	assert_null(strstr(text, "one.example"));
	/* A summary is a mail, too: the next one waits behind it. */
	say_frozen(b, "d@four.example", "reason four");
	next_mail(b, "d@four.example");
	assert_true(no_job(b, 500));
	has(next_mail(b, "help@admin.example"),
	    "Subject: 1 account was suspended");
	assert_true(no_job(b, 500));
	bed_stop(b);
}

static void
a_crash_loses_none(void **state)
{
	struct bed *b = *state;
	bool two = false, three = false;
	const struct bytes *body = &b->m.u.job.body;

	bed_start(b, GUARDED_CONF, NULL);
	say_frozen(b, "a@one.example", "reason one");
	next_mail(b, "help@admin.example");
	next_mail(b, "a@one.example");
	say_frozen(b, "b@two.example", "reason two");
	next_mail(b, "b@two.example");
	bed_kill(b);
	bed_start(b, GUARDED_CONF, NULL);
	say_frozen(b, "c@three.example", "reason three");
	/* What was told before may come again, the rest does in any case. */
	while (!two || !three) {
		expect_job(b);
		if (strcmp(job_rcpt(b, 0), "help@admin.example") == 0) {
			two |= memmem(body->data, body->len, "reason two",
				   10) != NULL;
			three |= memmem(body->data, body->len, "reason three",
				     12) != NULL;
		}
		judge_all(b, V_OK, SCOPE_RCPT);
	}
	bed_stop(b);
}

static void
commands_can_be_copied(void **state)
{
	struct bed *b = *state;
	const char *text;

	bed_start(b, GUARDED_CONF, NULL);
	say_frozen(b, "`id`@one.example", "reason one");
	text = next_mail(b, "help@admin.example");
	has(text, "    `id`@one.example\r\n");
	has(text, "guard explain '`id`@one.example'\r\n");
	has(text, "queue list --account '`id`@one.example'\r\n");
	has(text, "account passwd '`id`@one.example'\r\n");
	has(text, "account resume '`id`@one.example' --drop-held\r\n");
	next_mail(b, "`id`@one.example");
	say_frozen(b, "o'brien@one.example", "reason two");
	next_mail(b, "o'brien@one.example");
	has(next_mail(b, "help@admin.example"),
	    "account resume \"o'brien@one.example\" --drop-held\r\n");
	bed_stop(b);
}

static void
beyond_ascii(void **state)
{
	struct bed *b = *state;
	const char *text;

	bed_start(b, GUARDED_CONF, NULL);
	say_frozen(b, "j\xc3\xb6rg@one.example", "reason one");
	text = next_mail(b, "help@admin.example");
	has(text, "charset=utf-8");
	has(text, "    j\xc3\xb6rg@one.example\r\n");
	assert_int_equal(b->m.u.job.flags & TX_SMTPUTF8, 0);
	has(next_mail(b, "j\xc3\xb6rg@one.example"), "To: <j\xc3\xb6rg@");
	assert_true(b->m.u.job.flags & TX_SMTPUTF8);
	bed_stop(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    postmaster_is_of_the_domain, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    first_at_once_others_together, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    a_crash_loses_none, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    commands_can_be_copied, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(
		    beyond_ascii, bed_setup, bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
