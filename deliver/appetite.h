/*
 * appetite.h - how many recipients a server takes in one transaction, where
 * it said that there were too many (RFC 5321 4.5.3.1.10).
 *
 * Asked with more it refuses those each time, and a server that counts
 * refusals hangs up before anybody has got anything.
 */
#ifndef DELIVER_APPETITE_H
#define DELIVER_APPETITE_H

/* What `mx` (target_name()) took lately, 1 at least; 0: it never complained. */
unsigned appetite_of(const char *mx);
void appetite_note(const char *mx, unsigned took);

#endif
