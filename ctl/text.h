/*
 * text.h - strings and numbers for people's eyes.
 */
#ifndef CTL_TEXT_H
#define CTL_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Room for what text_*() below write. */
#define TEXT_SHORT 32

/*
 * s (NUL-terminated) made fit for a terminal and for one field of one line:
 * controls, C1 included, tabs and line ends, the marks that turn the
 * direction of writing, and what is not UTF-8 come out as \xNN or \u{N}; a
 * backslash as two.  The rest stays as it is.
 *
 *   out, size  cut, between characters, to fit; NUL-terminated
 *
 * Returns out.
 */
char *text_clean(char *out, size_t size, const char *s);

/* Columns that a clean UTF-8 string takes, one for each character. */
size_t text_width(const char *s);

/* Cut s to so many columns, in place. */
void text_cut(char *s, size_t columns);

/* "12.4K", "35M"; "812" below 1024 bytes.  Returns out. */
char *text_size(char out[TEXT_SHORT], uint64_t bytes);

/* A length of time in its largest units: "45s", "12m", "3h 20m", "2d 4h". */
char *text_span(char out[TEXT_SHORT], uint64_t seconds);

/* Local time, "2026-11-21 19:20"; "never" for 0. */
char *text_time(char out[TEXT_SHORT], uint64_t unix_seconds);
/* The same to the second: "2026-11-21 19:20:59". */
char *text_second(char out[TEXT_SHORT], uint64_t unix_seconds);

#endif
