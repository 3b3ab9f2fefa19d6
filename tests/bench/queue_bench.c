/*
 * queue_bench - what a message costs the queue: accepted, carried, forgotten.
 *
 *   queue_bench [-n MESSAGES] [-s BYTES] [-c CONNECTIONS] [-d DOMAINS]
 *
 * Plays parent, smtpd, deliver and auth for a real postern-queue in a
 * directory of its own below the current one.  CONNECTIONS messages are under
 * way to it at a time; each job is answered with success at once.
 */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/token.h"

static const char conf[] = "hostname = mail.example.org\n"
			   "[tls]\ncertificate = /c\nkey = /k\n"
			   "[listen x]\naddress = 127.0.0.1:465\n"
			   "tls = implicit\n"
			   "[limits]\nmessage-size = 1M\n"
			   "[queue]\nper-destination = 20\n";

static unsigned long messages = 20000, size = 10240, connections = 20,
		     domains = 1;
static uint8_t rec[MSG_MAX], in[MSG_MAX];
static int parent, smtpd, deliver, auth;

static double
now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
say(int sock, const struct msg *m, int fd)
{
	if (fd != -1) {
		if (!message_send(sock, m, fd))
			die("send");
		return;
	}
	if (send(sock, rec, msg_encode(m, rec, sizeof(rec)), 0) == -1)
		die("send");
}

static int
line(enum process who)
{
	struct msg m = { .type = MSG_PEER };
	int fds[2];

	if (message_pair(fds) == -1)
		die("socketpair");
	m.u.peer.process = who;
	say(parent, &m, fds[1]);
	close(fds[1]);
	return fds[0];
}

static pid_t
start(const char *self, const char *dir)
{
	char program[PATH_MAX], copy[PATH_MAX];
	struct msg m = { .type = MSG_CONF };
	int fds[2];
	pid_t pid = -1;

	snprintf(copy, sizeof(copy), "%s", self);
	snprintf(program, sizeof(program), "%.4000s/../../postern-queue",
	    dirname(copy));
	if (message_pair(fds) == -1 || (pid = fork()) == -1)
		die("start");
	if (pid == 0) {
		dup2(fds[1], 3);
		dup2(open("/dev/null", O_WRONLY), 2);
		execl(program, "postern-queue", "-d", dir, NULL);
		_exit(99);
	}
	close(fds[1]);
	parent = fds[0];
	m.u.conf.text.data = (const uint8_t *)conf;
	m.u.conf.text.len = sizeof(conf) - 1;
	say(parent, &m, -1);
	m = (struct msg){ .type = MSG_TOKEN_KEY };
	token_set_key(&m.u.token_key);
	say(parent, &m, -1);
	smtpd = line(P_SMTPD);
	deliver = line(P_DELIVER);
	auth = line(P_AUTH);
	m = (struct msg){ .type = MSG_START };
	say(parent, &m, -1);
	m = (struct msg){ .type = MSG_ACCOUNTS_DONE };
	say(auth, &m, -1);
	return pid;
}

