/*
 * handover.c - what a child is given.
 *
 * lines[] says who talks to whom.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "parent/parent.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* clang-format off */
static const struct {
	enum process a, b;
	bool sign;
} lines[] = {
	{ P_SMTPD,   P_AUTH,    false },
	{ P_SMTPD,   P_AUTH,    true },
	{ P_SMTPD,   P_QUEUE,   false },
	{ P_SMTPD,   P_DELIVER, false },
	{ P_QUEUE,   P_DELIVER, false },
	{ P_QUEUE,   P_AUTH,    false },
	{ P_DELIVER, P_AUTH,    false },
	{ P_DELIVER, P_STS,     false },
};
/* clang-format on */

static void
send_file(
    struct worker *w, enum file_kind kind, const char *name, const char *path)
{
	struct msg m = { .type = MSG_FILE };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd == -1) {
		log_event("file.failed", "path=%s error=%s", log_quote(path),
		    log_quote(strerror(errno)));
		return;
	}
	m.u.file.kind = kind;
	snprintf(m.u.file.name, sizeof(m.u.file.name), "%s", name);
	channel_send(&w->channel, &m, fd);
	close(fd);
}

void
handover_conf(struct worker *w)
{
	const struct conf *c = parent_conf();
	struct msg m = { .type = MSG_CONF };
	size_t len;

	m.u.conf.text.data = (const uint8_t *)parent_conf_text(&len);
	m.u.conf.text.len = len;
	channel_send(&w->channel, &m, -1);
	for (size_t i = 0; i < c->ntls; i++) {
		const struct conf_tls *t = &c->tls[i];

		if (w->process == P_SMTPD || w->process == P_AUTH)
			send_file(w, FILE_TLS_CERT, t->name, t->certificate);
		if (w->process == P_AUTH)
			send_file(w, FILE_TLS_KEY, t->name, t->key);
	}
	if (w->process == P_AUTH) {
		for (size_t i = 0; i < c->nroutes; i++)
			if (*c->routes[i].password_file != '\0')
				send_file(w, FILE_ROUTE_SECRET,
				    c->routes[i].name,
				    c->routes[i].password_file);
	}
	/* Either may be missing: then there is less to verify. */
	if ((w->process == P_DELIVER || w->process == P_STS) &&
	    access(c->ca_file, R_OK) == 0)
		send_file(w, FILE_CA_BUNDLE, "", c->ca_file);
	if (w->process == P_DELIVER && access(c->trust_anchor, R_OK) == 0)
		send_file(w, FILE_TRUST_ANCHOR, "", c->trust_anchor);
}

void
handover_start(struct worker *w)
{
	struct msg m = { .type = MSG_START };

	channel_send(&w->channel, &m, -1);
}

static void
send_peer(struct worker *w, const struct worker *other, bool sign, int fd)
{
	struct msg m = { .type = MSG_PEER };

	m.u.peer.process = other->process;
	m.u.peer.index = other->index;
	m.u.peer.sign = sign;
	channel_send(&w->channel, &m, fd);
	close(fd);
}

int
handover_peers(struct worker *w)
{
	int fds[2];

	for (size_t i = 0; i < COUNT(lines); i++) {
		if (lines[i].a != w->process && lines[i].b != w->process)
			continue;
		for (size_t k = 0; k < workers_count(); k++) {
			struct worker *other = workers_get(k);

			if (other == w || other->pid == 0 ||
			    other->process !=
				(lines[i].a == w->process ? lines[i].b
							  : lines[i].a))
				continue;
			if (message_pair(fds) == -1)
				return -1;
			send_peer(w, other, lines[i].sign, fds[0]);
			send_peer(other, w, lines[i].sign, fds[1]);
		}
	}
	return 0;
}
