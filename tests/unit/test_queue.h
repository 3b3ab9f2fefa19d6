/*
 * test_queue.h - a real postern-queue with the test as its parent and all of
 * its neighbours.
 */
#ifndef TESTS_TEST_QUEUE_H
#define TESTS_TEST_QUEUE_H

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/channel.h"
#include "ipc/token.h"
#include "test_dir.h"

#define ALICE       "alice@example.org"
#define BOB         "bob@example.org"
#define PATIENCE_MS 20000

/* Retries come after seconds that a test can wait for. */
#define CONF_TEXT \
	"hostname = mail.example.org\n" \
	"[tls]\ncertificate = /c\nkey = /k\n" \
	"[listen x]\naddress = 127.0.0.1:465\ntls = implicit\n" \
	"[limits]\nmessage-size = 20M\nrecipients = 5000\n" \
	"[queue]\ngive-up = %s\ndelay-notice = %s\nretry = %s\ncache = 16M\n"

struct bed {
	char dir[64];
	pid_t pid;
	int parent, smtpd, deliver, auth;
	uint8_t buf[MSG_MAX]; /* of the last message received */
	struct msg m;
	int fd;       /* that rode along */
	int marks;    /* the file lent to deliver */
	bool keyless; /* it is told no key for tokens */
	char log[80];
	bool ours;    /* deliver says that what is in it is its own */
	uint64_t tag; /* of the last job */
};

static inline int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static const struct msg_token_key token_key = { { 7, 11 } };

/* What auth gave the session of a commit. */
static inline void
bed_prove(struct msg *m)
{
	struct msg_tx_commit *c = &m->u.tx_commit;
	struct permit_claim claim = { { 0, m->tag, c->account, c->credential },
		c->sender };
	static uint64_t serial;

	token_set_key(&token_key);
	c->permit.serial = ++serial;
	c->permit.rcpts = UINT32_MAX;
	permit_seal(&c->permit, &claim, now_ms());
}

static inline void
bed_say(int sock, struct msg *m, int fd)
{
	if (m->type == MSG_TX_COMMIT)
		bed_prove(m);
	assert_true(message_send(sock, m, fd));
}

/* deliver takes the file of marks, as the first thing it hears. */
static inline void
bed_take_marks(struct bed *b)
{
	struct msg m = { .type = MSG_MARKS_ARE };

	if (b->marks != -1)
		close(b->marks);
	b->marks = b->fd;
	b->fd = -1;
	m.u.marks_are.ours = b->ours;
	bed_say(b->deliver, &m, -1);
}

/* Where mail goes is nobody's business here: each domain goes its own way. */
static inline void
bed_tell_site(struct bed *b)
{
	struct msg m = { .type = MSG_SITE_IS };

	memcpy(m.u.site_is.domain, b->m.u.site_get.domain,
	    sizeof(m.u.site_is.domain));
	bed_say(b->deliver, &m, -1);
}

/* The next message within ms; false when there is none. */
static inline bool
bed_hear(struct bed *b, int sock, enum process who, int ms)
{
	struct pollfd p = { sock, POLLIN, 0 };

	if (poll(&p, 1, ms) != 1)
		return false;
	if (b->fd != -1)
		close(b->fd);
	b->fd = -1;
	if (!message_recv(sock, P_QUEUE, who, &b->m, b->buf, &b->fd))
		return false;
	if (b->m.type == MSG_MARKS)
		bed_take_marks(b);
	else if (b->m.type == MSG_SITE_GET)
		bed_tell_site(b);
	else if (b->m.type != MSG_WIDTH)
		return true;
	return bed_hear(b, sock, who, ms);
}

static inline void
bed_expect(struct bed *b, int sock, enum process who, enum msg_type type)
{
	assert_true(bed_hear(b, sock, who, PATIENCE_MS));
	assert_string_equal(msg_name(b->m.type), msg_name(type));
}

static inline int
bed_line(struct bed *b, enum process who)
{
	struct msg m = { .type = MSG_PEER };
	int fds[2];

	assert_int_equal(message_pair(fds), 0);
	m.u.peer.process = who;
	bed_say(b->parent, &m, fds[1]);
	close(fds[1]);
	return fds[0];
}

static inline const char *
queue_program(void)
{
	static char path[PATH_MAX + 32];
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(n > 0);
	self[n] = '\0';
	snprintf(path, sizeof(path), "%s/../../postern-queue", dirname(self));
	return path;
}

