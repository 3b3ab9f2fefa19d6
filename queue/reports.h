/*
 * reports.h - TLS reports (RFC 8460): what deliver tells is added up for each
 * domain and day, and after the day (UTC) the report goes out, by mail or by
 * way of deliver to a web server.
 */
#ifndef QUEUE_REPORTS_H
#define QUEUE_REPORTS_H

#include "ipc/channel.h"

/* The line to deliver, borrowed; it may be closed and opened again. */
void reports_start(struct channel *deliver);
/* A message of deliver that is about reports; false when it is not. */
bool reports_message(const struct msg *);

/* A second has passed. */
void reports_tick(void);

#endif
