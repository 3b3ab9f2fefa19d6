/* Failure and delay notices, as people and programs will read them. */
#include "test_mail.h"

#include "mail/dsn.h"
#include "mail/dsn_digest.h"

#define WHEN 1795291200
#define X10  "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10

struct text {
	size_t n;
	char s[256 * 1024];
};

static struct text out;

static void
put(void *arg, const char *s, size_t n)
{
	struct text *t = arg;

	assert_true(n < sizeof(t->s) - t->n);
	memcpy(t->s + t->n, s, n);
	t->n += n;
	t->s[t->n] = '\0';
}

static const struct dsn_recipient bob = {
	.address = "bob@example.net",
	.status = "5.1.1",
	.remote = "mx1.example.net",
	.reply = "550 5.1.1 no such user",
	.last_attempt = WHEN,
};

static const struct dsn usual = {
	.kind = DSN_FAILED,
	.hostname = "mail.example.org",
	.to = "alice@example.org",
	.id = 2,
	.now = WHEN + 60,
	.original_id = 1,
	.original_message_id = "<m@laptop>",
	.arrived = WHEN,
	.give_up = WHEN + 5 * 86400,
	.recipients = &bob,
	.nrecipients = 1,
	.header = "From: alice@example.org\r\nSubject: hi\r\n\r\nTEXT\r\n",
	.header_len = 46,
};

/* What every notice must be. */
static bool
check_text(bool eight_bit)
{
	bool seen = false;
	size_t line = 0;

	for (size_t i = 0; i < out.n; i++) {
		unsigned char c = (unsigned char)out.s[i];

		if (c == '\r') {
			assert_int_equal(out.s[++i], '\n');
			line = 0;
			continue;
		}
		assert_true((c >= ' ' && c != 0x7f) || c == '\t');
		assert_true(++line <= 998);
		seen |= c > 127;
	}
	assert_int_equal(line, 0);
	assert_int_equal(eight_bit, seen);
	return eight_bit;
}

static bool
write_notice(const struct dsn *d)
{
	out.n = 0;
	return check_text(dsn_write(d, put, &out));
}

static bool
write_digest(const struct dsn_failure *f, size_t n)
{
	struct dsn_digest d = { .hostname = "mail.example.org",
		.to = "alice@example.org",
		.id = 2,
		.now = WHEN + 60,
		.failures = f,
		.nfailures = n };

	out.n = 0;
	return check_text(dsn_digest_write(&d, put, &out));
}

static void
has(const char *part)
{
	if (strstr(out.s, part) == NULL)
		fail_msg("no \"%s\" in:\n%s", part, out.s);
}

static void
has_not(const char *part)
{
	if (strstr(out.s, part) != NULL)
		fail_msg("\"%s\" in:\n%s", part, out.s);
}

static void
failure(void **state)
{
	(void)state;
	assert_false(write_notice(&usual));
	assert_string_equal(out.s,
	    "Date: Sat, 21 Nov 2026 20:01:00 +0000\r\n"
	    "From: \"Mail Delivery System\" <postmaster@mail.example.org>\r\n"
	    "To: <alice@example.org>\r\n"
	    "Subject: Your message could not be delivered\r\n"
	    "Message-ID: <0000000000002@mail.example.org>\r\n"
	    "In-Reply-To: <m@laptop>\r\n"
	    "References: <m@laptop>\r\n"
	    "Auto-Submitted: auto-replied\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; "
	    "report-type=delivery-status;\r\n"
	    "\tboundary=\"=_postern_0000000000002\"\r\n"
	    "\r\n"
	    "--=_postern_0000000000002\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n"
	    "\r\n"
	    "This is the mail server mail.example.org.\r\n"
	    "\r\n"
	    "Your message of Sat, 21 Nov 2026 20:00:00 +0000 could not be "
	    "delivered, and\r\n"
	    "will not be tried again, for this address:\r\n"
	    "\r\n"
	    "  bob@example.net\r\n"
	    "      mx1.example.net answered: 550 5.1.1 no such user\r\n"
	    "      What to do: Check what stands before the @ for typing "
	    "errors; if it is\r\n"
	    "      right, the person no longer has this address.\r\n"
	    "\r\n"
	    "This notice is not about anybody else you wrote to. Whoever runs "
	    "the mail\r\n"
	    "server can look the message up by its number, "
	    "0000000000001.\r\n"
	    "\r\n"
	    "--=_postern_0000000000002\r\n"
	    "Content-Type: message/delivery-status\r\n"
	    "\r\n"
	    "Reporting-MTA: dns; mail.example.org\r\n"
	    "Arrival-Date: Sat, 21 Nov 2026 20:00:00 +0000\r\n"
	    "\r\n"
	    "Final-Recipient: rfc822; bob@example.net\r\n"
	    "Action: failed\r\n"
	    "Status: 5.1.1\r\n"
	    "Remote-MTA: dns; mx1.example.net\r\n"
	    "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"
	    "Last-Attempt-Date: Sat, 21 Nov 2026 20:00:00 +0000\r\n"
	    "\r\n"
	    "--=_postern_0000000000002\r\n"
	    "Content-Type: text/rfc822-headers\r\n"
	    "\r\n"
	    "From: alice@example.org\r\n"
	    "Subject: hi\r\n"
	    "\r\n"
	    "--=_postern_0000000000002--\r\n");
}

