/*
 * import_report.h - what an import did or would do, for people and programs.
 *
 * Programs get every account or grant of a dry run; people get them counted
 * by kind of hash, and those with a weak one named, as far as a screen holds.
 */
#ifndef CTL_IMPORT_REPORT_H
#define CTL_IMPORT_REPORT_H

#include "ctl/daemon.h"
#include "ctl/output.h"

#define REPORT_KINDS 32
#define REPORT_NAMED 20

struct report {
	struct output *out;
	bool dry, grants;
	struct {
		char hash[24];
		bool weak;
		uint64_t n;
	} kinds[REPORT_KINDS];
	size_t nkinds;
	uint64_t added, updated, existed, left_out, refused, weak;
	char named[REPORT_NAMED][ADDR_SIZE + 32];
	size_t nnamed;
};

void report_begin(struct report *, struct output *, bool dry, bool grants);
/* For daemon_ask(). */
void report_row(void *report, const struct msg *);
/* The exit code of the command. */
int report_end(struct report *, const struct msg_cmd_done *);

#endif
