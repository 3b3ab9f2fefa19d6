/*
 * hex.h - octets as hexadecimal digits, and back.
 */
#ifndef LIB_HEX_H
#define LIB_HEX_H

#include <stdbool.h>
#include <stddef.h>

/* Room for n octets as text, its NUL included. */
#define HEX_SIZE(n) (2 * (n) + 1)

/* Write n octets in lower case to out[HEX_SIZE(n)]. */
void hex_write(const void *octets, size_t n, char *out);

/*
 * Read n octets from the first 2 * n letters at text, in either case; what is
 * behind those is not looked at.  False, with out unspecified, when one of
 * them is no digit, be it a NUL.
 */
bool hex_read(const char *text, void *out, size_t n);

/* Is this text 2 * n digits, as hex_write() writes them? */
bool hex_is_written(const char *text, size_t n);

#endif
