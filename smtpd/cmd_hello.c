/*
 * cmd_hello.c - EHLO, HELO and STARTTLS (RFC 5321 4.1.1.1, RFC 3207).
 */
#include <inttypes.h>

#include "mail/command.h"
#include "mail/date.h"
#include "smtpd/handler.h"

/* The name proves nothing and is kept nowhere; it only has to be one. */
static bool
greets_badly(const char *args, size_t n)
{
	return !command_hello(args, n);
}

/* RFC 4865 3: for how long, and until when that is. */
static void
say_future_release(struct session *s)
{
	int64_t most = s->world->conf->hold_s;
	char until[DATE_MAX];

	date_rfc3339(s->world->wall_ms() / 1000 + most, until);
	reply_line(s, 250, "", "FUTURERELEASE %" PRId64 " %s", most, until);
}

/* RFC 1870 4, RFC 9422 4: once somebody has logged in, what is theirs. */
static void
say_limits(struct session *s)
{
	const struct conf *conf = s->world->conf;
	uint64_t size = conf->message_size;

	if (s->most_size != 0 && s->most_size < size)
		size = s->most_size;
	reply_line(s, 250, "", "SIZE %" PRIu64, size);
	reply_line(s, 250, "", "LIMITS RCPTMAX=%u",
	    s->most_rcpts != 0 ? s->most_rcpts : conf->recipients);
}

int
cmd_ehlo(struct session *s, char *args, size_t n)
{
	const struct conf *conf = s->world->conf;
	char mechanisms[100];

	if (greets_badly(args, n))
		return reply(s, 501, "5.5.4", "EHLO needs a host name");
	s->esmtp = true;
	reply_line(s, 250, "", "%s", conf->hostname);
	reply_line(s, 250, "", "PIPELINING");
	say_limits(s);
	reply_line(s, 250, "", "8BITMIME");
	reply_line(s, 250, "", "BINARYMIME");
	reply_line(s, 250, "", "CHUNKING");
	reply_line(s, 250, "", "SMTPUTF8");
	reply_line(s, 250, "", "DELIVERBY");
	reply_line(s, 250, "", "MT-PRIORITY");
	say_future_release(s);
	/* RFC 3461 is for those whom a report could reach. */
	if (s->account[0] != '\0')
		reply_line(s, 250, "", "DSN");
	if (s->tls[0] != '\0') {
		reply_line(s, 250, "", "REQUIRETLS");
		auth_list(s, mechanisms, sizeof(mechanisms));
		reply_line(s, 250, "", "AUTH%s", mechanisms);
	} else if (s->world->tls)
		reply_line(s, 250, "", "STARTTLS");
	reply_line(s, 250, "", "HELP");
	return reply(s, 250, "", "ENHANCEDSTATUSCODES");
}

int
cmd_helo(struct session *s, char *args, size_t n)
{
	if (greets_badly(args, n))
		return reply(s, 501, "5.5.4", "HELO needs a host name");
	s->esmtp = false;
	return reply(s, 250, "", "%s", s->world->conf->hostname);
}

int
cmd_starttls(struct session *s, char *args, size_t n)
{
	(void)args;
	if (n > 0)
		return reply(s, 501, "5.5.4", "STARTTLS takes no parameter");
	/* What came behind was said in the clear, maybe by somebody else who
	 * would like to see it obeyed inside TLS (CVE-2011-0411). */
	if (s->behind > 0) {
		reply(s, 554, "5.5.0", "there were octets behind STARTTLS");
		return reply(s, 421, "4.7.0", "closing");
	}
	if (!s->world->tls)
		return reply(s, 454, "4.7.0", "TLS is not available");
	return reply(s, 220, "2.0.0", "go ahead");
}
