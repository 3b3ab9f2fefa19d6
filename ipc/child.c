/*
 * child.c - see child.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/child.h"
#include "ipc/identity.h"
#include "lib/attempt.h"
#include "lib/log.h"

#define FILES_MAX 65536 /* descriptors: 20,000 sessions, a file each, room */

static const struct child *self;
static struct channel parent;
static struct conf *conf, *next_conf;
static unsigned number;
static char directory[CONF_PATH];
static bool started, stopping;

static void
stop(void)
{
	if (stopping)
		return;
	stopping = true;
	if (started)
		self->stop();
	else
		loop_stop();
}

/* The parent checked the text; what it says here is its bug or ours. */
static void
on_conf_error(void *arg, int line, const char *text, const char *hint)
{
	(void)arg, (void)hint;
	log_event("conf.error", "line=%d error=%s", line, log_quote(text));
}

static void
take_conf(const struct msg *m)
{
	conf_free(next_conf);
	next_conf =
	    conf_parse("configuration", (const char *)m->u.conf.text.data,
		m->u.conf.text.len, on_conf_error, NULL);
	if (next_conf == NULL)
		fatal("the parent sent a bad configuration");
	log_to_syslog(next_conf->syslog);
}

static void
start(void)
{
	struct conf *old = conf;

	if (next_conf == NULL)
		fatal("started without a configuration");
	conf = next_conf;
	next_conf = NULL;
	if (!started) {
		started = true;
		self->start(conf);
	} else {
		self->reload(conf);
	}
	conf_free(old);
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	(void)c;
	switch (m->type) {
	case MSG_CONF:
		take_conf(m);
		break;
	case MSG_FILE:
		if (m->u.file.kind >= FILE_KINDS || fd == -1)
			fatal("bad file from the parent");
		self->file((enum file_kind)m->u.file.kind, m->u.file.name, fd);
		break;
	case MSG_PEER:
		if (m->u.peer.process >= P_COUNT || fd == -1)
			fatal("bad peer from the parent");
		self->peer((enum process)m->u.peer.process, m->u.peer.index,
		    m->u.peer.sign != 0, fd);
		break;
	case MSG_START:
		start();
		break;
	case MSG_STOP:
		stop();
		break;
	default:
		if (self->message == NULL)
			fatal(
			    "unexpected %s from the parent", msg_name(m->type));
		self->message(m, fd);
		break;
	}
}

static void
on_parent_gone(struct channel *c)
{
	(void)c;
	stop();
}

/* The parent tells the end of a service; a terminal's Ctrl-C goes to all. */
static void
on_signal(void *arg)
{
	(void)arg;
}

int
child_main(const struct child *child, int argc, char **argv)
{
	struct sandbox box = { .files = FILES_MAX, .rights = child->rights };
	const char *attempt = NULL;
	int opt;

	self = child;
	log_open(child->program);
	while ((opt = getopt(argc, argv, "i:u:d:kt:")) != -1)
		switch (opt) {
		case 'i':
			number = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'u':
			box.user = optarg;
			break;
		case 'd':
			box.directory = optarg;
			break;
		case 'k':
			box.tied = true;
			break;
		case 't':
			attempt = optarg;
			break;
		default:
			return 2;
		}
	if (fcntl(CHILD_LINE, F_GETFD) == -1) {
		fprintf(stderr, "%s: started by `postern serve`, not by hand\n",
		    child->program);
		return 2;
	}
	if (child->prepare != NULL)
		child->prepare();
	sandbox_enter(&box);
	if (attempt != NULL)
		return attempt_run(attempt);
	if (getcwd(directory, sizeof(directory)) == NULL)
		fatal("getcwd: %s", strerror(errno));
	loop_init();
	loop_signal(SIGTERM, on_signal, NULL);
	loop_signal(SIGINT, on_signal, NULL);
	loop_signal(SIGHUP, on_signal, NULL);
	channel_open(&parent, CHILD_LINE, child->self, P_PARENT, 0, on_message,
	    on_parent_gone, NULL);
	loop_run();
	conf_free(conf);
	return 0;
}

unsigned
child_index(void)
{
	return number;
}

const char *
child_directory(void)
{
	return directory;
}

void
child_ready(void)
{
	struct msg m = { .type = MSG_READY };

	channel_send(&parent, &m, -1);
}

char *
child_read_file(int fd, size_t most, size_t *n)
{
	char *text = malloc(most + 1);
	ssize_t k;

	if (text == NULL)
		abort();
	for (*n = 0; *n <= most; *n += (size_t)k) {
		k = pread(fd, text + *n, most + 1 - *n, (off_t)*n);
		if (k == -1 && errno == EINTR)
			k = 0;
		else if (k <= 0)
			break;
	}
	close(fd);
	if (*n > most || k == -1) {
		explicit_bzero(text, most + 1);
		free(text);
		return NULL;
	}
	text[*n] = '\0';
	return text;
}