static void
delay(void **state)
{
	struct dsn d = usual;
	struct dsn_recipient r = bob;

	(void)state;
	d.kind = DSN_DELAYED;
	r.status = "4.4.1";
	r.reply = NULL;
	r.remote = NULL;
	r.reason = "connection refused";
	d.recipients = &r;
	assert_false(write_notice(&d));
	has("Subject: Your message is delayed\r\n");
	has("has not been delivered yet\r\nfor this address:\r\n");
	has("      connection refused\r\n");
	has("You need not do anything: it will be tried again until Thu, 26 "
	    "Nov 2026\r\n20:00:00 +0000 and you will be told");
	has("Action: delayed\r\nStatus: 4.4.1\r\n");
	has("Diagnostic-Code: X-Postern; connection refused\r\n");
	has("Will-Retry-Until: Thu, 26 Nov 2026 20:00:00 +0000\r\n");
	has_not("Remote-MTA");
	has_not("What to do");
	has_not("failed");
}

static void
several(void **state)
{
	struct dsn_recipient r[3] = { bob, bob, bob };
	struct dsn d = usual;
	size_t groups = 0;

	(void)state;
	r[1].address = "carol@example.net";
	r[1].status = "5.2.2";
	r[2].address = "\"a  b\"@example.net";
	r[2].reply = NULL;
	r[2].remote = NULL;
	r[2].last_attempt = 0;
	d.recipients = r;
	d.nrecipients = 3;
	write_notice(&d);
	has("these addresses:");
	has("The mailbox is full");
	has("  \"a  b\"@example.net\r\n");
	has("\r\n\r\nFinal-Recipient: rfc822; carol@example.net\r\n");
	has("\r\n\r\nFinal-Recipient: rfc822; \"a  b\"@example.net\r\n"
	    "Action: failed\r\nStatus: 5.1.1\r\n\r\n--");
	for (const char *p = out.s; (p = strstr(p, "\nAction: ")); p++)
		groups++;
	assert_int_equal(groups, 3);
}

static void
no_header(void **state)
{
	struct dsn d = usual;

	(void)state;
	d.header = NULL;
	d.original_message_id = NULL;
	write_notice(&d);
	has_not("rfc822-headers");
	has_not("In-Reply-To");
	has("\r\n\r\n--=_postern_0000000000002--\r\n");
}

static void
only_the_header(void **state)
{
	struct dsn d = usual;

	(void)state;
	d.header_len = strlen(d.header);
	write_notice(&d);
	has("Subject: hi\r\n");
	has_not("TEXT");
}

static void
bounded_header(void **state)
{
	static char header[DSN_HEADER_MAX * 2];
	struct dsn d = usual;
	const char *part, *end;

	(void)state;
	for (size_t i = 0; i + 16 <= sizeof(header); i += 16)
		memcpy(header + i, "X: 0123456789a\r\n", 16);
	d.header = header;
	d.header_len = sizeof(header);
	write_notice(&d);
	part = strstr(out.s, "rfc822-headers\r\n\r\n") + 18;
	end = strstr(part, "\r\n--=_");
	assert_int_equal(end - part, DSN_HEADER_MAX);
}

