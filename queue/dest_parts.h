/*
 * dest_parts.h - what dest.c and dest_ask.c share; for them only.
 */
#ifndef QUEUE_DEST_PARTS_H
#define QUEUE_DEST_PARTS_H

#include "queue/dest.h"

/* dest.c: have it looked at again then, see dest_ring(). */
void dest_set_alarm(struct dest *, int64_t at_ms);

/* dest_ask.c: deliver is to be asked about it. */
void dest_line_up(struct dest *);
/* It goes on by itself, whatever its site. */
void dest_end_asking(struct dest *);

#endif
