/*
 * fnv.h - FNV-1a, 64 bits: short names to numbers.  Who chooses names can make
 * two meet; where that matters it is siphash.h.  Stores keep its values.
 */
#ifndef LIB_FNV_H
#define LIB_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)

/* A hash, FNV_BASIS of nothing, and n octets more. */
uint64_t fnv_add(uint64_t hash, const void *, size_t n);

#endif
