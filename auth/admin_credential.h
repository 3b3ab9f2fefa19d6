/*
 * admin_credential.h - app passwords and client certificates as operators
 * make and see them.
 */
#ifndef AUTH_ADMIN_CREDENTIAL_H
#define AUTH_ADMIN_CREDENTIAL_H

#include "auth/console.h"
#include "auth/t_credential.h"

/*
 * Make the credential that a command asks for; what is to be told once goes
 * to con->issued.  False when the command is over.
 */
bool admin_app_password(struct console *, struct credential *);
bool admin_certificate_add(struct console *, struct credential *);
bool admin_certificate_issue(struct console *, struct credential *);
/* The kind only, for one that is to be revoked. */
bool admin_any_app_password(struct console *, struct credential *);
bool admin_any_certificate(struct console *, struct credential *);

/* Of con->login. */
void admin_list_app_passwords(struct console *);
void admin_list_certificates(struct console *);
void admin_list_logins(struct console *);

#endif
