/*
 * progress.c - see progress.h.
 */
#include <stdio.h>
#include <unistd.h>

#include "ctl/progress.h"

#define WIDTH 40 /* columns of the bar */

void
progress_begin(struct progress *p, const struct output *o, const char *what,
    uint64_t total)
{
	*p = (struct progress){ .what = what, .total = total, .shown = -1 };
	p->on = o->mode == OUTPUT_HUMAN && isatty(STDERR_FILENO) && total > 0;
}

void
progress_add(struct progress *p, uint64_t n)
{
	int percent, full;

	p->now += n;
	if (!p->on)
		return;
	percent = p->now >= p->total ? 100 : (int)(p->now * 100 / p->total);
	if (percent == p->shown)
		return;
	p->shown = percent;
	full = percent * WIDTH / 100;
	fprintf(stderr, "\r%s [%.*s%*s] %3d %%", p->what, full,
	    "########################################", WIDTH - full, "",
	    percent);
	fflush(stderr);
}

void
progress_end(struct progress *p)
{
	if (p->on && p->shown != -1)
		fprintf(stderr, "\r%*s\r", WIDTH + 30, "");
	p->on = false;
}
