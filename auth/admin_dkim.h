/*
 * admin_dkim.h - the commands of `postern dkim`.
 */
#ifndef AUTH_ADMIN_DKIM_H
#define AUTH_ADMIN_DKIM_H

#include "auth/console.h"

/* Run con->dkim; it ends with console_done(). */
void admin_dkim_run(struct console *);

#endif
