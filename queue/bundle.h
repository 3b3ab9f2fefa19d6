/*
 * bundle.h - jobs of one message that leave in one transaction: to their
 * destination they are one flight.
 */
#ifndef QUEUE_BUNDLE_H
#define QUEUE_BUNDLE_H

#include "queue/job.h"
#include "queue/pace.h"

/* mate flies with lead, which flies. */
void bundle_join(struct job *lead, struct job *mate);

/*
 * It has landed, and belongs to no bundle any more.  Was it the last one, or
 * alone?  Then how they did is in *how: as with the recipients of one job,
 * that anybody got it counts.
 */
bool bundle_land(struct job *, enum landing *how);

#endif
