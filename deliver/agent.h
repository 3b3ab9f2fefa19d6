/*
 * agent.h - the delivery agent: jobs come from the queue, verdicts go back.
 */
#ifndef DELIVER_AGENT_H
#define DELIVER_AGENT_H

#include "ipc/child.h"

/* The entries of struct child. */
void agent_start(const struct conf *);
void agent_reload(const struct conf *);
void agent_peer(enum process, unsigned index, bool sign, int fd);
void agent_file(enum file_kind, const char *name, int fd);
void agent_message(const struct msg *, int fd);
void agent_stop(void);

#endif
