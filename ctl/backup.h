/*
 * backup.h - what the owners of the stores tell, into an archive.
 */
#ifndef CTL_BACKUP_H
#define CTL_BACKUP_H

#include "ctl/archive.h"
#include "ctl/ctl.h"

struct backup_counts {
	uint64_t accounts, removed, dkim_keys, messages, events;
};

/* Each adds its members; CODE_OK, or the reason is on stderr. */
int
backup_accounts(struct ctl *, struct archive_writer *, struct backup_counts *);
/* journal: its events, too. */
int backup_spool(struct ctl *, struct archive_writer *, bool journal,
    struct backup_counts *);
/*
 * The configuration and certificates; keys: and theirs.  False when some of
 * those are left out, for the rest is worth having; why is on stderr.
 */
bool backup_files(struct ctl *, struct archive_writer *, bool keys);

#endif
