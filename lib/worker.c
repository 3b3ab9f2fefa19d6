/*
 * worker.c - see worker.h.
 */
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "lib/worker.h"

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct tasks batch;
	uint64_t one = 1;

	TAILQ_INIT(&batch);
	pthread_mutex_lock(&w->mutex);
	for (;;) {
		while (TAILQ_EMPTY(&w->waiting) && !w->ending)
			pthread_cond_wait(&w->cond, &w->mutex);
		if (TAILQ_EMPTY(&w->waiting))
			break;
		TAILQ_CONCAT(&batch, &w->waiting, link);
		pthread_mutex_unlock(&w->mutex);
		w->run(&batch);
		pthread_mutex_lock(&w->mutex);
		TAILQ_CONCAT(&w->finished, &batch, link);
		if (write(w->wake_fd, &one, sizeof(one)) == -1)
			fatal("cannot wake the loop");
	}
	w->ended = true;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->mutex);
	return NULL;
}

static void
collect(void *arg)
{
	struct worker *w = arg;
	struct tasks batch;
	struct task *t;

	TAILQ_INIT(&batch);
	pthread_mutex_lock(&w->mutex);
	TAILQ_CONCAT(&batch, &w->finished, link);
	pthread_mutex_unlock(&w->mutex);
	while ((t = TAILQ_FIRST(&batch)) != NULL) {
		TAILQ_REMOVE(&batch, t, link);
		w->pending--;
		w->done(t);
	}
}

void
worker_start(struct worker *w, void (*run)(struct tasks *batch),
    void (*done)(struct task *))
{
	sigset_t all, before;

	memset(w, 0, sizeof(*w));
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->cond, NULL);
	TAILQ_INIT(&w->waiting);
	TAILQ_INIT(&w->finished);
	w->run = run;
	w->done = done;
	w->wake_fd = loop_waker(collect, w);
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&w->thread, NULL, work, w) != 0)
		fatal("cannot start a thread");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void
worker_add(struct worker *w, struct task *t)
{
	w->pending++;
	pthread_mutex_lock(&w->mutex);
	TAILQ_INSERT_TAIL(&w->waiting, t, link);
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->mutex);
}

static void
tell_to_end(struct worker *w)
{
	pthread_mutex_lock(&w->mutex);
	w->ending = true;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->mutex);
}

void
worker_stop(struct worker *w)
{
	tell_to_end(w);
	pthread_join(w->thread, NULL);
	collect(w);
}

bool
worker_abandon(struct worker *w, int64_t within_ms)
{
	struct timespec until;
	bool ended;
	int late = 0;

	tell_to_end(w);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += within_ms / 1000;
	until.tv_nsec += within_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&w->mutex);
	while (!w->ended && late == 0)
		late = pthread_cond_clockwait(
		    &w->cond, &w->mutex, CLOCK_MONOTONIC, &until);
	ended = w->ended;
	pthread_mutex_unlock(&w->mutex);
	if (ended)
		pthread_join(w->thread, NULL);
	return ended;
}
