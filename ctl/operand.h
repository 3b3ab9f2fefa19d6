/*
 * operand.h - the words behind a command: addresses, ids.
 */
#ifndef CTL_OPERAND_H
#define CTL_OPERAND_H

#include <stdint.h>

#include "ipc/messages.h"

/* Each returns CODE_OK, or CODE_USAGE after saying what is wrong. */

/* An address, in its canonical form. */
int operand_address(const char *, char out[ADDR_SIZE]);

/* The same, or "@example.org". */
int operand_sender(const char *, char out[ADDR_SIZE]);

/* The same, or "<>", the null path. */
int operand_return_path(const char *, char out[ADDR_SIZE]);

/* A domain, in lower case. */
int operand_domain(const char *, char out[256]);

/* The id of a message. */
int operand_id(const char *, uint64_t *out);

/* "90d", "12h": a length of time in s, m, h, d or w, the value of --flag. */
int operand_time(const char *flag, const char *, uint64_t *seconds);
/* "36h", "7d" before now, or "2026-11-21[T19:20[:21]]" in UTC, as unix
 * milliseconds; the value of --since. */
int operand_since(const char *, uint64_t *out);

/* A whole number from least to most, the value of --flag. */
int operand_number(const char *flag, const char *, uint64_t least,
    uint64_t most, uint64_t *out);

#endif
