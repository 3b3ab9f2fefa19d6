/*
 * admin_import.h - the commands that move everything in or out.
 */
#ifndef AUTH_ADMIN_IMPORT_H
#define AUTH_ADMIN_IMPORT_H

#include "auth/console.h"

/* What con->import gathered, as cmd.flags say; it is empty afterwards. */
void admin_import(struct console *);
/* Every account with its credentials and grants, the removed ones too. */
void admin_export(struct console *);

#endif
