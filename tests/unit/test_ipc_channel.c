/*
 * Two ends of a channel in one loop: order, descriptors, back-pressure, death,
 * and a neighbour that breaks the protocol.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/channel.h"
#include "lib/log.h"

static struct channel smtpd, queue;
static uint64_t tags[4096];
static int ntags, gone_count, last_fd;
static int stop_after;

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	(void)c;
	if (ntags < 4096)
		tags[ntags] = m->tag;
	ntags++;
	if (fd != -1)
		last_fd = fd;
	if (ntags == stop_after)
		loop_stop();
}

static void
on_gone(struct channel *c)
{
	(void)c;
	gone_count++;
	loop_stop();
}

static void
on_late(void *arg)
{
	(void)arg;
	loop_stop();
}

static void
run_for(int ms)
{
	struct timer t;

	timer_init(&t, on_late, NULL);
	timer_set(&t, ms);
	loop_run();
	timer_clear(&t);
}

static int
set_up(void **state)
{
	int fds[2];

	(void)state;
	ntags = gone_count = stop_after = 0;
	last_fd = -1;
	assert_int_equal(message_pair(fds), 0);
	channel_open(
	    &smtpd, fds[0], P_SMTPD, P_QUEUE, 0, on_message, on_gone, NULL);
	channel_open(
	    &queue, fds[1], P_QUEUE, P_SMTPD, 0, on_message, on_gone, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	channel_close(&smtpd);
	channel_close(&queue);
	return 0;
}

static void
test_order_and_batches(void **state)
{
	struct msg m = { .type = MSG_TX_ABORT };

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		m.tag = i;
		assert_true(channel_send(&smtpd, &m, -1));
	}
	stop_after = 1000;
	run_for(5000);
	assert_int_equal(ntags, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(tags[i], i);
	assert_int_equal(channel_backlog(&smtpd), 0);
}

static struct {
	struct watch watches[2];
	int peer; /* the other end, read by hand */
	int ran;
	bool arrived;
} turn;

