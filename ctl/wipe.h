/*
 * wipe.h - no secret stays behind in memory that was given back.
 */
#ifndef CTL_WIPE_H
#define CTL_WIPE_H

/* From now on whatever jansson frees is overwritten first: a backup has
 * private keys and password hashes in its lines, and the library copies what
 * it reads more than once.  Once, before any JSON. */
void wipe_json(void);

#endif
