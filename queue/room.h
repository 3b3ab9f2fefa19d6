/*
 * room.h - room on the spool's file system: refuse new mail in time, and keep
 * a ballast that a start without room can throw out.
 */
#ifndef QUEUE_ROOM_H
#define QUEUE_ROOM_H

#include <stdbool.h>
#include <stdint.h>

/* dir is the state directory; the ballast stands there. */
void room_open(const char *dir);

/* Bytes that the file system has in all. */
uint64_t room_total(void);
/* Bytes free to us now. */
uint64_t room_free(void);
/*
 * Is there room for what the store must still write, for new mail on top, and
 * for the ballast if it is not there?
 *
 *   debt      bytes that the next checkpoint and recovery may write
 *   largest   message that may come
 */
bool room_enough(uint64_t debt, uint64_t largest);
/*
 * Look again each second, and call enough() once, when clearly more is free
 * than `had` bytes; or after a minute, because a quota or a lack of inodes
 * ends unseen.  Never within the first second.
 */
void room_await(uint64_t had, void (*enough)(void));
/* Is there any room, so that a checkpoint may be tried? */
bool room_for_checkpoint(void);

/* Before recovery: throw the ballast out when room is scarce.  Returns
 * whether there was one; force does so in any case. */
bool room_drop_ballast(bool force);
/* Make it again; there is room_enough(). */
void room_make_ballast(void);

#endif
