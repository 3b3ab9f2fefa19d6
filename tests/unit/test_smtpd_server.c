/*
 * The whole process: this test forks it, plays its parent, auth and queue over
 * the channels, and its clients over TCP on loopback.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "lib/log.h"
#include "mail/base64.h"
#include "smtpd/server.h"
#include "test_smtpd.h"

#define MOST 5 /* connections from one address, unless said otherwise */

/* auth or queue, played by a thread. */
struct neighbour {
	int fd;
	enum process who;
	pthread_t thread;
	atomic_int asked[MSG_TYPES];
	atomic_bool quiet; /* keeps its answers to itself */
	atomic_ullong tag; /* of what it was asked last */
};

static pid_t pid;
static const char *most_from_one = "5";
static rlim_t most_files;
static int parent = -1;
static unsigned port587, port465;
static struct signer signer;
static struct neighbour auth, queue;
static struct pair first, second, unknown;
static SSL_CTX *client_ctx;
static atomic_ullong stored_bytes;

static void
play_auth(struct neighbour *n, const struct msg *m)
{
	struct msg r = { .tag = m->tag };

	if (msg_answer_to(m->type) == MSG_NONE)
		return;
	if (m->type == MSG_AUTH_CHECK) {
		bool ok = strcmp(m->u.auth_check.secret, "secret") == 0;

		r.type = MSG_AUTH_RESULT;
		r.u.auth_result.verdict = ok ? V_OK : V_PERM;
		r.u.auth_result.code = ok ? 235 : 535;
		strcpy(r.u.auth_result.status, ok ? "2.7.0" : "5.7.8");
		strcpy(r.u.auth_result.account, ok ? m->u.auth_check.user : "");
	} else {
		r.type = MSG_ALLOWED;
		r.u.allowed.verdict = V_OK;
	}
	message_send(n->fd, &r, -1);
}

static void
play_queue(struct neighbour *n, const struct msg *m)
{
	struct msg r = { .tag = m->tag };
	int fd = -1;

	switch (m->type) {
	case MSG_TX_FILE:
		r.type = MSG_TX_FILE_LENT;
		fd = memfd_create("body", MFD_CLOEXEC);
		message_send(n->fd, &r, fd);
		close(fd);
		break;
	case MSG_TX_COMMIT:
		stored_bytes += m->u.tx_commit.size;
		r.type = MSG_TX_RESULT;
		r.u.tx_result.id = 42;
		message_send(n->fd, &r, -1);
		break;
	default:
		break;
	}
}

static void *
neighbour_run(void *arg)
{
	struct neighbour *n = arg;
	uint8_t *record = malloc(MSG_MAX);
	struct msg m;

	while (message_recv(n->fd, P_SMTPD, n->who, &m, record, NULL)) {
		n->tag = m.tag;
		n->asked[m.type]++;
		if (n->quiet)
			continue;
		if (n->who == P_AUTH)
			play_auth(n, &m);
		else
			play_queue(n, &m);
	}
	free(record);
	return NULL;
}

static void
tell(enum msg_type type, struct msg *m, int fd)
{
	m->type = type;
	assert_true(message_send(parent, m, fd));
}

static void
meet(struct neighbour *n, enum process who)
{
	struct msg m = { .u.peer.process = who };
	int fds[2];

	assert_int_equal(message_pair(fds), 0);
	tell(MSG_PEER, &m, fds[0]);
	close(fds[0]);
	memset(n->asked, 0, sizeof(n->asked));
	n->quiet = false;
	n->fd = fds[1];
	n->who = who;
	assert_int_equal(pthread_create(&n->thread, NULL, neighbour_run, n), 0);
}

static void
part(struct neighbour *n)
{
	shutdown(n->fd, SHUT_RDWR);
	pthread_join(n->thread, NULL);
	close(n->fd);
}

static void
meet_signer(void)
{
	struct msg m = { .u.peer = { .process = P_AUTH, .sign = 1 } };
	int fds[2];

	assert_int_equal(message_pair(fds), 0);
	tell(MSG_PEER, &m, fds[0]);
	close(fds[0]);
	signer_start(&signer, fds[1]);
}

