/*
 * The whole agent: the test plays parent, queue and auth over the channels,
 * and the world, with an SMTP server and a DNS server of its own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/channel.h"
#include "ipc/part.h"
#include "test_deliver_dns.h"
#include "test_deliver_mx.h"

static int
bound(int type, const char *ip, unsigned *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;

	inet_pton(AF_INET, ip, &in.sin_addr);
	in.sin_port = htons((uint16_t)*port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1024), 0);
	getsockname(fd, (struct sockaddr *)&in, &len);
	*port = ntohs(in.sin_port);
	return fd;
}

static int listener;

static int
set_up_world(void **state)
{
	pthread_t t;

	(void)state;
	make_certificate();
	dns_fd = bound(SOCK_DGRAM, "127.0.0.1", &dns_port);
	listener = bound(SOCK_STREAM, "127.0.0.2", &smtp_port);
	pthread_create(&t, NULL, dns_serve, NULL);
	pthread_create(&t, NULL, smtp_serve, &listener);
	return 0;
}

static char program[PATH_MAX];

#if defined(__SANITIZE_ADDRESS__)
#define LEAK_CHECK 1
#elif defined(__has_feature)
#define LEAK_CHECK __has_feature(address_sanitizer)
#else
#define LEAK_CHECK 0
#endif

#define CONF_HEAD \
	"hostname = me.test\n" \
	"[tls]\ncertificate = /nowhere\nkey = /nowhere\n" \
	"[listen submissions]\naddress = 127.0.0.9:465\ntls = implicit\n"

struct agent {
	pid_t pid;
	int parent, queue, auth;
	char directory[32];
	uint8_t buf[MSG_MAX];
	uint64_t tags;
};

static void
send_file(int sock, enum file_kind kind, const char *text)
{
	struct msg m = { .type = MSG_FILE, .u.file = { .kind = kind } };
	int fd = memfd_create("file", MFD_CLOEXEC);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_true(message_send(sock, &m, fd));
	close(fd);
}

static int
send_peer(int sock, enum process process)
{
	struct msg m = { .type = MSG_PEER, .u.peer = { .process = process } };
	int fds[2];

	assert_int_equal(message_pair(fds), 0);
	assert_true(message_send(sock, &m, fds[1]));
	close(fds[1]);
	return fds[0];
}

/* Start an agent whose mail goes `via`, with more lines for its route. */
static struct agent *
agent_with(const char *via, const char *more)
{
	struct agent *a = calloc(1, sizeof(*a));
	struct msg m = { .type = MSG_CONF };
	char text[2048];
	int fds[2];

	memset(&world.on, 0, sizeof(world) - offsetof(typeof(world), on));
	strcpy(a->directory, "/tmp/postern-test-XXXXXX");
	assert_non_null(mkdtemp(a->directory));
	assert_int_equal(message_pair(fds), 0);
	fflush(NULL);
	a->pid = fork();
	if (a->pid == 0) {
		close(fds[0]);
		if (dup2(fds[1], 3) != 3)
			_exit(126);
		/* The leak checker needs /proc, so it gets no chroot. */
		execl(program, program, LEAK_CHECK ? NULL : "-d", a->directory,
		    (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	a->parent = fds[0];
	snprintf(text, sizeof(text),
	    CONF_HEAD "[dns]\nserver = 127.0.0.1@%u\n"
		      "[route *]\nvia = %s\n%s\n",
	    dns_port, via, more);
	m.u.conf.text = (struct bytes){ (uint8_t *)text, strlen(text) };
	assert_true(message_send(a->parent, &m, -1));
	send_file(a->parent, FILE_CA_BUNDLE, ca_pem);
	a->queue = send_peer(a->parent, P_QUEUE);
	a->auth = send_peer(a->parent, P_AUTH);
	m = (struct msg){ .type = MSG_START };
	assert_true(message_send(a->parent, &m, -1));
	assert_true(
	    message_recv(a->parent, P_DELIVER, P_PARENT, &m, a->buf, NULL));
	assert_int_equal(m.type, MSG_READY);
	return a;
}

static struct agent *
agent_via_mx(const char *more)
{
	char via[32];

	snprintf(via, sizeof(via), "mx:%u", smtp_port);
	return agent_with(via, more);
}

static struct agent *
agent_via_host(const char *host, const char *more)
{
	char via[300];

	snprintf(via, sizeof(via), "%s:%u", host, smtp_port);
	return agent_with(via, more);
}

static void
agent_end(struct agent *a)
{
	struct msg m = { .type = MSG_STOP };
	int status;

	message_send(a->parent, &m, -1);
	assert_int_equal(waitpid(a->pid, &status, 0), a->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(a->parent);
	close(a->queue);
	close(a->auth);
	assert_int_equal(rmdir(a->directory), 0);
	free(a);
}

/* A job for n recipients of a domain; the body in fd, or a short one. */
static void
send_job(struct agent *a, const char *domain, int n, int fd, size_t size)
{
	static const char body[] = "Subject: x\r\n\r\n.hello\r\n";
	struct msg m = { .type = MSG_JOB, .tag = ++a->tags };
	struct msg_job *j = &m.u.job;
	uint8_t rcpts[8192];
	char address[300];
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		snprintf(address, sizeof(address), "r%d@%s", i, domain);
		len = list_add(
		    rcpts, sizeof(rcpts), len, address, strlen(address));
	}
	j->id = 1000 + m.tag;
	snprintf(j->domain, sizeof(j->domain), "%s", domain);
	strcpy(j->sender, "a@example.org");
	j->rcpts = (struct bytes){ rcpts, len };
	if (fd != -1) {
		j->flags = TX_IN_FILE;
		j->size = size;
	} else {
		j->body =
		    (struct bytes){ (const uint8_t *)body, sizeof(body) - 1 };
		j->size = sizeof(body) - 1;
	}
	assert_true(message_send(a->queue, &m, fd));
}

static struct msg_job_verdict
next_verdict(struct agent *a)
{
	struct pollfd p = { a->queue, POLLIN, 0 };
	struct msg m, is;

	do {
		if (poll(&p, 1, 20000) != 1)
			fail_msg("no verdict");
		assert_true(message_recv(
		    a->queue, P_DELIVER, P_QUEUE, &m, a->buf, NULL));
		if (m.type == MSG_DOMAIN_GET) {
			/* Nothing but the name is known. */
			is = (struct msg){ .type = MSG_DOMAIN_IS };
			memcpy(is.u.domain.domain, m.u.domain_get.domain,
			    sizeof(is.u.domain.domain));
			assert_true(message_send(a->queue, &is, -1));
		}
	} while (m.type == MSG_DOMAIN_GET || m.type == MSG_DOMAIN_PUT);
	assert_int_equal(m.type, MSG_JOB_VERDICT);
	return m.u.job_verdict;
}

static struct msg_job_verdict
carry(struct agent *a, const char *domain)
{
	struct msg_job_verdict v;

	send_job(a, domain, 1, -1, 0);
	v = next_verdict(a);
	assert_int_equal(v.last, 1);
	assert_int_equal(v.rcpts.len, 1);
	return v;
}

static void
connections_are_reused(void **state)
{
	struct agent *a = agent_via_host("127.0.0.2", "");
	struct msg_job_verdict v;
	char mx[64];

	(void)state;
	for (int i = 0; i < 10; i++) {
		v = carry(a, "any.test");
		assert_int_equal(v.verdict, V_OK);
		assert_int_equal(v.code, 250);
		assert_string_equal(v.status, "2.0.0");
		assert_string_equal(v.text, "ok");
	}
	snprintf(mx, sizeof(mx), "[127.0.0.2]:%u", smtp_port);
	assert_string_equal(v.mx, mx);
	assert_int_equal(world.connections, 1);
	assert_int_equal(world.mails, 10);
	/* Many at once, each on its own connection or the next free one. */
	for (int i = 0; i < 200; i++)
		send_job(a, "any.test", 1, -1, 0);
	for (int i = 0; i < 200; i++)
		assert_int_equal(next_verdict(a).verdict, V_OK);
	assert_int_equal(world.mails, 210);
	agent_end(a);
}

static void
connection_is_renewed_after_a_hundred(void **state)
{
	struct agent *a = agent_via_host("127.0.0.2", "");

	(void)state;
	for (int i = 0; i < 101; i++)
		assert_int_equal(carry(a, "any.test").verdict, V_OK);
	assert_int_equal(world.connections, 2);
	agent_end(a);
}

static void
dns_decides(void **state)
{
	static const struct {
		const char *domain;
		int verdict;
		const char *status, *mx;
	} cases[] = {
		{ "two.test", V_OK, "2.0.0", "mx2.test[127.0.0.2]:" },
		{ "alias.test", V_OK, "2.0.0", "mx2.test[127.0.0.2]:" },
		{ "plain.test", V_OK, "2.0.0", "plain.test[127.0.0.2]:" },
		{ "[127.0.0.2]", V_OK, "2.0.0", "[127.0.0.2]:" },
		{ "[127.0.0.3]", V_TEMP, "4.4.1", "[127.0.0.3]:" },
		{ "[IPv6:::1]", V_TEMP, "4.4.1", "[::1]:" },
		{ "null.test", V_PERM, "5.1.10", "" },
		{ "gone.test", V_PERM, "5.1.2", "" },
		{ "none.test", V_PERM, "5.4.4", "" },
		{ "void.test", V_PERM, "5.4.4", "" },
		{ "broken.test", V_TEMP, "4.4.3", "" },
		{ "half.test", V_TEMP, "4.4.3", "" },
		{ "ours.test", V_PERM, "5.4.6", "" },
		{ "me.test", V_PERM, "5.4.6", "" },
		{ "behind.test", V_PERM, "5.4.6", "" },
		{ "before.test", V_OK, "2.0.0", "mx2.test[127.0.0.2]:" },
		{ "down.test", V_TEMP, "4.4.1", "mx1.test[127.0.0.3]:" },
	};
	struct agent *a = agent_via_mx("");
	struct msg_job_verdict v;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		v = carry(a, cases[i].domain);
		if ((int)v.verdict != cases[i].verdict ||
		    strcmp(v.status, cases[i].status) != 0 ||
		    strncmp(v.mx, cases[i].mx, strlen(cases[i].mx)) != 0)
			fail_msg("%s: %u %s %s %s", cases[i].domain, v.verdict,
			    v.status, v.mx, v.text);
		if (v.verdict == V_TEMP)
			assert_int_equal(v.scope, SCOPE_DEST);
	}
	agent_end(a);
}

static void
smarthost_that_is_not_there_only_defers(void **state)
{
	static const char *const hosts[] = { "gone.test", "none.test",
		"broken.test", "127.0.0.3" };

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct agent *a = agent_via_host(hosts[i], "");
		struct msg_job_verdict v = carry(a, "two.test");

		assert_int_equal(v.verdict, V_TEMP);
		assert_int_equal(v.scope, SCOPE_DEST);
		agent_end(a);
	}
}

static void
tls_is_used_where_it_is(void **state)
{
	struct agent *a = agent_via_mx("");
	struct msg_job_verdict v;

	(void)state;
	world.starttls = true;
	v = carry(a, "plain.test");
	assert_int_equal(v.verdict, V_OK);
	assert_string_equal(v.tls, "TLSv1.3");
	assert_int_equal(world.secured, 1);
	agent_end(a);
}

/* Where the connection was closed meanwhile, the next one goes on with its
 * session. */
static void
sessions_are_resumed(void **state)
{
	struct agent *a = agent_via_host("smart.test", "tls = verified");

	(void)state;
	world.starttls = world.one_mail = true;
	for (int i = 0; i < 6; i++)
		assert_string_equal(carry(a, "any.test").policy, "route");
	assert_int_equal(world.shaken, 6);
	assert_int_equal(world.resumed, 5);
	/* One that TLS 1.2 has serves several. */
	SSL_CTX_set_max_proto_version(server_ctx, TLS1_2_VERSION);
	for (int i = 0; i < 6; i++)
		assert_string_equal(carry(a, "any.test").tls, "TLSv1.2");
	assert_int_equal(world.shaken, 12);
	assert_in_range(world.resumed, 5 + 4, 5 + 5);
	SSL_CTX_set_max_proto_version(server_ctx, 0);
	agent_end(a);
}

/* What nobody looked at when a session began is looked at where it matters:
 * no session made without a proof serves a connection that needs one, and
 * none made under one route, name or set of roots serves another. */
static void
sessions_keep_their_proof(void **state)
{
	struct msg m = { .type = MSG_CONF };
	struct msg_job_verdict v;
	struct agent *a;
	char more[1024], text[2048];
	int n;

	(void)state;
	n = snprintf(more, sizeof(more),
	    "tls = required\n"
	    "[route name.test]\nvia = 127.0.0.2:%u\ntls = verified\n"
	    "[route good.test]\nvia = smart.test:%u\ntls = verified\n"
	    "[route self.test]\nvia = smart.test:%u\ntls = verified\n"
	    "helo = other.test\n",
	    smtp_port, smtp_port, smtp_port);
	a = agent_via_host("127.0.0.2", more);
	world.starttls = world.one_mail = true;
	for (int i = 0; i < 3; i++)
		assert_int_equal(carry(a, "any.test").verdict, V_OK);
	assert_int_equal(world.resumed, 2);
	/* The same server, and its certificate is not for this name. */
	v = carry(a, "name.test");
	assert_int_equal(v.verdict, V_TEMP);
	assert_non_null(strstr(v.text, "mismatch"));
	assert_int_equal(world.resumed, 2);
	/* The same with a name that it is for: looked at once. */
	assert_int_equal(carry(a, "good.test").verdict, V_OK);
	assert_int_equal(world.resumed, 2);
	assert_int_equal(carry(a, "good.test").verdict, V_OK);
	assert_int_equal(world.resumed, 3);
	/* Who says to be another one is. */
	assert_int_equal(carry(a, "self.test").verdict, V_OK);
	assert_int_equal(world.resumed, 3);
	/* Without the roots, nothing that they vouched for. */
	snprintf(text, sizeof(text),
	    CONF_HEAD "[dns]\nserver = 127.0.0.1@%u\n"
		      "[route *]\nvia = 127.0.0.2:%u\n%s\n",
	    dns_port, smtp_port, more);
	assert_in_range(n, 1, sizeof(more) - 1);
	m.u.conf.text = (struct bytes){ (uint8_t *)text, strlen(text) };
	assert_true(message_send(a->parent, &m, -1));
	m = (struct msg){ .type = MSG_START };
	assert_true(message_send(a->parent, &m, -1));
	/* The two channels are not in step. */
	for (int i = 0; i < 100; i++) {
		n = world.resumed;
		v = carry(a, "good.test");
		if (v.verdict != V_OK)
			break;
	}
	assert_int_equal(v.verdict, V_TEMP);
	assert_int_equal(world.resumed, n);
	agent_end(a);
}

/* A server that gives sessions and cannot go on with them is asked for none
 * any more, and its mail does not go in the clear for that. */
static void
sessions_that_break_are_left(void **state)
{
	struct agent *a = agent_via_mx("");

	(void)state;
	world.starttls = world.one_mail = true;
	assert_string_equal(carry(a, "plain.test").tls, "TLSv1.3");
	world.answer = "";
	world.once = true;
	world.on = "TLS";
	assert_string_equal(carry(a, "plain.test").tls, "TLSv1.3");
	assert_int_equal(world.connections, 3);
	for (int i = 0; i < 3; i++)
		assert_string_equal(carry(a, "plain.test").tls, "TLSv1.3");
	assert_int_equal(world.resumed, 0);
	assert_int_equal(world.connections, 6);
	agent_end(a);
}

static void
broken_tls_falls_back_once(void **state)
{
	struct agent *a = agent_via_mx("");
	struct msg_job_verdict v;

	(void)state;
	world.starttls = true;
	world.on = "TLS";
	world.answer = "";
	v = carry(a, "plain.test");
	assert_int_equal(v.verdict, V_OK);
	assert_string_equal(v.tls, "");
	assert_int_equal(world.connections, 2);
	agent_end(a);

	a = agent_via_mx("tls = required");
	world.starttls = true;
	world.on = "TLS";
	world.answer = "";
	v = carry(a, "plain.test");
	assert_int_equal(v.verdict, V_TEMP);
	assert_int_equal(v.scope, SCOPE_DEST);
	assert_int_equal(world.connections, 1);
	assert_int_equal(world.mails, 0);
	agent_end(a);
}

static void
certificate_is_verified(void **state)
{
	static const struct {
		const char *host, *tls;
		int verdict;
	} cases[] = {
		{ "smart.test", "verified", V_OK },
		{ "mx2.test", "verified", V_TEMP }, /* another name */
		{ "mx2.test", "required", V_OK },
		{ "127.0.0.2", "verified", V_TEMP },
		{ "smart.test", "implicit", V_OK },
		{ "mx2.test", "implicit", V_TEMP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct agent *a;
		struct msg_job_verdict v;
		char more[40];

		snprintf(more, sizeof(more), "tls = %s", cases[i].tls);
		a = agent_via_host(cases[i].host, more);
		world.implicit = strcmp(cases[i].tls, "implicit") == 0;
		world.starttls = !world.implicit;
		v = carry(a, "any.test");
		if ((int)v.verdict != cases[i].verdict)
			fail_msg(
			    "%s %s: %s", cases[i].host, cases[i].tls, v.text);
		assert_int_equal(world.mails, v.verdict == V_OK);
		agent_end(a);
	}
}

static void
answer_secret(struct agent *a, int verdict)
{
	struct pollfd p = { a->auth, POLLIN, 0 };
	struct msg m;
	uint64_t tag;

	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_true(message_recv(a->auth, P_DELIVER, P_AUTH, &m, a->buf, NULL));
	assert_int_equal(m.type, MSG_ROUTE_SECRET);
	assert_string_equal(m.u.route_secret.route, "*");
	tag = m.tag;
	m = (struct msg){ .type = MSG_ROUTE_SECRET_IS, .tag = tag };
	m.u.route_secret_is.verdict = (uint32_t)verdict;
	strcpy(m.u.route_secret_is.secret, "geheim");
	assert_true(message_send(a->auth, &m, -1));
}

static void
password_comes_from_auth(void **state)
{
	static const char more[] =
	    "tls = verified\nuser = u\npassword-file = /nowhere";
	struct agent *a = agent_via_host("smart.test", more);
	struct msg_job_verdict v;

	(void)state;
	world.starttls = true;
	send_job(a, "any.test", 1, -1, 0);
	answer_secret(a, V_OK);
	assert_int_equal(next_verdict(a).verdict, V_OK);
	assert_string_equal(world.auth, "AUTH PLAIN AHUAZ2VoZWlt");
	/* The connection is kept, the password is not asked for again. */
	assert_int_equal(carry(a, "any.test").verdict, V_OK);
	agent_end(a);

	a = agent_via_host("smart.test", more);
	world.starttls = true;
	send_job(a, "any.test", 1, -1, 0);
	answer_secret(a, V_TEMP);
	v = next_verdict(a);
	assert_int_equal(v.verdict, V_TEMP);
	assert_int_equal(v.scope, SCOPE_DEST);
	close(a->auth);
	assert_int_equal(carry(a, "any.test").verdict, V_TEMP);
	a->auth = send_peer(a->parent, P_AUTH);
	send_job(a, "any.test", 1, -1, 0);
	answer_secret(a, V_OK);
	assert_int_equal(next_verdict(a).verdict, V_OK);
	agent_end(a);
}

static void
stale_connection_is_replaced(void **state)
{
	struct agent *a = agent_via_mx("");

	(void)state;
	assert_int_equal(carry(a, "two.test").verdict, V_OK);
	world.on = "MAIL";
	world.answer = "close";
	world.once = 1;
	assert_int_equal(carry(a, "two.test").verdict, V_OK);
	world.on = "MAIL";
	world.answer = "421 4.4.2 too long";
	assert_int_equal(carry(a, "two.test").verdict, V_OK);
	assert_int_equal(world.mails, 3);
	agent_end(a);
}

/* A server that says no on a kept connection is not asked again at once. */
static void
kept_connection_counts_as_a_try(void **state)
{
	struct agent *a = agent_via_mx("");
	struct msg_job_verdict v;

	(void)state;
	assert_int_equal(carry(a, "plain.test").verdict, V_OK);
	world.on = "MAIL";
	world.answer = "451 4.3.0 later";
	world.once = 1;
	v = carry(a, "plain.test");
	assert_int_equal(v.verdict, V_TEMP);
	assert_int_equal(v.code, 451);
	assert_int_equal(v.scope, SCOPE_RCPT);
	assert_int_equal(world.connections, 1);
	agent_end(a);
}

static void
refusals_come_back(void **state)
{
	struct agent *a = agent_via_host("127.0.0.2", "");
	struct msg_job_verdict v;
	unsigned seen = 0;

	(void)state;
	world.on = "RCPT TO:<r1@";
	world.answer = "550-5.1.1 no such\r\n550 5.1.1 user";
	send_job(a, "any.test", 3, -1, 0);
	for (int i = 0; i < 2; i++) {
		v = next_verdict(a);
		assert_int_equal(v.last, i == 1);
		for (size_t k = 0; k < v.rcpts.len; k++)
			seen += 1u << (4 * v.rcpts.data[k]);
		if (v.verdict == V_PERM) {
			assert_int_equal(v.rcpts.len, 1);
			assert_int_equal(v.rcpts.data[0], 1);
			assert_string_equal(v.status, "5.1.1");
			assert_string_equal(v.text, "no such / user");
		}
	}
	assert_int_equal(seen, 0x111);
	world.on = "GREETING";
	world.answer = "554 5.7.1 go away";
	agent_end(a);
	a = agent_via_host("127.0.0.2", "");
	world.on = "GREETING";
	world.answer = "554 5.7.1 go away";
	v = carry(a, "any.test");
	/* Our own smarthost's trouble bounces nothing. */
	assert_int_equal(v.verdict, V_TEMP);
	assert_int_equal(v.code, 554);
	assert_string_equal(v.status, "4.7.1");
	agent_end(a);
	a = agent_via_mx("");
	world.on = "GREETING";
	world.answer = "554 5.7.1 go away";
	assert_int_equal(carry(a, "plain.test").verdict, V_PERM);
	agent_end(a);
}

static void
large_body_comes_through_whole(void **state)
{
	struct agent *a = agent_via_host("127.0.0.2", "");
	size_t size = 5000000, n = 0;
	char *body = malloc(size + 100);
	int fd = memfd_create("body", MFD_CLOEXEC);
	unsigned hash = 5381;

	(void)state;
	for (unsigned i = 0; n < size; i++)
		n += (size_t)sprintf(body + n, "%s%u%*s\r\n",
		    i % 7 == 0 ? "." : "", i, (int)(i % 900), "x");
	assert_int_equal(write(fd, body, n), n);
	for (size_t i = 0; i < n; i++)
		hash = hash * 33 + (unsigned char)body[i];
	world.delay_ms = 2;
	send_job(a, "any.test", 1, fd, n);
	assert_int_equal(next_verdict(a).verdict, V_OK);
	assert_int_equal(world.bytes, n);
	assert_int_equal(world.hash, hash);
	/* A file shorter than it should be is never sent as if it were whole. */
	world.mails = 0;
	send_job(a, "any.test", 1, fd, n + 10);
	assert_int_equal(next_verdict(a).verdict, V_TEMP);
	assert_int_equal(world.mails, 0);
	close(fd);
	free(body);
	agent_end(a);
}

static void
death_of_the_queue_ends_its_jobs(void **state)
{
	struct agent *a = agent_via_host("127.0.0.2", "");

	(void)state;
	world.on = "RCPT";
	world.answer = "hang";
	send_job(a, "any.test", 1, -1, 0);
	while (world.connections == 0)
		usleep(1000);
	close(a->queue);
	a->queue = send_peer(a->parent, P_QUEUE);
	world.on = NULL;
	assert_int_equal(carry(a, "any.test").verdict, V_OK);
	assert_int_equal(world.mails, 1);
	agent_end(a);
}

/* RFC 1047: the old queue died before it wrote down that these arrived. */
static void
what_arrived_is_not_sent_again(void **state)
{
	struct agent *a = agent_via_host("127.0.0.2", "");
	struct msg_job_verdict v;

	(void)state;
	world.on = "RCPT TO:<r1@";
	world.answer = "450 4.2.1 later";
	send_job(a, "any.test", 2, -1, 0);
	next_verdict(a);
	next_verdict(a);
	world.on = NULL;
	a->tags--;
	close(a->queue);
	a->queue = send_peer(a->parent, P_QUEUE);
	send_job(a, "any.test", 2, -1, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(next_verdict(a).verdict, V_OK);
	assert_int_equal(world.mails, 2);
	assert_string_equal(world.last_rcpt, "RCPT TO:<r1@any.test>");
	/* One that is under way is not begun a second time. */
	world.on = ".";
	world.answer = "hang";
	send_job(a, "any.test", 1, -1, 0);
	while (world.mails < 3)
		usleep(1000);
	usleep(20000);
	a->tags--;
	close(a->queue);
	a->queue = send_peer(a->parent, P_QUEUE);
	send_job(a, "any.test", 1, -1, 0);
	v = next_verdict(a);
	assert_int_equal(v.verdict, V_TEMP);
	assert_int_equal(v.scope, SCOPE_RCPT);
	assert_int_equal(world.mails, 3);
	kill(a->pid, SIGKILL);
	waitpid(a->pid, NULL, 0);
	close(a->parent);
	close(a->queue);
	close(a->auth);
	rmdir(a->directory);
	free(a);
}

static void
stop_defers_what_is_not_done(void **state)
{
	struct agent *a = agent_via_host("127.0.0.2", "");
	struct msg m = { .type = MSG_STOP };
	struct msg_job_verdict v;
	int status;

	(void)state;
	world.on = "GREETING";
	world.answer = "220-slowly";
	send_job(a, "any.test", 1, -1, 0);
	while (world.connections == 0)
		usleep(1000);
	assert_true(message_send(a->parent, &m, -1));
	v = next_verdict(a);
	assert_int_equal(v.verdict, V_TEMP);
	assert_string_equal(v.status, "4.3.2");
	assert_int_equal(waitpid(a->pid, &status, 0), a->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(a->parent);
	close(a->queue);
	close(a->auth);
	rmdir(a->directory);
	free(a);
}

static void
reload_changes_the_route(void **state)
{
	struct agent *a = agent_via_host("127.0.0.3", "");
	struct msg m = { .type = MSG_CONF };
	char text[400];

	(void)state;
	assert_int_equal(carry(a, "two.test").verdict, V_TEMP);
	snprintf(text, sizeof(text),
	    CONF_HEAD "[dns]\nserver = 127.0.0.1@%u\n"
		      "[route *]\nvia = mx:%u\n",
	    dns_port, smtp_port);
	m.u.conf.text = (struct bytes){ (uint8_t *)text, strlen(text) };
	assert_true(message_send(a->parent, &m, -1));
	m = (struct msg){ .type = MSG_START };
	assert_true(message_send(a->parent, &m, -1));
	/* The two channels are not in step. */
	for (int i = 0; i < 100; i++)
		if (carry(a, "two.test").verdict == V_OK)
			break;
	assert_int_equal(world.mails, 1);
	agent_end(a);
}

/* A message for two domains, as one errand. */
static void
send_two(struct agent *a, const char *one, const char *two)
{
	static const char body[] = "Subject: x\r\n\r\n.hello\r\n";
	struct msg m = { .type = MSG_JOB, .tag = 1 };
	struct part_item p = { .tag = 2, .n = 1, .attempt = 1, .nrcpts = 1 };
	uint8_t rcpts[600], parts[PART_ITEM_MAX + 2], item[PART_ITEM_MAX];
	struct msg_job *j = &m.u.job;
	char address[300];

	snprintf(j->domain, sizeof(j->domain), "%s", one);
	snprintf(p.domain, sizeof(p.domain), "%s", two);
	snprintf(address, sizeof(address), "a@%s", one);
	j->rcpts.len =
	    list_add(rcpts, sizeof(rcpts), 0, address, strlen(address));
	snprintf(address, sizeof(address), "b@%s", two);
	j->rcpts.len = list_add(
	    rcpts, sizeof(rcpts), j->rcpts.len, address, strlen(address));
	j->parts.len =
	    list_add(parts, sizeof(parts), 0, item, part_pack(&p, item));
	j->rcpts.data = rcpts;
	j->parts.data = parts;
	strcpy(j->sender, "a@example.org");
	j->body = (struct bytes){ (const uint8_t *)body, sizeof(body) - 1 };
	j->size = sizeof(body) - 1;
	assert_true(message_send(a->queue, &m, -1));
}

static void
parts_share_a_transaction(void **state)
{
	struct agent *a = agent_via_host("127.0.0.2", "");

	(void)state;
	send_two(a, "two.test", "plain.test");
	for (int i = 0; i < 2; i++)
		assert_int_equal(next_verdict(a).verdict, V_OK);
	assert_int_equal(world.mails, 1);
	agent_end(a);
}

/* A route that changes under them: nobody's mail goes another's way. */
static void
parts_go_one_way_only(void **state)
{
	struct agent *a = agent_via_mx("");
	struct msg_job_verdict v[2];
	int two;

	(void)state;
	send_two(a, "two.test", "plain.test");
	for (int i = 0; i < 2; i++)
		v[i] = next_verdict(a);
	two = v[0].verdict == V_OK;
	assert_int_equal(v[!two].verdict, V_OK);
	assert_int_equal(v[two].verdict, V_TEMP);
	assert_string_equal(v[two].status, "4.3.2");
	assert_int_equal(world.mails, 1);
	agent_end(a);
}

/* What a connection was made by, certificate authorities too, may not hold any
 * more. */
static void
reload_ends_connections(void **state)
{
	struct agent *a = agent_via_host("127.0.0.2", "");
	struct msg m = { .type = MSG_CONF };
	char text[400];

	(void)state;
	assert_int_equal(carry(a, "any.test").verdict, V_OK);
	assert_int_equal(carry(a, "any.test").verdict, V_OK);
	assert_int_equal(world.connections, 1);
	snprintf(text, sizeof(text),
	    CONF_HEAD "[dns]\nserver = 127.0.0.1@%u\n"
		      "[route *]\nvia = 127.0.0.2:%u\n",
	    dns_port, smtp_port);
	m.u.conf.text = (struct bytes){ (uint8_t *)text, strlen(text) };
	assert_true(message_send(a->parent, &m, -1));
	m = (struct msg){ .type = MSG_START };
	assert_true(message_send(a->parent, &m, -1));
	/* The two channels are not in step; soon there is a new one. */
	for (int i = 0; i < 100 && world.connections == 1; i++)
		assert_int_equal(carry(a, "any.test").verdict, V_OK);
	assert_int_equal(world.connections, 2);
	agent_end(a);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_share_a_transaction),
		cmocka_unit_test(parts_go_one_way_only),
		cmocka_unit_test(connections_are_reused),
		cmocka_unit_test(connection_is_renewed_after_a_hundred),
		cmocka_unit_test(dns_decides),
		cmocka_unit_test(smarthost_that_is_not_there_only_defers),
		cmocka_unit_test(tls_is_used_where_it_is),
		cmocka_unit_test(sessions_are_resumed),
		cmocka_unit_test(sessions_keep_their_proof),
		cmocka_unit_test(sessions_that_break_are_left),
		cmocka_unit_test(broken_tls_falls_back_once),
		cmocka_unit_test(certificate_is_verified),
		cmocka_unit_test(password_comes_from_auth),
		cmocka_unit_test(stale_connection_is_replaced),
		cmocka_unit_test(kept_connection_counts_as_a_try),
		cmocka_unit_test(refusals_come_back),
		cmocka_unit_test(large_body_comes_through_whole),
		cmocka_unit_test(death_of_the_queue_ends_its_jobs),
		cmocka_unit_test(what_arrived_is_not_sent_again),
		cmocka_unit_test(stop_defers_what_is_not_done),
		cmocka_unit_test(reload_changes_the_route),
		cmocka_unit_test(reload_ends_connections),
	};
	char self[PATH_MAX];

	(void)argc;
	signal(SIGPIPE, SIG_IGN);
	/* build/tests/unit/this -> build/postern-deliver */
	if (realpath(argv[0], self) == NULL)
		return 1;
	snprintf(program, sizeof(program), "%s/postern-deliver",
	    dirname(dirname(dirname(self))));
	return cmocka_run_group_tests(tests, set_up_world, NULL);
}
