/*
 * Say anything to a session while its neighbours answer anything, and see
 * that promises hold: nothing of a stranger reaches the queue, nothing is
 * acknowledged that was not stored, no lone CR or LF is passed on, and how the
 * octets arrive makes no difference.
 *
 * The first octet says how to begin; then come octets of the client, and
 * behind each 0xff one that does something else, see act().
 */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ipc/rcpt.h"
#include "lib/log.h"
#include "mail/address.h"
#include "smtpd/line.h"
#include "smtpd/owed.h"
#include "smtpd/session.h"
#include "smtpd/transaction.h"

#define ID      77
#define CHUNK   32768
#define LIMIT   100000 /* octets of a message */
#define ACCOUNT "alice@example.org"
#define DUE     64

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
void __sanitizer_set_report_fd(void *) __attribute__((weak));

static struct conf conf;
static struct surroundings world;
static struct session session;
static struct buf in, out, said;
static enum msg_type due[DUE];
static int ndue;
static bool manual, down_auth, down_queue, acted;
/* What the neighbours know. */
static int lent = -1; /* the queue's own descriptor of it */
static bool logged_in, secured, sender_ok, submit_ok, queue_holds;
static bool suspended; /* is what auth says */
static unsigned rcpts_ahead, stored, acknowledged;

static unsigned
count_rcpts(struct bytes list)
{
	struct bytes item;
	struct rcpt_item r;
	struct address a;
	unsigned n = 0;
	size_t count;

	assert(list_valid(list, RCPT_ITEM_MAX, &count));
	while (list_next(&list, &item)) {
		assert(rcpt_unpack(&r, item));
		assert(address_parse(&a, r.address, strlen(r.address)));
		n++;
	}
	assert(n == count);
	return n;
}

static int
lend(void)
{
	int fd = memfd_create("body", MFD_CLOEXEC);

	if (lent != -1)
		close(lent);
	lent = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	assert(fd != -1 && lent != -1);
	return fd;
}

static void
check_text(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert(p[i] != '\0');
		assert(p[i] != '\n' || (i > 0 && p[i - 1] == '\r'));
		assert(p[i] != '\r' || (i + 1 < n && p[i + 1] == '\n'));
	}
}

static void
check_commit(const struct msg_tx_commit *c)
{
	unsigned n = count_rcpts(c->rcpts) + rcpts_ahead;

	assert(strcmp(c->account, ACCOUNT) == 0 && c->tls[0] != '\0');
	assert(sender_ok && submit_ok);
	assert(n >= 1 && n <= conf.recipients);
	assert(c->size > 0 && c->size <= conf.message_size);
	if (c->flags & TX_IN_FILE) {
		assert(queue_holds && c->body.len == 0);
		/* Whole, and ours is the only descriptor that is left. */
		assert((uint64_t)lseek(lent, 0, SEEK_END) == c->size);
		assert(session.tx->fd == -1);
	} else {
		assert(c->body.len == c->size);
		/* Behind a header of lines there may be anything. */
		if (!(c->flags & TX_BINARY))
			check_text(c->body.data, c->body.len);
	}
	rcpts_ahead = 0;
	queue_holds = submit_ok = sender_ok = false;
}

static int64_t
wall_ms(void)
{
	return INT64_C(1795291200000);
}

static bool
send_request(const struct msg *m)
{
	static uint8_t record[MSG_MAX];
	struct msg copy;
	size_t n = msg_encode(m, record, sizeof(record));

	assert(n > 0 && msg_decode(&copy, record, n) && copy.tag == ID);
	if (msg_allowed(m->type, P_SMTPD, P_AUTH) ? down_auth : down_queue)
		return false;
	assert(secured);
	switch (copy.type) {
	case MSG_AUTH_CHECK:
		assert(!logged_in && copy.u.auth_check.user[0] != '\0');
		break;
	case MSG_SENDER_CHECK:
		assert(strcmp(copy.u.sender_check.account, ACCOUNT) == 0);
		break;
	case MSG_SUBMIT_CHECK:
		assert(sender_ok && copy.u.submit_check.rcpts > 0);
		assert(count_rcpts(copy.u.submit_check.authors) > 0);
		break;
	case MSG_PERMIT_RETURN:
		assert(copy.u.permit_return.account[0] != '\0');
		break;
	case MSG_TX_RCPTS:
		rcpts_ahead += count_rcpts(copy.u.tx_rcpts.rcpts);
		queue_holds = true;
		break;
	case MSG_TX_FILE:
		queue_holds = true;
		break;
	case MSG_TX_COMMIT:
		check_commit(&copy.u.tx_commit);
		break;
	default:
		assert(copy.type == MSG_TX_ABORT && queue_holds);
		queue_holds = false;
		rcpts_ahead = 0;
		break;
	}
	assert(logged_in || copy.type == MSG_AUTH_CHECK);
	if (msg_answer_to(m->type) != MSG_NONE) {
		assert(ndue < DUE);
		due[ndue++] = msg_answer_to(m->type);
	}
	return true;
}