static void
tell_conf(void)
{
	static const char fmt[] =
	    "hostname = mail.example.org\n"
	    "[tls]\ncertificate = /c.pem\nkey = /k.pem\n"
	    "[listen x]\naddress = 127.0.0.1:587\ntls = starttls\n"
	    "[limits]\nconnections = %s\nmessage-size = 3M\n"
	    "[smtpd]\nworkers = 1\n";
	char text[sizeof(fmt) + 20];
	struct msg m = { 0 };

	m.u.conf.text.len =
	    (size_t)snprintf(text, sizeof(text), fmt, most_from_one);
	m.u.conf.text.data = (const uint8_t *)text;
	tell(MSG_CONF, &m, -1);
}

static void
tell_certificate(const char *pem, size_t n)
{
	struct msg m = { .u.file.kind = FILE_TLS_CERT };
	int fd = memfd_create("pem", MFD_CLOEXEC);

	assert_int_equal(write(fd, pem, n), (ssize_t)n);
	tell(MSG_FILE, &m, fd);
	close(fd);
}

static void
tell_start(void)
{
	struct msg m = { 0 };

	tell(MSG_START, &m, -1);
}

static unsigned
tell_listen(enum tls_mode mode, unsigned called)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct msg m = { .u.listen = { .tls_mode = mode, .port = called } };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	tell(MSG_LISTEN, &m, fd);
	close(fd);
	return ntohs(sin.sin_port);
}

static void
start_process(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	char *argv[] = { (char[]){ "postern-smtpd" }, NULL };
	int fds[2], status;

	assert_int_equal(message_pair(fds), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		/* cmocka would catch them, and go on as a second test. */
		for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++)
			signal(fatal[i], SIG_DFL);
		if (most_files > 0)
			setrlimit(RLIMIT_NOFILE,
			    &(struct rlimit){ most_files, most_files });
		alarm(60);
		if (fds[1] != 3) {
			dup2(fds[1], 3);
			close(fds[1]);
		}
		if (fds[0] != 3)
			close(fds[0]);
		optind = 1;
		status = child_main(&server, 1, argv);
		/* The leak checker would look at a whole test program. */
		_exit(status);
	}
	close(fds[1]);
	parent = fds[0];
}

static int
set_up(void **state)
{
	static uint8_t keys[TLS_TICKET_KEY] = "ticket key";
	struct msg m = { .u.ticket_keys.keys = { keys, sizeof(keys) } };
	uint8_t *record = malloc(MSG_MAX);

	(void)state;
	log_open("test");
	signal(SIGPIPE, SIG_IGN);
	signer.keys[0] = &first;
	signer.keys[1] = &second;
	signer.manner = SIGN;
	start_process();
	tell_conf();
	tell_certificate(first.pem, first.pem_len);
	tell(MSG_TICKET_KEYS, &m, -1);
	port587 = tell_listen(TLS_MODE_STARTTLS, 587);
	port465 = tell_listen(TLS_MODE_IMPLICIT, 465);
	meet(&auth, P_AUTH);
	meet_signer();
	meet(&queue, P_QUEUE);
	tell_start();
	assert_true(message_recv(parent, P_SMTPD, P_PARENT, &m, record, NULL));
	assert_int_equal(m.type, MSG_READY);
	free(record);
	return 0;
}

/* Its exit status, or -1 when it has not ended after so many seconds. */
static int
wait_for_exit(double seconds)
{
	int status;

	for (; seconds > 0; seconds -= 0.01) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			pid = -1;
			return WIFEXITED(status) ? WEXITSTATUS(status)
						 : 128 + WTERMSIG(status);
		}
		usleep(10000);
	}
	return -1;
}

static int
tear_down(void **state)
{
	int status;

	(void)state;
	close(parent);
	if (pid != -1 && (status = wait_for_exit(20)) != 0) {
		fprintf(stderr, "smtpd ended with %d\n", status);
		if (pid != -1)
			kill(pid, SIGKILL);
		return -1;
	}
	signer_stop(&signer);
	part(&auth);
	part(&queue);
	return 0;
}

struct client {
	int fd;
	SSL *ssl;
	char line[1024];
	char buf[65536];
	size_t len;
};

