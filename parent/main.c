/*
 * main.c - the parent's life: configuration, lock, sockets, children, loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/code.h"
#include "lib/log.h"
#include "parent/parent.h"

#define LOCK_PATIENCE_S 5

static const char *file = CONF_DEFAULT_FILE;
static struct conf *conf;
static char *conf_text;
static size_t conf_len;
static int64_t started;
static struct {
	uint32_t workers;
	uint64_t cache_bytes;
} began; /* with what only a restart changes */

const struct conf *
parent_conf(void)
{
	return conf;
}

const char *
parent_conf_text(size_t *len)
{
	*len = conf_len;
	return conf_text;
}

int64_t
parent_started(void)
{
	return started;
}

static void
on_conf_error(void *arg, int line, const char *text, const char *hint)
{
	(void)arg;
	log_event("conf.error", "file=%s line=%d error=%s fix=%s",
	    log_quote(file), line, log_quote(text), log_quote(hint));
}

/* Read and check the configuration; NULL after logging what is wrong. */
static struct conf *
load(char **text, size_t *len)
{
	struct conf *c;

	if (conf_read(file, text, len) == -1) {
		log_event("conf.error", "file=%s error=%s", log_quote(file),
		    log_quote(strerror(errno)));
		return NULL;
	}
	c = conf_parse(file, *text, *len, on_conf_error, NULL);
	if (c != NULL && conf_check_files(c, on_conf_error, NULL) > 0) {
		conf_free(c);
		c = NULL;
	}
	if (c == NULL) {
		free(*text);
		*text = NULL;
	}
	return c;
}

/* The users of the processes: a child that is started again must find its way
 * into what the one before it owned. */
static const struct {
	size_t off, size;
} users[] = {
#define USER(f) \
	{ \
		offsetof(struct conf, f), sizeof(((struct conf *)0)->f) \
	}
	USER(user_smtpd),
	USER(user_auth),
	USER(user_queue),
	USER(user_deliver),
	USER(user_sts),
#undef USER
};

static bool
same_users(const struct conf *a, const struct conf *b)
{
	for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++)
		if (strcmp((const char *)a + users[i].off,
			(const char *)b + users[i].off) != 0)
			return false;
	return true;
}

/* Keys that only a restart can change, against what the server began with. */
static void
warn_restart(const struct conf *new)
{
	if (!same_users(conf, new))
		log_event("conf.restart-needed", "key=users");
	if (strcmp(conf->state, new->state) != 0 ||
	    strcmp(conf->run, new->run) != 0)
		log_event("conf.restart-needed", "key=paths");
	if (began.workers != new->workers)
		log_event("conf.restart-needed", "key=smtpd.workers");
	if (began.cache_bytes != new->cache_bytes)
		log_event("conf.restart-needed", "key=queue.cache");
}

/* Where things are, and whose, does not change under a running server. */
static void
keep_places(struct conf *new)
{
	memcpy(new->state, conf->state, sizeof(new->state));
	memcpy(new->run, conf->run, sizeof(new->run));
	for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++)
		memcpy((char *)new + users[i].off,
		    (const char *)conf + users[i].off, users[i].size);
}

/* A reload while the server starts: the start says when it is done. */
static void
notify_reload(const char *state)
{
	if (workers_serving())
		notify(state);
}

static void
keep_old(const char *why)
{
	log_event(
	    "conf.kept", "file=%s reason=%s", log_quote(file), log_quote(why));
	notify_reload("READY=1");
}

static void
on_hup(void *arg)
{
	struct conf *c;
	char *text;
	size_t len;

	(void)arg;
	notify_reload("RELOADING=1");
	c = load(&text, &len);
	if (c == NULL) {
		keep_old("the new one has errors");
		return;
	}
	if (listen_open(c) == -1) {
		conf_free(c);
		free(text);
		keep_old("an address cannot be listened at");
		return;
	}
	warn_restart(c);
	keep_places(c);
	conf_free(conf);
	free(conf_text);
	conf = c;
	conf_text = text;
	conf_len = len;
	log_to_syslog(conf->syslog);
	renew_seen();
	workers_reload();
	log_event("conf.reloaded", "file=%s", log_quote(file));
	notify_reload("READY=1");
}

