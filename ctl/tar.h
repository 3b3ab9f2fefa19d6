/*
 * tar.h - the one form of tar (POSIX ustar) that a backup is: plain files
 * with short names, each behind a header of which every byte follows from
 * name, size and time, zeros behind it up to the next block, and two blocks
 * of zeros at the end.
 *
 * Written by hand, because a reader that accepts this and nothing else is a
 * page, and a library that reads a hundred formats is the wrong thing to give
 * a file that somebody may have changed.
 */
#ifndef CTL_TAR_H
#define CTL_TAR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define TAR_BLOCK 512
#define TAR_NAME  100                 /* with its NUL */
#define TAR_MOST  ((uint64_t)1 << 33) /* bytes of a member, and one */

struct tar_member {
	char name[TAR_NAME];
	uint64_t size;
	uint64_t time; /* unix seconds */
};

/* False when the member cannot be told. */
bool tar_header(uint8_t block[TAR_BLOCK], const struct tar_member *);

enum tar_kind { TAR_MEMBER, TAR_END, TAR_BAD };

/* TAR_END: the block is all zeros.  TAR_BAD: not one that we would write. */
enum tar_kind tar_parse(struct tar_member *, const uint8_t block[TAR_BLOCK]);

/* Zeros that stand behind so many bytes. */
static inline unsigned
tar_padding(uint64_t size)
{
	return (unsigned)(-size % TAR_BLOCK);
}

#endif