static void
open_from(struct client *c, unsigned port, uint32_t source)
{
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(source) };
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port) };
	struct timeval patience = { .tv_sec = 15 };
	int one = 1;

	memset(c, 0, sizeof(*c));
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	assert_int_equal(
	    bind(c->fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(
	    connect(c->fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
}

static void
open_client(struct client *c, unsigned port)
{
	open_from(c, port, INADDR_LOOPBACK);
}

static void
close_client(struct client *c)
{
	SSL_free(c->ssl);
	close(c->fd);
}

static bool
shake(struct client *c)
{
	c->ssl = SSL_new(client_ctx);
	SSL_set_fd(c->ssl, c->fd);
	return SSL_connect(c->ssl) == 1;
}

static void
say(struct client *c, const char *p, size_t n)
{
	ssize_t k;

	while (n > 0) {
		k = c->ssl != NULL ? SSL_write(c->ssl, p, (int)n)
				   : send(c->fd, p, n, MSG_NOSIGNAL);
		if (k <= 0)
			return; /* the next hear() finds out */
		p += k;
		n -= (size_t)k;
	}
}

/* The next line, without CRLF; "" at the end of the connection. */
static const char *
hear(struct client *c)
{
	char *lf;
	ssize_t n;

	while ((lf = memchr(c->buf, '\n', c->len)) == NULL) {
		if (c->ssl != NULL)
			n = SSL_read(c->ssl, c->buf + c->len,
			    (int)(sizeof(c->buf) - c->len));
		else
			n = recv(
			    c->fd, c->buf + c->len, sizeof(c->buf) - c->len, 0);
		if (n <= 0)
			return "";
		c->len += (size_t)n;
	}
	snprintf(
	    c->line, sizeof(c->line), "%.*s", (int)(lf - c->buf - 1), c->buf);
	c->len -= (size_t)(lf + 1 - c->buf);
	memmove(c->buf, lf + 1, c->len);
	return c->line;
}

/* Say a line and hear a whole reply, which must begin so. */
static void
expect(struct client *c, const char *line, const char *want)
{
	const char *got;

	if (line != NULL) {
		say(c, line, strlen(line));
		say(c, "\r\n", 2);
	}
	do
		got = hear(c);
	while (strlen(got) > 3 && got[3] == '-');
	if (strncmp(got, want, strlen(want)) != 0)
		fail_msg("%s: \"%s\", want \"%s\"", line ? line : "(nothing)",
		    got, want);
}

static void
expect_end(struct client *c)
{
	const char *got = hear(c);

	if (*got != '\0')
		fail_msg("\"%s\", want the end", got);
}

static void
log_in_as(struct client *c, const char *account)
{
	char line[200] = "AUTH PLAIN ", plain[100];
	int n = snprintf(plain, sizeof(plain), "%c%s%csecret", 0, account, 0);

	expect(c, "EHLO client.example", "250 ");
	base64_encode(plain, (size_t)n, line + strlen(line));
	expect(c, line, "235 ");
}

static void
log_in(struct client *c)
{
	log_in_as(c, "alice@example.org");
}

static void
open_465(struct client *c)
{
	open_client(c, port465);
	assert_true(shake(c));
	expect(c, NULL, "220 mail.example.org");
}

static void
open_587(struct client *c)
{
	open_client(c, port587);
	expect(c, NULL, "220 mail.example.org");
	expect(c, "EHLO client.example", "250 ");
	expect(c, "STARTTLS", "220 ");
	assert_true(shake(c));
}

static void
send_mail(struct client *c)
{
	expect(c, "MAIL FROM:<alice@example.org>", "250 ");
	expect(c, "RCPT TO:<bob@example.net>", "250 ");
	expect(c, "DATA", "354 ");
	expect(c, "From: alice@example.org\r\n\r\nhello\r\n.",
	    "250 2.0.0 queued as ");
}

/* 0 when they cannot be counted: only root may look into it. */
static unsigned
descriptors(void)
{
	char path[64];
	unsigned n = 0;
	DIR *d;

	if (geteuid() != 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	d = opendir(path);
	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static unsigned
first_free_descriptor(void)
{
	char path[64], target[64];
	unsigned n = 0;

	do
		snprintf(path, sizeof(path), "/proc/%d/fd/%u", (int)pid, n++);
	while (readlink(path, target, sizeof(target)) != -1);
	return n - 1;
}

/* Wait until the process has as few descriptors as it had. */
static void
expect_descriptors(unsigned n)
{
	for (int i = 0; i < 500 && descriptors() > n; i++)
		usleep(10000);
	assert_int_equal(descriptors(), n);
}

/* Ticks of processor time that the process has had. */
static long
ticks(void)
{
	char path[64], text[1024], *p;
	long user, sys;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(n > 0);
	text[n] = '\0';
	p = strrchr(text, ')') + 1;
	for (int i = 0; i < 11; i++)
		p = strchr(p + 1, ' ');
	assert_int_equal(sscanf(p, "%ld %ld", &user, &sys), 2);
	return user + sys;
}

static void
test_mail(void **state)
{
	unsigned before = descriptors();
	struct client c;

	(void)state;
	open_465(&c);
	log_in(&c);
	send_mail(&c);
	send_mail(&c);
	expect(&c, "QUIT", "221 ");
	expect_end(&c);
	close_client(&c);
	open_587(&c);
	log_in(&c);
	send_mail(&c);
	expect(&c, "QUIT", "221 ");
	expect_end(&c);
	close_client(&c);
	assert_int_equal(queue.asked[MSG_TX_COMMIT], 3);
	assert_int_equal(auth.asked[MSG_SUBMIT_CHECK], 3);
	assert_int_equal(signer.asked, 2);
	expect_descriptors(before);
}

static void
test_large_mail(void **state)
{
	unsigned before = descriptors();
	struct client c;
	char block[1000];
	uint64_t was;

	(void)state;
	memset(block, 'x', sizeof(block));
	block[998] = '\r';
	block[999] = '\n';
	open_465(&c);
	log_in(&c);
	was = stored_bytes;
	expect(&c, "MAIL FROM:<alice@example.org> SIZE=2000000", "250 ");
	expect(&c, "RCPT TO:<bob@example.net>", "250 ");
	expect(&c, "DATA", "354 ");
	say(&c, "From: alice@example.org\r\n\r\n", 27);
	for (int i = 0; i < 2000; i++)
		say(&c, block, sizeof(block));
	expect(&c, ".", "250 2.0.0");
	assert_int_equal(stored_bytes - was, 2000027);
	/* ... and one that is too large. */
	expect(&c, "MAIL FROM:<alice@example.org>", "250 ");
	expect(&c, "RCPT TO:<bob@example.net>", "250 ");
	expect(&c, "DATA", "354 ");
	say(&c, "From: alice@example.org\r\n\r\n", 27);
	for (int i = 0; i < 3500; i++)
		say(&c, block, sizeof(block));
	expect(&c, ".", "552 5.3.4");
	expect(&c, "NOOP", "250 ");
	/* One that is going to be cut off in the middle. */
	expect(&c, "MAIL FROM:<alice@example.org>", "250 ");
	expect(&c, "RCPT TO:<bob@example.net>", "250 ");
	expect(&c, "DATA", "354 ");
	say(&c, "From: alice@example.org\r\n\r\n", 27);
	for (int i = 0; i < 100; i++)
		say(&c, block, sizeof(block));
	close_client(&c);
	expect_descriptors(before);
	for (int i = 0; i < 500 && queue.asked[MSG_TX_ABORT] < 2; i++)
		usleep(10000);
	assert_int_equal(queue.asked[MSG_TX_COMMIT], 1);
	assert_int_equal(queue.asked[MSG_TX_FILE], 3);
	assert_int_equal(queue.asked[MSG_TX_ABORT], 2);
}

/* Everything in one write and the end of it: all replies come. */
static void
test_half_close(void **state)
{
	static const char words[] =
	    "EHLO client.example\r\nNOOP\r\nRSET\r\nNOOP\r\n";
	struct client c;

	(void)state;
	open_client(&c, port587);
	say(&c, words, sizeof(words) - 1);
	shutdown(c.fd, SHUT_WR);
	expect(&c, NULL, "220 ");
	for (int i = 0; i < 4; i++)
		expect(&c, NULL, "250 ");
	expect_end(&c);
	close_client(&c);
}

static void
test_injection(void **state)
{
	static const char *const words[] = {
		"STARTTLS\r\nEHLO injected\r\n",
		"STARTTLS\r\n\r\n",
		"STARTTLS\r\nx",
	};
	struct client c;

	(void)state;
	for (int i = 0; i < 3; i++) {
		open_client(&c, port587);
		expect(&c, NULL, "220 ");
		expect(&c, "EHLO client.example", "250 ");
		say(&c, words[i], strlen(words[i]));
		expect(&c, NULL, "554 5.5.0");
		expect(&c, NULL, "421 ");
		expect_end(&c);
		close_client(&c);
	}
	/* Behind the 220 they are no handshake. */
	open_client(&c, port587);
	expect(&c, NULL, "220 ");
	expect(&c, "EHLO client.example", "250 ");
	expect(&c, "STARTTLS", "220 ");
	say(&c, "EHLO injected\r\n", 15);
	if (strncmp(hear(&c), "250", 3) == 0)
		fail_msg("obeyed");
	close_client(&c);
}

static void
test_client_hello(void **state)
{
	struct client c;

	(void)state;
	open_client(&c, port587);
	expect(&c, NULL, "220 ");
	assert_false(shake(&c));
	close_client(&c);
	/* And the process is well. */
	open_465(&c);
	close_client(&c);
}

static void
test_too_many(void **state)
{
	struct client c[MOST], extra;

	(void)state;
	for (int i = 0; i < MOST; i++) {
		open_client(&c[i], port587);
		expect(&c[i], NULL, "220 ");
	}
	open_client(&extra, port587);
	expect(&extra, NULL, "421 4.7.0 too many connections");
	expect_end(&extra);
	close_client(&extra);
	open_client(&extra, port465);
	assert_false(shake(&extra));
	close_client(&extra);
	close_client(&c[0]);
	usleep(100000);
	open_client(&c[0], port587);
	for (int i = 0; i < MOST; i++) {
		expect(&c[i], i == 0 ? NULL : "NOOP", i == 0 ? "220 " : "250 ");
		close_client(&c[i]);
	}
}

/*
 * Room for ten in all: one address may not have all of it, and when it is full
 * clients wait until somebody goes.
 */
static void
test_full(void **state)
{
	struct timeval patience = { .tv_usec = 300000 };
	struct client c[10], extra;

	(void)state;
	for (int i = 0; i < 8; i++) {
		open_client(&c[i], port587);
		expect(&c[i], NULL, "220 ");
	}
	open_client(&extra, port587);
	expect(&extra, NULL, "421 4.7.0 too many connections");
	close_client(&extra);
	for (int i = 8; i < 10; i++) {
		open_from(&c[i], port587, INADDR_LOOPBACK + 1);
		expect(&c[i], NULL, "220 ");
	}
	open_from(&extra, port587, INADDR_LOOPBACK + 2);
	setsockopt(
	    extra.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	expect(&extra, NULL, ""); /* silence */
	close_client(&c[0]);
	expect(&extra, NULL, "220 ");
	close_client(&extra);
	for (int i = 1; i < 10; i++) {
		expect(&c[i], "NOOP", "250 ");
		close_client(&c[i]);
	}
}

/* It is full, of a crowd that does not log in: whoever came first of those makes
 * room, and who has logged in stays. */
static void
test_crowd_makes_room(void **state)
{
	struct client c[10], extra;

	(void)state;
	open_465(&c[0]);
	log_in(&c[0]);
	for (int i = 1; i < 10; i++) {
		open_from(&c[i], port587,
		    i < 6 ? INADDR_LOOPBACK : INADDR_LOOPBACK + (uint32_t)i);
		expect(&c[i], NULL, "220 ");
	}
	open_from(&extra, port587, INADDR_LOOPBACK + 100);
	expect(&extra, NULL, "220 "); /* within 15 s */
	expect_end(&c[1]);
	expect(&c[2], "NOOP", "250 ");
	send_mail(&c[0]);
	close_client(&extra);
	for (int i = 0; i < 10; i++)
		close_client(&c[i]);
}

/* The only one who could have made room has logged in meanwhile. */
static void
test_nobody_makes_room(void **state)
{
	struct client c[10], extra;

	(void)state;
	for (int i = 0; i < 10; i++) {
		open_from(&c[i], port465,
		    i < 6 ? INADDR_LOOPBACK : INADDR_LOOPBACK + (uint32_t)i);
		assert_true(shake(&c[i]));
		expect(&c[i], NULL, "220 ");
		if (i > 0)
			log_in(&c[i]);
	}
	sleep(7); /* five seconds are granted */
	log_in(&c[0]);
	open_from(&extra, port587, INADDR_LOOPBACK + 100);
	expect_end(&extra);
	for (int i = 0; i < 10; i++) {
		expect(&c[i], "NOOP", "250 ");
		close_client(&c[i]);
	}
	close_client(&extra);
}

/* Without a descriptor left a client is dropped, and the process does not
 * turn in vain; with one again all is well. */
static void
test_no_descriptors(void **state)
{
	struct client c, extra;
	struct rlimit was, now;
	long before;

	(void)state;
	if (geteuid() != 0)
		skip(); /* only root may look which descriptors it has */
	open_465(&c);
	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, NULL, &was), 0);
	now = (struct rlimit){ first_free_descriptor(), was.rlim_max };
	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, &now, NULL), 0);
	open_client(&extra, port587);
	expect_end(&extra);
	close_client(&extra);
	before = ticks();
	open_client(&extra, port587);
	usleep(300000);
	assert_true(ticks() - before < 10);
	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, &was, NULL), 0);
	close_client(&extra);
	open_client(&extra, port587);
	expect(&extra, NULL, "220 ");
	close_client(&extra);
	expect(&c, "NOOP", "250 ");
	close_client(&c);
}

