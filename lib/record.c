/*
 * record.c - the codec behind record.h.
 */
#include <assert.h>
#include <string.h>

#include "lib/record.h"

static void
put(uint8_t *p, uint64_t v, int bytes)
{
	while (bytes-- > 0)
		*p++ = (uint8_t)(v >> (8 * bytes));
}

/* Take a big-endian integer of `bytes` bytes from [*p, end). */
static bool
get(const uint8_t **p, const uint8_t *end, int bytes, uint64_t *v)
{
	if (end - *p < bytes)
		return false;
	for (*v = 0; bytes > 0; bytes--)
		*v = *v << 8 | *(*p)++;
	return true;
}

size_t
record_encode(
    const struct field *f, const void *from, uint8_t *out, size_t size)
{
	const uint8_t *base = from, *src;
	uint8_t *p = out, *end = out + size;
	struct bytes bulk;
	uint64_t u64;
	uint32_t u32;
	size_t n;

	for (; f->kind != FIELD_END; f++) {
		src = base + f->off;
		switch (f->kind) {
		case FIELD_U32:
			if (end - p < 4)
				return 0;
			memcpy(&u32, src, sizeof(u32));
			put(p, u32, 4);
			p += 4;
			break;
		case FIELD_U64:
			if (end - p < 8)
				return 0;
			memcpy(&u64, src, sizeof(u64));
			put(p, u64, 8);
			p += 8;
			break;
		case FIELD_STR:
			n = strnlen((const char *)src, f->size - 1);
			if ((size_t)(end - p) < 2 + n)
				return 0;
			put(p, n, 2);
			memcpy(p + 2, src, n);
			p += 2 + n;
			break;
		case FIELD_BYTES:
			memcpy(&bulk, src, sizeof(bulk));
			if (bulk.len > f->size ||
			    (size_t)(end - p) < 4 + bulk.len)
				return 0;
			put(p, bulk.len, 4);
			if (bulk.len > 0)
				memcpy(p + 4, bulk.data, bulk.len);
			p += 4 + bulk.len;
			break;
		case FIELD_END:
			break;
		}
	}
	return (size_t)(p - out);
}

static bool
get_field(
    const struct field *f, uint8_t *to, const uint8_t **p, const uint8_t *end)
{
	struct bytes bulk;
	uint32_t u32;
	uint64_t v;

	switch (f->kind) {
	case FIELD_U32:
		if (!get(p, end, 4, &v))
			return false;
		u32 = (uint32_t)v;
		memcpy(to, &u32, sizeof(u32));
		return true;
	case FIELD_U64:
		if (!get(p, end, 8, &v))
			return false;
		memcpy(to, &v, sizeof(v));
		return true;
	case FIELD_STR:
		if (!get(p, end, 2, &v) || v >= f->size ||
		    (uint64_t)(end - *p) < v || memchr(*p, 0, v) != NULL)
			return false;
		memcpy(to, *p, v);
		*p += v;
		return true;
	case FIELD_BYTES:
		if (!get(p, end, 4, &v) || v > f->size ||
		    (uint64_t)(end - *p) < v)
			return false;
		bulk.data = *p;
		bulk.len = v;
		memcpy(to, &bulk, sizeof(bulk));
		*p += v;
		return true;
	case FIELD_END:
		break;
	}
	return false;
}

bool
record_decode(const struct field *f, void *to, size_t struct_size,
    const uint8_t *in, size_t len)
{
	const uint8_t *p = in, *end = in + len;

	memset(to, 0, struct_size);
	for (; f->kind != FIELD_END; f++) {
		assert(f->off < struct_size);
		if (!get_field(f, (uint8_t *)to + f->off, &p, end))
			return false;
	}
	return p == end;
}

size_t
list_add(uint8_t *out, size_t size, size_t len, const void *item, size_t n)
{
	if (n > UINT16_MAX || len > size || size - len < 2 + n)
		return 0;
	put(out + len, n, 2);
	if (n > 0)
		memcpy(out + len + 2, item, n);
	return len + 2 + n;
}

bool
list_next(struct bytes *rest, struct bytes *item)
{
	const uint8_t *p = rest->data, *end;
	uint64_t n;

	if (rest->len == 0)
		return false;
	end = p + rest->len;
	if (!get(&p, end, 2, &n) || (uint64_t)(end - p) < n)
		return false;
	item->data = p;
	item->len = n;
	rest->data = p + n;
	rest->len = (size_t)(end - rest->data);
	return true;
}

bool
list_valid(struct bytes list, size_t most_item, size_t *count)
{
	struct bytes item;

	*count = 0;
	while (list_next(&list, &item)) {
		if (item.len > most_item)
			return false;
		++*count;
	}
	return list.len == 0;
}