static void
eight_bit_header(void **state)
{
	struct dsn d = usual;

	(void)state;
	d.header = "Subject: \xc3\xbc\r\n";
	d.header_len = strlen(d.header);
	assert_true(write_notice(&d));
	has("Subject: \xc3\xbc\r\n");
	has("boundary=\"=_postern_0000000000002\"\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n");
	has("text/rfc822-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
}

static void
eight_bit_behind_the_header(void **state)
{
	struct dsn d = usual;

	(void)state;
	d.header = "Subject: x\r\n\r\n\xc3\xbc\r\n";
	d.header_len = strlen(d.header);
	assert_false(write_notice(&d));
}

static void
hostile_strings(void **state)
{
	static const char evil[] = "x\r\n\r\n.\r\nBcc: eve@x\n\rY: z\t\xff\x01";
	static char endless[5000];
	struct dsn_recipient r = {
		.address = evil, .status = evil, .remote = evil, .reply = evil
	};
	struct dsn d = usual;
	char *header = exact(S("A: b\rc\nd\0e\x7f\r\n\x01\r\n"));

	(void)state;
	d.hostname = d.to = d.original_message_id = d.envid = r.orcpt = evil;
	d.recipients = &r;
	d.header = header;
	d.header_len = 15;
	write_notice(&d);
	has_not("\nBcc");
	has_not("\nY:");
	has_not("\n.");
	has_not("In-Reply-To");
	has("A: b?c\r\nd?e?\r\n?\r\n");
	free(header);

	memset(endless, 'x', sizeof(endless) - 1);
	r.remote = r.reply = r.status = endless;
	d = usual;
	d.recipients = &r;
	r.address = "a@b";
	d.header = endless;
	d.header_len = sizeof(endless) - 1;
	write_notice(&d);
}

static void
folds_long_replies(void **state)
{
	struct dsn_recipient r = bob;
	struct dsn d = usual;

	(void)state;
	r.reply = "550 5.7.1 this is a long answer that goes on and on / and "
		  "on in a second line / and in a third one";
	d.recipients = &r;
	write_notice(&d);
	has("Diagnostic-Code: smtp; 550 5.7.1 this is a long answer that goes "
	    "on and on /\r\n and on in a second line / and in a third "
	    "one\r\n");
	has("      mx1.example.net answered: 550 5.7.1 this is a long answer "
	    "that goes on\r\n      and on / and on");
}

static void
relayed(void **state)
{
	struct dsn_recipient r = bob;
	struct dsn d = usual;

	(void)state;
	d.kind = DSN_RELAYED;
	d.envid = "QQ 314";
	r.status = "2.0.0";
	r.reply = "250 2.0.0 kept";
	r.orcpt = "rfc822;bob+x@example.com";
	d.recipients = &r;
	assert_false(write_notice(&d));
	has("Subject: Your message was passed on\r\n");
	has("was passed on to a");
	has("mx1.example.net answered: 250 2.0.0 kept\r\n");
	has("\r\nOriginal-Envelope-Id: QQ 314\r\nReporting-MTA: ");
	has("\r\n\r\nOriginal-Recipient: rfc822; bob+x@example.com\r\n"
	    "Final-Recipient: rfc822; bob@example.net\r\n"
	    "Action: relayed\r\nStatus: 2.0.0\r\n");
	has_not("What to do");
}

#define U "\xc3\xbc"

/* RFC 6533. */
static void
internationalised(void **state)
{
	struct dsn_recipient r[2] = { bob, bob };
	struct dsn d = usual;

	(void)state;
	r[1].address = "j" U "@example.net";
	r[1].orcpt = "utf-8;" U "@example.com";
	d.recipients = r;
	d.nrecipients = 2;
	assert_true(write_notice(&d));
	has("To: <alice@example.org>\r\n");
	has("\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n--");
	has("Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n");
	has("  j" U "@example.net\r\n");
	has("Content-Type: message/global-delivery-status\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n");
	has("Final-Recipient: rfc822; bob@example.net\r\n");
	has("Original-Recipient: utf-8; " U "@example.com\r\n"
	    "Final-Recipient: utf-8; j" U "@example.net\r\n");
	has("Content-Type: text/rfc822-headers\r\n\r\n");
	d.to = U "@example.org";
	d.header = "Subject: " U "\r\n\r\n" U "\r\n";
	d.header_len = strlen(d.header);
	assert_true(write_notice(&d));
	has("To: <" U "@example.org>\r\n");
	has("Content-Type: message/global-headers\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\nSubject: " U "\r\n\r\n--");
	d.whole = true;
	assert_true(write_notice(&d));
	has("Content-Type: message/global\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n"
	    "Subject: " U "\r\n\r\n" U "\r\n\r\n--");
}

static void
whole_message(void **state)
{
	struct dsn d = usual;

	(void)state;
	d.whole = true;
	assert_false(write_notice(&d));
	has("Content-Type: message/rfc822\r\n\r\nFrom: alice@example.org\r\n"
	    "Subject: hi\r\n\r\nTEXT\r\n\r\n--=_");
	d.header = "A: b\r\n\r\n" U;
	d.header_len = strlen(d.header);
	assert_true(write_notice(&d));
	has("Content-Type: message/rfc822\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\nA: b\r\n\r\n" U
	    "\r\n\r\n--=_");
}

/* A Message-ID is anybody's word; only one that looks it is repeated. */
static void
odd_message_ids(void **state)
{
	static const char *const odd[] = { "", "x", "<", "<a", "a>", "<a> <b>",
		"<a b>", "<a>\r\nX: y", "<a>b>" };
	struct dsn d = usual;

	(void)state;
	for (size_t i = 0; i < COUNT(odd); i++) {
		d.original_message_id = odd[i];
		write_notice(&d);
		has_not("References");
	}
}

static void
advises(void **state)
{
	static const struct {
		const char *status, *advice;
	} t[] = {
		{ "5.1.1", "before the @" },
		{ "5.1.2", "behind the @" },
		{ "5.1.10", "takes no mail at all" },
		{ "5.4.4", "behind the @" },
		{ "5.4.7", "could not be reached in time" },
		{ "5.7.26", "does not want this message" },
		{ "5.6.3", "plain ASCII" },
		{ "5.6.7", "plain ASCII addresses" },
		{ "5.7.30", "does not promise TLS" },
		{ "5.3.3", "without that wish" },
		{ "5.0.0", "show this notice" },
		{ "", "show this notice" },
	};
	struct dsn_recipient r = bob;
	struct dsn d = usual;

	(void)state;
	d.recipients = &r;
	for (size_t i = 0; i < COUNT(t); i++) {
		r.status = t[i].status;
		write_notice(&d);
		has(t[i].advice);
	}
}

static void
digest(void **state)
{
	struct dsn_failure f[3] = { { .rcpt = bob, .id = 1, .arrived = WHEN },
		{ .rcpt = bob, .id = 3, .envid = "QQ1", .arrived = WHEN },
		{ .rcpt = bob, .id = 4, .message_id = "<m@laptop>" } };

	(void)state;
	f[1].rcpt.address = "a-much-longer-name@example.net";
	f[1].rcpt.orcpt = "rfc822;B@old.example";
	f[2].rcpt.status = "5.4.7";
	f[2].rcpt.reply = NULL;
	f[2].rcpt.reason = "It did not answer.";
	assert_false(write_digest(f, 3));
	has("Subject: Your messages could not be delivered\r\n");
	has("these 3 addresses. It will not");
	has("\r\n  5.1.1  bob@example.net                 550 5.1.1 no such "
	    "user\r\n"
	    "  5.1.1  a-much-longer-name@example.net  550 5.1.1 no such "
	    "user\r\n"
	    "  5.4.7  bob@example.net                 It did not answer.\r\n");
	has("\r\n\r\nFinal-Recipient: rfc822; bob@example.net\r\n"
	    "Action: failed\r\nStatus: 5.1.1\r\n");
	has("\r\n\r\nOriginal-Recipient: rfc822; B@old.example\r\n");
	has("X-Postern-Message: 0000000000003\r\n");
	has("X-Postern-Original-Envelope-Id: QQ1\r\n");
	has("X-Postern-Original-Message-ID: <m@laptop>\r\n");
	has_not("rfc822-headers");
}

/* A digest is as big as was said, however long the words are. */
static void
bounded_digest(void **state)
{
	static struct dsn_failure f[100];
	static char endless[600], evil[] = "x\r\n\r\n.\r\nBcc: eve@x\n\rY: z";
	size_t sum = 4096;

	(void)state;
	memset(endless, 'x', sizeof(endless) - 1);
	for (size_t i = 0; i < COUNT(f); i++) {
		f[i].rcpt = bob;
		f[i].rcpt.reply = i % 2 ? endless : evil;
		f[i].rcpt.address = i % 3 ? evil : "bob@example.net";
		f[i].envid = f[i].message_id = i % 5 ? evil : endless;
		sum += dsn_failure_size(&f[i]);
	}
	write_digest(f, COUNT(f));
	assert_true(out.n <= sum);
	has_not("\nBcc");
	has_not("\nY:");
	f[7].rcpt.address = "j\303\274@example.net";
	assert_true(write_digest(f, 8));
	has("message/global-delivery-status");
	has("Final-Recipient: utf-8; j\303\274@example.net\r\n");
}

int
main(void)
{
	add("many in one", digest, NULL);
	add("a long digest", bounded_digest, NULL);
	add("a failure, word for word", failure, NULL);
	add("a delay", delay, NULL);
	add("several recipients", several, NULL);
	add("no header to return", no_header, NULL);
	add("the header without the body", only_the_header, NULL);
	add("a very long header", bounded_header, NULL);
	add("an 8-bit header", eight_bit_header, NULL);
	add("8-bit bytes behind the header", eight_bit_behind_the_header, NULL);
	add("strings that would be lines", hostile_strings, NULL);
	add("a long reply", folds_long_replies, NULL);
	add("passed on", relayed, NULL);
	add("addresses beyond ASCII", internationalised, NULL);
	add("the whole message", whole_message, NULL);
	add("an odd Message-ID", odd_message_ids, NULL);
	add("what to do", advises, NULL);
	return run_cases("mail/dsn");
}
