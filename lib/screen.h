/*
 * screen.h - the rules of [screen]: what a connection gets before it has said
 * a word, by the network, the name and the entries in block lists that its
 * address has.
 *
 * A rule refuses, or asks for more than a password.  None gives anybody more
 * than whoever comes without a rule has: mail is taken from accounts only.
 *
 * Everything here is pure.  Who resolves names fills in the facts.
 */
#ifndef LIB_SCREEN_H
#define LIB_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/net.h"

#define SCREEN_RULES 256
#define SCREEN_CODES 8   /* ranges of a list's codes in one rule */
#define SCREEN_TEXT  200 /* with its NUL */

struct conf;

enum screen_action {
	SCREEN_ALLOW,       /* as if there were no rules */
	SCREEN_REFUSE,      /* 554 at the greeting */
	SCREEN_CERTIFICATE, /* logins need a client certificate */
	SCREEN_SLOW,        /* a wrong password counts as several */
	SCREEN_ACTIONS
};

enum screen_kind {
	SCREEN_ANY,
	SCREEN_NETWORK,
	SCREEN_NAME, /* of the address, and the name has the address */
	SCREEN_LIST, /* a block list has the address (RFC 5782) */
};

struct screen_rule {
	enum screen_action action;
	enum screen_kind kind;
	struct net_network network;
	char name[256]; /* host, *.domain or the zone of a list; lower case */
	/* Answers of the list that count; none: all that are listings. */
	struct {
		uint32_t first, last;
	} codes[SCREEN_CODES];
	unsigned ncodes;
	char text[SCREEN_TEXT]; /* what the client is told; "" ours */
	int line;
};

/* Of the rule of the same number, if it is about a name or a list. */
enum screen_fact { SCREEN_UNKNOWN, SCREEN_NO, SCREEN_YES };

struct screen_match {
	const struct screen_rule *rule; /* the first that matches, or NULL */
	size_t index;                   /* of it; behind the last for NULL */
	bool waiting; /* one before it might match: nobody knows */
	bool unsure;  /* and would mean something else */
};

/*
 * The rule for a client.
 *
 *   facts  one for each rule, or NULL when nothing is known
 */
void screen_match(const struct conf *, const struct sockaddr *,
    const uint8_t *facts, struct screen_match *);

/* Whether a rule of kind SCREEN_NAME is about this host name. */
bool screen_names(const struct screen_rule *, const char *host);

/* Whether this answer of a list means that the address is on it, and the rule
 * wants to know: in 127.0.0.0/8, but for 127.0.0.1 and 127.255.255.0/24, by
 * which lists tell of errors.  In host byte order. */
bool screen_counts(const struct screen_rule *, uint32_t answer);

/* Whether everything that `later` matches is matched by `first` already. */
bool
screen_covers(const struct screen_rule *first, const struct screen_rule *later);

/*
 * What is asked for about an address in the DNS.
 *
 *   zone  of a list; NULL: the name of the address (in-addr.arpa, ip6.arpa)
 *
 * False when the address is none, or out is too small.
 */
bool screen_question(const char *ip, const char *zone, char *out, size_t size);

/* What the client is told: the rule's own text, or ours. */
const char *screen_text(const struct screen_rule *, char out[SCREEN_TEXT]);

const char *screen_action_name(enum screen_action);

#endif