static int
set_up_small(void **state)
{
	int failed;

	most_files = 84;
	most_from_one = "20";
	failed = set_up(state);
	most_files = 0;
	most_from_one = "5";
	return failed;
}

static void
test_queue_restarts(void **state)
{
	struct client c;

	(void)state;
	open_465(&c);
	log_in(&c);
	send_mail(&c);
	expect(&c, "MAIL FROM:<alice@example.org>", "250 ");
	expect(&c, "RCPT TO:<bob@example.net>", "250 ");
	queue.quiet = true;
	expect(&c, "DATA", "354 ");
	say(&c, "From: alice@example.org\r\n\r\nhello\r\n.\r\n", 37);
	while (queue.asked[MSG_TX_COMMIT] < 2)
		usleep(1000);
	part(&queue);
	expect(&c, NULL, "451 4.3.0");
	expect(&c, "MAIL FROM:<alice@example.org>", "451 4.3.0");
	meet(&queue, P_QUEUE);
	usleep(50000);
	send_mail(&c);
	close_client(&c);
}

static void
test_auth_restarts(void **state)
{
	struct client c, late;

	(void)state;
	open_465(&c);
	log_in(&c);
	part(&auth);
	signer_stop(&signer);
	expect(&c, "MAIL FROM:<alice@example.org>", "451 4.3.0");
	/* No signature, no handshake; and nobody else is held up. */
	open_client(&late, port465);
	assert_false(shake(&late));
	close_client(&late);
	expect(&c, "NOOP", "250 ");
	meet(&auth, P_AUTH);
	meet_signer();
	usleep(50000);
	send_mail(&c);
	open_465(&late);
	close_client(&late);
	close_client(&c);
}

