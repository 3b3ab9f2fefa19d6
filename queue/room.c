/*
 * room.c - see room.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "queue/room.h"

#define BALLAST_BYTES ((uint64_t)16 << 20)
#define MARGIN_BYTES  ((uint64_t)1 << 20)
#define GROWTH_BYTES  ((uint64_t)256 << 10) /* room that may decide */
#define LOOK_MS       1000
#define LOOKS         60

static char directory[1024], ballast[1100];
static uint64_t ballast_bytes, total;
static struct timer look_again;
static uint64_t too_little; /* bytes free that were not enough */
static unsigned looks;
static void (*when_enough)(void);

void
room_open(const char *dir)
{
	struct statvfs fs;

	snprintf(directory, sizeof(directory), "%s", dir);
	snprintf(ballast, sizeof(ballast), "%s/ballast",
	    strcmp(dir, "/") == 0 ? "" : dir);
	if (statvfs(dir, &fs) == -1)
		fatal("%s: %s", dir, strerror(errno));
	total = (uint64_t)fs.f_blocks * fs.f_frsize;
	ballast_bytes = total / 8 < BALLAST_BYTES ? total / 8 : BALLAST_BYTES;
}

uint64_t
room_total(void)
{
	return total;
}

uint64_t
room_free(void)
{
	struct statvfs fs;

	if (statvfs(directory, &fs) == -1)
		fatal("%s: %s", directory, strerror(errno));
	return (uint64_t)fs.f_bavail * fs.f_frsize;
}

static uint64_t
ballast_missing(void)
{
	struct stat st;

	if (stat(ballast, &st) == 0 && (uint64_t)st.st_size == ballast_bytes)
		return 0;
	return ballast_bytes;
}

bool
room_enough(uint64_t debt, uint64_t largest)
{
	return room_free() >=
	    debt + 2 * largest + MARGIN_BYTES + ballast_missing();
}

static void
look(void *arg)
{
	(void)arg;
	if (room_free() >= too_little + GROWTH_BYTES || ++looks >= LOOKS)
		when_enough();
	else
		timer_set(&look_again, LOOK_MS);
}

void
room_await(uint64_t had, void (*enough)(void))
{
	too_little = had;
	when_enough = enough;
	looks = 0;
	timer_init(&look_again, look, NULL);
	timer_set(&look_again, LOOK_MS);
}

bool
room_for_checkpoint(void)
{
	return room_free() >= MARGIN_BYTES / 4;
}

bool
room_drop_ballast(bool force)
{
	if (!force && room_free() >= 2 * ballast_bytes)
		return false;
	return unlink(ballast) == 0;
}

void
room_make_ballast(void)
{
	int fd;

	if (ballast_missing() == 0)
		return;
	fd = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1 || posix_fallocate(fd, 0, (off_t)ballast_bytes) != 0)
		unlink(ballast); /* it is only a precaution */
	if (fd != -1)
		close(fd);
}