/* Everything that was said is in the form of replies, and true. */
static void
check_replies(void)
{
	const char *p = buf_data(&out), *end;
	size_t n;

	assert(out.len < 65536);
	while (out.len > 0) {
		end = memmem(p, out.len, "\r\n", 2);
		assert(end != NULL);
		n = (size_t)(end - p);
		assert(n >= 4 && n <= 510 && p[0] >= '2' && p[0] <= '5');
		assert(p[3] == ' ' || p[3] == '-');
		for (size_t i = 0; i < n; i++)
			assert(p[i] >= ' ' && p[i] <= '~');
		if (strncmp(p, "250 2.0.0 queued as ", 20) == 0)
			acknowledged++;
		if (strncmp(p, "354", 3) == 0)
			assert(logged_in && sender_ok);
		buf_add(&said, p, n + 2);
		buf_consume(&out, n + 2);
		p = end + 2;
	}
	assert(acknowledged == stored);
}

static void
check_state(void)
{
	enum wants w = session_wants(&session);

	check_replies();
	assert(session.account[0] == '\0' || logged_in);
	if (w == WANTS_INPUT && session.state != ST_BODY)
		assert(in.len <= LINE_MOST + 2);
	if (w == WANTS_INPUT && session.state == ST_BODY)
		assert(in.len == 0);
}

static void
feed(void)
{
	size_t used;

	for (;;) {
		used = session_input(&session, buf_data(&in), in.len);
		assert(used <= in.len);
		buf_consume(&in, used);
		check_replies();
		if (used > 0)
			continue;
		if (session.until_ms == 0)
			break;
		/* Made to wait for its errors. */
		assert(session_wants(&session) == WANTS_NOTHING);
		assert(session_deadline(&session) == session.until_ms);
		world.now_ms = session.until_ms;
		session_timeout(&session);
	}
	check_state();
}

static void
answer(enum msg_type type, enum verdict v)
{
	struct msg m;
	int fd = -1;

	no_answer(&m, type);
	m.tag = ID;
	switch (type) {
	case MSG_AUTH_RESULT:
		m.u.auth_result.verdict = v;
		if (suspended) {
			m.u.auth_result.code = 525;
			strcpy(m.u.auth_result.status, "5.7.13");
			strcpy(m.u.auth_result.text, "suspended");
		}
		if (v != V_OK)
			break;
		strcpy(m.u.auth_result.account, ACCOUNT);
		logged_in = true;
		break;
	case MSG_ALLOWED:
		m.u.allowed.verdict = v;
		if (session.state == ST_BODY)
			submit_ok = v == V_OK;
		else
			sender_ok = v == V_OK;
		break;
	case MSG_TX_FILE_LENT:
		m.u.tx_file_lent.verdict = v;
		if (v == V_OK)
			fd = lend();
		break;
	default:
		m.u.tx_result.verdict = v;
		m.u.tx_result.id = 1;
		if (v == V_OK && session.state == ST_BODY)
			stored++;
		break;
	}
	session_answer(&session, &m, fd);
	feed();
}

static void
answer_first(enum verdict v)
{
	enum msg_type type = due[0];

	if (ndue == 0)
		return;
	memmove(due, due + 1, sizeof(*due) * (size_t)--ndue);
	answer(type, v);
}

static void
hear(const char *p, size_t n)
{
	size_t most;

	while (n > 0) {
		/* The socket's buffer is bounded; what waits stays there. */
		most = in.len < CHUNK ? CHUNK - in.len : 0;
		if (most == 0)
			return;
		if (most > n)
			most = n;
		buf_add(&in, p, most);
		feed();
		while (!manual && ndue > 0)
			answer_first(V_OK);
		p += most;
		n -= most;
	}
}

static void
lose(enum process who)
{
	int kept = 0;

	for (int i = 0; i < ndue; i++)
		if (!msg_allowed(due[i], who, P_SMTPD))
			due[kept++] = due[i];
	ndue = kept;
	if (who == P_AUTH)
		down_auth = true;
	else {
		down_queue = true;
		world.queue_up = queue_holds = false;
		rcpts_ahead = 0;
	}
	session_bereaved(&session, who);
	feed();
}

