/*
 * command.h - the arguments of EHLO, MAIL and RCPT (RFC 5321 4.1.1).
 */
#ifndef MAIL_COMMAND_H
#define MAIL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/address.h"

enum body { BODY_7BIT, BODY_8BITMIME };

struct mail_args {
	struct address from; /* empty when null */
	bool null;           /* FROM:<> */
	bool has_size;
	uint64_t size; /* RFC 1870; UINT64_MAX for a larger number */
	enum body body;
	char auth[ADDRESS_MAX]; /* RFC 4954 5, decoded xtext, "" when absent;
				 * a stranger's word, printable, no address */
};

struct rcpt_args {
	struct address to; /* ("postmaster", "") for <Postmaster> */
};

enum args_result {
	ARGS_OK,
	ARGS_SYNTAX,          /* 501 */
	ARGS_UNKNOWN_PARAM,   /* 555: a well-formed parameter nobody knows */
	ARGS_BAD_PARAM,       /* 501: known, but its value is wrong */
	ARGS_ROUTE,           /* a source route */
	ARGS_TOO_LONG,        /* local part over 64, domain over 255 octets */
	ARGS_DUPLICATE_PARAM, /* 501: a parameter given twice */
};

/*
 * Read what follows MAIL or RCPT: "FROM:<a@b> SIZE=1", "TO:<a@b>".  Case of
 * keywords is ignored; spaces before FROM:, behind the colon and at the end
 * are tolerated, nothing else is.
 *
 *   args  all fields set on ARGS_OK; otherwise undefined
 *   s, n  borrowed; the line without its verb and its CRLF
 *
 * The first thing wrong, from the left, is the result.
 */
enum args_result command_mail(struct mail_args *args, const char *s, size_t n);
enum args_result command_rcpt(struct rcpt_args *args, const char *s, size_t n);

/*
 * May this be the argument of EHLO or HELO?  A domain or a bare name
 * (underscores, digits only and a trailing dot tolerated: real PCs send
 * them), or an address literal of any kind; 1 to 255 octets of visible
 * ASCII.  It proves nothing and is good for the log only.
 */
bool command_hello(const char *s, size_t n);

#endif
