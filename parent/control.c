/*
 * control.c - the operator's door: a SOCK_SEQPACKET socket in the run
 * directory.
 *
 * The kernel says who is at the other end.  Whoever may command is handed, as
 * a descriptor, to the process that owns what the command is about; from then
 * on the parent is out of the way.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/code.h"
#include "lib/log.h"
#include "parent/parent.h"

#define CLIENTS_MAX   64
#define STRANGERS_MAX 8 /* who may not command cannot shut out who may */

struct client {
	struct channel channel;
	bool used, opened, permitted;
	struct ucred who;
};

static struct client clients[CLIENTS_MAX];
static struct watch watch;
static int listener = -1;
static char path[CONF_PATH + 16];

static void
name_of(uid_t uid, char *out, size_t size)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw != NULL)
		snprintf(out, size, "%s", pw->pw_name);
	else
		snprintf(out, size, "uid %u", (unsigned)uid);
}

static bool
in_group(const struct ucred *who, const char *group)
{
	const struct group *gr = *group != '\0' ? getgrnam(group) : NULL;
	const struct passwd *pw;
	gid_t gid, gids[256];
	int n = 256;

	if (gr == NULL)
		return false;
	gid = gr->gr_gid;
	if (who->gid == gid)
		return true;
	pw = getpwuid(who->uid);
	if (pw == NULL || getgrouplist(pw->pw_name, pw->pw_gid, gids, &n) == -1)
		return false;
	while (n-- > 0)
		if (gids[n] == gid)
			return true;
	return false;
}

static bool
may_command(const struct ucred *who)
{
	return who->uid == 0 || who->uid == geteuid() ||
	    in_group(who, parent_conf()->admin_group);
}

static void
drop(struct client *cl)
{
	channel_close(&cl->channel);
	cl->used = false;
}

static void
on_gone(struct channel *c)
{
	((struct client *)c->arg)->used = false;
}

static void
opened(struct client *cl, uint32_t exit_code, const char *text)
{
	struct msg m = { .type = MSG_CTL_OPENED };

	m.u.ctl_opened.exit_code = exit_code;
	snprintf(m.u.ctl_opened.text, sizeof(m.u.ctl_opened.text), "%s", text);
	channel_send(&cl->channel, &m, -1);
}

/* Give the connection to the process that it is about. */
static void
hand_over(struct client *cl, enum process to, unsigned index)
{
	struct msg m = { .type = MSG_CTL_CLIENT };
	struct worker *w = workers_find(to, index);

	if (w == NULL || !w->ready) {
		opened(cl, CODE_TEMP,
		    "that part of the server is restarting; "
		    "try again in a moment");
		channel_flush(&cl->channel);
		drop(cl);
		return;
	}
	opened(cl, CODE_OK, "");
	channel_flush(&cl->channel);
	if (!cl->used)
		return; /* it went away meanwhile */
	m.u.ctl_client.uid = cl->who.uid;
	m.u.ctl_client.pid = (uint32_t)cl->who.pid;
	name_of(cl->who.uid, m.u.ctl_client.by, sizeof(m.u.ctl_client.by));
	channel_send(&w->channel, &m, cl->channel.fd);
	drop(cl);
}

static void
on_open(struct client *cl, const struct msg_ctl_open *open)
{
	enum process owner = service_owner(open->service);
	char by[128];

	if (!cl->permitted) {
		name_of(cl->who.uid, by, sizeof(by));
		log_event("ctl.refused", "uid=%u by=%s", (unsigned)cl->who.uid,
		    log_quote(by));
		opened(cl, CODE_DENIED,
		    *parent_conf()->admin_group != '\0'
			? "not permitted: run it as root or as the server's "
			  "user, or join users.admin-group"
			: "not permitted: run it as root or as the server's "
			  "user");
	} else if (open->version != msg_version()) {
		opened(cl, CODE_TEMP,
		    "the running server is of another version: "
		    "restart it");
	} else if (owner == P_COUNT) {
		opened(cl, CODE_USAGE, "no such service");
	} else if (owner != P_PARENT) {
		hand_over(cl, owner, open->index);
		return;
	} else {
		cl->opened = true;
		opened(cl, CODE_OK, "");
		return;
	}
	channel_flush(&cl->channel);
	if (cl->used)
		drop(cl);
}