/* Of the two callbacks of a turn the first sends, the second looks. */
static void
on_turn(void *arg, short events)
{
	static uint8_t body[BODY_INLINE];
	struct msg m = { .type = MSG_TX_COMMIT };
	uint8_t octet;

	(void)arg, (void)events;
	if (turn.ran++ == 0) {
		m.u.tx_commit.body = (struct bytes){ body, sizeof(body) };
		assert_true(channel_send(&smtpd, &m, -1));
		return;
	}
	turn.arrived = recv(turn.peer, &octet, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
	loop_stop();
}

static bool
arrives_within_the_turn(bool eager)
{
	int fds[2], ready[2];

	assert_int_equal(message_pair(fds), 0);
	channel_open(
	    &smtpd, fds[0], P_SMTPD, P_QUEUE, 0, on_message, on_gone, NULL);
	smtpd.eager = eager;
	turn.peer = fds[1];
	turn.ran = 0;
	assert_int_equal(pipe(ready), 0);
	close(ready[1]); /* readable: its end is */
	for (int i = 0; i < 2; i++) {
		watch_init(&turn.watches[i], dup(ready[0]), on_turn, NULL);
		watch_set(&turn.watches[i], LOOP_READ);
	}
	loop_run();
	for (int i = 0; i < 2; i++) {
		watch_set(&turn.watches[i], 0);
		close(event_get_fd(&turn.watches[i].ev));
	}
	close(ready[0]);
	close(turn.peer);
	channel_close(&smtpd);
	return turn.arrived;
}

static void
test_much_leaves_early_where_it_may(void **state)
{
	(void)state;
	assert_true(arrives_within_the_turn(true));
	assert_false(arrives_within_the_turn(false));
}

/* Descriptors wait as well, and are bounded by the same number. */
static void
test_descriptors_have_weight(void **state)
{
	struct msg m = { .type = MSG_TX_FILE_LENT };
	size_t before = channel_backlog(&queue);

	(void)state;
	assert_true(channel_send(&queue, &m, -1));
	assert_true(channel_backlog(&queue) - before < 1024);
	assert_true(channel_send(&queue, &m, 0));
	assert_true(channel_backlog(&queue) - before > 32 * 1024);
	channel_flush(&queue);
	assert_int_equal(channel_backlog(&queue), 0);
}

static void
test_a_reader_that_is_slow(void **state)
{
	struct msg m = { .type = MSG_TX_COMMIT };
	static uint8_t body[BODY_INLINE];

	(void)state;
	m.u.tx_commit.body = (struct bytes){ body, sizeof(body) };
	/* Far more than the socket holds, before the peer reads once. */
	for (uint64_t i = 0; i < 500; i++) {
		m.tag = i;
		assert_true(channel_send(&smtpd, &m, -1));
	}
	channel_flush(&smtpd);
	assert_true(channel_backlog(&smtpd) > 0);
	stop_after = 500;
	run_for(5000);
	assert_int_equal(ntags, 500);
	assert_int_equal(tags[499], 499);
}

static void
test_descriptor_rides_along(void **state)
{
	struct msg m = { .type = MSG_TX_FILE_LENT };
	int p[2];
	char c = 0;

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_true(channel_send(&queue, &m, p[1]));
	close(p[1]);
	stop_after = 1;
	run_for(5000);
	assert_true(last_fd != -1);
	assert_int_equal(write(last_fd, "x", 1), 1);
	assert_int_equal(read(p[0], &c, 1), 1);
	assert_int_equal(c, 'x');
	close(last_fd);
	close(p[0]);
}

static void
test_death_is_told_once(void **state)
{
	struct msg m = { .type = MSG_TX_ABORT };

	(void)state;
	channel_close(&queue);
	run_for(5000);
	assert_int_equal(gone_count, 1);
	assert_false(channel_up(&smtpd));
	assert_false(channel_send(&smtpd, &m, -1));
	/* Nor is there anything to flush, and nothing to watch. */
	channel_flush(&smtpd);
	run_for(10);
	assert_int_equal(gone_count, 1);
}

static void
test_pending_words_arrive_before_the_end(void **state)
{
	struct msg m = { .type = MSG_TX_ABORT };

	(void)state;
	channel_send(&smtpd, &m, -1);
	channel_flush(&smtpd);
	channel_close(&smtpd);
	run_for(5000);
	assert_int_equal(ntags, 1);
	assert_int_equal(gone_count, 1);
}

/* An owner that goes with its channel, as the operator's commands do. */
struct owner {
	struct channel channel;
	bool hangs_up; /* at the first word */
};

static void
on_owner_gone(struct channel *c)
{
	gone_count++;
	free(c->arg);
}

static void
on_owner_message(struct channel *c, const struct msg *m, int fd)
{
	struct owner *o = c->arg;

	(void)m, (void)fd;
	ntags++;
	if (o->hangs_up) {
		channel_close(c);
		free(o);
	}
}

/* One whose other end is returned. */
static int
owner_new(bool hangs_up, struct owner **o)
{
	int fds[2];

	assert_int_equal(message_pair(fds), 0);
	*o = calloc(1, sizeof(**o));
	assert_non_null(*o);
	(*o)->hangs_up = hangs_up;
	channel_open(&(*o)->channel, fds[0], P_QUEUE, P_CTL, 0,
	    on_owner_message, on_owner_gone, *o);
	return fds[1];
}

/* What a pointer to freed memory does, the sanitizers tell. */
static void
test_an_owner_may_go_with_its_channel(void **state)
{
	struct msg m = { .type = MSG_QUEUE_CMD };
	struct msg row = { .type = MSG_QUEUE_ROW };
	struct owner *o;
	int other;

	(void)state;
	ntags = gone_count = stop_after = 0;
	/* In the middle of its messages. */
	other = owner_new(true, &o);
	for (int i = 0; i < 3; i++)
		assert_true(message_send(other, &m, -1));
	run_for(50);
	assert_int_equal(ntags, 1);
	close(other);
	/* When the peer dies, in reading. */
	close(owner_new(false, &o));
	run_for(50);
	assert_int_equal(gone_count, 1);
	/* And in writing what did not fit at first. */
	other = owner_new(false, &o);
	for (int i = 0; i < 20000; i++)
		channel_send(&o->channel, &row, -1);
	channel_flush(&o->channel);
	assert_true(channel_backlog(&o->channel) > 0);
	close(other);
	run_for(50);
	assert_int_equal(gone_count, 2);
	/* After a breach. */
	other = owner_new(false, &o);
	assert_int_equal(send(other, "garbage", 7, 0), 7);
	run_for(50);
	assert_int_equal(gone_count, 3);
	close(other);
}

/* What a process with this peer does on a bad record: its status. */
static int
status_after(
    enum process self, enum process peer, const void *rec, size_t n, int fd)
{
	struct iovec iov = { (void *)(uintptr_t)rec, n };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	int fds[2], status;
	pid_t pid;

	assert_int_equal(message_pair(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		dup2(open("/dev/null", 1), 2);
		channel_open(
		    &smtpd, fds[0], self, peer, 0, on_message, on_gone, NULL);
		gone_count = 0;
		run_for(5000);
		_exit(gone_count == 1 ? 0 : 42);
	}
	close(fds[0]);
	if (fd != -1) {
		struct cmsghdr *cm;

		mh.msg_control = &control;
		mh.msg_controllen = sizeof(control);
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &fd, sizeof(int));
	}
	assert_int_equal(sendmsg(fds[1], &mh, 0), n);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fds[1]);
	return WEXITSTATUS(status);
}

