/*
 * sandbox.h - giving up rights, once, before the first byte from outside.
 */
#ifndef LIB_SANDBOX_H
#define LIB_SANDBOX_H

#include <stdbool.h>

/* What a process needs beyond its memory, the descriptors it was given and
 * the messages that come through them. */
enum sandbox_right {
	MAY_ACCEPT = 1,  /* connections, on sockets it was given */
	MAY_CONNECT = 2, /* to the internet */
	MAY_FILES = 4,   /* below its own directory */
	MAY_THREAD = 8,
	MAY_BIND = 16, /* an address to connect from; no port to listen on */
};

struct sandbox {
	const char *user;      /* NULL: stay who we are */
	const char *directory; /* chroot there when root, else chdir */
	unsigned files;        /* descriptors at most */
	unsigned rights;       /* enum sandbox_right */
	bool tied; /* the kernel ends us when our parent ends, however it is */
};

/*
 * Afterwards: not root (when a user is given), no supplementary groups, root
 * directory changed when we were root, no_new_privs, no core files, no
 * debugger of the same user, no new process, SIGXFSZ and SIGPIPE ignored,
 * umask 077; and as far as the kernel has them, Landlock rules (lib/landlock.h)
 * and a filter of system calls (lib/seccomp.h).  Logs `process.confined` with
 * what there is.  Any failure but the kernel's ignorance is fatal(): a process
 * never goes on with more rights than it should have.
 *
 * The environment variable POSTERN_SANDBOX=off leaves out the last two, for
 * valgrind and debuggers, and says so in the log.
 */
void sandbox_enter(const struct sandbox *);

#endif
