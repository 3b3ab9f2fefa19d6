/*
 * record.h - one codec for every structured record: the messages between
 * processes and the rows of the stores.
 *
 * A field table describes a plain struct: integers, bounded strings kept as
 * arrays, and bulk bytes kept as a borrowed slice.  On the wire integers are
 * big-endian, strings are u16 length and bytes, bulk is u32 length and bytes.
 * Every bounds check of the codec is in record.c; a decoder accepts exactly
 * the bytes that the encoder makes and nothing else.
 */
#ifndef LIB_RECORD_H
#define LIB_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bulk bytes: borrowed, valid as long as the record they were decoded from. */
struct bytes {
	const uint8_t *data;
	size_t len;
};

enum field_kind { FIELD_END, FIELD_U32, FIELD_U64, FIELD_STR, FIELD_BYTES };

struct field {
	enum field_kind kind;
	size_t off;       /* into the struct */
	size_t size;      /* of the member; for bulk the most bytes allowed */
	const char *name; /* of the member, where it is written as text */
};

/* clang-format off */
#define F_U32(s, f) { FIELD_U32, offsetof(struct s, f), sizeof(((struct s *)0)->f), #f }
#define F_U64(s, f) { FIELD_U64, offsetof(struct s, f), sizeof(((struct s *)0)->f), #f }
#define F_STR(s, f) { FIELD_STR, offsetof(struct s, f), sizeof(((struct s *)0)->f), #f }
#define F_BYTES(s, f, most) { FIELD_BYTES, offsetof(struct s, f), (most), #f }
#define F_END       { FIELD_END, 0, 0, NULL }
/* clang-format on */

/*
 * Encode the struct at `from` into out[size].  Returns the length; 0 when it
 * does not fit or a bulk field is over its bound.  A string ends at its NUL
 * or at the end of its array.
 */
size_t record_encode(
    const struct field *, const void *from, uint8_t *out, size_t size);

/*
 * Decode one record of exactly len bytes into the struct at `to` (struct_size
 * bytes, zeroed first).  Strings come out NUL-terminated and hold no NUL
 * inside; bulk fields borrow from `in`.  False, with *to unspecified, when
 * anything is out of bounds or left over.
 */
bool record_decode(const struct field *, void *to, size_t struct_size,
    const uint8_t *in, size_t len);

/*
 * A packed list inside a bulk field: items of u16 length and bytes.
 * list_add() returns the new length of the list in out[size], or 0 when the
 * item does not fit.  list_next() moves along: false at the end; a malformed
 * list ends early and list_valid() is false for it.
 */
size_t
list_add(uint8_t *out, size_t size, size_t len, const void *item, size_t n);
bool list_next(struct bytes *rest, struct bytes *item);
bool list_valid(struct bytes list, size_t most_item, size_t *count);

#endif
