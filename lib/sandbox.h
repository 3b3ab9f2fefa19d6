/*
 * sandbox.h - giving up rights, once, before the first byte from outside.
 */
#ifndef LIB_SANDBOX_H
#define LIB_SANDBOX_H

#include <stdbool.h>

struct sandbox {
	const char *user;      /* NULL: stay who we are */
	const char *directory; /* chroot there when root, else chdir */
	unsigned files;        /* descriptors at most */
	bool threads;          /* it makes some; otherwise it may not */
};

/*
 * Afterwards: not root (when a user is given), no supplementary groups, root
 * directory changed when we were root, no_new_privs, no core files, no new
 * process, SIGXFSZ and SIGPIPE ignored, umask 077.  Any failure is fatal(): a
 * process never goes on with more rights than it should have.
 */
void sandbox_enter(const struct sandbox *);

#endif
