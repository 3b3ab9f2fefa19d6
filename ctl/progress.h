/*
 * progress.h - a bar on stderr while something long goes on; nothing when
 * that is no terminal.
 */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/output.h"

struct progress {
	bool on;
	const char *what; /* borrowed */
	uint64_t total, now;
	int shown; /* percent; -1 nothing yet */
};

/* total: all that progress_add() will be told of. */
void progress_begin(
    struct progress *, const struct output *, const char *what, uint64_t total);
void progress_add(struct progress *, uint64_t n);
/* Take it away. */
void progress_end(struct progress *);

#endif
