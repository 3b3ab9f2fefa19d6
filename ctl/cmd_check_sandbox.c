/*
 * cmd_check_sandbox.c - postern check sandbox: each process is started as the
 * server would start it, gives up its rights, and then tries what it must not
 * be able to do.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/sibling.h"
#include "ipc/child.h"
#include "ipc/identity.h"

#define PATIENCE_MS 10000

/* What the attempts aim at. */
struct target {
	char port[8];                  /* somebody listens on it */
	char store[IDENTITY_DIR + 16]; /* the accounts */
	char spool[IDENTITY_DIR + 16]; /* the messages */
	char outside[CONF_PATH + 32];  /* a file that is not there yet */
};

enum aim { AT_NOTHING, AT_PORT, AT_STORE, AT_SPOOL, AT_OUTSIDE, AT_FIXED };

/* clang-format off */
#define ALL \
	(1U << P_SMTPD | 1U << P_AUTH | 1U << P_QUEUE | 1U << P_DELIVER | \
	 1U << P_STS)
static const struct {
	const char *name;    /* lib/attempt.c */
	enum aim aim;
	const char *fixed;   /* AT_FIXED */
	unsigned who;        /* a bit for each enum process that tries it */
	unsigned may;        /* and for each that needs it */
	const char *words;
} attempts[] = {
	{ "read-file",  AT_FIXED,   "/etc/passwd", ALL, 0, "read /etc/passwd" },
	{ "read-file",  AT_STORE,   NULL, ALL & ~(1U << P_AUTH), 0,
	  "read the accounts" },
	{ "read-file",  AT_SPOOL,   NULL, ALL & ~(1U << P_QUEUE), 0,
	  "read the spool" },
	{ "write-file", AT_OUTSIDE, NULL, ALL, 0, "write a file elsewhere" },
	{ "exec",       AT_FIXED,   "/bin/echo", ALL, 0, "run a program" },
	{ "fork",       AT_NOTHING, NULL, ALL, 0, "make a process" },
	{ "connect",    AT_PORT,    NULL, ALL, 1U << P_DELIVER | 1U << P_STS,
	  "connect to a host" },
	{ "bind",       AT_FIXED,   "2", ALL, 0, "bind a port" },
	{ "bind",       AT_FIXED,   "0", ALL, 1U << P_DELIVER,
	  "choose a source address" },
	{ "ptrace",     AT_NOTHING, NULL, ALL, 0, "trace another process" },
	{ "signal",     AT_NOTHING, NULL, ALL, 0, "signal another process" },
	{ "root",       AT_NOTHING, NULL, ALL, 0, "become root" },
	{ "code",       AT_NOTHING, NULL, ALL, 0, "make memory executable" },
	{ "io-uring",   AT_NOTHING, NULL, ALL, 0, "make an io_uring" },
	/* Its listeners are those of the next one, too. */
	{ "shut",       AT_NOTHING, NULL, 1U << P_SMTPD, 0,
	  "close a listener for others" },
	{ "filter",     AT_NOTHING, NULL, 1U << P_SMTPD, 0,
	  "filter what others hear" },
	{ "block",      AT_NOTHING, NULL, 1U << P_SMTPD, 0,
	  "have others wait in accept" },
};

static const struct column columns[] = {
	{ "process", "process", CELL_TEXT },
	{ "attempt", "attempt", CELL_TEXT },
	{ "ok",      NULL,      CELL_BOOL },
	{ "result",  "result",  CELL_TEXT },
};
/* clang-format on */

static void
become(const char *program, const struct identity *id, const char *what,
    int line, int out)
{
	int null = open("/dev/null", O_RDWR);

	/* The words are one pipe, the log is not for people here. */
	if (null == -1 || dup2(null, 0) == -1 || dup2(out, 1) == -1 ||
	    dup2(null, 2) == -1)
		_exit(127);
	identity_become(id, program, 0, line, what);
	_exit(127);
}

