/*
 * admin_check.c - check store, the spool's part.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "queue/admin_command.h"
#include "queue/check.h"

static void
checked(void *arg, const struct check_result *r)
{
	struct admin *op = arg;
	char text[600];

	op->writing = false;
	if (op->gone)
		return; /* admin_turn() forgets it */
	if (r->error != 0) {
		snprintf(text, sizeof(text), "it could not be copied: %s",
		    strerror(r->error));
		admin_done(op, CODE_TEMP, text);
		return;
	}
	if (r->faults > 0) {
		snprintf(text, sizeof(text),
		    "%u fault%s, the first: %s; end the server and keep a "
		    "copy of its directory before anything else",
		    r->faults, r->faults == 1 ? "" : "s", r->fault);
		admin_done(op, CODE_NO, text);
		return;
	}
	snprintf(text, sizeof(text),
	    "whole: %" PRIu64 " messages, %" PRIu64 " jobs, %" PRIu64
	    " events; %.1f "
	    "MiB in %.1f s",
	    r->messages, r->jobs, r->events, (double)r->bytes / 1048576,
	    (double)r->ms / 1000);
	admin_done(op, CODE_OK, text);
}

void
admin_check(struct admin *op)
{
	const char *why = check_begin(checked, op);

	if (why != NULL)
		admin_done(op, CODE_TEMP, why);
	else
		op->writing = true;
}