static inline void
bed_accounts(struct bed *b, const char *suspended)
{
	struct msg m = { .type = MSG_ACCOUNT_STATE };

	if (suspended != NULL) {
		strcpy(m.u.account_state.account, suspended);
		m.u.account_state.state = ACC_SUSPENDED;
		bed_say(b->auth, &m, -1);
	}
	m = (struct msg){ .type = MSG_ACCOUNTS_DONE };
	bed_say(b->auth, &m, -1);
}

/* The process is up with lines to everybody; auth has not spoken yet. */
static inline void
bed_run(struct bed *b, const char *conf, const char *crash)
{
	struct msg m = { .type = MSG_CONF };
	char log[96];
	int fds[2];

	assert_int_equal(message_pair(fds), 0);
	fflush(NULL);
	b->pid = fork();
	assert_true(b->pid >= 0);
	if (b->pid == 0) {
		snprintf(log, sizeof(log), "%s/../log", b->dir);
		dup2(fds[1], 3);
		dup2(open(log, O_WRONLY | O_CREAT | O_APPEND, 0600), 2);
		if (crash != NULL)
			setenv("POSTERN_CRASH", crash, 1);
		/* Shut in as root, it cannot look for leaks. */
		if (geteuid() == 0)
			setenv("ASAN_OPTIONS", "detect_leaks=0", 0);
		execl(queue_program(), "postern-queue", "-d", b->dir, NULL);
		_exit(99);
	}
	close(fds[1]);
	b->parent = fds[0];
	b->fd = -1;
	m.u.conf.text.data = (const uint8_t *)conf;
	m.u.conf.text.len = strlen(conf);
	bed_say(b->parent, &m, -1);
	m = (struct msg){ .type = MSG_TOKEN_KEY, .u.token_key = token_key };
	if (!b->keyless)
		bed_say(b->parent, &m, -1);
	b->smtpd = bed_line(b, P_SMTPD);
	b->deliver = bed_line(b, P_DELIVER);
	b->auth = bed_line(b, P_AUTH);
	m = (struct msg){ .type = MSG_START };
	bed_say(b->parent, &m, -1);
}

static inline void
bed_start(struct bed *b, const char *conf, const char *crash)
{
	bed_run(b, conf, crash);
	bed_expect(b, b->parent, P_PARENT, MSG_READY);
	bed_expect(b, b->smtpd, P_SMTPD, MSG_QUEUE_STATE);
	bed_accounts(b, NULL);
}

static inline const char *
conf_text(const char *give_up, const char *notice, const char *retry)
{
	static char text[512];

	snprintf(text, sizeof(text), CONF_TEXT, give_up, notice, retry);
	return text;
}

#define PLAIN_CONF conf_text("5d", "4h", "1m, 5m")
#define HASTY_CONF conf_text("5d", "4h", "1s")

/* With more lines behind it; until the next one. */
static inline const char *
conf_with(const char *conf, const char *more)
{
	static char text[640];

	snprintf(text, sizeof(text), "%s%s", conf, more);
	return text;
}

static inline int
bed_setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	char top[] = "/tmp/postern-queue-XXXXXX";

	signal(SIGPIPE, SIG_IGN);
	if (b == NULL || mkdtemp(top) == NULL)
		return -1;
	snprintf(b->dir, sizeof(b->dir), "%s/queue", top);
	snprintf(b->log, sizeof(b->log), "%s/log", top);
	mkdir(b->dir, 0700);
	b->fd = b->marks = -1;
	*state = b;
	return 0;
}

static inline int
bed_wait(struct bed *b)
{
	int status = 0;

	assert_int_equal(waitpid(b->pid, &status, 0), b->pid);
	close(b->parent);
	close(b->smtpd);
	close(b->deliver);
	close(b->auth);
	if (b->fd != -1)
		close(b->fd);
	b->fd = -1;
	b->pid = 0;
	return status;
}

static inline void
bed_kill(struct bed *b)
{
	kill(b->pid, SIGKILL);
	bed_wait(b);
}

static inline void
bed_stop(struct bed *b)
{
	struct msg m = { .type = MSG_STOP };

	close(b->deliver); /* it ends first, and is not waited for */
	b->deliver = -1;
	bed_say(b->parent, &m, -1);
	assert_int_equal(bed_wait(b), 0);
}

