/*
 * worker.h - a thread that does slow work for the loop: disk flushes.
 *
 * Tasks that come while it is busy form the next batch, so batches grow with
 * load by themselves and nothing waits for a lock.
 */
#ifndef LIB_WORKER_H
#define LIB_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct task {
	TAILQ_ENTRY(task) link;
};
TAILQ_HEAD(tasks, task);

struct worker {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	struct tasks waiting, finished; /* under the mutex */
	bool ending, ended;             /* under the mutex */
	int wake_fd;
	unsigned pending; /* the loop's: added and not yet told done */
	void (*run)(struct tasks *batch);
	void (*done)(struct task *);
};

/*
 * run is called on the thread with all the tasks that waited, and leaves
 * them in the batch; done is called on the loop, once for each, in order.
 */
void worker_start(struct worker *, void (*run)(struct tasks *batch),
    void (*done)(struct task *));
/* From the loop only. */
void worker_add(struct worker *, struct task *);
/* Finish what was added, done() included, and end the thread. */
void worker_stop(struct worker *);
/* End the thread when it is done with what it is at, or give up waiting for
 * that: false.  done() is not called any more. */
bool worker_abandon(struct worker *, int64_t within_ms);
static inline bool
worker_idle(const struct worker *w)
{
	return w->pending == 0;
}

#endif
