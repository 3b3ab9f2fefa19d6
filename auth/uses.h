/*
 * uses.h - when and from where each credential was used last.
 *
 * Gathered for a second, then written together without a flush of their own:
 * a login waits for no disk, and a crash loses a second of them at most.
 */
#ifndef AUTH_USES_H
#define AUTH_USES_H

void uses_note(const char *login, const char *label, const char *ip);
/* Write what was gathered; before somebody reads it, and at the end. */
void uses_write(void);

#endif
