/*
 * bodyfile.c - see bodyfile.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crash.h"
#include "lib/log.h"
#include "mail/msgid.h"
#include "queue/bodyfile.h"

#define LEASE_TRIES   3
#define LEASE_WAIT_US 1000

static int folder = -1;
static struct worker keeper;

int
bodyfile_new(uint64_t id)
{
	char name[MSGID_SIZE];

	msgid_format(id, name);
	return openat(
	    folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

int
bodyfile_read(uint64_t id)
{
	char name[MSGID_SIZE];

	msgid_format(id, name);
	return openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

void
bodyfile_remove(uint64_t id)
{
	char name[MSGID_SIZE];

	msgid_format(id, name);
	if (unlinkat(folder, name, 0) == -1 && errno != ENOENT)
		log_event("warning", "text=%s id=%s error=%s",
		    log_quote("cannot remove a body"), name,
		    log_quote(strerror(errno)));
}

unsigned
bodyfile_sweep(bool (*keep)(uint64_t id))
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *e;
	unsigned n = 0;
	uint64_t id;

	if (dir == NULL)
		fatal("bodies: %s", strerror(errno));
	while ((e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (msgid_parse(e->d_name, &id) && keep(id))
			continue;
		if (unlinkat(folder, e->d_name, 0) == 0)
			n++;
	}
	closedir(dir);
	return n;
}

/*
 * The lender's descriptor and the one of smtpd are one open file, so the file
 * is still open for writing until smtpd, too, has closed its own.  A read
 * lease is granted only when nobody has it open for writing.
 */
static bool
nobody_writes(int fd)
{
	for (int i = 0; i < LEASE_TRIES; i++) {
		if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
			fcntl(fd, F_SETLEASE, F_UNLCK);
			return true;
		}
		if (errno != EAGAIN)
			return false;
		usleep(LEASE_WAIT_US);
	}
	return false;
}

/* Put a copy that only we ever had open in the place of the file. */
static int
replace_by_copy(int from, const char *name, uint64_t size)
{
	char buf[65536], temp[MSGID_SIZE + 4];
	int to, error = 0;
	ssize_t n;

	memcpy(temp, name, MSGID_SIZE - 1);
	memcpy(temp + MSGID_SIZE - 1, ".new", 5);
	unlinkat(folder, temp, 0);
	to =
	    openat(folder, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (to == -1)
		return errno;
	for (uint64_t at = 0; at < size && error == 0; at += (uint64_t)n) {
		n = pread(from, buf, sizeof(buf), (off_t)at);
		if (n <= 0)
			error = n == 0 ? EINVAL : errno;
		else if (write(to, buf, (size_t)n) != n)
			error = ENOSPC;
	}
	if (error == 0 && fdatasync(to) == -1)
		error = errno;
	if (close(to) == -1 && error == 0)
		error = errno;
	if (error == 0 && renameat(folder, temp, folder, name) == -1)
		error = errno;
	if (error != 0)
		unlinkat(folder, temp, 0);
	return error;
}

static int
keep_one(struct bodyfile_keep *k)
{
	char name[MSGID_SIZE];
	struct stat st;
	int fd, error = 0;

	msgid_format(k->id, name);
	if ((fd = bodyfile_read(k->id)) == -1)
		return errno;
	close(k->fd);
	k->fd = -1;
	if (!nobody_writes(fd))
		error = replace_by_copy(fd, name, k->size);
	else if (fchmod(fd, 0400) == -1 || fdatasync(fd) == -1)
		error = errno;
	close(fd);
	if (error == 0 && fstatat(folder, name, &st, 0) == -1)
		error = errno;
	if (error == 0 && (uint64_t)st.st_size != k->size)
		error = EINVAL;
	return error;
}

static void
run(struct tasks *batch)
{
	struct task *t;
	int error;

	TAILQ_FOREACH (t, batch, link) {
		struct bodyfile_keep *k = (struct bodyfile_keep *)t;

		k->error = keep_one(k);
	}
	CRASH_POINT("body-synced");
	error = fsync(folder) == -1 ? errno : 0;
	TAILQ_FOREACH (t, batch, link)
		if (error != 0)
			((struct bodyfile_keep *)t)->error = error;
	CRASH_POINT("body-kept");
}

static void
done(struct task *t)
{
	struct bodyfile_keep *k = (struct bodyfile_keep *)t;

	k->done(k);
}

void
bodyfile_keep(struct bodyfile_keep *k)
{
	worker_add(&keeper, &k->task);
}

void
bodyfile_open(const char *path)
{
	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		fatal("%s: %s", path, strerror(errno));
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder == -1)
		fatal("%s: %s", path, strerror(errno));
	worker_start(&keeper, run, done);
}

bool
bodyfile_idle(void)
{
	return worker_idle(&keeper);
}

void
bodyfile_close(void)
{
	worker_stop(&keeper);
	close(folder);
	folder = -1;
}
