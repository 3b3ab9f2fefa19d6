/*
 * command.h - the arguments of EHLO, MAIL, RCPT and BDAT (RFC 5321
 * 4.1.1, RFC 3030).
 */
#ifndef MAIL_COMMAND_H
#define MAIL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/address.h"

#define ENVID_MAX    101 /* RFC 3461 4.4, with NUL */
#define ORCPT_MAX    501 /* RFC 3461 4.2, with NUL */
#define PRIORITY_MAX 9   /* RFC 6710: from -9 to 9 */

enum body { BODY_7BIT, BODY_8BITMIME, BODY_BINARYMIME };
enum ret { RET_NONE, RET_FULL, RET_HDRS };      /* RFC 3461 4.3 */
enum by_mode { BY_NONE, BY_RETURN, BY_NOTIFY }; /* RFC 2852 4 */

struct mail_args {
	struct address from; /* empty when null */
	bool null;           /* FROM:<> */
	bool smtputf8;       /* RFC 6531 */
	bool requiretls;     /* RFC 8689 */
	bool has_size, has_priority;
	bool holds;    /* RFC 4865: one of the two below counts */
	uint64_t size; /* RFC 1870; UINT64_MAX for a larger number */
	enum body body;
	enum ret ret;
	uint32_t hold_for_s;  /* 0 when it is hold_until */
	int64_t hold_until_s; /* unix time, perhaps of long ago */
	enum by_mode by;
	bool by_trace;
	int32_t by_s;           /* from now on; over 0 for BY_RETURN */
	int priority;           /* RFC 6710 */
	char envid[ENVID_MAX];  /* decoded, printable, "" none */
	char auth[ADDRESS_MAX]; /* RFC 4954 5, decoded xtext, "" when absent;
				 * a stranger's word, printable, no address */
};

/* RFC 3461 4.1. */
enum notify {
	ON_NEVER = 1, /* alone */
	ON_SUCCESS = 2,
	ON_FAILURE = 4,
	ON_DELAY = 8,
};

struct rcpt_args {
	struct address to;     /* ("postmaster", "") for <Postmaster> */
	unsigned notify;       /* enum notify; 0 not given */
	char orcpt[ORCPT_MAX]; /* "rfc822;bob@example.net", decoded, UTF-8
				* without controls, "" none */
};

struct bdat_args {
	uint64_t size; /* UINT64_MAX for a larger number */
	bool sized;    /* there is one, whatever is behind it */
	bool last;
};

enum args_result {
	ARGS_OK,
	ARGS_SYNTAX,
	ARGS_UNKNOWN_PARAM,   /* a well-formed parameter nobody knows */
	ARGS_BAD_PARAM,       /* known, but its value is wrong */
	ARGS_DUPLICATE_PARAM, /* given twice */
	ARGS_ROUTE,           /* a source route */
	ARGS_TOO_LONG,        /* local part over 64, domain over 255 octets */
	ARGS_NEEDS_UTF8,      /* bytes over 127 without SMTPUTF8 */
	ARGS_RESULTS
};

/*
 * Read what follows MAIL or RCPT: "FROM:<a@b> SIZE=1", "TO:<a@b>".  Case of
 * keywords is ignored; spaces before FROM:, behind the colon and at the end
 * are tolerated, nothing else is.
 *
 *   args      all fields set on ARGS_OK; otherwise undefined
 *   s, n      borrowed; the line without its verb and its CRLF
 *   smtputf8  what MAIL said
 *
 * The first thing wrong, from the left, is the result.
 */
enum args_result command_mail(struct mail_args *args, const char *s, size_t n);
enum args_result
command_rcpt(struct rcpt_args *args, const char *s, size_t n, bool smtputf8);

/*
 * Read what follows BDAT: "1000", "0 LAST" (RFC 3030 2).  False for anything
 * else; size and sized are set all the same, for so many octets follow.
 */
bool command_bdat(struct bdat_args *args, const char *s, size_t n);

/*
 * May this be the argument of EHLO or HELO?  A name, as people call their
 * PCs: any letters but blanks, controls and what quotes; or an address literal
 * of any kind; 1 to 255 octets.  It proves nothing and is good for nothing.
 */
bool command_hello(const char *s, size_t n);

#endif
