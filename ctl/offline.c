/*
 * offline.c - see offline.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ctl/offline.h"
#include "ctl/output.h"
#include "ctl/sibling.h"
#include "ctl/text.h"
#include "ipc/channel.h"
#include "ipc/identity.h"
#include "lib/code.h"

#define PATIENCE_MS 10000
#define LAST_WORDS  4096

static void
pause_ms(long ms)
{
	struct timespec ts = { .tv_nsec = ms * 1000000 };

	nanosleep(&ts, NULL);
}

static int
cannot_lock(const char *path)
{
	if (errno == ENOENT)
		return output_fail(CODE_CONF,
		    "%s: there is no such directory; \"postern init\" makes it",
		    path);
	if (errno == EACCES || errno == EPERM)
		return output_fail(CODE_DENIED,
		    "%s: permission denied; run it as root, or as the user "
		    "who ran \"postern init\"",
		    path);
	return output_fail(CODE_TEMP, "%s: %s", path, strerror(errno));
}

static int
take_lock(struct daemon *d, const struct settings *s)
{
	char path[CONF_PATH + 8];

	snprintf(path, sizeof(path), "%s/lock", s->conf->state);
	d->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->lock == -1)
		return cannot_lock(errno == ENOENT ? s->conf->state : path);
	for (int waited = 0; flock(d->lock, LOCK_EX | LOCK_NB) == -1;
	     waited += 50) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return cannot_lock(path);
		if (waited >= PATIENCE_MS)
			return output_fail(CODE_TEMP,
			    "%s is held by another process, but nobody "
			    "listens on %s/control: a server that starts or "
			    "ends, or one with another [paths] run",
			    path, s->conf->run);
		pause_ms(50);
	}
	return CODE_OK;
}

/* Become the owner of a store, as the parent would start it. */
static void
become_owner(const char *program, const struct identity *id, int line, int log)
{
	int null;

	/* Ctrl-C ends us, and our end is what tells it to finish. */
	setpgid(0, 0);
	if ((null = open("/dev/null", O_RDWR)) == -1 || dup2(null, 0) == -1 ||
	    dup2(null, 1) == -1 || dup2(log, 2) == -1)
		_exit(127);
	identity_become(id, program, 0, line, NULL);
	dprintf(2, "%s: %s\n", program, strerror(errno));
	_exit(127);
}

/* What root would start must be able to use what is there. */
static int
check_owner(const char *directory, const char *user)
{
	const struct passwd *pw = getpwnam(user);
	struct stat st;

	if (pw == NULL)
		return output_fail(CODE_CONF,
		    "there is no user %s; \"postern init\" makes it", user);
	if (stat(directory, &st) == -1)
		return cannot_lock(directory);
	if (st.st_uid != pw->pw_uid)
		return output_fail(CODE_DENIED,
		    "%s does not belong to %s: run this as the user whose "
		    "server it is, or give it away with chown -R %s %s",
		    directory, user, user, directory);
	return CODE_OK;
}

static int
start(struct daemon *d, const struct settings *s)
{
	struct identity id;
	char program[CONF_PATH];
	int pair[2], code;

	identity_of(d->peer, s->conf, &id);
	id.tied = true; /* our end must be its end, or it keeps the store */
	if (geteuid() == 0 && (code = check_owner(id.dir, id.user)) != CODE_OK)
		return code;
	if (!sibling_path(process_name(d->peer), program, sizeof(program)))
		return CODE_TEMP;
	d->log = memfd_create("log", MFD_CLOEXEC);
	if (d->log == -1 || message_pair(pair) == -1)
		return output_fail(CODE_TEMP, "%s", strerror(errno));
	d->pid = fork();
	if (d->pid == 0)
		become_owner(program, &id, pair[1], d->log);
	close(pair[1]);
	d->parent = pair[0];
	if (d->pid != -1)
		return CODE_OK;
	d->pid = 0;
	return output_fail(CODE_TEMP, "fork: %s", strerror(errno));
}

static void
set_operator(struct msg_ctl_client *c)
{
	struct passwd *pw = getpwuid(getuid());

	c->uid = getuid();
	c->pid = (uint32_t)getpid();
	if (pw != NULL)
		snprintf(c->by, sizeof(c->by), "%s", pw->pw_name);
	else
		snprintf(c->by, sizeof(c->by), "uid %u", (unsigned)getuid());
}

/* Play its parent: configuration, start, and the one client it will have. */
static bool
instruct(struct daemon *d, const struct settings *s)
{
	struct msg m = { .type = MSG_CONF };
	int pair[2];
	bool sent;

	m.u.conf.text.data = (const uint8_t *)s->text;
	m.u.conf.text.len = s->len;
	if (!message_send(d->parent, &m, -1))
		return false;
	memset(&m, 0, sizeof(m));
	m.type = MSG_START;
	if (!message_send(d->parent, &m, -1))
		return false;
	do {
		if (!message_recv(
			d->parent, d->peer, P_PARENT, &m, d->buffer, NULL))
			return false;
	} while (m.type != MSG_READY);
	if (message_pair(pair) == -1)
		return false;
	memset(&m, 0, sizeof(m));
	m.type = MSG_CTL_CLIENT;
	set_operator(&m.u.ctl_client);
	sent = message_send(d->parent, &m, pair[1]);
	close(pair[1]);
	d->sock = pair[0];
	return sent;
}

/* Wait for the child; its exit status, -1 when it had to be killed. */
static int
reap(struct daemon *d)
{
	int status = 0, waited = 0;
	pid_t pid;

	while ((pid = waitpid(d->pid, &status, WNOHANG)) == 0 &&
	    waited < PATIENCE_MS) {
		pause_ms(2);
		waited += 2;
	}
	if (pid == 0) {
		kill(d->pid, SIGKILL);
		waitpid(d->pid, &status, 0);
		return -1;
	}
	return pid == d->pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
offline_open(struct daemon *d, const struct settings *s)
{
	int code;

	if ((code = take_lock(d, s)) != CODE_OK ||
	    (code = start(d, s)) != CODE_OK)
		return code;
	if (!instruct(d, s))
		return output_fail(reap(d) == CODE_CONF ? CODE_CONF : CODE_TEMP,
		    "postern-%s, which keeps the %s, did not start",
		    process_name(d->peer),
		    d->peer == P_AUTH ? "accounts" : "spool");
	return CODE_OK;
}

/* It failed: what it logged is why. */
static void
show_log(int fd)
{
	char said[LAST_WORDS + 1], clean[LAST_WORDS * 2], *line, *save = NULL;
	off_t end = lseek(fd, 0, SEEK_END);
	ssize_t n;

	n = pread(
	    fd, said, LAST_WORDS, end > LAST_WORDS ? end - LAST_WORDS : 0);
	if (n <= 0)
		return;
	said[n] = '\0';
	for (line = strtok_r(said, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		output_note("    %s", text_clean(clean, sizeof(clean), line));
}

void
offline_close(struct daemon *d)
{
	struct msg stop = { .type = MSG_STOP };

	if (d->pid != 0) {
		message_send(d->parent, &stop, -1);
		close(d->parent);
		if (reap(d) != 0)
			show_log(d->log);
	}
	if (d->log != -1)
		close(d->log);
	if (d->lock != -1)
		close(d->lock);
	d->pid = 0;
	d->parent = d->log = d->lock = -1;
}
