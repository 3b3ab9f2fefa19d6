/*
 * admin_restore.c - messages from a backup; see restore.h.
 *
 * With a neighbour, mail comes and goes and this is a live spool: then
 * nothing is taken.
 */
#include <string.h>

#include "lib/log.h"
#include "queue/admin_command.h"
#include "queue/flight.h"
#include "queue/restore.h"

static const char *
refusal(const struct admin *op)
{
	if (!op->root)
		return "only root may restore a backup";
	if (flight_deliver_known())
		return "the server runs: end it, and restore into an empty "
		       "state directory";
	return NULL;
}

static void
on_disk(void *arg)
{
	struct admin *op = arg;
	const char *fault = restore_fault(op->restore);

	op->writing = false;
	op->count = restore_count(op->restore);
	if (!op->gone)
		admin_done(op, fault == NULL ? CODE_OK : CODE_NO,
		    fault == NULL ? "" : fault);
}

void
admin_restore_row(struct admin *op, const struct msg *m)
{
	if (refusal(op) != NULL)
		return; /* the command behind it is told */
	if (op->restore == NULL) {
		op->restore = restore_new(on_disk, op);
		log_event("admin.restore", "by=%s", log_quote(op->by));
	}
	restore_take(op->restore, m);
}

void
admin_restore(struct admin *op)
{
	const char *why = refusal(op);

	if (why != NULL) {
		admin_done(op, CODE_NO, why);
	} else if (op->restore == NULL) {
		admin_done(op, CODE_OK, "");
	} else {
		op->writing = true;
		restore_wait(op->restore);
	}
}
