/*
 * limits.h - limits on a command line and in what is printed.
 */
#ifndef CTL_LIMITS_H
#define CTL_LIMITS_H

#include "ctl/output.h"
#include "ipc/messages.h"

struct ctl;

/* A row of an account's limits, for people or for programs. */
#define LIMITS_COLUMNS 5
extern const struct column limits_columns[LIMITS_COLUMNS];
void limits_cells(const struct msg_limits_row *, enum limit, bool human,
    struct cell[LIMITS_COLUMNS]);

/*
 * Read the flags of all limits; one that is not given is `missing`.
 *
 *   or_default  the word "default" is taken for 0
 *
 * CODE_OK, or CODE_USAGE after saying what is wrong.
 */
int limits_read(const struct ctl *, uint64_t limit[LIMITS], uint64_t missing,
    bool or_default);

#endif
