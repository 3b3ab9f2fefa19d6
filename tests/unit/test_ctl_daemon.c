/* The line to a running server; the test plays the server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/daemon.h"
#include "ipc/channel.h"
#include "lib/code.h"

static char dir[] = "/tmp/postern-ctl-XXXXXX";
static struct conf conf;
static struct settings settings = { .conf = &conf };
static int listener;
static pid_t server;
static uint8_t buffer[MSG_MAX];

static int
set_up(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	(void)state;
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/control", dir);
	listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	return bind(listener, (struct sockaddr *)&un, sizeof(un)) == -1 ||
	    listen(listener, 4) == -1;
}

static int
tear_down(void **state)
{
	char path[200];

	(void)state;
	close(listener);
	snprintf(path, sizeof(path), "%s/control", dir);
	unlink(path);
	return 0;
}

/* Another process that takes one connection and answers it so. */
static void
serve(void (*answer)(int fd))
{
	fflush(NULL);
	server = fork();
	assert_int_not_equal(server, -1);
	if (server == 0) {
		alarm(20);
		answer(accept(listener, NULL, NULL));
		_exit(0);
	}
}

static void
served(void)
{
	int status;

	assert_int_equal(waitpid(server, &status, 0), server);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
need(bool ok)
{
	if (!ok)
		_exit(1);
}

/* Hear which service is wanted, and let them in. */
static void
let_in(int fd, enum service want, uint32_t code)
{
	struct msg m;

	need(message_recv(fd, P_CTL, P_PARENT, &m, buffer, NULL));
	need(m.type == MSG_CTL_OPEN && m.u.ctl_open.service == want);
	need(m.u.ctl_open.version == msg_version());
	memset(&m, 0, sizeof(m));
	m.type = MSG_CTL_OPENED;
	m.u.ctl_opened.exit_code = code;
	snprintf(m.u.ctl_opened.text, sizeof(m.u.ctl_opened.text), "no\033");
	need(message_send(fd, &m, -1));
}

static void
send_row(int fd, uint64_t tag, uint64_t id)
{
	struct msg m = { .type = MSG_QUEUE_ROW, .tag = tag };

	m.u.queue_row.id = id;
	need(message_send(fd, &m, -1));
}

static uint64_t
hear(int fd)
{
	struct msg m;

	need(message_recv(fd, P_CTL, P_QUEUE, &m, buffer, NULL));
	need(m.type == MSG_QUEUE_CMD && m.u.queue_cmd.verb == QUEUE_LIST);
	return m.tag;
}

static void
send_done(int fd, uint64_t tag, uint32_t code)
{
	struct msg m = { .type = MSG_CMD_DONE, .tag = tag };

	m.u.cmd_done.exit_code = code;
	m.u.cmd_done.count = 7;
	snprintf(m.u.cmd_done.text, sizeof(m.u.cmd_done.text), "so it is");
	need(message_send(fd, &m, -1));
}

static void
two_questions(int fd)
{
	struct msg opened = { .type = MSG_CTL_OPENED };
	uint64_t first, tag;

	let_in(fd, SERVICE_QUEUE, 0);
	/* Both the parent and the service may greet. */
	need(message_send(fd, &opened, -1));
	first = tag = hear(fd);
	for (uint64_t id = 1; id <= 300; id++)
		send_row(fd, tag, id);
	send_done(fd, tag, 0);
	tag = hear(fd);
	need(tag != first);
	send_done(fd, tag, 5);
}

static void
hangs_up(int fd)
{
	uint64_t tag;

	let_in(fd, SERVICE_QUEUE, 0);
	tag = hear(fd);
	send_row(fd, tag, 1);
}

static void
refuses(int fd)
{
	let_in(fd, SERVICE_QUEUE, 4);
}

static void
says_nothing(int fd)
{
	close(fd);
}

/* What no server may say to a command. */
static void
talks_nonsense(int fd)
{
	struct msg m = { .type = MSG_STOP };

	let_in(fd, SERVICE_QUEUE, 0);
	hear(fd);
	need(message_send(fd, &m, -1));
	sleep(1);
}

static void
answers_another(int fd)
{
	let_in(fd, SERVICE_QUEUE, 0);
	send_done(fd, hear(fd) + 1, 0);
	sleep(1);
}

static void
sum(void *arg, const struct msg *m)
{
	assert_int_equal(m->type, MSG_QUEUE_ROW);
	*(uint64_t *)arg += m->u.queue_row.id;
}

static int
ask(struct daemon *d, uint64_t *total, struct msg_cmd_done *done)
{
	struct msg m = { .type = MSG_QUEUE_CMD };

	m.u.queue_cmd.verb = QUEUE_LIST;
	return daemon_ask(d, &m, sum, total, done);
}

static void
rows_and_results(void **state)
{
	struct msg_cmd_done done;
	uint64_t total = 0;
	struct daemon d;

	(void)state;
	serve(two_questions);
	assert_int_equal(daemon_open(&d, &settings, SERVICE_QUEUE), CODE_OK);
	assert_int_equal(ask(&d, &total, &done), CODE_OK);
	assert_int_equal(total, 300 * 301 / 2);
	assert_int_equal(done.count, 7);
	assert_int_equal(daemon_settle(&done), CODE_OK);
	assert_int_equal(ask(&d, &total, &done), CODE_OK);
	assert_int_equal(daemon_settle(&done), CODE_MISSING);
	daemon_close(&d);
	served();
}

static void
server_dies(void **state)
{
	static void (*const ways[])(
	    int) = { hangs_up, talks_nonsense, answers_another };
	struct msg_cmd_done done;
	uint64_t total;
	struct daemon d;

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		total = 0;
		serve(ways[i]);
		assert_int_equal(
		    daemon_open(&d, &settings, SERVICE_QUEUE), CODE_OK);
		assert_int_equal(ask(&d, &total, &done), CODE_TEMP);
		daemon_close(&d);
		served();
	}
}

