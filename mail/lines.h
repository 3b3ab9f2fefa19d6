/*
 * lines.h - the one pass over bulk text: are the line ends clean?
 */
#ifndef MAIL_LINES_H
#define MAIL_LINES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Is each CR among these n bytes followed by LF and each LF preceded by CR,
 * and is there no NUL?  A LF that is the first byte and a CR that is the last
 * one are not judged: their neighbours are not here.
 *
 *   eight_bit  becomes true if a byte is over 127, and is otherwise left
 */
bool lines_clean(const char *s, size_t n, bool *eight_bit);

/* Is there a byte over 127 among these? */
bool lines_eight_bit(const char *s, size_t n);

#endif
