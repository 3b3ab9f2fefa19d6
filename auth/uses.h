/*
 * uses.h - when and from where each credential was used last, and the last
 * logins of each account, good and bad.
 *
 * Gathered for a second, then written together without a flush of their own:
 * a login waits for no disk, and a crash loses a second of them at most.
 */
#ifndef AUTH_USES_H
#define AUTH_USES_H

/* why: what was wrong, one word; "" the login was good. */
void uses_note(const char *login, const char *label, const char *ip,
    const char *mech, const char *why);
/* Write what was gathered; before somebody reads it, and at the end. */
void uses_write(void);

#endif
