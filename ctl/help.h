/*
 * help.h - the table of commands as text.
 */
#ifndef CTL_HELP_H
#define CTL_HELP_H

#include <stdio.h>

#include "ctl/args.h"

/* "usage: postern account add ADDRESS [--json]", in lines that fit. */
void help_usage(FILE *, const struct command *);

/*
 * Everything about a command; or, when command is NULL, the commands of a
 * noun; or, when both are NULL, all commands.
 */
void help_print(FILE *, const char *noun, const struct command *);

/* The parts of man/postern.1 that come from the table. */
void help_mdoc_synopsis(FILE *);
void help_mdoc_commands(FILE *);

#endif
