/*
 * greylist.h - does a server put somebody off only because it has not seen us
 * before?
 *
 * There is no code for that (RFC 6647 4: 4yz, 451 or 450 as a rule), so the
 * words count.
 */
#ifndef MAIL_GREYLIST_H
#define MAIL_GREYLIST_H

#include <stdbool.h>

/*
 * True when an answer looks like it.
 *
 *   code    of the reply
 *   status  enhanced, "4.7.1"; "" none
 *   text    what the server said
 *   rcpt    it was said to RCPT, not to the whole message
 */
bool greylist_says(int code, const char *status, const char *text, bool rcpt);

#endif
