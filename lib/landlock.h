/*
 * landlock.h - what files and sockets a process may name (landlock(7)).
 */
#ifndef LIB_LANDLOCK_H
#define LIB_LANDLOCK_H

/*
 * From now on this process and its threads reach, by name, no file but those
 * below the current directory (with MAY_FILES) or none at all; run nothing;
 * bind no TCP port and connect to none (without MAY_CONNECT; with it, bind
 * none but a free one); and talk to no abstract socket and signal no process
 * outside.  Descriptors that are open stay as they are.
 *
 *   rights  enum sandbox_right
 *
 * Returns the version of the kernel's interface, each of which adds to the
 * above; 0 when there is none.  Any other failure is fatal().  no_new_privs
 * must be set.
 */
int landlock_enter(unsigned rights);

#endif
