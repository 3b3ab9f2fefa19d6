/*
 * admin_say.h - sentences for operators, from templates.
 */
#ifndef AUTH_ADMIN_SAY_H
#define AUTH_ADMIN_SAY_H

#include "auth/accounts.h"

/*
 * The template with its {fields} filled in from a change, cut to fit; returns
 * out.  Fields: account, address, label, grants (the most), credentials (the
 * most); of the account as it was: added ("added", "brought back"), dumb
 * (a remark when it has no password), since, by, reason; of the credential:
 * owner.  {$field} is the same as one word of a shell: for commands.
 */
const char *
admin_say(char *out, size_t size, const char *template, const struct change *);

/* "2026-01-31 12:00 UTC" */
const char *admin_date(uint64_t unix_seconds, char out[24]);

#endif
