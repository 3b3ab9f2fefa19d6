/*
 * slowsync.c - a disk whose flushes take longer.  Preloaded into the server:
 *
 *   SLOW_SYNC_US  microseconds by which fsync(2), fdatasync(2) and
 *                 sync_file_range(2) take longer
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void
wait_longer(void)
{
	static long us = -1;
	const char *text;

	if (us < 0) {
		text = getenv("SLOW_SYNC_US");
		us = text != NULL ? atol(text) : 0;
	}
	if (us > 0)
		usleep((useconds_t)us);
}

int
fsync(int fd)
{
	static int (*real)(int);

	if (real == NULL)
		real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	wait_longer();
	return real(fd);
}

int
fdatasync(int fd)
{
	static int (*real)(int);

	if (real == NULL)
		real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	wait_longer();
	return real(fd);
}

int
sync_file_range(int fd, off64_t from, off64_t n, unsigned flags)
{
	static int (*real)(int, off64_t, off64_t, unsigned);

	if (real == NULL)
		real = (int (*)(int, off64_t, off64_t, unsigned))dlsym(
		    RTLD_NEXT, "sync_file_range");
	wait_longer();
	return real(fd, from, n, flags);
}
