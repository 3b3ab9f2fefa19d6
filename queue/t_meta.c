/*
 * t_meta.c - see t_meta.h.
 */
#include <string.h>
#include <sys/random.h>

#include "lib/log.h"
#include "lib/record.h"
#include "queue/t_meta.h"

#define FORMAT 1 /* of all rows; counts up when they change */

static const char key[] = "totals";
static const char format_key[] = "format";
static const char seal_key[] = "seal";

struct format {
	uint32_t number;
};

static const struct field format_fields[] = {
	F_U32(format, number),
	F_END,
};

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

static void
write_format(struct txn *t, void *arg)
{
	uint8_t row[sizeof(struct format)];
	size_t len = record_encode(format_fields, arg, row, sizeof(row));

	store_put(t, T_META, format_key, sizeof(format_key) - 1, row, len);
}

/* 0 when there are rows and nothing says which. */
static uint32_t
read_format(void)
{
	struct format f = { FORMAT };
	uint8_t row[sizeof(struct totals)];
	size_t len;

	if (store_get(NULL, T_META, format_key, sizeof(format_key) - 1, row,
		sizeof(row), &len)) {
		if (!record_decode(format_fields, &f, sizeof(f), row, len))
			fatal("the spool's format number is damaged");
		return f.number;
	}
	if (store_get(
		NULL, T_META, key, sizeof(key) - 1, row, sizeof(row), &len))
		return 0;
	store_txn(write_format, &f, COMMIT_MEMORY);
	store_flush();
	return f.number;
}

void
t_meta_check_format(void)
{
	uint32_t n = read_format();

	if (n > FORMAT)
		fatal_conf("the spool is of format %u and this postern knows "
			   "%d: run the postern that wrote it, or a newer one; "
			   "or save it with that one (postern backup create) "
			   "and restore it here (postern restore)",
		    n, FORMAT);
	if (n < FORMAT)
		fatal_conf("the spool is of format %u and this postern knows "
			   "%d: run the postern that wrote it until \"postern "
			   "queue list\" is empty, end it, and move the "
			   "directory queue of [paths] state away",
		    n, FORMAT);
}

static void
write_seal_key(struct txn *t, void *arg)
{
	store_put(t, T_META, seal_key, sizeof(seal_key) - 1, arg,
	    2 * sizeof(uint64_t));
}

void
t_meta_seal_key(uint64_t seal[2])
{
	const size_t n = 2 * sizeof(seal[0]);
	size_t len;

	if (store_get(NULL, T_META, seal_key, sizeof(seal_key) - 1,
		(uint8_t *)seal, n, &len)) {
		if (len != n)
			fatal("the spool's key of seals is damaged");
		return;
	}
	if (getrandom(seal, n, 0) != (ssize_t)n)
		fatal("no randomness");
	store_txn(write_seal_key, seal, COMMIT_MEMORY);
	store_flush();
}

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
