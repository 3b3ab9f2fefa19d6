/*
 * admin_limits.h - postern account limits.
 */
#ifndef AUTH_ADMIN_LIMITS_H
#define AUTH_ADMIN_LIMITS_H

#include "auth/console.h"

/* One MSG_LIMITS_ROW. */
void admin_show_limits(struct console *);

#endif
