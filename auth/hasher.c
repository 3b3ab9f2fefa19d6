/*
 * hasher.c - see hasher.h.
 *
 * One mutex guards everything below it; workers hold it only to take a job
 * and to give it back.  The threads start with the first job, for a command
 * that runs alone may need none.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "auth/hasher.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/net.h"

#define WAITING_MAX     64
#define RUNNING_IN_LANE 2
#define WORKERS_MAX     64
#define STACK_BYTES     (256 * 1024)

TAILQ_HEAD(jobs, hash_job);

struct lane {
	char name[NET_TEXT + 4];
	enum hash_turn turn;
	struct jobs jobs;
	int waiting, running;
	TAILQ_ENTRY(lane) link;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static TAILQ_HEAD(, lane) lanes = TAILQ_HEAD_INITIALIZER(lanes); /* in turn */
static struct jobs finished = TAILQ_HEAD_INITIALIZER(finished);
static int waiting[HASH_TURNS];
static bool stopping;

static pthread_t threads[WORKERS_MAX];
static int nthreads;
static int wake_fd = -1;

static void
run(struct hash_job *job)
{
	job->right = false;
	job->fresh[0] = '\0';
	if (job->op == HASH_CHECK)
		job->right = password_right(job->secret, job->hash);
	if (job->op == HASH_MAKE || (job->right && password_weak(job->hash)))
		if (!password_make(job->secret, job->fresh))
			job->fresh[0] = '\0';
	job->verifier[0] = '\0';
	if (job->wants_verifier && (job->op == HASH_MAKE || job->right) &&
	    !scram_verifier_make(job->secret, job->verifier))
		job->verifier[0] = '\0';
	explicit_bzero(job->secret, sizeof(job->secret));
}

/* The first lane of the earliest turn that may have a worker, or NULL. */
static struct lane *
next_lane(void)
{
	struct lane *lane, *best = NULL;

	TAILQ_FOREACH (lane, &lanes, link)
		if (lane->waiting > 0 && lane->running < RUNNING_IN_LANE &&
		    (best == NULL || lane->turn < best->turn))
			best = lane;
	return best;
}

/* The next job, of a lane that goes to the end of the others then.  NULL when
 * there is nothing to do. */
static struct hash_job *
take(struct lane **from)
{
	struct hash_job *job;
	struct lane *lane = next_lane();

	if (lane == NULL)
		return NULL;
	job = TAILQ_FIRST(&lane->jobs);
	TAILQ_REMOVE(&lane->jobs, job, link);
	TAILQ_REMOVE(&lanes, lane, link);
	TAILQ_INSERT_TAIL(&lanes, lane, link);
	lane->waiting--;
	lane->running++;
	waiting[lane->turn]--;
	*from = lane;
	return job;
}

static void
give_back(struct lane *lane, struct hash_job *job)
{
	const uint64_t one = 1;

	TAILQ_INSERT_TAIL(&finished, job, link);
	if (write(wake_fd, &one, sizeof(one)) == -1 && errno != EAGAIN)
		fatal("eventfd: %s", strerror(errno));
	if (--lane->running == 0 && lane->waiting == 0) {
		TAILQ_REMOVE(&lanes, lane, link);
		free(lane);
	}
}

static void *
worker(void *arg)
{
	struct hash_job *job;
	struct lane *lane;

	(void)arg;
	pthread_mutex_lock(&mutex);
	while (!stopping) {
		if ((job = take(&lane)) == NULL) {
			pthread_cond_wait(&work, &mutex);
			continue;
		}
		pthread_mutex_unlock(&mutex);
		run(job);
		pthread_mutex_lock(&mutex);
		give_back(lane, job);
		/* Its lane may go on now, and another worker may sleep. */
		pthread_cond_signal(&work);
	}
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void
on_finished(void *arg)
{
	struct jobs done = TAILQ_HEAD_INITIALIZER(done);
	struct hash_job *job;

	(void)arg;
	pthread_mutex_lock(&mutex);
	TAILQ_CONCAT(&done, &finished, link);
	pthread_mutex_unlock(&mutex);
	while ((job = TAILQ_FIRST(&done)) != NULL) {
		TAILQ_REMOVE(&done, job, link);
		job->done(job);
	}
}

static void
start(void)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int n = get_nprocs() - 1;

	if (n < 1)
		n = 1;
	if (n > WORKERS_MAX)
		n = WORKERS_MAX;
	if (wake_fd == -1)
		wake_fd = loop_waker(on_finished, NULL);
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	for (nthreads = 0; nthreads < n; nthreads++)
		if (pthread_create(&threads[nthreads], &attr, worker, NULL) !=
		    0)
			break;
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (nthreads == 0)
		fatal("cannot start a thread");
}

static struct lane *
find_lane(const char *name, enum hash_turn turn)
{
	struct lane *lane;

	TAILQ_FOREACH (lane, &lanes, link)
		if (lane->turn == turn && strcmp(lane->name, name) == 0)
			return lane;
	return NULL;
}

static struct lane *
add_lane(const char *name, enum hash_turn turn)
{
	struct lane *lane = calloc(1, sizeof(*lane));

	if (lane == NULL)
		abort();
	snprintf(lane->name, sizeof(lane->name), "%s", name);
	lane->turn = turn;
	TAILQ_INIT(&lane->jobs);
	TAILQ_INSERT_TAIL(&lanes, lane, link);
	return lane;
}

bool
hasher_submit(struct hash_job *job, const char *name, enum hash_turn turn)
{
	struct lane *lane;
	int there;
	bool room;

	assert(job->done != NULL);
	if (nthreads == 0)
		start();
	pthread_mutex_lock(&mutex);
	lane = find_lane(name, turn);
	there = lane != NULL ? lane->waiting : 0;
	room = name[0] == '\0' || there < WAITING_MAX - waiting[turn];
	if (room) {
		if (lane == NULL)
			lane = add_lane(name, turn);
		TAILQ_INSERT_TAIL(&lane->jobs, job, link);
		lane->waiting++;
		waiting[turn]++;
		pthread_cond_signal(&work);
	}
	pthread_mutex_unlock(&mutex);
	return room;
}

static void
drop_lane(struct lane *lane)
{
	struct hash_job *job;

	while ((job = TAILQ_FIRST(&lane->jobs)) != NULL) {
		TAILQ_REMOVE(&lane->jobs, job, link);
		explicit_bzero(job->secret, sizeof(job->secret));
	}
	TAILQ_REMOVE(&lanes, lane, link);
	free(lane);
}

void
hasher_stop(void)
{
	struct lane *lane;

	pthread_mutex_lock(&mutex);
	stopping = true;
	pthread_cond_broadcast(&work);
	pthread_mutex_unlock(&mutex);
	while (nthreads > 0)
		pthread_join(threads[--nthreads], NULL);
	while ((lane = TAILQ_FIRST(&lanes)) != NULL)
		drop_lane(lane);
	TAILQ_INIT(&finished);
	memset(waiting, 0, sizeof(waiting));
	stopping = false;
}