static void row(struct client *cl, uint64_t tag, bool numeric, const char *key,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void
row(struct client *cl, uint64_t tag, bool numeric, const char *key,
    const char *fmt, ...)
{
	struct msg m = { .type = MSG_STATUS_ROW, .tag = tag };
	va_list ap;

	snprintf(m.u.status_row.key, sizeof(m.u.status_row.key), "%s", key);
	va_start(ap, fmt);
	vsnprintf(m.u.status_row.value, sizeof(m.u.status_row.value), fmt, ap);
	va_end(ap);
	m.u.status_row.numeric = numeric;
	channel_send(&cl->channel, &m, -1);
}

static void
worker_rows(struct client *cl, uint64_t tag)
{
	const struct worker *w;
	char key[64];

	for (size_t i = 0; i < workers_count(); i++) {
		w = workers_get(i);
		snprintf(key, sizeof(key), "process.%s%s%.0u",
		    process_name(w->process), w->process == P_SMTPD ? "." : "",
		    w->process == P_SMTPD ? w->index + 1 : 0);
		row(cl, tag, false, key, "pid %d, %s, %u restarts", (int)w->pid,
		    w->pid == 0    ? "down"
			: w->ready ? "up"
				   : "starting",
		    w->restarts);
	}
}

static void
listen_rows(struct client *cl, uint64_t tag)
{
	const struct conf *c = parent_conf();
	char key[80], ip[NET_TEXT];

	for (size_t i = 0; i < c->nlistens; i++) {
		const struct sockaddr *sa =
		    (const struct sockaddr *)&c->listens[i].address.ss;

		snprintf(key, sizeof(key), "listen.%.50s", c->listens[i].name);
		net_text(sa, ip);
		row(cl, tag, false, key,
		    sa->sa_family == AF_INET6 ? "[%s]:%u %s" : "%s:%u %s", ip,
		    net_port(sa),
		    c->listens[i].tls == TLS_MODE_IMPLICIT ? "implicit"
							   : "starttls");
	}
}

static void
on_status(struct client *cl, uint64_t tag)
{
	struct msg done = { .type = MSG_CMD_DONE, .tag = tag };
	const struct conf *c = parent_conf();

	row(cl, tag, false, "version", "%s", VERSION);
	row(cl, tag, true, "pid", "%d", (int)getpid());
	row(cl, tag, true, "started", "%lld", (long long)parent_started());
	row(cl, tag, false, "hostname", "%s", c->hostname);
	row(cl, tag, false, "config", "%.290s", c->file);
	listen_rows(cl, tag);
	worker_rows(cl, tag);
	channel_send(&cl->channel, &done, -1);
}

/* The first thing that is wrong, as a sentence. */
static void
keep_error(void *arg, int line, const char *text, const char *hint)
{
	char *out = arg;

	(void)line;
	if (*out == '\0')
		snprintf(out, sizeof(((struct msg_cmd_done *)0)->text),
		    "%.400s; %.150s; the old certificates stay", text, hint);
}

static void
on_tls_reload(struct client *cl, uint64_t tag)
{
	struct msg done = { .type = MSG_CMD_DONE, .tag = tag };
	char by[128];

	name_of(cl->who.uid, by, sizeof(by));
	log_event("admin.change", "by=%s what=%s", log_quote(by), "tls.reload");
	if (renew_now(keep_error, done.u.cmd_done.text) > 0)
		done.u.cmd_done.exit_code = CODE_CONF;
	channel_send(&cl->channel, &done, -1);
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	struct client *cl = c->arg;

	(void)fd; /* none may ride with these */
	if (m->type == MSG_CTL_OPEN && !cl->opened)
		on_open(cl, &m->u.ctl_open);
	else if (m->type == MSG_STATUS && cl->opened)
		on_status(cl, m->tag);
	else if (m->type == MSG_TLS_RELOAD && cl->opened)
		on_tls_reload(cl, m->tag);
	else
		drop(cl);
}

/* A free place, NULL when there is none for this one. */
static struct client *
find_place(bool permitted)
{
	struct client *place = NULL;
	unsigned strangers = 0;

	for (struct client *cl = clients; cl < clients + CLIENTS_MAX; cl++)
		if (!cl->used)
			place = cl;
		else if (!cl->permitted)
			strangers++;
	return permitted || strangers < STRANGERS_MAX ? place : NULL;
}

static void
on_connect(void *arg, short events)
{
	struct client *cl = NULL;
	struct ucred who;
	socklen_t len = sizeof(who);
	bool permitted = false;
	int fd;

	(void)arg, (void)events;
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd == -1)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0) {
		permitted = may_command(&who);
		cl = find_place(permitted);
	}
	if (cl == NULL) {
		close(fd);
		return;
	}
	cl->used = true;
	cl->opened = false;
	cl->permitted = permitted;
	cl->who = who;
	channel_open(
	    &cl->channel, fd, P_PARENT, P_CTL, 0, on_message, on_gone, cl);
}

int
control_open(const struct conf *c)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(path, sizeof(path), "%s/control", c->run);
	if (strlen(path) >= sizeof(sun.sun_path)) {
		log_event("control.failed", "path=%s error=%s", log_quote(path),
		    log_quote("paths.run is too long"));
		return -1;
	}
	memcpy(sun.sun_path, path, strlen(path));
	listener =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* The lock on the state says that an old socket has no owner. */
	unlink(path);
	if (listener == -1 ||
	    bind(listener, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    chmod(path, 0666) == -1 || listen(listener, 16) == -1) {
		log_event("control.failed", "path=%s error=%s", log_quote(path),
		    log_quote(strerror(errno)));
		return -1;
	}
	watch_init(&watch, listener, on_connect, NULL);
	watch_set(&watch, LOOP_READ);
	return 0;
}

void
control_close(void)
{
	if (listener == -1)
		return;
	watch_set(&watch, 0);
	close(listener);
	listener = -1;
	unlink(path);
	for (struct client *cl = clients; cl < clients + CLIENTS_MAX; cl++)
		if (cl->used)
			drop(cl);
}
