/*
 * notice.h - telling the sender that mail failed, is late, or went on to a
 * server that tells no more (RFC 3464).
 */
#ifndef QUEUE_NOTICE_H
#define QUEUE_NOTICE_H

#include "mail/dsn.h"
#include "queue/spool.h"

/*
 * A notice to the sender of a letter about those recipients of its job whose
 * event is EVENT_BOUNCED (DSN_FAILED), that still wait and whose sender wants
 * to hear of that (DSN_DELAYED), or that got it from us and are marked so
 * (DSN_RELAYED), ready for spool_accept(): null return path, marked TX_BOUNCE.
 * There is at least one such recipient, and a sender.
 *
 * NULL when the sender's address cannot be used; logs that.
 */
struct accept *notice_new(const struct job *, enum dsn_kind);

#endif
