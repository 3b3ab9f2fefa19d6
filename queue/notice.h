/*
 * notice.h - telling the sender that mail failed, is late, or went on to a
 * server that tells no more (RFC 3464).
 */
#ifndef QUEUE_NOTICE_H
#define QUEUE_NOTICE_H

#include "lib/buf.h"
#include "mail/dsn.h"
#include "queue/spool.h"
#include "queue/t_digest.h"

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

/* Does a notice of its failure bring back the whole message? */
bool notice_returns_whole(const struct letter *);

/*
 * A digest of failures of one sender, one at least, as notice_new().  Not
 * more of them than notice_failure_size(), which is in bytes and about, says
 * fit into BODY_ROWS_MAX.
 */
struct accept *notice_digest(const struct digest_row *, size_t n);
size_t notice_failure_size(const struct digest_row *);

/* The parts of notice_new(): a message to `to`, NULL when that cannot be
 * used; and its text, which is taken. */
struct accept *notice_begin(const char *to);
/* flags are those beside what every notice has, and what its address needs
 * (RFC 6533 6, RFC 8689 5). */
void
notice_end(struct accept *, const char *to, uint32_t flags, struct buf *text);

#endif
