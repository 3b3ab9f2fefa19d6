/*
 * exposition.h - the numbers of a running server in the text format that
 * Prometheus reads (version 0.0.4).
 */
#ifndef CTL_EXPOSITION_H
#define CTL_EXPOSITION_H

#include <jansson.h>

#include "ctl/settings.h"

/*
 * Ask every process what it counted, add it up, and print it.
 *
 *   status  borrowed; what `postern status --json` prints
 *
 * A process that does not answer is left out, and postern_process_up tells.
 * The result is an exit code; what went wrong is on stderr.
 */
int exposition_print(const struct settings *, const json_t *status);

/* There is no server: one number says so. */
void exposition_print_down(void);

#endif
