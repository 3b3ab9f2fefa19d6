/*
 * authors.h - whose name a message carries, by its header.
 */
#ifndef SMTPD_AUTHORS_H
#define SMTPD_AUTHORS_H

#include <stddef.h>
#include <stdint.h>

struct transaction;

#define AUTHORS_MAX 16384 /* bytes of the packed list */

/*
 * The mailboxes of From:, Sender: and the Resent- fields of a complete header,
 * packed.  Returns NULL, or what is wrong with it, for the client.
 *
 * RFC 5322 3.6.2, RFC 6409 8.1: whoever sends under another's name, or that of
 * several, is named in Sender:; where there is none, TX_ADD_SENDER is set.
 */
const char *
authors_read(struct transaction *, uint8_t list[AUTHORS_MAX], size_t *len);

#endif
