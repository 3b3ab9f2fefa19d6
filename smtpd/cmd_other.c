/*
 * cmd_other.c - the commands that touch nothing (RFC 5321 4.1.1.5 to .10).
 */
#include "smtpd/handler.h"

/* The table clears the transaction. */
int
cmd_rset(struct session *s, char *args, size_t n)
{
	(void)args;
	if (n > 0)
		return reply(s, 501, "5.5.4", "RSET takes no parameter");
	return reply(s, 250, "2.0.0", "ok");
}

int
cmd_noop(struct session *s, char *args, size_t n)
{
	(void)args, (void)n;
	return reply(s, 250, "2.0.0", "ok");
}

/* RFC 5321 3.5.3: the same for every name, so it tells nothing. */
int
cmd_vrfy(struct session *s, char *args, size_t n)
{
	(void)args;
	if (n == 0)
		return reply(s, 501, "5.5.4", "VRFY needs a name");
	return reply(s, 252, "2.5.0", "try to send and see");
}

int
cmd_expn(struct session *s, char *args, size_t n)
{
	(void)args, (void)n;
	return reply(s, 502, "5.5.1", "there are no lists here");
}

int
cmd_help(struct session *s, char *args, size_t n)
{
	(void)args, (void)n;
	reply_line(s, 214, "2.0.0", "this is a mail submission server:");
	reply_line(s, 214, "2.0.0", "it takes mail of those who log in");
	return reply(s, 214, "2.0.0",
	    "EHLO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT");
}

int
cmd_quit(struct session *s, char *args, size_t n)
{
	(void)args;
	if (n > 0)
		return reply(s, 501, "5.5.4", "QUIT takes no parameter");
	return reply(s, 221, "2.0.0", "bye");
}

int
cmd_foreign(struct session *s, char *args, size_t n)
{
	(void)args, (void)n;
	return reply(s, 421, "4.7.0", "this is not a web server");
}
