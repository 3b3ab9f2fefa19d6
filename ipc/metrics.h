/*
 * metrics.h - a process tells what it counted (MSG_METRICS).
 */
#ifndef IPC_METRICS_H
#define IPC_METRICS_H

#include "ipc/channel.h"

/* Send every number of this process as MSG_METRIC_ROW, then MSG_CMD_DONE. */
void metrics_tell(struct channel *, uint64_t tag);

/* For a process that has no other console: take the connection of an
 * operator, answer MSG_METRICS on it and nothing else. */
void metrics_open(int fd, enum process self);
void metrics_close(void);

#endif
