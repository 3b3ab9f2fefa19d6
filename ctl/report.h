/*
 * report.h - what is known of messages, for an abuse desk.
 */
#ifndef CTL_REPORT_H
#define CTL_REPORT_H

#include "ipc/messages.h"

struct ctl;

/*
 * Ask the queue (QUEUE_TRACE) and write a report for each message to stdout:
 * fields as in RFC 5965, then sentences.  The exit code; what went wrong is
 * on stderr.
 */
int report_tell(struct ctl *, struct msg *ask);

#endif
