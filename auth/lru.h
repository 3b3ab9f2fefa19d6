/*
 * lru.h - a bounded table that forgets what was least recently used.
 *
 * Values are plain memory of one size, aligned for anything, zeroed when they
 * are added.  A pointer to a value is good until the next lru_add() or
 * lru_remove().  Keys are any bytes; those that strangers choose must be
 * digests (digest.h), or they could pile them up in one bucket.
 */
#ifndef AUTH_LRU_H
#define AUTH_LRU_H

#include <stddef.h>

struct lru;

/*
 * A table of `most` values.  dropped (may be NULL) is told about each value
 * just before its memory goes, to free or wipe what it holds.
 */
struct lru *
lru_new(size_t most, size_t value_size, void (*dropped)(void *value));
void lru_free(struct lru *);

/* The value, now the most recently used one, or NULL. */
void *lru_find(struct lru *, const void *key, size_t n);
/* The same, but adds a zeroed value when there is none. */
void *lru_add(struct lru *, const void *key, size_t n);
/* Harmless when there is none. */
void lru_remove(struct lru *, const void *key, size_t n);
size_t lru_count(const struct lru *);

#endif
