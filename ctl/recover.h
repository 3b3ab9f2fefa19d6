/*
 * recover.h - the rows of an archive, checked and sent to the owners of the
 * stores.
 */
#ifndef CTL_RECOVER_H
#define CTL_RECOVER_H

#include "ctl/archive.h"
#include "ctl/daemon.h"

/* Every row parses, and each message has its file; false with a->error. */
bool recover_check(struct archive *);

/*
 * Send everything to an owner that has nothing yet.  CODE_OK, or the reason
 * is on stderr; what was taken before that stays.
 */
int recover_accounts(struct archive *, struct daemon *auth);
int recover_dkim(struct archive *, struct daemon *auth);
/* hold: each message, until it is released. */
int recover_spool(struct archive *, struct daemon *queue, bool hold);

#endif
