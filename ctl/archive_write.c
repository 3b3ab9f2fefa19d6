/*
 * archive_write.c - see archive.h.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/archive.h"
#include "ctl/output.h"
#include "lib/code.h"
#include "lib/hex.h"

static void
fail(struct archive_writer *w)
{
	if (!w->failed)
		output_fail(CODE_TEMP, "%s: %s", w->part, strerror(errno));
	w->failed = true;
}

int
archive_create(struct archive_writer *w, const char *name)
{
	int fd;

	memset(w, 0, sizeof(*w));
	w->name = name;
	w->time = (uint64_t)time(NULL);
	if (access(name, F_OK) == 0)
		return output_fail(CODE_EXISTS,
		    "%s is there already; a backup is a new file", name);
	if (snprintf(w->part, sizeof(w->part), "%s.part", name) >=
	    (int)sizeof(w->part))
		return output_fail(CODE_USAGE, "%s: too long a name", name);
	unlink(w->part); /* of one that was interrupted */
	fd = open(w->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1 || (w->file = fdopen(fd, "w")) == NULL)
		return output_fail(errno == EACCES ? CODE_DENIED
			: errno == ENOENT          ? CODE_MISSING
						   : CODE_TEMP,
		    "%s: %s", w->part, strerror(errno));
	w->sum = sha256_new();
	if ((w->sums = archive_spill(w)) == NULL)
		return CODE_TEMP;
	return CODE_OK;
}

FILE *
archive_spill(struct archive_writer *w)
{
	char path[sizeof(w->part)];
	FILE *f = NULL;
	int fd;

	memcpy(path, w->part, sizeof(path));
	fd = open(dirname(path), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (fd != -1)
		f = fdopen(fd, "w+");
	else
		f = tmpfile(); /* not every file system has that */
	if (f == NULL)
		fail(w);
	return f;
}

static void
put(struct archive_writer *w, const void *data, size_t n)
{
	if (w->failed || n == 0)
		return;
	if (fwrite(data, 1, n, w->file) != n)
		fail(w);
	w->written += n;
}

void
archive_begin(struct archive_writer *w, const char *name, uint64_t size)
{
	uint8_t block[TAR_BLOCK];

	if (w->failed)
		return;
	memset(&w->member, 0, sizeof(w->member));
	snprintf(w->member.name, sizeof(w->member.name), "%s", name);
	w->member.size = w->left = size;
	w->member.time = w->time;
	if (!tar_header(block, &w->member)) {
		errno = EFBIG;
		fail(w);
		return;
	}
	put(w, block, sizeof(block));
	sha256_reset(w->sum);
}

void
archive_data(struct archive_writer *w, const void *data, size_t n)
{
	if (w->failed)
		return;
	assert(n <= w->left);
	w->left -= n;
	sha256_feed(w->sum, data, n);
	put(w, data, n);
}

void
archive_end(struct archive_writer *w)
{
	static const uint8_t zeros[TAR_BLOCK];
	uint8_t digest[SHA256_SIZE];
	char hex[HEX_SIZE(SHA256_SIZE)];

	if (w->failed)
		return;
	assert(w->left == 0);
	put(w, zeros, tar_padding(w->member.size));
	sha256_end(w->sum, digest);
	hex_write(digest, sizeof(digest), hex);
	fprintf(w->sums, "%s  %s\n", hex, w->member.name);
}

void
archive_add(struct archive_writer *w, const char *name, FILE *from)
{
	char piece[65536];
	size_t n;
	off_t size;

	if (w->failed)
		return;
	if (fflush(from) != 0 || ferror(from) ||
	    fseeko(from, 0, SEEK_END) == -1 || (size = ftello(from)) == -1) {
		fail(w);
		return;
	}
	rewind(from);
	archive_begin(w, name, (uint64_t)size);
	while (!w->failed && w->left > 0) {
		n = w->left < sizeof(piece) ? w->left : sizeof(piece);
		if (fread(piece, 1, n, from) != n) {
			errno = EIO;
			fail(w);
			break;
		}
		archive_data(w, piece, n);
	}
	archive_end(w);
	explicit_bzero(piece, sizeof(piece));
}

static void
sync_directory(const char *file)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s", file);
	fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return;
	fsync(fd);
	close(fd);
}

int
archive_finish(struct archive_writer *w)
{
	static const uint8_t zeros[TAR_BLOCK];
	FILE *sums = w->sums;

	if (w->failed)
		return CODE_TEMP;
	/* Its own line goes where nobody reads it. */
	w->sums = fopen("/dev/null", "w");
	if (w->sums == NULL)
		fail(w);
	else
		archive_add(w, ARCHIVE_SUMS, sums);
	fclose(sums);
	put(w, zeros, sizeof(zeros));
	put(w, zeros, sizeof(zeros));
	if (!w->failed &&
	    (fflush(w->file) != 0 || fsync(fileno(w->file)) == -1))
		fail(w);
	if (!w->failed &&
	    renameat2(AT_FDCWD, w->part, AT_FDCWD, w->name, RENAME_NOREPLACE) ==
		-1 &&
	    (errno != EINVAL || rename(w->part, w->name) == -1))
		fail(w);
	if (w->failed)
		return CODE_TEMP;
	sync_directory(w->name);
	fclose(w->file);
	w->file = NULL;
	return CODE_OK;
}

void
archive_drop(struct archive_writer *w)
{
	if (w->file != NULL) {
		fclose(w->file);
		unlink(w->part);
	}
	if (w->sums != NULL)
		fclose(w->sums);
	sha256_free(w->sum);
	memset(w, 0, sizeof(*w));
}
