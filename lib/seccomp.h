/*
 * seccomp.h - which system calls a process may make (seccomp(2)).
 */
#ifndef LIB_SECCOMP_H
#define LIB_SECCOMP_H

#include <stdbool.h>

/*
 * From now on this process and its threads make the calls in the lists of
 * seccomp.c that their rights allow.  Some others fail with EACCES, because
 * libraries try them and can do without; any other ends the process with
 * SIGSYS, which the parent logs.
 *
 *   rights  enum sandbox_right
 *
 * False when the kernel has no filters.  Any other failure is fatal().
 */
bool seccomp_enter(unsigned rights);

#endif
