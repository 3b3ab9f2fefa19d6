/*
 * workers.c - the children: started, watched, started again.
 *
 * A start and a restart are the same steps: fork, then hand over what the
 * child needs (handover.c).
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/child.h"
#include "ipc/identity.h"
#include "lib/code.h"
#include "lib/log.h"
#include "parent/parent.h"

#define COUNT(a)          (sizeof(a) / sizeof((a)[0]))
#define STEADY_MS         10000 /* at work so long: failures are forgiven */
#define BACKOFF_MAX_MS    16000
#define SMTPD_PATIENCE_MS 5000 /* for auth and queue to recover first */
#define FAILED_OFTEN      5    /* in a row: time alone does not help it */

/* clang-format off */
/* How long each may take to finish what is under way. */
static const struct {
	enum process process;
	int64_t patience_ms;
} stop_order[] = {
	{ P_SMTPD,   15000 },
	{ P_DELIVER, 15000 },
	{ P_STS,     5000 },
	{ P_QUEUE,   30000 },
	{ P_AUTH,    10000 },
};
/* clang-format on */

static struct worker workers[WORKERS_MAX];
static size_t nworkers;
static struct timer patience;
static size_t stop_phase;
static bool smtpds_started, stopping, told_ready, hopeless;

static void spawn(struct worker *);

size_t
workers_count(void)
{
	return nworkers;
}

struct worker *
workers_get(size_t i)
{
	assert(i < nworkers);
	return &workers[i];
}

struct worker *
workers_find(enum process p, unsigned index)
{
	for (struct worker *w = workers; w < workers + nworkers; w++)
		if (w->process == p && w->index == index && w->pid != 0)
			return w;
	return NULL;
}

static void
program_path(enum process p, char *out, size_t size)
{
	char *slash;
	ssize_t n = readlink("/proc/self/exe", out, size - 64);

	if (n <= 0)
		fatal("cannot read /proc/self/exe: %s", strerror(errno));
	out[n] = '\0';
	slash = strrchr(out, '/');
	snprintf(slash, size - (size_t)(slash - out), "/postern-%s",
	    process_name(p));
}

static void
become_child(const struct worker *w, int fd)
{
	char path[CONF_PATH];
	struct identity id;
	sigset_t none;

	program_path(w->process, path, sizeof(path));
	identity_of(w->process, parent_conf(), &id);
	/* Not to be stopped by the terminal's Ctrl-C before we say so. */
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	unsetenv("NOTIFY_SOCKET");
	identity_become(&id, path, w->index, fd, NULL);
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	_exit(71);
}

static void
log_failure(const struct worker *w, int error)
{
	log_event("process.failed", "process=%s error=%s",
	    process_name(w->process), log_quote(strerror(error)));
}

static void
start_smtpds(void)
{
	if (smtpds_started || stopping)
		return;
	smtpds_started = true;
	for (struct worker *w = workers; w < workers + nworkers; w++)
		if (w->process == P_SMTPD)
			spawn(w);
}

static void
on_patience(void *arg)
{
	(void)arg;
	if (!stopping) {
		start_smtpds();
		return;
	}
	for (struct worker *w = workers; w < workers + nworkers; w++)
		if (w->pid != 0 && w->stopping) {
			log_event("process.killed", "process=%s pid=%d",
			    process_name(w->process), (int)w->pid);
			kill(w->pid, SIGKILL);
		}
}

/* Without sts mail flows; only policies are not fetched meanwhile. */
static bool
is_missing(const struct worker *w)
{
	return !w->ready && w->process != P_STS;
}

static void
on_ready(struct worker *w)
{
	bool all = true;

	w->ready = true;
	for (struct worker *o = workers; o < workers + nworkers; o++)
		if ((o->process == P_AUTH || o->process == P_QUEUE) &&
		    !o->ready)
			return;
	if (!smtpds_started) {
		timer_clear(&patience);
		start_smtpds();
		return;
	}
	for (struct worker *o = workers; o < workers + nworkers; o++)
		all = all && !is_missing(o);
	if (all && !told_ready) {
		told_ready = true;
		log_event("server.ready", "pid=%d ms=%lld", (int)getpid(),
		    (long long)(loop_wall_ms() - parent_started() * 1000));
		notify("READY=1");
	}
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	(void)fd;
	if (m->type == MSG_READY)
		on_ready(c->arg);
}

/*
 * It is dead, which SIGCHLD tells as well, with the reason; or it hung up, or
 * said what no child says.  One that cannot be told anything any more would go
 * on with what it has for ever.
 */
static void
on_gone(struct channel *c)
{
	const struct worker *w = c->arg;

	if (w->pid != 0)
		kill(w->pid, SIGKILL);
}

/* Its next start: at once after a good life, and the later the more often it
 * failed in a row. */
static void
put_off(struct worker *w)
{
	int64_t wait_ms = 0;

	if (w->failures > 0)
		wait_ms = 1000LL << (w->failures < 7 ? w->failures - 1 : 6);
	if (wait_ms > BACKOFF_MAX_MS)
		wait_ms = BACKOFF_MAX_MS;
	w->failures++;
	timer_set(&w->again, wait_ms);
}

