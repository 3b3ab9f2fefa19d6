/*
 * prune.h - what the journal and its index have kept for long enough goes, a
 * little at a time.
 */
#ifndef QUEUE_PRUNE_H
#define QUEUE_PRUNE_H

/* The store is open. */
void prune_start(void);
/* A second has passed. */
void prune_tick(void);
void prune_stop(void);

#endif
