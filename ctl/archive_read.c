/*
 * archive_read.c - see archive.h.
 *
 * SHA256SUMS follows from what stands before it, so it is not parsed: the
 * same text is made again, and its digest compared.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/archive.h"
#include "ctl/output.h"
#include "ctl/row.h"
#include "lib/code.h"
#include "lib/hex.h"
#include "mail/msgid.h"

#define MANIFEST_MOST 65536 /* bytes */
#define MAIL_MOST     ((size_t)100 * 1000 * 1000)

static bool fail(struct archive *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool
fail(struct archive *a, const char *fmt, ...)
{
	va_list ap;

	if (a->error[0] != '\0')
		return false;
	va_start(ap, fmt);
	vsnprintf(a->error, sizeof(a->error), fmt, ap);
	va_end(ap);
	return false;
}

bool
archive_read(struct archive *a, uint64_t at, void *to, size_t n)
{
	if (fseeko(a->file, (off_t)at, SEEK_SET) == -1)
		return fail(a, "%s", strerror(errno));
	if (fread(to, 1, n, a->file) != n)
		return fail(a, "it ends too early, or is no backup");
	return true;
}

/* spool/ID.eml, ids going up. */
static bool
note_mail(struct archive *a, const struct tar_member *m, uint64_t at)
{
	char id[MSGID_SIZE], name[TAR_NAME];
	struct archive_mail mail = { .at = at, .size = m->size };

	snprintf(id, sizeof(id), "%.13s", m->name + strlen("spool/"));
	if (!msgid_parse(id, &mail.id))
		return fail(a, "%s is no name of a member", m->name);
	msgid_format(mail.id, id);
	snprintf(name, sizeof(name), "spool/%s.eml", id);
	if (strcmp(name, m->name) != 0)
		return fail(a, "%s is no name of a member", m->name);
	if ((a->nmail > 0 && mail.id <= a->mail[a->nmail - 1].id) ||
	    a->nmail >= MAIL_MOST)
		return fail(a, "%s is not in its place", m->name);
	if (a->nmail == a->mail_room) {
		a->mail_room = a->mail_room ? 2 * a->mail_room : 1024;
		a->mail = realloc(a->mail, a->mail_room * sizeof(a->mail[0]));
		if (a->mail == NULL)
			abort();
	}
	a->mail[a->nmail++] = mail;
	return true;
}

/* Where it is; each of the lists once. */
static bool
note(struct archive *a, const struct tar_member *m, uint64_t at)
{
	const struct {
		const char *name;
		struct archive_lines *lines;
	} known[] = {
		{ ARCHIVE_ACCOUNTS, &a->accounts },
		{ ARCHIVE_DKIM, &a->dkim },
		{ ARCHIVE_MESSAGES, &a->messages },
		{ ARCHIVE_JOURNAL, &a->journal },
		{ ARCHIVE_MANIFEST, &a->manifest },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(m->name, known[i].name) != 0)
			continue;
		if (known[i].lines->at != 0)
			return fail(a, "%s is in it twice", m->name);
		*known[i].lines = (struct archive_lines){ at, m->size };
		return true;
	}
	if (strncmp(m->name, "spool/", 6) == 0)
		return note_mail(a, m, at);
	if (strcmp(m->name, ARCHIVE_CONF) == 0 ||
	    strncmp(m->name, "tls/", 4) == 0)
		return true;
	return fail(a, "%s is no name of a member", m->name);
}

/* Read a member's bytes, and the zeros behind them. */
static bool
digest(struct archive *a, const struct tar_member *m, uint64_t at,
    struct sha256 *sum, uint8_t out[SHA256_SIZE])
{
	static uint8_t piece[65536];
	uint64_t left = m->size;
	size_t n;

