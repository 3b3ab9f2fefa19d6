/*
 * completion_words.h - what the table of commands says to whoever completes a
 * line: which rows share their first words, and what follows.
 */
#ifndef CTL_COMPLETION_WORDS_H
#define CTL_COMPLETION_WORDS_H

#include <stdbool.h>
#include <stdio.h>

#include "ctl/commands.h"

/* Is this row the first one with its noun?  With the first word of its verb? */
bool completion_begins_noun(const struct command *);
bool completion_begins_first(const struct command *);

/* Is its verb two words, the second of which the first one offers? */
bool completion_is_second(const struct command *);
/* Has b a verb of two words, too, and the same first one as a, behind the same
 * noun? */
bool completion_same_first(const struct command *a, const struct command *b);

/* Whose "list" has what this command takes: "account", "queue", or "". */
const char *completion_list(const struct command *);

/* The flags of all commands, without --config, whose next word is their value:
 * "--limit|--since" with "--" before each. */
void completion_put_valued(FILE *, const char *before);

#endif