static void
test_queue_says_full(void **state)
{
	struct msg m = { .type = MSG_QUEUE_STATE };
	struct client c;

	(void)state;
	open_465(&c);
	log_in(&c);
	strcpy(m.u.queue_state.text, "no room");
	assert_true(message_send(queue.fd, &m, -1));
	usleep(50000);
	expect(&c, "MAIL FROM:<alice@example.org>", "452 4.3.1 no room");
	m.u.queue_state.accepting = 1;
	assert_true(message_send(queue.fd, &m, -1));
	usleep(50000);
	send_mail(&c);
	close_client(&c);
}

static void
test_suspended(void **state)
{
	struct msg m = { .type = MSG_ACCOUNT_STATE };
	struct client c, other;

	(void)state;
	open_465(&c);
	log_in(&c);
	open_465(&other);
	strcpy(m.u.account_state.account, "alice@example.org");
	m.u.account_state.state = ACC_SUSPENDED;
	assert_true(message_send(auth.fd, &m, -1));
	expect(&c, NULL, "421 4.7.0");
	expect_end(&c);
	expect(&other, "NOOP", "250 ");
	close_client(&c);
	close_client(&other);
}

/* Ticks that it costs to hear of many accounts without a session. */
static long
cost_of_strangers(struct client *c)
{
	struct msg m = { .type = MSG_ACCOUNT_STATE };
	long before = ticks();

	m.u.account_state.state = ACC_SUSPENDED;
	for (int i = 0; i < 40000; i++) {
		snprintf(
		    m.u.account_state.account, ADDR_SIZE, "%d@example.org", i);
		assert_true(message_send(auth.fd, &m, -1));
	}
	/* What auth answers comes behind all of that. */
	expect(c, "MAIL FROM:<alice@example.org>", "250 ");
	expect(c, "RSET", "250 ");
	return ticks() - before;
}