	if (m->size > a->size - at)
		return fail(a, "it ends in the middle of %s", m->name);
	sha256_reset(sum);
	for (; left > 0; left -= n, at += n) {
		n = left < sizeof(piece) ? left : sizeof(piece);
		if (!archive_read(a, at, piece, n))
			return false;
		sha256_feed(sum, piece, n);
	}
	sha256_end(sum, out);
	n = tar_padding(m->size);
	if (!archive_read(a, at, piece, n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (piece[i] != 0)
			return fail(
			    a, "behind %s is what was not written", m->name);
	return true;
}

/* Two blocks of zeros, and nothing behind them. */
static bool
check_end(struct archive *a, uint64_t at)
{
	uint8_t block[TAR_BLOCK];
	struct tar_member m;

	for (int i = 0; i < 2; i++, at += TAR_BLOCK)
		if (!archive_read(a, at, block, sizeof(block)))
			return false;
		else if (tar_parse(&m, block) != TAR_END)
			return fail(a, "something stands behind its end");
	return at == a->size || fail(a, "something stands behind its end");
}

static void
add_sum(struct sha256 *sums, const char *name, const uint8_t *d)
{
	char hex[HEX_SIZE(SHA256_SIZE)];

	hex_write(d, SHA256_SIZE, hex);
	sha256_feed(sums, hex, 2 * SHA256_SIZE);
	sha256_feed(sums, "  ", 2);
	sha256_feed(sums, name, strlen(name));
	sha256_feed(sums, "\n", 1);
}

static bool
read_members(struct archive *a, struct sha256 *sum, struct sha256 *sums)
{
	uint8_t block[TAR_BLOCK], d[SHA256_SIZE], all[SHA256_SIZE];
	struct tar_member m;
	uint64_t at = 0;

	for (;; a->members++) {
		if (!archive_read(a, at, block, sizeof(block)))
			return false;
		if (tar_parse(&m, block) != TAR_MEMBER)
			return fail(a,
			    "what is at byte %" PRIu64
			    " is no member of a backup",
			    at);
		at += TAR_BLOCK;
		if (!digest(a, &m, at, sum, d))
			return false;
		if (strcmp(m.name, ARCHIVE_SUMS) == 0)
			break;
		if (!note(a, &m, at))
			return false;
		add_sum(sums, m.name, d);
		at += m.size + tar_padding(m.size);
	}
	sha256_end(sums, all);
	if (memcmp(all, d, sizeof(d)) != 0)
		return fail(a,
		    "a digest is wrong: it was changed, or is damaged "
		    "(tar -xOf %s SHA256SUMS)",
		    a->name);
	return check_end(a, at + m.size + tar_padding(m.size));
}

static bool
read_manifest(struct archive *a)
{
	char *text;
	json_int_t format;

	if (a->manifest.at == 0 || a->manifest.size > MANIFEST_MOST)
		return fail(a, "it has no manifest");
	if ((text = malloc(a->manifest.size + 1)) == NULL)
		abort();
	if (archive_read(a, a->manifest.at, text, a->manifest.size))
		a->about = json_loadb(
		    text, a->manifest.size, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	format = json_integer_value(json_object_get(a->about, "format"));
	if (format == ARCHIVE_FORMAT)
		return true;
	if (format > ARCHIVE_FORMAT)
		return fail(a,
		    "it is of format %d and this postern knows %d: use the "
		    "postern that wrote it, or a newer one",
		    (int)format, ARCHIVE_FORMAT);
	return fail(a, "its manifest says no format");
}

int
archive_open(struct archive *a, const char *name)
{
	struct sha256 *sum, *sums;
	struct stat st;
	int fd;
	bool good;

	memset(a, 0, sizeof(*a));
	a->name = name;
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 || fstat(fd, &st) == -1 ||
	    (a->file = fdopen(fd, "r")) == NULL)
		return output_fail(errno == ENOENT ? CODE_MISSING
			: errno == EACCES          ? CODE_DENIED
						   : CODE_TEMP,
		    "%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return output_fail(CODE_USAGE, "%s is not a file", name);
	a->size = (uint64_t)st.st_size;
	sum = sha256_new();
	sums = sha256_new();
	good = read_members(a, sum, sums) && read_manifest(a);
	sha256_free(sum);
	sha256_free(sums);
	return good ? CODE_OK : CODE_NO;
}

void
archive_close(struct archive *a)
{
	if (a->file != NULL)
		fclose(a->file);
	free(a->mail);
	json_decref(a->about);
	memset(a, 0, sizeof(*a));
}

uint64_t
archive_count(const struct archive *a, const char *key)
{
	json_t *n = json_object_get(json_object_get(a->about, "counts"), key);

	return json_integer_value(n) > 0 ? (uint64_t)json_integer_value(n) : 0;
}

static bool
grow(char **line, size_t *room, size_t need)
{
	if (need <= *room)
		return true;
	if (need > ROW_LINE)
		return false;
	while (*room < need)
		*room = *room ? 2 * *room : 4096;
	if ((*line = realloc(*line, *room)) == NULL)
		abort();
	return true;
}

bool
archive_each(struct archive *a, const struct archive_lines *lines,
    const char *what, archive_line_fn *fn, void *arg)
{
	static char piece[65536];
	uint64_t at = lines->at, end = lines->at + lines->size, number = 0;
	char *line = NULL, *eol;
	size_t len = 0, room = 0, n, k;
	bool good = true;

	for (; good && at < end; at += n) {
		n = end - at < sizeof(piece) ? end - at : sizeof(piece);
		good = archive_read(a, at, piece, n);
		for (size_t i = 0; good && i < n; i += k) {
			eol = memchr(piece + i, '\n', n - i);
			k = eol != NULL ? (size_t)(eol - piece) + 1 - i : n - i;
			if (!(good = grow(&line, &room, len + k)))
				break;
			memcpy(line + len, piece + i, k);
			len += k;
			if (eol == NULL)
				continue;
			number++;
			good = fn(arg, line, len - 1);
			len = 0;
		}
	}
	if (good && len > 0)
		good = false; /* the last line has no end */
	if (!good)
		fail(a, "line %" PRIu64 " of %s is malformed", number, what);
	if (line != NULL)
		explicit_bzero(line, room);
	explicit_bzero(piece, sizeof(piece));
	free(line);
	return good;
}
