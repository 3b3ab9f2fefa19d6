/*
 * tar.c - see tar.h.
 */
#include <assert.h>
#include <string.h>

#include "ctl/tar.h"

/* As POSIX has it; numbers are octal text. */
struct ustar {
	char name[100];
	char mode[8], uid[8], gid[8];
	char size[12], mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[6], version[2];
	char user[32], group[32];
	char major[8], minor[8];
	char prefix[155];
	char rest[12];
};

static_assert(sizeof(struct ustar) == TAR_BLOCK, "a header is a block");

static void
put(char *to, size_t size, uint64_t n)
{
	to[--size] = '\0';
	while (size-- > 0) {
		to[size] = (char)('0' + (n & 7));
		n >>= 3;
	}
}

static bool
get(const char *from, size_t size, uint64_t *n)
{
	*n = 0;
	for (size_t i = 0; i + 1 < size; i++) {
		if (from[i] < '0' || from[i] > '7')
			return false;
		*n = *n << 3 | (uint64_t)(from[i] - '0');
	}
	return true;
}

/* Names are told by us: letters, digits and a few more, never "..". */
static bool
name_valid(const char *name)
{
	size_t n = strnlen(name, TAR_NAME);

	return n > 0 && n < TAR_NAME && name[0] != '/' && name[0] != '.' &&
	    strstr(name, "..") == NULL &&
	    strspn(name,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789./-_") == n;
}

bool
tar_header(uint8_t block[TAR_BLOCK], const struct tar_member *m)
{
	struct ustar u;
	unsigned sum = 0;

	if (!name_valid(m->name) || m->size >= TAR_MOST || m->time >= TAR_MOST)
		return false;
	memset(&u, 0, sizeof(u));
	strcpy(u.name, m->name);
	put(u.mode, sizeof(u.mode), 0600);
	put(u.uid, sizeof(u.uid), 0);
	put(u.gid, sizeof(u.gid), 0);
	put(u.size, sizeof(u.size), m->size);
	put(u.mtime, sizeof(u.mtime), m->time);
	u.type = '0';
	memcpy(u.magic, "ustar", 6);
	memcpy(u.version, "00", 2);
	strcpy(u.user, "root");
	strcpy(u.group, "root");
	memset(u.checksum, ' ', sizeof(u.checksum));
	memcpy(block, &u, sizeof(u));
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += block[i];
	put(u.checksum, 7, sum);
	memcpy(block, &u, sizeof(u));
	return true;
}

enum tar_kind
tar_parse(struct tar_member *m, const uint8_t block[TAR_BLOCK])
{
	static const uint8_t zeros[TAR_BLOCK];
	uint8_t same[TAR_BLOCK];
	struct ustar u;

	if (memcmp(block, zeros, TAR_BLOCK) == 0)
		return TAR_END;
	memcpy(&u, block, sizeof(u));
	memcpy(m->name, u.name, sizeof(m->name));
	if (m->name[TAR_NAME - 1] != '\0' ||
	    !get(u.size, sizeof(u.size), &m->size) ||
	    !get(u.mtime, sizeof(u.mtime), &m->time) || !tar_header(same, m) ||
	    memcmp(block, same, TAR_BLOCK) != 0)
		return TAR_BAD;
	return TAR_MEMBER;
}
