/* Any line and any block of a backup is read without harm; what comes out of
 * a line fits into the messages that carry it, and a block that is taken is
 * the one that would be written. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/row.h"
#include "ctl/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
on_row(void *arg, struct msg *m)
{
	static uint8_t out[MSG_MAX];
	static struct msg again;
	size_t n = msg_encode(m, out, sizeof(out));

	++*(unsigned *)arg;
	assert(n > 0 && msg_decode(&again, out, n));
	assert(again.type == m->type);
	return true;
}

/* What was read is written as it was read. */
static void
check_key(const char *line, size_t len)
{
	json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	struct msg m = { .type = MSG_DKIM_KEY };
	json_t *same;

	if (json_is_object(object) && row_read(&m, object, 0)) {
		same = row_json(&m);
		assert(json_equal(object, same));
		json_decref(same);
	}
	json_decref(object);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	uint8_t block[TAR_BLOCK] = { 0 }, same[TAR_BLOCK];
	struct row_message row;
	struct tar_member t;
	unsigned rows = 0;

	if (row_message((const char *)in, len, &row, on_row, &rows))
		assert(rows > 2 && row.jobs > 0 && row.added <= ADDED_MAX);
	check_key((const char *)in, len);
	memcpy(block, in, len < sizeof(block) ? len : sizeof(block));
	if (tar_parse(&t, block) == TAR_MEMBER) {
		assert(tar_header(same, &t));
		assert(memcmp(same, block, sizeof(block)) == 0);
		assert(strlen(t.name) < TAR_NAME && t.size < TAR_MOST);
	}
	return 0;
}
