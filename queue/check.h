/*
 * check.h - is the store whole?  Looked at on a copy, in a thread, while
 * everything else goes on.
 */
#ifndef QUEUE_CHECK_H
#define QUEUE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

struct check_result {
	int error; /* errno: it could not be checked; ENOSPC: no room */
	unsigned faults;
	const char *fault; /* the first of them */
	uint64_t messages, jobs, events;
	uint64_t bytes; /* copied */
	int64_t ms;
};

/* The copy is made in dir, the state directory; one left behind by a process
 * that died is removed. */
void check_open(const char *dir);

/* Begin; done is called when it is over.  NULL, or why it cannot be now. */
const char *
check_begin(void (*done)(void *arg, const struct check_result *), void *arg);

/*
 * One that is under way is given up.  False when its thread could not be
 * stopped within seconds: then it works on its copy still, the next start
 * removes that, and the process must end without waiting for it.
 */
bool check_stop(void);

#endif