static inline int
bed_teardown(void **state)
{
	struct bed *b = *state;
	char top[64];

	if (b->pid > 0) {
		kill(b->pid, SIGKILL);
		waitpid(b->pid, NULL, 0);
	}
	snprintf(top, sizeof(top), "%s", b->dir);
	*strrchr(top, '/') = '\0';
	if (getenv("KEEP") == NULL)
		dir_remove(top);
	free(b);
	return 0;
}

/* Does the log hold this text? */
static inline bool
bed_logged(const struct bed *b, const char *text)
{
	static char log[1 << 20];
	char path[96];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/../log", b->dir);
	if ((fd = open(path, O_RDONLY)) == -1)
		return false;
	n = read(fd, log, sizeof(log) - 1);
	close(fd);
	log[n > 0 ? n : 0] = '\0';
	return strstr(log, text) != NULL;
}

static inline void
bed_wait_log(const struct bed *b, const char *text)
{
	int64_t until = now_ms() + PATIENCE_MS;

	while (!bed_logged(b, text)) {
		if (now_ms() > until)
			fail_msg("not logged: %s", text);
		usleep(10000);
	}
}

static inline size_t
pack(uint8_t *out, size_t size, const char *list)
{
	char copy[4096], *item, *save = NULL;
	size_t len = 0;

	snprintf(copy, sizeof(copy), "%s", list);
	for (item = strtok_r(copy, " ", &save); item != NULL;
	     item = strtok_r(NULL, " ", &save))
		len = list_add(out, size, len, item, strlen(item));
	return len;
}

static inline void
fill_commit(
    struct msg *m, uint64_t tag, const char *account, const char *sender)
{
	memset(m, 0, sizeof(*m));
	m->type = MSG_TX_COMMIT;
	m->tag = tag;
	strcpy(m->u.tx_commit.account, account);
	strcpy(m->u.tx_commit.sender, sender);
	strcpy(m->u.tx_commit.ip, "192.0.2.7");
	m->u.tx_commit.port = 465;
	strcpy(m->u.tx_commit.tls, "TLSv1.3");
	strcpy(m->u.tx_commit.mech, "PLAIN");
	strcpy(m->u.tx_commit.with, "ESMTPSA");
	strcpy(m->u.tx_commit.msgid, "<1@example.org>");
}

/* Commit without waiting for the answer. */
static inline void
commit_as(struct bed *b, uint64_t tag, const char *account, const char *sender,
    const char *rcpts, const char *body)
{
	static uint8_t list[RCPTS_MAX];
	struct msg m;

	fill_commit(&m, tag, account, sender);
	m.u.tx_commit.rcpts.data = list;
	m.u.tx_commit.rcpts.len = pack(list, sizeof(list), rcpts);
	m.u.tx_commit.body.data = (const uint8_t *)body;
	m.u.tx_commit.body.len = strlen(body);
	m.u.tx_commit.size = strlen(body);
	bed_say(b->smtpd, &m, -1);
}

#define BODY "From: alice@example.org\r\nSubject: x\r\n\r\nhello\r\n"

/* Returns the id, or 0 when it was refused (b->m has the answer). */
static inline uint64_t
submit_as(
    struct bed *b, const char *account, const char *sender, const char *rcpts)
{
	static uint64_t tag = 1000;

	commit_as(b, ++tag, account, sender, rcpts, BODY);
	do
		assert_true(bed_hear(b, b->smtpd, P_SMTPD, PATIENCE_MS));
	while (b->m.type == MSG_QUEUE_STATE);
	assert_int_equal(b->m.type, MSG_TX_RESULT);
	assert_int_equal(b->m.tag, tag);
	return b->m.u.tx_result.verdict == V_OK ? b->m.u.tx_result.id : 0;
}

static inline uint64_t
submit(struct bed *b, const char *rcpts)
{
	return submit_as(b, ALICE, ALICE, rcpts);
}

static inline void
expect_job(struct bed *b)
{
	bed_expect(b, b->deliver, P_DELIVER, MSG_JOB);
	b->tag = b->m.tag;
}

static inline bool
no_job(struct bed *b, int ms)
{
	return !bed_hear(b, b->deliver, P_DELIVER, ms);
}

