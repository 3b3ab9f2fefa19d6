/*
 * text.h - octets and requests as a transcript writes them.
 */
#ifndef TESTS_DIALOG_TEXT_H
#define TESTS_DIALOG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "ipc/messages.h"
#include "lib/buf.h"

/* End the transcript under way; of run_dialogs.c. */
void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* n octets on one line: \r, \n, and \xHH for what is not ASCII.  malloc'd. */
char *text_show(const char *, size_t n);

/* Add a text without its \r \n \t \0 \\ \xHH, and with N times TEXT for
 * \{TEXT*N}. */
void text_unescape(struct buf *to, const char *);

/* Is all of the text what an extended regular expression says? */
bool text_matches(const char *text, const char *pattern);

/* "tx-file size=10": a request to a neighbour, without the body of a message.
 * malloc'd. */
char *text_of_request(const struct msg *);

#endif
