/*
 * t_meta.c - see t_meta.h.
 */
#include <string.h>

#include "lib/log.h"
#include "lib/record.h"
#include "queue/t_meta.h"

static const char key[] = "totals";

/* clang-format off */
static const struct field fields[] = {
	F_U64(totals, last_id),
	F_U64(totals, journal_seq),
	F_U64(totals, log_from),
	F_U64(totals, messages),
	F_U64(totals, waiting),
	F_U64(totals, accepted),
	F_U64(totals, delivered),
	F_U64(totals, bounced),
	F_END,
};
/* clang-format on */

void
t_meta_get(struct totals *t)
{
	uint8_t row[sizeof(*t)];
	size_t len;

	memset(t, 0, sizeof(*t));
	if (!store_get(
		NULL, T_META, key, sizeof(key) - 1, row, sizeof(row), &len))
		return;
	if (!record_decode(fields, t, sizeof(*t), row, len))
		fatal("the spool's totals are damaged");
}

void
t_meta_put(struct txn *txn, const struct totals *t)
{
	uint8_t row[sizeof(*t)];
	size_t len = record_encode(fields, t, row, sizeof(row));

	store_put(txn, T_META, key, sizeof(key) - 1, row, len);
}
