/*
 * suggest.h - "did you mean ...?"
 */
#ifndef LIB_SUGGEST_H
#define LIB_SUGGEST_H

#include <stddef.h>

/*
 * How many slips of the finger lie between two words: a letter left out, put
 * in, replaced, or two neighbours swapped.  Words over SUGGEST_MAX are far
 * from everything.
 */
#define SUGGEST_MAX 64
unsigned suggest_distance(const char *a, const char *b);

/*
 * Remembers the nearest of the words it is shown.  One that is further away
 * than about a third of what was typed is no suggestion, unless it begins with
 * that.
 */
struct suggest {
	const char *typed;
	const char *best; /* NULL: none */
	unsigned most;    /* slips that are still a suggestion */
};

void suggest_init(struct suggest *, const char *typed);
void suggest_offer(struct suggest *, const char *word);

#endif
