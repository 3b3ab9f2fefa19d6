/*
 * What is greylisting, and what only sounds like it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mail/greylist.h"

/* clang-format off */
static const struct {
	int code;
	const char *status, *text;
	bool rcpt, whole; /* what is expected at RCPT, and after the message */
} cases[] = {
	/* Postgrey, milter-greylist, sqlgrey, rspamd, OpenBSD's spamd. */
	{ 450, "4.2.0", "<bob@example.net>: Recipient address rejected: Greylisted, see http://postgrey.example/help", true, true },
	{ 451, "4.7.1", "Greylisting in action, please come back in 00:05:00", true, true },
	{ 450, "4.2.0", "<bob@example.net>: Recipient address rejected: Greylisted for 5 minutes", true, true },
	{ 451, "4.7.1", "Try again later", true, false },
	{ 451, "", "Temporary failure, grey-listed: please try again later.", true, true },
	{ 450, "4.7.1", "Please try again later", true, false },
	{ 451, "4.7.1", "Graylisted", true, true },
	/* Others. */
	{ 421, "4.7.1", "Greylisted", false, false },
	{ 550, "5.7.1", "Greylisted too often", false, false },
	{ 452, "4.2.2", "The mailbox is full", false, false },
	{ 451, "4.3.0", "Temporary lookup failure", false, false },
	{ 450, "4.7.1", "Client host rejected: cannot find your reverse hostname", false, false },
	{ 450, "4.7.1", "Too many messages, rate limited", false, false },
	{ 451, "4.7.1", "Sender blocked for its reputation", false, false },
	{ 450, "4.2.1", "The user you are trying to contact is receiving mail too quickly", false, false },
	{ 250, "2.1.5", "Ok, not greylisted", false, false },
};
/* clang-format on */

static void
known_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (greylist_says(cases[i].code, cases[i].status, cases[i].text,
			true) != cases[i].rcpt ||
		    greylist_says(cases[i].code, cases[i].status, cases[i].text,
			false) != cases[i].whole)
			fail_msg("%d %s %s", cases[i].code, cases[i].status,
			    cases[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(known_answers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
