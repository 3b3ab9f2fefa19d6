/*
 * relay_forms.h - the ways in which servers were made to relay, from 1998 on.
 *
 * In all texts
 *   %u %d  local part and domain of the recipient, whom the server does not
 *          know
 *   %h %i  the server's name and address
 *   %a     an account's address, or postmaster at the server
 *   %n     a word that nobody used before
 *   %%     a percent sign
 */
#ifndef CTL_RELAY_FORMS_H
#define CTL_RELAY_FORMS_H

#include <stddef.h>

struct relay_form {
	const char *group;
	const char *title;
	/* Lines before MAIL, each with its LF; NULL: "EHLO %h.invalid" only.
	 * "@tls" is the handshake behind STARTTLS, "@raw X" sends X, in which
	 * \r and \n are those, and hears nothing. */
	const char *prelude;
	const char *mail; /* what follows MAIL */
	const char *rcpt; /* what follows RCPT */
};

/* Forms that need no account.  Ends with a group of NULL. */
extern const struct relay_form relay_forms[];

/*
 * Ends of data that some server takes for one and some other does not, as C
 * strings of n octets; what follows is said as commands of a new mail.  Ends
 * with n of 0.
 */
struct relay_end {
	const char *title;
	const char *octets;
	size_t n;
};
extern const struct relay_end relay_ends[];

/*
 * Write text into out, placeholders filled in.  words[]: values of %u, %d,
 * %h, %i, %a and %n in this order.
 */
enum { RELAY_WORDS = 6 };
void relay_fill(char *out, size_t size, const char *text,
    const char *const words[RELAY_WORDS]);

#endif
