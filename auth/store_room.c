/*
 * store_room.c - see store_room.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "auth/store_room.h"
#include "lib/conf.h"
#include "lib/log.h"

#define RESERVE        (2 * 1024 * 1024) /* bytes free for any change */
#define BALLAST        (3 * 1024 * 1024)
#define ROOM_TO_REMAKE (32 * 1024 * 1024)

#define CIFS_MAGIC 0xff534d42 /* not in linux/magic.h of older kernels */

static char where[CONF_PATH], ballast[CONF_PATH + 16];
static bool full, have_ballast;

static bool
is_remote(const struct statfs *fs)
{
	switch ((unsigned long)(uint32_t)fs->f_type) {
	case NFS_SUPER_MAGIC:
	case SMB_SUPER_MAGIC:
	case SMB2_SUPER_MAGIC:
	case CIFS_MAGIC:
	case AFS_FS_MAGIC:
	case AFS_SUPER_MAGIC:
	case CODA_SUPER_MAGIC:
	case NCP_SUPER_MAGIC:
	case CEPH_SUPER_MAGIC:
		return true;
	default:
		return false;
	}
}

static uint64_t
free_bytes(struct statfs *fs)
{
	if (statfs(where, fs) == -1)
		fatal("statfs %s: %s", where, strerror(errno));
	return (uint64_t)fs->f_bavail * (uint64_t)fs->f_bsize;
}

static void
make_ballast(void)
{
	int fd = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd == -1)
		return; /* there may be none; then there is no help later */
	have_ballast = posix_fallocate(fd, 0, BALLAST) == 0;
	close(fd);
	if (!have_ballast)
		unlink(ballast);
}

void
store_room_open(const char *directory)
{
	struct statfs fs;

	snprintf(where, sizeof(where), "%s", directory);
	snprintf(ballast, sizeof(ballast), "%s/ballast",
	    strcmp(directory, "/") == 0 ? "" : directory);
	full = false;
	have_ballast = access(ballast, F_OK) == 0;
	if (free_bytes(&fs) < RESERVE + BALLAST && have_ballast) {
		log_event("store.full", "ballast=given-up");
		unlink(ballast);
		have_ballast = false;
	}
	if (is_remote(&fs))
		fatal("%s is on a network file system; the store needs a local "
		      "one",
		    where);
}

bool
store_room_for(uint64_t bytes)
{
	struct statfs fs;

	return free_bytes(&fs) >= bytes + RESERVE + BALLAST;
}

bool
store_room(void)
{
	struct statfs fs;
	uint64_t bytes = free_bytes(&fs);
	bool room = bytes >= RESERVE;

	if (room == full) {
		full = !room;
		log_event(full ? "store.full" : "store.room", "free=%llu",
		    (unsigned long long)bytes);
	}
	if (!have_ballast && bytes >= ROOM_TO_REMAKE)
		make_ballast();
	return room;
}
