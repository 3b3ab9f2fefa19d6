/*
 * quota.h - how many recipients an account may still send to.
 *
 * Sliding windows: the last 60 minutes in steps of one, the last 24 hours in
 * steps of an hour.  The counts live in memory only and begin anew when this
 * process does; keeping them over a restart comes with limits of one's own
 * for each account.
 */
#ifndef AUTH_QUOTA_H
#define AUTH_QUOTA_H

#include <stdint.h>

enum quota {
	QUOTA_OK,   /* charged */
	QUOTA_HOUR, /* over the limit of an hour; nothing was charged */
	QUOTA_DAY,
};

/*
 * Charge n recipients to an account.
 *
 *   now_s      of a clock that only grows
 *   free_in_s  set when over: seconds until these n will fit; -1 never,
 *              because n alone is over the limit
 */
enum quota quota_charge(const char *login, uint32_t n, uint32_t per_hour,
    uint32_t per_day, int64_t now_s, int64_t *free_in_s);

/* Recipients in the last hour and day. */
void
quota_sent(const char *login, int64_t now_s, uint32_t *hour, uint32_t *day);

void quota_close(void);

#endif