/* A server that stands still after each restart of auth is none. */
static void
test_many_suspended(void **state)
{
	enum { CROWD = 300 };
	struct client *crowd = calloc(CROWD, sizeof(*crowd));
	char account[32];
	long alone, together;

	(void)state;
	assert_non_null(crowd);
	for (unsigned i = 0; i < CROWD; i++) {
		if (i == 1)
			alone = cost_of_strangers(&crowd[0]);
		open_from(&crowd[i], port465, INADDR_LOOPBACK + (i / MOST));
		assert_true(shake(&crowd[i]));
		expect(&crowd[i], NULL, "220 ");
		snprintf(account, sizeof(account), "u%u@example.org", i);
		log_in_as(&crowd[i], account);
	}
	together = cost_of_strangers(&crowd[0]);
	if (together > 4 * alone + 20)
		fail_msg("%ld ticks, and alone %ld", together, alone);
	for (unsigned i = 0; i < CROWD; i++)
		close_client(&crowd[i]);
	free(crowd);
}

static const char *
name_in_certificate(struct client *c)
{
	static char cn[64];
	X509 *x = SSL_get1_peer_certificate(c->ssl);

	X509_NAME_get_text_by_NID(
	    X509_get_subject_name(x), NID_commonName, cn, sizeof(cn));
	X509_free(x);
	return cn;
}

