/*
 * part.c - see part.h.
 */
#include <assert.h>

#include "ipc/part.h"
#include "lib/record.h"

/* clang-format off */
static const struct field fields[] = {
	F_U64(part_item, tag),
	F_U32(part_item, n),
	F_U64(part_item, seal),
	F_U32(part_item, attempt),
	F_U32(part_item, nrcpts),
	F_STR(part_item, domain),
	F_END,
};
/* clang-format on */

size_t
part_pack(const struct part_item *p, uint8_t *out)
{
	size_t n = record_encode(fields, p, out, PART_ITEM_MAX);

	assert(n > 0);
	return n;
}

bool
part_unpack(struct part_item *p, struct bytes item)
{
	return record_decode(fields, p, sizeof(*p), item.data, item.len) &&
	    p->nrcpts > 0 && p->nrcpts <= JOB_RCPTS;
}
