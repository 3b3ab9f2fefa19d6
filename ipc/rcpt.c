/*
 * rcpt.c - see rcpt.h.
 */
#include <string.h>

#include "ipc/rcpt.h"

#define NOTIFY_ALL (NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY)

size_t
rcpt_write(const char *address, uint8_t notify, const char *orcpt, uint8_t *out)
{
	size_t n = strlen(address), k = strlen(orcpt);

	memcpy(out, address, n);
	if (notify == 0 && k == 0)
		return n;
	out[n++] = '\0';
	out[n++] = notify;
	memcpy(out + n, orcpt, k);
	return n + k;
}

size_t
rcpt_pack(const struct rcpt_item *r, uint8_t *out)
{
	return rcpt_write(r->address, r->notify, r->orcpt, out);
}

static bool
copy(char *to, size_t size, const uint8_t *text, size_t n)
{
	if (n >= size || memchr(text, '\0', n) != NULL)
		return false;
	memcpy(to, text, n);
	to[n] = '\0';
	return true;
}

bool
rcpt_unpack(struct rcpt_item *r, struct bytes item)
{
	const uint8_t *end =
	    item.len > 0 ? memchr(item.data, '\0', item.len) : NULL;
	size_t n = end != NULL ? (size_t)(end - item.data) : item.len;

	if (n == 0 || !copy(r->address, sizeof(r->address), item.data, n))
		return false;
	r->notify = 0;
	r->orcpt[0] = '\0';
	if (end == NULL)
		return true;
	if (item.len - n < 2)
		return false;
	r->notify = end[1];
	if ((r->notify & ~(NOTIFY_NEVER | NOTIFY_ALL)) != 0 ||
	    ((r->notify & NOTIFY_NEVER) != 0 && r->notify != NOTIFY_NEVER))
		return false;
	return copy(r->orcpt, sizeof(r->orcpt), end + 2, item.len - n - 2);
}
