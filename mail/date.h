/*
 * date.h - a time as text, always in UTC.
 *
 * gmtime(3) is not used: the C library reads time zone files for it, and
 * the processes that write dates may not open files.
 */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define DATE_MAX 32

/*
 * "Sat, 21 Nov 2026 20:00:00 +0000" (RFC 5322 3.3).  Times outside the years
 * 1970 to 9999 become the nearest one inside.  Returns the length, 31.
 */
size_t date_rfc5322(time_t, char out[DATE_MAX]);

/*
 * "2026-11-21T20:00:00Z" (RFC 3339), for logs and JSON; the same bounds.
 * Returns the length, 20.
 */
size_t date_rfc3339(time_t, char out[DATE_MAX]);

/*
 * Read a date-time of RFC 3339 5.6, with any offset; a fraction of a second is
 * dropped.  False for anything else, also for a day that is in no calendar.
 */
bool date_read_rfc3339(const char *s, size_t n, int64_t *when);

#endif