/* What it said, without its line end; "" when it said nothing in time. */
static void
listen_to(int fd, char *text, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n = 0;

	if (poll(&p, 1, PATIENCE_MS) > 0)
		n = read(fd, text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

/* False when it could not be tried; told. */
static bool
attempt(const char *program, const struct identity *id, const char *what,
    char *said, size_t size)
{
	int line[2], words[2], status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line) == -1 ||
	    pipe2(words, O_CLOEXEC) == -1 || (pid = fork()) == -1) {
		output_fail(CODE_TEMP, "%s", strerror(errno));
		return false;
	}
	if (pid == 0)
		become(program, id, what, line[1], words[1]);
	close(line[1]);
	close(words[1]);
	listen_to(words[0], said, size);
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	close(line[0]);
	close(words[0]);
	if (*said != '\0')
		return true;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
		snprintf(said, size, "refused: the kernel ended it");
		return true;
	}
	output_fail(CODE_TEMP,
	    "%s could not try \"%s\"; is \"postern init\" "
	    "done?",
	    program, what);
	return false;
}

/* Somebody to connect to; -1 told. */
static int
open_target(const struct conf *conf, struct target *t)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	struct identity auth, queue;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&sin, len) == -1 ||
	    listen(fd, 64) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1) {
		output_fail(CODE_TEMP, "%s", strerror(errno));
		if (fd != -1)
			close(fd);
		return -1;
	}
	snprintf(t->port, sizeof(t->port), "%u", ntohs(sin.sin_port));
	identity_of(P_AUTH, conf, &auth);
	identity_of(P_QUEUE, conf, &queue);
	snprintf(t->store, sizeof(t->store), "%s/accounts.db", auth.dir);
	snprintf(t->spool, sizeof(t->spool), "%s/message.db", queue.dir);
	snprintf(t->outside, sizeof(t->outside), "%s/check.%d", conf->run,
	    (int)getpid());
	return fd;
}

static const char *
operand(size_t i, const struct target *t)
{
	switch (attempts[i].aim) {
	case AT_PORT:
		return t->port;
	case AT_STORE:
		return t->store;
	case AT_SPOOL:
		return t->spool;
	case AT_OUTSIDE:
		return t->outside;
	case AT_FIXED:
		return attempts[i].fixed;
	case AT_NOTHING:
		break;
	}
	return "";
}

struct tally {
	unsigned tried, wrong;
};

/* All attempts of one process; false when one could not be made. */
static bool
check(struct ctl *c, enum process p, const struct target *t, struct tally *sum)
{
	char program[CONF_PATH], what[CONF_PATH + 64], said[200];
	struct identity id;

	identity_of(p, c->settings.conf, &id);
	if (!sibling_path(process_name(p), program, sizeof(program)))
		return false;
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		bool may = (attempts[i].may & 1U << p) != 0;
		struct cell cells[] = {
			{ .text = process_name(p) },
			{ .text = attempts[i].words },
			{ .n = 0 },
			{ .text = said },
		};

		if ((attempts[i].who & 1U << p) == 0)
			continue;
		snprintf(what, sizeof(what), "%s=%s", attempts[i].name,
		    operand(i, t));
		if (!attempt(program, &id, what, said, sizeof(said)))
			return false;
		if (may)
			strncat(said, " (it needs to)",
			    sizeof(said) - strlen(said) - 1);
		cells[2].n = may || strncmp(said, "refused", 7) == 0;
		sum->tried++;
		sum->wrong += cells[2].n == 0;
		output_row(&c->out, cells);
	}
	return true;
}

int
cmd_check_sandbox(struct ctl *c)
{
	static const enum process children[] = { P_SMTPD, P_AUTH, P_QUEUE,
		P_DELIVER, P_STS };
	int code = settings_load(&c->settings, c->file), fd;
	struct tally sum = { 0 };
	struct target target;
	bool done = true;

	if (code != CODE_OK)
		return code;
	if ((fd = open_target(c->settings.conf, &target)) == -1)
		return CODE_TEMP;
	output_begin(&c->out, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < sizeof(children) / sizeof(children[0]); i++)
		done = done && check(c, children[i], &target, &sum);
	output_end(&c->out, NULL);
	close(fd);
	if (!done)
		return CODE_TEMP;
	if (geteuid() != 0)
		output_note("As an ordinary user: without users of their own "
			    "and without empty roots.");
	if (sum.wrong > 0)
		return output_fail(CODE_NO,
		    "%u of %u attempts were not refused; the log of the server "
		    "(process.confined) says what this kernel has",
		    sum.wrong, sum.tried);
	return CODE_OK;
}