static void
not_let_in(void **state)
{
	struct daemon d;

	(void)state;
	serve(refuses);
	assert_int_equal(
	    daemon_open(&d, &settings, SERVICE_QUEUE), CODE_DENIED);
	daemon_close(&d);
	served();
	serve(says_nothing);
	assert_int_equal(daemon_open(&d, &settings, SERVICE_QUEUE), CODE_TEMP);
	daemon_close(&d);
	served();
}

static void
nobody_there(void **state)
{
	struct daemon d;

	/* A socket that nobody listens on any more, then none at all. */
	close(listener);
	assert_int_equal(daemon_open(&d, &settings, SERVICE_PARENT), CODE_DOWN);
	daemon_close(&d);
	assert_false(daemon_running(&settings));
	tear_down(state);
	assert_int_equal(daemon_open(&d, &settings, SERVICE_PARENT), CODE_DOWN);
	daemon_close(&d);
	/* Without a server and without a state, accounts have no keeper. */
	assert_int_equal(daemon_open_auth(&d, &settings), CODE_CONF);
	daemon_close(&d);
}

static void
path_too_long(void **state)
{
	struct conf *c = calloc(1, sizeof(*c));
	const struct settings s = { .conf = c };
	struct daemon d;

	(void)state;
	memset(c->run, 'x', 200);
	assert_int_equal(daemon_open(&d, &s, SERVICE_PARENT), CODE_TEMP);
	daemon_close(&d);
	free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    rows_and_results, set_up, tear_down),
		cmocka_unit_test_setup_teardown(server_dies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(not_let_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    nobody_there, set_up, tear_down),
		cmocka_unit_test(path_too_long),
	};
	int failed;

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(conf.run, sizeof(conf.run), "%s", dir);
	snprintf(conf.state, sizeof(conf.state), "%s/none", dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