/* The certificate that a new client gets; tried until it is this one. */
static void
expect_certificate(const char *cn)
{
	struct client c;
	bool found = false;

	for (int i = 0; i < 100 && !found; i++) {
		open_465(&c);
		found = strcmp(name_in_certificate(&c), cn) == 0;
		close_client(&c);
		if (!found)
			usleep(20000);
	}
	assert_true(found);
}

static void
test_reload(void **state)
{
	struct client c, other;

	(void)state;
	open_465(&c);
	log_in(&c);
	expect_certificate("first");
	tell_certificate(second.pem, second.pem_len);
	tell_conf();
	tell_start();
	expect_certificate("second");
	send_mail(&c); /* an old session lives on */
	/* A key that auth does not have, and no certificate at all. */
	tell_certificate(unknown.pem, unknown.pem_len);
	tell_conf();
	tell_start();
	expect_certificate("second");
	tell_certificate("nonsense", 8);
	tell_conf();
	tell_start();
	usleep(300000);
	expect_certificate("second");
	/* auth reads its new key a little later than we the certificate. */
	signer.manner = REFUSE;
	tell_certificate(first.pem, first.pem_len);
	tell_conf();
	tell_start();
	usleep(300000);
	signer.manner = SIGN;
	expect_certificate("first");
	open_587(&other);
	close_client(&other);
	close_client(&c);
}

/* How many octets of this line, over and over, the server takes. */
static size_t
pester(struct client *c, const char *line, size_t most)
{
	struct timeval patience = { .tv_usec = 500000 };
	static char words[60000];
	size_t sent = 0, n = strlen(line), len = 0;
	ssize_t k;

	while (len + n <= sizeof(words)) {
		memcpy(words + len, line, n);
		len += n;
	}
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	while (sent < most) {
		k = c->ssl != NULL ? SSL_write(c->ssl, words, (int)len)
				   : send(c->fd, words, len, MSG_NOSIGNAL);
		if (k <= 0)
			break;
		sent += (size_t)k;
	}
	return sent;
}

/*
 * Clients that send and do not read: one that talks itself into being thrown
 * out, and one that never makes a mistake that counts.  Neither holds up the
 * others.
 */
static void
test_deaf_clients(void **state)
{
	size_t most = 64 * 1024 * 1024;
	struct client deaf, c;

	(void)state;
	open_465(&c);
	log_in(&c);
	open_client(&deaf, port587);
	assert_true(pester(&deaf, "HELP\r\n", most) < most);
	send_mail(&c);
	close_client(&deaf);
	open_465(&deaf);
	log_in(&deaf);
	expect(&deaf, "MAIL FROM:<alice@example.org>", "250 ");
	assert_true(
	    pester(&deaf, "RCPT TO:<bob@example.net>\r\n", most) < most);
	send_mail(&c);
	close_client(&deaf);
	close_client(&c);
}

/* Half a TLS record is nothing to work on. */
static void
test_half_record(void **state)
{
	struct client c;
	BIO *wire, *kept;
	char record[256];
	long before;
	int n;

	(void)state;
	open_465(&c);
	wire = SSL_get_wbio(c.ssl);
	BIO_up_ref(wire);
	kept = BIO_new(BIO_s_mem());
	SSL_set0_wbio(c.ssl, kept);
	SSL_write(c.ssl, "NOOP\r\n", 6);
	n = BIO_read(kept, record, sizeof(record));
	assert_true(n > 10);
	assert_int_equal(send(c.fd, record, 10, 0), 10);
	before = ticks();
	usleep(500000);
	assert_true(ticks() - before < 10);
	assert_int_equal(send(c.fd, record + 10, (size_t)n - 10, 0), n - 10);
	SSL_set0_wbio(c.ssl, wire);
	expect(&c, NULL, "250 ");
	close_client(&c);
}

