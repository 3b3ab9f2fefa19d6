/*
 * store_room.h - room on the disk for the store to work in.
 *
 * Recovery itself writes, and fails on a full disk.  So nothing is begun with
 * less than a reserve free, and a ballast file lies beside the environment
 * that start-up gives up when it finds the disk full.
 */
#ifndef AUTH_STORE_ROOM_H
#define AUTH_STORE_ROOM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Before recovery: give up the ballast when there is too little room.
 * fatal() on a network file system, where neither locks nor flushes hold.
 */
void store_room_open(const char *directory);
/* Is there room for a change?  Logs when that changes; makes the ballast
 * again once there is plenty. */
bool store_room(void);

/* Room for so many bytes more, for a while? */
bool store_room_for(uint64_t bytes);

#endif
