/*
 * admin_dkim.h - the commands of `postern dkim`.
 */
#ifndef AUTH_ADMIN_DKIM_H
#define AUTH_ADMIN_DKIM_H

#include "auth/console.h"

/* Run con->dkim; it ends with console_done(). */
void admin_dkim_run(struct console *);

/* DKIM_EXPORT: every key with its secret, for a backup, to root only. */
void admin_dkim_export(struct console *);
/* Keep a key that comes from one, unless there is one of that name; it ends
 * with console_done(). */
void admin_dkim_keep(struct console *, const struct msg_dkim_key *);

#endif
