/*
 * admin_test.h - why would a login fail?
 */
#ifndef AUTH_ADMIN_TEST_H
#define AUTH_ADMIN_TEST_H

#include "auth/console.h"

/* Of con->login with cmd.secret, from the address cmd.arg ("" unknown);
 * nothing is counted against anybody. */
void admin_test(struct console *);

#endif
