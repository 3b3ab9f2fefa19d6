/*
 * store_sum.h - Berkeley DB's checksum, of log records and of pages, quicker.
 *
 * The library computes it octet by octet, each step waiting for the one
 * before: a third of what a message costs this process.  It calls its function
 * by a name that it exports, so that ours stands in for it wherever the
 * program is linked with this file; the values are the same, and so is all
 * that lies on the disk.  A library that calls it otherwise uses its own.
 */
#ifndef QUEUE_STORE_SUM_H
#define QUEUE_STORE_SUM_H

#include <stdint.h>

/* The library's name: h = h * 33 + octet.  The first argument is unused. */
uint32_t __ham_func4(void *db, const void *data, uint32_t len);

/* It computes what it should, or the process ends. */
void store_sum_check(void);

#endif