/* An answer for a session that is gone is dropped, and so is its file. */
static void
test_late_answers(void **state)
{
	unsigned before = descriptors();
	struct client c;
	struct msg m = { .type = MSG_TX_FILE_LENT };
	int fd = memfd_create("body", MFD_CLOEXEC);

	(void)state;
	for (int i = 0; i < 20; i++) {
		m.tag = (uint64_t)i << 16;
		assert_true(message_send(queue.fd, &m, fd));
	}
	m = (struct msg){ .type = MSG_ALLOWED, .tag = UINT64_MAX };
	assert_true(message_send(auth.fd, &m, -1));
	close(fd);
	open_465(&c);
	close_client(&c);
	expect_descriptors(before);
}

static void
test_stop(void **state)
{
	struct msg m = { 0 };
	struct client idle, busy, silent;

	(void)state;
	open_465(&idle);
	open_465(&busy);
	open_client(&silent, port465); /* in its handshake */
	log_in(&busy);
	expect(&busy, "MAIL FROM:<alice@example.org>", "250 ");
	expect(&busy, "RCPT TO:<bob@example.net>", "250 ");
	expect(&busy, "DATA", "354 ");
	tell(MSG_STOP, &m, -1);
	expect(&idle, NULL, "421 4.3.2");
	expect_end(&idle);
	close_client(&idle);
	expect(&busy, "From: alice@example.org\r\n\r\nhello\r\n.",
	    "250 2.0.0 queued as ");
	expect(&busy, NULL, "421 4.3.2");
	close_client(&busy);
	assert_int_equal(wait_for_exit(5), 0);
	close_client(&silent);
}

/* What a client was charged for that has left before auth answered. */
static void
test_stop_waits_for_what_is_owed(void **state)
{
	struct msg m = { 0 };
	struct client c;

	(void)state;
	open_465(&c);
	log_in(&c);
	expect(&c, "MAIL FROM:<alice@example.org>", "250 ");
	expect(&c, "RCPT TO:<bob@example.net>", "250 ");
	auth.quiet = true;
	auth.asked[MSG_SUBMIT_CHECK] = 0;
	expect(&c, "DATA", "354 ");
	say(&c, "From: alice@example.org\r\n\r\nhello\r\n", 34);
	while (auth.asked[MSG_SUBMIT_CHECK] == 0)
		usleep(1000);
	close_client(&c);
	tell(MSG_STOP, &m, -1);
	assert_int_equal(wait_for_exit(0.5), -1);
	m.type = MSG_ALLOWED;
	m.tag = auth.tag;
	m.u.allowed.verdict = V_OK;
	assert_true(message_send(auth.fd, &m, -1));
	assert_int_equal(wait_for_exit(5), 0);
	for (int i = 0; i < 500 && queue.asked[MSG_PERMIT_RETURN] == 0; i++)
		usleep(10000);
	assert_int_equal(queue.asked[MSG_PERMIT_RETURN], 1);
}

static int
make_keys(void **state)
{
	(void)state;
	pair_make(&first, "P-256", "first");
	pair_make(&second, "RSA", "second");
	pair_make(&unknown, "P-256", "unknown");
	client_ctx = tls_client_new();
	return 0;
}

static int
free_keys(void **state)
{
	(void)state;
	pair_free(&first);
	pair_free(&second);
	pair_free(&unknown);
	SSL_CTX_free(client_ctx);
	return 0;
}

#define WITH_SERVER(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(test_mail),
		WITH_SERVER(test_large_mail),
		WITH_SERVER(test_half_close),
		WITH_SERVER(test_injection),
		WITH_SERVER(test_client_hello),
		WITH_SERVER(test_too_many),
		cmocka_unit_test_setup_teardown(
		    test_full, set_up_small, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_crowd_makes_room, set_up_small, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_nobody_makes_room, set_up_small, tear_down),
		WITH_SERVER(test_no_descriptors),
		WITH_SERVER(test_queue_restarts),
		WITH_SERVER(test_auth_restarts),
		WITH_SERVER(test_queue_says_full),
		WITH_SERVER(test_suspended),
		WITH_SERVER(test_many_suspended),
		WITH_SERVER(test_reload),
		WITH_SERVER(test_deaf_clients),
		WITH_SERVER(test_half_record),
		WITH_SERVER(test_late_answers),
		WITH_SERVER(test_stop),
		WITH_SERVER(test_stop_waits_for_what_is_owed),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