static void
spawn(struct worker *w)
{
	int fds[2];

	if (message_pair(fds) == -1) {
		log_failure(w, errno);
		put_off(w);
		return;
	}
	w->ready = w->stopping = false;
	w->started_ms = loop_now_ms();
	w->pid = fork();
	if (w->pid == -1) {
		log_failure(w, errno);
		close(fds[0]);
		close(fds[1]);
		w->pid = 0;
		put_off(w);
		return;
	}
	if (w->pid == 0) {
		close(fds[0]);
		become_child(w, fds[1]);
	}
	close(fds[1]);
	channel_open(&w->channel, fds[0], P_PARENT, w->process, w->index,
	    on_message, on_gone, w);
	handover_conf(w);
	if (w->process == P_SMTPD) {
		listen_send(&w->channel);
		tickets_send(&w->channel);
	}
	if (w->process == P_AUTH || w->process == P_QUEUE)
		tokens_send(&w->channel);
	if (handover_peers(w) == -1) {
		/* Half connected is no use: start it anew. */
		log_failure(w, errno);
		kill(w->pid, SIGKILL);
	}
	handover_start(w);
}

static void
on_again(void *arg)
{
	struct worker *w = arg;

	if (stopping || w->pid != 0)
		return;
	w->restarts++;
	spawn(w);
}

/* The next group in stop_order[] is told to finish; after the last the loop
 * ends. */
static void
stop_next(void)
{
	struct msg m = { .type = MSG_STOP };
	bool any;

	for (; stop_phase < COUNT(stop_order); stop_phase++) {
		any = false;
		for (struct worker *w = workers; w < workers + nworkers; w++) {
			if (w->process != stop_order[stop_phase].process ||
			    w->pid == 0)
				continue;
			any = true;
			if (!w->stopping)
				channel_send(&w->channel, &m, -1);
			w->stopping = true;
		}
		if (any) {
			timer_set(
			    &patience, stop_order[stop_phase].patience_ms);
			return;
		}
	}
	timer_clear(&patience);
	loop_stop();
}

/* It ended to begin again, and had time to do something. */
static bool
wants_again(const struct worker *w, int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == CHILD_AGAIN &&
	    loop_now_ms() - w->started_ms >= CHILD_AGAIN_MS;
}

static void
log_end(const struct worker *w, int status)
{
	if (wants_again(w, status))
		log_event("process.again", "process=%s pid=%d",
		    process_name(w->process), (int)w->pid);
	else if (WIFSIGNALED(status))
		log_event("process.died", "process=%s pid=%d signal=%d",
		    process_name(w->process), (int)w->pid, WTERMSIG(status));
	else
		log_event("process.died", "process=%s pid=%d status=%d",
		    process_name(w->process), (int)w->pid, WEXITSTATUS(status));
}

/* It found what another start would find again. */
static bool
is_hopeless(const struct worker *w, int status)
{
	return !w->ready && WIFEXITED(status) &&
	    WEXITSTATUS(status) == CODE_CONF;
}

static void
on_end(struct worker *w, int status)
{
	channel_close(&w->channel);
	if (!w->stopping)
		log_end(w, status);
	w->pid = 0;
	hopeless |= is_hopeless(w, status);
	if (hopeless)
		workers_stop();
	if (stopping) {
		w->ready = false;
		stop_next();
		return;
	}
	if ((w->ready && loop_now_ms() - w->started_ms > STEADY_MS) ||
	    wants_again(w, status))
		w->failures = 0;
	w->ready = false;
	put_off(w);
}

static void
on_child(void *arg)
{
	int status;
	pid_t pid;

	(void)arg;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (struct worker *w = workers; w < workers + nworkers; w++)
			if (w->pid == pid) {
				on_end(w, status);
				break;
			}
}

static void
add(enum process p, unsigned index)
{
	struct worker *w = &workers[nworkers++];

	w->process = p;
	w->index = index;
	w->channel.fd = -1;
	timer_init(&w->again, on_again, w);
}

void
workers_start(void)
{
	unsigned n = conf_workers(parent_conf(), sysconf(_SC_NPROCESSORS_ONLN));

	loop_signal(SIGCHLD, on_child, NULL);
	timer_init(&patience, on_patience, NULL);
	add(P_AUTH, 0);
	add(P_QUEUE, 0);
	add(P_DELIVER, 0);
	add(P_STS, 0);
	for (unsigned i = 0; i < n; i++)
		add(P_SMTPD, i);
	for (struct worker *w = workers; w < workers + nworkers; w++)
		if (w->process != P_SMTPD)
			spawn(w);
	timer_set(&patience, SMTPD_PATIENCE_MS);
}

void
workers_reload(void)
{
	for (struct worker *w = workers; w < workers + nworkers; w++)
		if (w->pid != 0) {
			handover_conf(w);
			if (w->process == P_SMTPD)
				listen_send(&w->channel);
			handover_start(w);
		}
}

bool
workers_serving(void)
{
	return told_ready;
}

bool
workers_hopeless(void)
{
	return hopeless;
}

bool
workers_failing(void)
{
	for (struct worker *w = workers; w < workers + nworkers; w++)
		if (is_missing(w) && w->failures >= FAILED_OFTEN)
			return true;
	return false;
}

void
workers_renew(void)
{
	for (struct worker *w = workers; w < workers + nworkers; w++)
		if (w->pid != 0 &&
		    (w->process == P_SMTPD || w->process == P_AUTH)) {
			handover_conf(w);
			handover_start(w);
		}
}

void
workers_stop(void)
{
	if (stopping)
		return;
	stopping = true;
	stop_phase = 0;
	stop_next();
}