static void
secure(void)
{
	if (session_wants(&session) != WANTS_TLS)
		return;
	buf_consume(&in, in.len); /* the server would hang up */
	secured = true;
	session_secured(&session, "TLSv1.3");
	feed();
}

/* What happens besides the client's octets. */
static void
act(uint8_t what)
{
	acted = true;
	switch (what) {
	case 's':
		secure();
		break;
	case 'm':
		manual = true;
		break;
	case 'o':
		answer_first(V_OK);
		break;
	case 't':
		answer_first(V_TEMP);
		break;
	case 'p':
		answer_first(V_PERM);
		break;
	case 'u':
		suspended = true;
		answer_first(V_PERM);
		suspended = false;
		break;
	case 'a':
		lose(P_AUTH);
		break;
	case 'q':
		lose(P_QUEUE);
		break;
	case 'A':
		down_auth = false;
		break;
	case 'Q':
		down_queue = false;
		world.queue_up = true;
		break;
	case 'f':
		world.accepting = !world.accepting;
		break;
	case 'w':
		world.now_ms += 10000;
		break;
	case 'W':
		world.now_ms = session_deadline(&session);
		session_timeout(&session);
		feed();
		break;
	case 'b':
		session_part(&session, PART_BARRED);
		feed();
		break;
	case 'S':
		session_part(&session, PART_STOP);
		feed();
		break;
	default:
		break; /* only cuts the octets */
	}
}

static bool
enter_account(const char *account)
{
	(void)account;
	return true;
}

/* Play it, cut as it says or octet by octet; what the server said is in
 * `said`. */
static void
play(const uint8_t *p, size_t n, bool octets)
{
	char *text;
	size_t k;

	world = (struct surroundings){ .conf = &conf,
		.now_ms = 1000000,
		.tls = true,
		.queue_up = true,
		.accepting = true,
		.wall_ms = wall_ms,
		.send = send_request,
		.enter = enter_account };
	ndue = 0;
	manual = down_auth = down_queue = acted = false;
	logged_in = secured = sender_ok = submit_ok = queue_holds = false;
	rcpts_ahead = stored = acknowledged = 0;
	buf_consume(&said, said.len);
	buf_reserve(&in, 1);
	session_init(
	    &session, &world, &out, ID, "192.0.2.7", 587, *p & 1, NULL);
	check_state();
	if (*p & 1)
		secure();
	text = malloc(n + 1);
	for (p++, n--; n > 0 && session_wants(&session) < WANTS_CLOSE;) {
		k = 0;
		while (k < n && p[k] != 0xff && !(octets && k == 1)) {
			text[k] = (char)p[k];
			k++;
		}
		hear(text, k);
		p += k;
		n -= k;
		if (n > 0 && *p == 0xff) {
			if (n > 1)
				act(p[1]);
			p += n > 1 ? 2 : 1;
			n -= n > 1 ? 2 : 1;
		}
	}
	free(text);
	session_gone(&session);
	owed_forget();
	assert(!queue_holds);
	assert(session.tx == NULL && session.login == NULL);
	buf_release(&in);
}

/* The log of a million sessions helps nobody; what is wrong with them does. */
static int real_stderr = -1, null;

void
__assert_fail(
    const char *what, const char *file, unsigned line, const char *function)
{
	dprintf(real_stderr, "%s:%u: %s: %s\n", file, line, function, what);
	abort();
}

static void
set_up(void)
{
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	if (__sanitizer_set_report_fd != NULL)
		__sanitizer_set_report_fd((void *)(intptr_t)real_stderr);
	strcpy(conf.hostname, "mail.example.org");
	conf.message_size = LIMIT;
	conf.recipients = 3;
}

static void
play_quietly(const uint8_t *p, size_t n, bool octets)
{
	dup2(null, STDERR_FILENO);
	play(p, n, octets);
	dup2(real_stderr, STDERR_FILENO);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct buf first;

	if (n == 0)
		return 0;
	if (real_stderr == -1)
		set_up();
	play_quietly(p, n, false);
	/* STARTTLS is the one place where it matters what came together; and
	 * of two limits passed at once either one may be told. */
	if (acted || n > CHUNK || said.len == 0 ||
	    memmem(buf_data(&said), said.len, "250-STARTTLS", 12) != NULL)
		return 0;
	buf_consume(&first, first.len);
	buf_add(&first, buf_data(&said), said.len);
	play_quietly(p, n, true);
	assert(said.len == first.len &&
	    memcmp(buf_data(&said), buf_data(&first), said.len) == 0);
	return 0;
}
