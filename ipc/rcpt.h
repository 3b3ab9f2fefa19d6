/*
 * rcpt.h - a recipient as it travels and as it is kept: an item of a packed
 * list (lib/record.h).
 *
 * One without options, which is nearly every one, is its address and nothing
 * more.  With options a NUL, a byte of enum rcpt_notify and the ORCPT value
 * follow.
 */
#ifndef IPC_RCPT_H
#define IPC_RCPT_H

#include "ipc/messages.h"

#define ORCPT_SIZE    501 /* RFC 3461 4.2: 500 characters, and its NUL */
#define RCPT_ITEM_MAX (ADDR_SIZE + 1 + ORCPT_SIZE)

/* RFC 3461 4.1; 0: not given, which means FAILURE and DELAY are ours to
 * choose. */
enum rcpt_notify {
	NOTIFY_NEVER = 1, /* alone */
	NOTIFY_SUCCESS = 2,
	NOTIFY_FAILURE = 4,
	NOTIFY_DELAY = 8,
};

struct rcpt_item {
	char address[ADDR_SIZE]; /* canonical, not empty */
	uint8_t notify;          /* enum rcpt_notify */
	char orcpt[ORCPT_SIZE];  /* "rfc822;bob@example.net", xtext decoded as
				  * far as UTF-8 has it; "" none */
};

/* Write it to out[RCPT_ITEM_MAX]; returns its length. */
size_t rcpt_pack(const struct rcpt_item *, uint8_t *out);
/* The same of its fields, each bounded as above. */
size_t rcpt_write(
    const char *address, uint8_t notify, const char *orcpt, uint8_t *out);

/*
 * Read one.  False, with *r unspecified, when anything is over its bound, a
 * NUL stands inside, NEVER is not alone or there is no address.  Whether the
 * address is one is for the caller to check.
 */
bool rcpt_unpack(struct rcpt_item *r, struct bytes item);

#endif