static void
on_term(void *arg)
{
	(void)arg;
	log_event("server.stopping", "pid=%d", (int)getpid());
	notify("STOPPING=1");
	control_close();
	listen_close();
	workers_stop();
}

static void
on_alarm(int number)
{
	(void)number; /* flock(2) returns */
}

/* Wait in the kernel's line: who only looks now and then may find it taken
 * by one `postern account` after the other. */
static int
lock_within(int fd, unsigned seconds)
{
	struct sigaction act = { .sa_handler = on_alarm };
	int ret;

	sigaction(SIGALRM, &act, NULL);
	alarm(seconds);
	ret = flock(fd, LOCK_EX);
	alarm(0);
	signal(SIGALRM, SIG_DFL);
	return ret;
}

/* Hold what is at this path until the end. */
static int
lock_alone(const char *path, int flags, const char *taken, const char *fix)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	const char *error;

	if (fd != -1 && lock_within(fd, LOCK_PATIENCE_S) == 0)
		return 0;
	error = strerror(errno);
	if (fd == -1)
		fix = "run `postern init` first";
	else if (errno == EINTR)
		error = taken; /* all the time */
	else
		fix = "name a place whose file system has locks";
	log_event("server.failed", "path=%s error=%s fix=%s", log_quote(path),
	    log_quote(error), log_quote(fix));
	return -1;
}

/* Only one server on one state directory, where ctl takes the same lock when it
 * runs auth by itself, and on one run directory, whose socket the second one
 * would take from the first. */
static int
lock_places(void)
{
	char path[CONF_PATH + 8];

	snprintf(path, sizeof(path), "%s/lock", conf->state);
	if (lock_alone(path, O_RDWR | O_CREAT,
		"another postern uses this state",
		"end it, or give this one another [paths] state") == -1)
		return -1;
	return lock_alone(conf->run, O_RDONLY | O_DIRECTORY,
	    "another postern uses this directory",
	    "give this one another [paths] run");
}

/* Children that cannot enter their directories would die for ever. */
static int
check_state(void)
{
	static const char *const names[] = { "auth", "queue" };
	char path[CONF_PATH + 8];
	struct stat st;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", conf->state, names[i]);
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			continue;
		log_event("server.failed", "path=%s error=%s fix=%s",
		    log_quote(path), log_quote("no such directory"),
		    log_quote("run `postern init`"));
		return -1;
	}
	return 0;
}

/* The run directory and the empty one that children are locked into. */
static int
make_run(void)
{
	char path[CONF_PATH + 8];

	snprintf(path, sizeof(path), "%s/empty", conf->run);
	if ((mkdir(conf->run, 0755) == -1 && errno != EEXIST) ||
	    (mkdir(path, 0755) == -1 && errno != EEXIST)) {
		log_event("server.failed", "path=%s error=%s", log_quote(path),
		    log_quote(strerror(errno)));
		return -1;
	}
	return 0;
}

/* A reload that is asked for before the loop turns waits for it. */
static void
let_hup(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(how, &set, NULL);
}

int
main(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "c:")) != -1) {
		if (opt != 'c')
			return 2;
		file = optarg;
	}
	log_open("parent");
	signal(SIGPIPE, SIG_IGN);
	let_hup(SIG_BLOCK);
	umask(022);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	started = time(NULL);
	conf = load(&conf_text, &conf_len);
	if (conf == NULL)
		return CODE_CONF;
	began.workers = conf->workers;
	began.cache_bytes = conf->cache_bytes;
	log_to_syslog(conf->syslog);
	if (check_state() == -1)
		return CODE_CONF;
	if (make_run() == -1 || lock_places() == -1)
		return CODE_TEMP;
	loop_init();
	if (listen_open(conf) == -1 || control_open(conf) == -1)
		return CODE_TEMP;
	loop_signal(SIGHUP, on_hup, NULL);
	let_hup(SIG_UNBLOCK);
	loop_signal(SIGTERM, on_term, NULL);
	loop_signal(SIGINT, on_term, NULL);
	tickets_init();
	renew_init();
	notify_begin();
	log_event("server.starting", "version=%s pid=%d hostname=%s", VERSION,
	    (int)getpid(), conf->hostname);
	workers_start();
	loop_run();
	log_event("server.stopped", "pid=%d", (int)getpid());
	return workers_hopeless() ? CODE_CONF : 0;
}
