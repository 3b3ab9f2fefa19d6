/*
 * completion.h - what a shell needs to complete a command line.
 */
#ifndef CTL_COMPLETION_H
#define CTL_COMPLETION_H

#include <stdbool.h>
#include <stdio.h>

/* The script for "bash", "zsh" or "fish"; false for any other shell. */
bool completion_print(FILE *, const char *shell);

void completion_bash(FILE *);
void completion_zsh(FILE *);
void completion_fish(FILE *);

#endif
