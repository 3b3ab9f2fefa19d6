/*
 * memory.h - what was delivered lately.
 *
 * A queue that dies before it wrote a verdict down asks again for what has
 * arrived already.  This process has seen the verdict, and saves the
 * recipient the second copy (RFC 1047).
 */
#ifndef DELIVER_MEMORY_H
#define DELIVER_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* This message (its id) was taken by a server for this recipient. */
void memory_add(uint64_t id, const char *rcpt);

/* Was it?  Never true of a pair that was not added; those of long ago are
 * forgotten. */
bool memory_has(uint64_t id, const char *rcpt);

#endif
