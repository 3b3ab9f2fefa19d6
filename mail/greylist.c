/*
 * greylist.c - see greylist.h.
 *
 * Whoever names it, means it: postgrey, milter-greylist, sqlgrey, rspamd and
 * most servers of large providers do.  Without the name, RCPT answered with
 * 450 or 451 and the status for policy is taken for it, unless the words tell
 * of a reason that will not pass by itself within minutes.
 */
#include <string.h>
#include <strings.h>

#include "mail/greylist.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
any_of(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasestr(text, words[i]) != NULL)
			return true;
	return false;
}

bool
greylist_says(int code, const char *status, const char *text, bool rcpt)
{
	static const char *const names[] = { "greylist", "graylist",
		"grey-list", "gray-list", "grey list", "gray list" };
	static const char *const reasons[] = { "rate", "limit", "quota",
		"too many", "too much", "block", "blacklist", "reputation",
		"spam", "dns", "reverse", "hostname", "spf", "dkim", "dmarc",
		"tls", "encrypt", "mailbox", "disabled", "full" };

	if (code != 450 && code != 451)
		return false;
	if (any_of(text, names, COUNT(names)))
		return true;
	return rcpt && strcmp(status, "4.7.1") == 0 &&
	    !any_of(text, reasons, COUNT(reasons));
}
