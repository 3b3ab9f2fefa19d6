/*
 * company.h - how many sessions each account has in this process.
 *
 * A stolen password opens as many as it likes from as many places as it
 * likes; this is where it ends.
 */
#ifndef SMTPD_COMPANY_H
#define SMTPD_COMPANY_H

#include <stdbool.h>

/* One more session of this account; false, and nothing is counted, when it has
 * `most` already. */
bool company_enter(const char *account, unsigned most);
void company_leave(const char *account);
/* Has it any? */
bool company_has(const char *account);

#endif