static void
submit(unsigned long i, const uint8_t *body)
{
	static uint8_t list[400];
	struct msg m = { .type = MSG_TX_COMMIT, .tag = i + 1 };
	struct msg_tx_commit *c = &m.u.tx_commit;
	struct permit_claim claim = { .login.session = m.tag };
	struct timespec now;
	char to[64];

	snprintf(to, sizeof(to), "user%lu@d%lu.example.net", i, i % domains);
	snprintf(c->account, sizeof(c->account), "a%lu@example.org", i % 20);
	snprintf(c->sender, sizeof(c->sender), "%s", c->account);
	strcpy(c->ip, "192.0.2.1");
	strcpy(c->tls, "TLSv1.3");
	strcpy(c->mech, "PLAIN");
	strcpy(c->with, "ESMTPSA");
	snprintf(c->msgid, sizeof(c->msgid), "<%lu@load.example>", i);
	c->size = size;
	c->rcpts.data = list;
	c->rcpts.len = list_add(list, sizeof(list), 0, to, strlen(to));
	c->body.data = body;
	c->body.len = size;
	claim.login.account = c->account;
	claim.login.credential = c->credential;
	claim.sender = c->sender;
	c->permit.serial = m.tag;
	c->permit.rcpts = 1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	permit_seal(&c->permit, &claim,
	    (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	say(smtpd, &m, -1);
}

static void
answer(uint64_t tag)
{
	struct msg m = { .type = MSG_JOB_VERDICT, .tag = tag };
	struct msg_job_verdict *v = &m.u.job_verdict;

	v->code = 250;
	strcpy(v->status, "2.0.0");
	strcpy(v->mx, "127.0.0.1[127.0.0.1]:25");
	strcpy(v->text, "2.0.0 Ok: queued as 4F2");
	v->rcpts = (struct bytes){ (const uint8_t *)"", 1 };
	v->last = 1;
	say(deliver, &m, -1);
}

static void
run(void)
{
	struct pollfd p[2] = { { smtpd, POLLIN, 0 }, { deliver, POLLIN, 0 } };
	unsigned long sent = 0, safe = 0, done = 0;
	uint8_t *body = malloc(size);
	struct msg m;
	ssize_t n;

	memset(body, 'x', size);
	memcpy(body, "Subject: x\r\n\r\n", 14);
	while (done < messages) {
		while (sent < messages && sent - safe < connections)
			submit(sent++, body);
		if (poll(p, 2, 10000) <= 0)
			die("nothing happens");
		while ((n = recv(smtpd, in, sizeof(in), MSG_DONTWAIT)) > 0)
			if (msg_decode(&m, in, (size_t)n) &&
			    m.type == MSG_TX_RESULT) {
				if (m.u.tx_result.verdict != V_OK) {
					fprintf(stderr, "refused: %s\n",
					    m.u.tx_result.text);
					exit(1);
				}
				safe++;
			}
		while ((n = recv(deliver, in, sizeof(in), MSG_DONTWAIT)) > 0)
			if (msg_decode(&m, in, (size_t)n) &&
			    m.type == MSG_MARKS) {
				m = (struct msg){ .type = MSG_MARKS_ARE };
				say(deliver, &m, -1);
			} else {
				answer(m.tag);
				done++;
			}
	}
	free(body);
}

static long
flushes(void)
{
	struct msg m = { .type = MSG_CTL_CLIENT };
	long value = -1;
	int fds[2];

	if (message_pair(fds) == -1)
		die("socketpair");
	say(parent, &m, fds[1]);
	close(fds[1]);
	m = (struct msg){ .type = MSG_QUEUE_CMD };
	m.u.queue_cmd.verb = QUEUE_STATUS;
	say(fds[0], &m, -1);
	do {
		if (!message_recv(fds[0], P_QUEUE, P_CTL, &m, in, NULL))
			die("status");
		if (m.type == MSG_STATUS_ROW &&
		    strcmp(m.u.status_row.key, "log_flushes") == 0)
			value = atol(m.u.status_row.value);
	} while (m.type != MSG_CMD_DONE);
	close(fds[0]);
	return value;
}

static double
cpu_s(pid_t pid)
{
	char path[64], text[1024];
	unsigned long user, sys;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (f == NULL || fgets(text, sizeof(text), f) == NULL)
		die(path);
	fclose(f);
	if (sscanf(strrchr(text, ')') + 2,
		"%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu", &user,
		&sys) != 2)
		die(path);
	return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

int
main(int argc, char **argv)
{
	char dir[] = "queue-bench-XXXXXX", cwd[PATH_MAX], path[PATH_MAX + 32];
	struct msg m = { .type = MSG_STOP };
	double began, seconds, cpu;
	long before;
	pid_t pid;
	int opt;

	while ((opt = getopt(argc, argv, "n:s:c:d:")) != -1)
		switch (opt) {
		case 'n':
			messages = strtoul(optarg, NULL, 10);
			break;
		case 's':
			size = strtoul(optarg, NULL, 10);
			break;
		case 'c':
			connections = strtoul(optarg, NULL, 10);
			break;
		case 'd':
			domains = strtoul(optarg, NULL, 10);
			break;
		default:
			return 2;
		}
	if (size > BODY_INLINE || size < 14 || domains == 0) {
		fprintf(stderr, "a size from 14 to %d\n", BODY_INLINE);
		return 2;
	}
	if (mkdtemp(dir) == NULL || getcwd(cwd, sizeof(cwd)) == NULL)
		die("directory");
	snprintf(path, sizeof(path), "%s/%s", cwd, dir);
	pid = start(argv[0], path);
	if (!message_recv(parent, P_QUEUE, P_PARENT, &m, in, NULL))
		die("the queue did not start");
	before = flushes();
	cpu = cpu_s(pid);
	began = now_s();
	run();
	seconds = now_s() - began;
	cpu = cpu_s(pid) - cpu;
	printf("%lu messages of %lu bytes: %.0f/s, %.1f us CPU each, "
	       "%.3f flushes each\n",
	    messages, size, (double)messages / seconds,
	    cpu * 1e6 / (double)messages,
	    (double)(flushes() - before) / (double)messages);
	close(deliver);
	m = (struct msg){ .type = MSG_STOP };
	say(parent, &m, -1);
	waitpid(pid, NULL, 0);
	snprintf(path, sizeof(path), "rm -rf %s/%s", cwd, dir);
	return system(path) == 0 ? 0 : 1;
}
