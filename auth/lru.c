/*
 * lru.c - see lru.h.
 *
 * uthash keeps its items in the order of insertion: an item that is used is
 * taken out and put in again, so the first one is the oldest.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "auth/lru.h"

struct node {
	UT_hash_handle hh;
	_Alignas(max_align_t) unsigned char value[]; /* and the key behind it */
};

struct lru {
	struct node *nodes;
	size_t most, value_size;
	void (*dropped)(void *value);
};

struct lru *
lru_new(size_t most, size_t value_size, void (*dropped)(void *value))
{
	struct lru *l = calloc(1, sizeof(*l));

	assert(most > 0);
	if (l == NULL)
		abort();
	l->most = most;
	l->value_size = value_size;
	l->dropped = dropped;
	return l;
}

static void
drop(struct lru *l, struct node *node)
{
	HASH_DEL(l->nodes, node);
	if (l->dropped != NULL)
		l->dropped(node->value);
	free(node);
}

void
lru_free(struct lru *l)
{
	if (l == NULL)
		return;
	while (l->nodes != NULL)
		drop(l, l->nodes);
	free(l);
}

void *
lru_find(struct lru *l, const void *key, size_t n)
{
	struct node *node;
	unsigned hash;

	HASH_VALUE(key, n, hash);
	HASH_FIND_BYHASHVALUE(hh, l->nodes, key, n, hash, node);
	if (node == NULL)
		return NULL;
	if (node->hh.next != NULL) {
		HASH_DEL(l->nodes, node);
		HASH_ADD_KEYPTR_BYHASHVALUE(
		    hh, l->nodes, node->value + l->value_size, n, hash, node);
	}
	return node->value;
}

void *
lru_add(struct lru *l, const void *key, size_t n)
{
	void *value = lru_find(l, key, n);
	struct node *node;

	if (value != NULL)
		return value;
	if (lru_count(l) >= l->most)
		drop(l, l->nodes);
	node = calloc(1, sizeof(*node) + l->value_size + n);
	if (node == NULL)
		abort();
	memcpy(node->value + l->value_size, key, n);
	HASH_ADD_KEYPTR(hh, l->nodes, node->value + l->value_size, n, node);
	return node->value;
}

void
lru_remove(struct lru *l, const void *key, size_t n)
{
	struct node *node;

	HASH_FIND(hh, l->nodes, key, n, node);
	if (node != NULL)
		drop(l, node);
}

size_t
lru_count(const struct lru *l)
{
	return HASH_COUNT(l->nodes);
}