static inline void
judge(struct bed *b, uint64_t tag, enum verdict v, enum scope scope,
    unsigned code, const char *text, const char *indexes, size_t n, bool last)
{
	struct msg m = { .type = MSG_JOB_VERDICT, .tag = tag };
	struct msg_job_verdict *j = &m.u.job_verdict;

	j->verdict = v;
	j->scope = scope;
	j->code = code;
	strcpy(j->status,
	    v == V_OK         ? "2.0.0"
		: v == V_TEMP ? "4.2.0"
			      : "5.1.1");
	strcpy(j->mx, "mx.test[192.0.2.25]:25");
	strcpy(j->tls, "TLSv1.3");
	strcpy(j->cipher, "TLS_TEST");
	strcpy(j->policy, "dane");
	strcpy(j->text, text);
	j->rcpts.data = (const uint8_t *)indexes;
	j->rcpts.len = n;
	j->last = last;
	bed_say(b->deliver, &m, -1);
}

static inline void
judge_all(struct bed *b, enum verdict v, enum scope scope)
{
	char indexes[JOB_RCPTS];
	size_t n;

	assert_true(list_valid(b->m.u.job.rcpts, ADDR_SIZE, &n));
	for (size_t i = 0; i < n; i++)
		indexes[i] = (char)i;
	judge(b, b->m.tag, v, scope,
	    v == V_OK         ? 250
		: v == V_TEMP ? 450
			      : 550,
	    v == V_OK ? "2.0.0 fine" : "no, said the other side", indexes, n,
	    true);
}

/* The k-th recipient of the job heard last. */
static inline const char *
job_rcpt(struct bed *b, unsigned k)
{
	static char text[ADDR_SIZE];
	struct bytes rest = b->m.u.job.rcpts, item;

	do
		if (!list_next(&rest, &item))
			return "";
	while (k-- > 0);
	snprintf(
	    text, sizeof(text), "%.*s", (int)item.len, (const char *)item.data);
	return text;
}

static inline int
bed_operator(struct bed *b)
{
	struct msg m = { .type = MSG_CTL_CLIENT };
	int fds[2];

	assert_int_equal(message_pair(fds), 0);
	strcpy(m.u.ctl_client.by, "anna");
	bed_say(b->parent, &m, fds[1]);
	close(fds[1]);
	return fds[0];
}

struct answer {
	unsigned rows, rcpts, events;
	struct msg_queue_row row; /* the last one */
	struct msg_rcpt_row rcpt;
	char story[4096]; /* names of events, in order */
	struct msg_cmd_done done;
};

static inline void
bed_command(struct bed *b, const struct msg_queue_cmd *cmd, struct answer *a)
{
	struct msg m = { .type = MSG_QUEUE_CMD, .tag = 5 };
	int sock = bed_operator(b);

	memset(a, 0, sizeof(*a));
	m.u.queue_cmd = *cmd;
	bed_say(sock, &m, -1);
	for (;;) {
		assert_true(bed_hear(b, sock, P_CTL, PATIENCE_MS));
		assert_int_equal(b->m.tag, 5);
		if (b->m.type == MSG_CMD_DONE)
			break;
		if (b->m.type == MSG_QUEUE_ROW) {
			a->rows++;
			a->row = b->m.u.queue_row;
		} else if (b->m.type == MSG_RCPT_ROW) {
			a->rcpts++;
			a->rcpt = b->m.u.rcpt_row;
		} else if (b->m.type == MSG_EVENT_ROW) {
			a->events++;
			strcat(a->story, b->m.u.event_row.event);
			strcat(a->story, " ");
		}
	}
	a->done = b->m.u.cmd_done;
	close(sock);
}

/* What `queue show` has of a message; until the next one. */
static inline const struct answer *
bed_show(struct bed *b, uint64_t id)
{
	static struct answer a;

	bed_command(
	    b, &(struct msg_queue_cmd){ .verb = QUEUE_SHOW, .id = id }, &a);
	return &a;
}

/* A number of QUEUE_STATUS. */
static inline long
bed_status(struct bed *b, const char *key)
{
	struct msg m = { .type = MSG_QUEUE_CMD, .tag = 6 };
	int sock = bed_operator(b);
	long value = -1;

	m.u.queue_cmd.verb = QUEUE_STATUS;
	bed_say(sock, &m, -1);
	do {
		assert_true(bed_hear(b, sock, P_CTL, PATIENCE_MS));
		if (b->m.type == MSG_STATUS_ROW &&
		    strcmp(b->m.u.status_row.key, key) == 0)
			value = atol(b->m.u.status_row.value);
	} while (b->m.type != MSG_CMD_DONE);
	close(sock);
	return value;
}

#endif
