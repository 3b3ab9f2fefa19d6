/*
 * child.h - what every child of the parent does the same way: give up rights,
 * then learn from the parent what to do.
 *
 * argv, set by the parent: NAME [-i index] [-u user] [-d directory] [-k];
 * with -k the kernel ends it when its parent ends.
 * Descriptor 3 is the channel to the parent.  Before the first byte is read:
 * chroot to the directory and change to the user (when root; otherwise only
 * chdir), no_new_privs, limits.  Then come MSG_CONF, MSG_FILE, MSG_LISTEN,
 * MSG_PEER in this order, and MSG_START.  Later MSG_CONF and MSG_FILE, ended
 * by another MSG_START, are a reload; a MSG_PEER is a neighbour's restart.
 *
 * With -t ATTEMPT it gives up its rights, tries what lib/attempt.h has under
 * that name, and ends: `postern check sandbox`.
 */
#ifndef IPC_CHILD_H
#define IPC_CHILD_H

#include "ipc/channel.h"
#include "lib/conf.h"
#include "lib/sandbox.h"

/*
 * The status of a child that wants to be started again without delay, and is
 * when it has lived for CHILD_AGAIN_MS at least.
 */
#define CHILD_AGAIN    75
#define CHILD_AGAIN_MS 900

struct child {
	enum process self;
	const char *program; /* for the log */
	unsigned rights;     /* enum sandbox_right */
	/* Before rights are given up: open what cannot be reached later.  May
	 * be NULL. */
	void (*prepare)(void);
	/* Everything is here; called once.  conf stays valid until reload. */
	void (*start)(const struct conf *);
	/* A new configuration; the old one is freed after this returns. */
	void (*reload)(const struct conf *);
	/* A new line to a neighbour; owns fd.  `sign` as in msg_peer. */
	void (*peer)(enum process, unsigned index, bool sign, int fd);
	/* A file from the parent, at start and before reload; owns fd. */
	void (*file)(enum file_kind, const char *name, int fd);
	/* MSG_LISTEN, MSG_TICKET_KEYS, MSG_CTL_CLIENT; owns fd.  May be NULL. */
	void (*message)(const struct msg *, int fd);
	/* Finish what is under way within bounds, then loop_stop(). */
	void (*stop)(void);
};

/*
 * The main() of a child: never returns before the process is done; the result
 * is its exit status.  The parent's death ends the process as MSG_STOP does.
 */
int child_main(const struct child *, int argc, char **argv);

/* Valid after start: which smtpd this is; its working directory, absolute as
 * this process sees it ("/" inside a chroot). */
unsigned child_index(void);
const char *child_directory(void);

/* Tell the parent (MSG_READY): listening may begin. */
void child_ready(void);

/* Read a descriptor to its end, `most` bytes at most; NUL-terminated, *n
 * without it; NULL when larger or unreadable.  Closes fd.  Free with free()
 * after wiping what is secret. */
char *child_read_file(int fd, size_t most, size_t *n);

#endif
