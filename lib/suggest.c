/*
 * suggest.c - see suggest.h.
 */
#include <limits.h>
#include <string.h>

#include "lib/suggest.h"

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned
suggest_distance(const char *a, const char *b)
{
	unsigned rows[3][SUGGEST_MAX + 1];
	unsigned *old = rows[0], *last = rows[1], *row = rows[2], *spare;
	size_t na = strlen(a), nb = strlen(b);

	if (na > SUGGEST_MAX || nb > SUGGEST_MAX)
		return UINT_MAX;
	for (size_t j = 0; j <= nb; j++) {
		old[j] = 0;
		last[j] = (unsigned)j;
	}
	for (size_t i = 1; i <= na; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			row[j] = last[j - 1] + (a[i - 1] != b[j - 1]);
			row[j] = least(row[j], last[j] + 1);
			row[j] = least(row[j], row[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = least(row[j], old[j - 2] + 1);
		}
		spare = old;
		old = last;
		last = row;
		row = spare;
	}
	return last[nb];
}

void
suggest_init(struct suggest *s, const char *typed)
{
	size_t n = strlen(typed);

	s->typed = typed;
	s->best = NULL;
	/* A single letter is near to everything, two of three are not much. */
	s->most = n < 2 ? 0
	    : n < 4     ? 1
			: least((unsigned)(n < 64 ? n : 64) / 3 + 1, 4);
}

void
suggest_offer(struct suggest *s, const char *word)
{
	unsigned d = suggest_distance(s->typed, word);
	size_t n = strlen(s->typed);

	/* What a word begins with was cut short: as near as the furthest. */
	if (n >= 3 && strncmp(word, s->typed, n) == 0)
		d = least(d, s->most);
	if (d > s->most || (s->best != NULL && d == s->most))
		return;
	s->best = word;
	s->most = d;
}
