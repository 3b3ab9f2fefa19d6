/*
 * copy.c - see copy.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/copy.h"

#define CHUNK (256 * 1024)

static int
copy_bytes(int from, int to, const char *name, bool (*want)(const char *))
{
	char *buf = malloc(CHUNK);
	int error = 0;
	ssize_t n, k;

	if (buf == NULL)
		abort();
	while (error == 0 && want(name) && (n = read(from, buf, CHUNK)) != 0) {
		if (n == -1)
			error = errno;
		for (ssize_t at = 0; at < n && error == 0; at += k) {
			k = write(to, buf + at, (size_t)(n - at));
			if (k <= 0)
				error = k == 0 ? ENOSPC : errno;
		}
	}
	free(buf);
	return error;
}

static int
copy_one(int from_dir, int to_dir, const char *name, bool (*want)(const char *))
{
	int from = openat(from_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int to = -1, error = 0;
	struct stat st;

	if (from == -1)
		return errno;
	if (fstat(from, &st) == -1)
		error = errno;
	if (error == 0 && S_ISREG(st.st_mode)) {
		to = openat(to_dir, name,
		    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		error = to == -1 ? errno : copy_bytes(from, to, name, want);
	}
	close(from);
	if (to != -1 && close(to) == -1 && error == 0)
		error = errno;
	return error;
}

static int
is_visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

int
copy_files(const char *from, const char *to, bool (*want)(const char *name))
{
	int from_dir, to_dir = -1, n = -1, error = 0;
	struct dirent **list;

	if (mkdir(to, 0700) == -1 && errno != EEXIST)
		return errno;
	from_dir = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from_dir != -1)
		to_dir = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to_dir != -1)
		n = scandirat(from_dir, ".", &list, is_visible, alphasort);
	if (n == -1)
		error = errno;
	for (int i = 0; i < n; i++) {
		if (error == 0 && want(list[i]->d_name))
			error =
			    copy_one(from_dir, to_dir, list[i]->d_name, want);
		free(list[i]);
	}
	if (n != -1)
		free(list);
	if (to_dir != -1)
		close(to_dir);
	if (from_dir != -1)
		close(from_dir);
	return error;
}

void
copy_remove(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	if (dir == NULL)
		return;
	while ((e = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), e->d_name, 0);
	closedir(dir);
	rmdir(path);
}