static void
test_breaches_end_the_process(void **state)
{
	static uint8_t rec[MSG_MAX];
	struct msg m = { .type = MSG_TX_RESULT };
	size_t n;

	(void)state;
	/* The queue's own answer, said by an smtpd. */
	n = msg_encode(&m, rec, sizeof(rec));
	assert_int_equal(status_after(P_QUEUE, P_SMTPD, rec, n, -1), 1);
	assert_int_equal(status_after(P_QUEUE, P_SMTPD, "garbage", 7, -1), 1);
	/* A descriptor where none belongs. */
	m.type = MSG_TX_ABORT;
	n = msg_encode(&m, rec, sizeof(rec));
	assert_int_equal(status_after(P_QUEUE, P_SMTPD, rec, n, 0), 1);
	/* An operator's command only loses its connection. */
	assert_int_equal(status_after(P_QUEUE, P_CTL, "garbage", 7, -1), 0);
	/* And no child ends the parent, or there was no server any more. */
	assert_int_equal(status_after(P_PARENT, P_SMTPD, "garbage", 7, -1), 0);
	assert_int_equal(status_after(P_PARENT, P_SMTPD, rec, n, -1), 0);
}

static void
answer_at_length(struct channel *c, const struct msg *m, int fd)
{
	static char mx[DOMAIN_MX_SIZE];
	struct msg answer = { .type = MSG_DOMAIN_IS, .tag = m->tag };

	(void)fd;
	memset(mx, 'm', sizeof(mx) - 1);
	memcpy(answer.u.domain.sts_mx, mx, sizeof(mx));
	channel_send(c, &answer, -1);
}

static void
silent(struct channel *c)
{
	(void)c;
	_exit(0);
}

/* Whoever asks on and never reads would have us keep all answers. */
static void
test_who_never_reads_is_no_neighbour(void **state)
{
	struct msg m = { .type = MSG_DOMAIN_GET };
	int fds[2], status, asked = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(message_pair(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		dup2(open("/dev/null", 1), 2);
		channel_open(&queue, fds[0], P_QUEUE, P_DELIVER, 0,
		    answer_at_length, silent, NULL);
		run_for(60000);
		_exit(42);
	}
	close(fds[0]);
	while (asked < 50000 && message_send(fds[1], &m, -1))
		asked++;
	assert_true(asked > 10000 && asked < 50000);
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_order_and_batches, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_descriptors_have_weight, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_a_reader_that_is_slow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_descriptor_rides_along, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_death_is_told_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_pending_words_arrive_before_the_end, set_up,
		    tear_down),
		cmocka_unit_test(test_much_leaves_early_where_it_may),
		cmocka_unit_test(test_an_owner_may_go_with_its_channel),
		cmocka_unit_test(test_breaches_end_the_process),
		cmocka_unit_test(test_who_never_reads_is_no_neighbour),
	};

	log_open("test");
	loop_init();
	return cmocka_run_group_tests_name("ipc_channel", tests, NULL, NULL);
}
