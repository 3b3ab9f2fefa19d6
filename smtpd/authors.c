/*
 * authors.c - see authors.h.
 */
#include <string.h>

#include "smtpd/authors.h"
#include "smtpd/transaction.h"

#define AUTHORS 100 /* mailboxes in one field */

/*
 * Pack the mailboxes of one field; false when it is none or too much.
 *
 *   same  NULL, or becomes false when this is not one mailbox, that address
 *         or a tag of it
 */
static bool
pack(const char *value, size_t n, uint8_t *list, size_t *len,
    const struct address *sender, bool *same)
{
	struct address boxes[AUTHORS];
	char text[ADDRESS_MAX];
	size_t count, k;

	if (!header_mailboxes(value, n, boxes, AUTHORS, &count) || count == 0)
		return false;
	if (same != NULL)
		*same = count == 1 &&
		    (address_matches(sender, &boxes[0]) ||
			address_matches(&boxes[0], sender));
	for (size_t i = 0; i < count; i++) {
		k = address_format(&boxes[i], text);
		k = list_add(list, AUTHORS_MAX, *len, text, k);
		if (k == 0)
			return false;
		*len = k;
	}
	return true;
}

/* Each Resent-From: and Resent-Sender: is somebody's word like From: is. */
static bool
pack_resent(const struct header_scan *h, uint8_t *list, size_t *len)
{
	const char *p = h->resent, *end = p + h->resent_len, *nul;

	for (; p < end; p = nul + 1) {
		nul = memchr(p, '\0', (size_t)(end - p));
		if (!pack(p, (size_t)(nul - p), list, len, NULL, NULL))
			return false;
	}
	return true;
}

const char *
authors_read(struct transaction *tx, uint8_t list[AUTHORS_MAX], size_t *len)
{
	const struct header_scan *h = &tx->header;
	struct address sender;
	bool same = true, null = tx->sender[0] == '\0';

	*len = 0;
	if (!h->has_from)
		return "the message has no From: field; add one to the header, "
		       "which begins with the first line";
	if (!null && !address_parse(&sender, tx->sender, strlen(tx->sender)))
		return "the envelope sender is not an address";
	if (!pack(
		h->from, h->from_len, list, len, &sender, null ? NULL : &same))
		return "From: has no readable address list";
	if (h->has_sender &&
	    !pack(h->sender, h->sender_len, list, len, NULL, NULL))
		return "Sender: has no readable address";
	if (!pack_resent(h, list, len))
		return "Resent-From: or Resent-Sender: has no readable address";
	if (!same && !h->has_sender)
		tx->flags |= TX_ADD_SENDER;
	return NULL;
}
