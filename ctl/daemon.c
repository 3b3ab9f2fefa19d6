/*
 * daemon.c - see daemon.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/daemon.h"
#include "ctl/offline.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ipc/channel.h"
#include "lib/code.h"

/* Longer than the longest thing a service does for one command. */
#define PATIENCE_S 120

static void
init(struct daemon *d, enum process peer)
{
	memset(d, 0, sizeof(*d));
	d->peer = peer;
	d->sock = d->parent = d->lock = d->log = d->fd = -1;
	d->buffer = malloc(MSG_MAX);
	if (d->buffer == NULL)
		abort();
}

/* Connect to the control socket.  -1 with errno. */
static int
dial(const struct settings *s)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int saved, fd, n;

	n = snprintf(
	    un.sun_path, sizeof(un.sun_path), "%s/control", s->conf->run);
	if (n >= (int)sizeof(un.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return fd;
}

static bool
nobody_there(void)
{
	/* A socket left behind refuses; a run directory that a reboot
	 * emptied has none. */
	return errno == ENOENT || errno == ECONNREFUSED;
}

static int
cannot_dial(const struct settings *s)
{
	const char *run = s->conf->run;

	if (nobody_there())
		return output_fail(CODE_DOWN,
		    "the server is not running (nobody listens on "
		    "%s/control); \"postern serve\" starts it",
		    run);
	if (errno == EACCES || errno == EPERM)
		return output_fail(CODE_DENIED,
		    "%s/control: permission denied; run it as root or as "
		    "the user who started the server%s%s",
		    run,
		    *s->conf->admin_group != '\0' ? ", or as a member of " : "",
		    s->conf->admin_group);
	return output_fail(CODE_TEMP, "%s/control: %s", run, strerror(errno));
}

/* Say whom we want to talk to, and hear whether we do. */
static int
introduce(struct daemon *d, enum service service, unsigned index)
{
	struct msg m = { .type = MSG_CTL_OPEN };
	char text[sizeof(m.u.ctl_opened.text) * 4];

	m.u.ctl_open.service = service;
	m.u.ctl_open.version = msg_version();
	m.u.ctl_open.index = index;
	if (!message_send(d->sock, &m, -1) ||
	    !message_recv(d->sock, d->peer, P_CTL, &m, d->buffer, NULL) ||
	    m.type != MSG_CTL_OPENED)
		return output_fail(CODE_TEMP,
		    "the server hung up; it may be starting, or of another "
		    "version than this program (\"postern version\")");
	if (m.u.ctl_opened.exit_code != CODE_OK)
		return output_fail((int)m.u.ctl_opened.exit_code, "%s",
		    text_clean(text, sizeof(text), m.u.ctl_opened.text));
	return CODE_OK;
}

/* What was not opened whole is closed again. */
static int
opened(struct daemon *d, int code)
{
	if (code != CODE_OK)
		daemon_close(d);
	return code;
}

int
daemon_open(struct daemon *d, const struct settings *s, enum service service)
{
	return daemon_open_number(d, s, service, 0);
}

int
daemon_open_number(struct daemon *d, const struct settings *s,
    enum service service, unsigned index)
{
	init(d, service_owner(service));
	d->sock = dial(s);
	return opened(
	    d, d->sock == -1 ? cannot_dial(s) : introduce(d, service, index));
}

int
daemon_open_auth(struct daemon *d, const struct settings *s)
{
	return daemon_open_owner(d, s, SERVICE_AUTH);
}

int
daemon_open_owner(
    struct daemon *d, const struct settings *s, enum service service)
{
	init(d, service_owner(service));
	d->sock = dial(s);
	if (d->sock != -1)
		return opened(d, introduce(d, service, 0));
	return opened(d, nobody_there() ? offline_open(d, s) : cannot_dial(s));
}

void
daemon_patience(struct daemon *d, unsigned seconds)
{
	struct timeval patience = { .tv_sec = (time_t)seconds };

	setsockopt(
	    d->sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

/* Why the answer ended before it was whole. */
static const char *
no_answer(const struct daemon *d)
{
	if (d->pid != 0)
		return "the process that keeps the store ended without an "
		       "answer";
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return "the server runs, but that part of it gives no answer; "
		       "its log may say why";
	return "the server hung up before it answered; whether the command "
	       "was carried out, \"show\" and \"list\" tell";
}

bool
daemon_running(const struct settings *s)
{
	int fd = dial(s);

	if (fd == -1)
		return false;
	close(fd);
	return true;
}

int
daemon_find(struct settings *s, const char *file)
{
	char why[200];

	if (s->conf != NULL)
		return CODE_OK;
	if (!settings_salvage(s, file, why, sizeof(why)))
		return settings_load(s, file);
	if (*why == '\0')
		return CODE_OK;
	if (!daemon_running(s)) {
		settings_clear(s);
		return settings_load(s, file);
	}
	/* Members of admin-group need not be able to read it. */
	if (access(s->file, R_OK) == 0 || errno != EACCES)
		output_note("%s %s; the running server goes on with what it "
			    "read before (see: postern config check)",
		    s->file, why);
	return CODE_OK;
}

static void
drop_fd(struct daemon *d)
{
	if (d->fd != -1)
		close(d->fd);
	d->fd = -1;
}

int
daemon_ask(struct daemon *d, struct msg *ask, daemon_row_fn *row, void *arg,
    struct msg_cmd_done *done)
{
	struct msg m;
	int code = CODE_TEMP;

	ask->tag = ++d->tag;
	errno = 0;
	if (!message_send(d->sock, ask, -1))
		goto out;
	while (message_recv(d->sock, d->peer, P_CTL, &m, d->buffer, &d->fd)) {
		/* An auth of our own greets too. */
		if (m.type == MSG_CTL_OPENED && m.u.ctl_opened.exit_code == 0)
			continue;
		if (m.tag != d->tag)
			break;
		if (m.type == MSG_CMD_DONE) {
			*done = m.u.cmd_done;
			code = CODE_OK;
			break;
		}
		if (row != NULL)
			row(arg, &m);
		drop_fd(d);
	}
out:
	drop_fd(d);
	if (code != CODE_OK)
		output_fail(code, "%s", no_answer(d));
	return code;
}

int
daemon_settle(const struct msg_cmd_done *done)
{
	char text[sizeof(done->text) * 4];

	if (done->exit_code == CODE_OK)
		return CODE_OK;
	return output_fail((int)done->exit_code, "%s",
	    text_clean(text, sizeof(text), done->text));
}

int
daemon_call(struct daemon *d, struct msg *ask, daemon_row_fn *row, void *arg,
    struct msg_cmd_done *done)
{
	struct msg_cmd_done ours;
	int code;

	if (done == NULL)
		done = &ours;
	memset(done, 0, sizeof(*done));
	code = daemon_ask(d, ask, row, arg, done);
	return code == CODE_OK ? daemon_settle(done) : code;
}

int
daemon_call_once(const struct settings *s, enum service service,
    struct msg *ask, daemon_row_fn *row, void *arg)
{
	struct daemon line;
	int code = daemon_open(&line, s, service);

	if (code == CODE_OK)
		code = daemon_call(&line, ask, row, arg, NULL);
	daemon_close(&line);
	return code;
}

void
daemon_close(struct daemon *d)
{
	if (d->sock != -1)
		close(d->sock);
	d->sock = -1;
	offline_close(d);
	if (d->buffer != NULL)
		explicit_bzero(d->buffer, MSG_MAX);
	free(d->buffer);
	d->buffer = NULL;
}
