/*
 * fault.c - a disk that fails on request, for one program.
 *
 * Preloaded into everything a test starts; acts only in the program that
 * FAULT_PROCESS names (the last part of its path).  FAULT_CONTROL is a file
 * of at least sizeof(struct control) octets that the test writes to and reads
 * from while the program runs, so that a fault can be armed at any moment and
 * survives a restart of the program.  The mapping is made before main(),
 * hence before the program drops its rights.
 *
 * It can also say how much room there is: statvfs() then tells what the test
 * wants, so that a disk can be full and have room again without being either.
 *
 * Only regular files count, and never standard output or error: the log is
 * not the store.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum { WRITE = 1, PWRITE = 2, FDATASYNC = 4, FSYNC = 8 };

/* The same layout is in fault.py. */
struct control {
	uint32_t calls;     /* which calls count, bits of the enum above */
	uint32_t error;     /* errno of a failure */
	uint32_t countdown; /* the nth call from now fails; 0 = none */
	uint32_t times;     /* how many fail from that one on */
	uint64_t fired;     /* how many have failed */
	uint64_t fired_us;  /* CLOCK_MONOTONIC of the first of them */
	uint64_t seen[4];   /* calls so far: write, pwrite, fdatasync, fsync */
	uint32_t unsynced;  /* pretend to flush */
	uint32_t pid;       /* the last process that loaded this */
	uint32_t lying;     /* about room: free_kib is all there is */
	uint32_t free_kib;
};

static struct control *control;

static void __attribute__((constructor)) load(void)
{
	const char *path = getenv("FAULT_CONTROL");
	const char *wanted = getenv("FAULT_PROCESS");
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	const char *name;

	if (path == NULL || wanted == NULL || n < 0)
		return;
	self[n] = '\0';
	name = strrchr(self, '/');
	if (name == NULL || strcmp(name + 1, wanted) != 0)
		return;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	void *map = mmap(
	    NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return;
	control = map;
	control->pid = getpid();
}

/* Whether this call is the one to fail; sets errno then. */
static int
fails(int call, int fd)
{
	struct stat st;
	int saved = errno;

	if (control == NULL || fd == STDOUT_FILENO || fd == STDERR_FILENO)
		return 0;
	/* A directory is flushed with fsync(), and counts. */
	if (fstat(fd, &st) != 0 ||
	    !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) {
		errno = saved;
		return 0;
	}
	errno = saved;
	__atomic_add_fetch(
	    &control->seen[__builtin_ctz(call)], 1, __ATOMIC_SEQ_CST);
	if (!(control->calls & call))
		return 0;
	uint32_t left = __atomic_load_n(&control->countdown, __ATOMIC_SEQ_CST);
	while (left > 1) {
		if (__atomic_compare_exchange_n(&control->countdown, &left,
			left - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return 0;
	}
	if (left == 0)
		return 0;
	/* countdown stays at 1 while there are failures left to give. */
	uint32_t times = __atomic_load_n(&control->times, __ATOMIC_SEQ_CST);
	while (times > 0) {
		uint32_t next = times == UINT32_MAX ? times : times - 1;

		if (!__atomic_compare_exchange_n(&control->times, &times, next,
			0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			continue;
		if (__atomic_fetch_add(&control->fired, 1, __ATOMIC_SEQ_CST) ==
		    0) {
			struct timespec ts;

			clock_gettime(CLOCK_MONOTONIC, &ts);
			control->fired_us =
			    (uint64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
		}
		errno = control->error;
		return 1;
	}
	return 0;
}

#define NEXT(name) \
	static __typeof__(name) *next; \
	if (next == NULL) \
	next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

ssize_t
write(int fd, const void *data, size_t len)
{
	NEXT(write);
	return fails(WRITE, fd) ? -1 : next(fd, data, len);
}

ssize_t
writev(int fd, const struct iovec *parts, int n)
{
	NEXT(writev);
	return fails(WRITE, fd) ? -1 : next(fd, parts, n);
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
	NEXT(pwrite);
	return fails(PWRITE, fd) ? -1 : next(fd, data, len, at);
}

ssize_t
pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	NEXT(pwrite64);
	return fails(PWRITE, fd) ? -1 : next(fd, data, len, at);
}

ssize_t
pwritev(int fd, const struct iovec *parts, int n, off_t at)
{
	NEXT(pwritev);
	return fails(PWRITE, fd) ? -1 : next(fd, parts, n, at);
}

int
fdatasync(int fd)
{
	NEXT(fdatasync);
	if (fails(FDATASYNC, fd))
		return -1;
	return control != NULL && control->unsynced ? 0 : next(fd);
}

int
fsync(int fd)
{
	NEXT(fsync);
	if (fails(FSYNC, fd))
		return -1;
	return control != NULL && control->unsynced ? 0 : next(fd);
}

static void
lie(uint64_t *available, uint64_t *free, uint64_t unit)
{
	if (control == NULL || !control->lying)
		return;
	*available = *free = (uint64_t)control->free_kib * 1024 / unit;
}

int
statvfs(const char *path, struct statvfs *st)
{
	NEXT(statvfs);
	int r = next(path, st);

	if (r == 0)
		lie(&st->f_bavail, &st->f_bfree, st->f_frsize);
	return r;
}

int
statfs(const char *path, struct statfs *st)
{
	NEXT(statfs);
	int r = next(path, st);

	if (r == 0)
		lie(&st->f_bavail, &st->f_bfree, (uint64_t)st->f_bsize);
	return r;
}
