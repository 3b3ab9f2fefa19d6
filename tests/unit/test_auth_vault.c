/*
 * The whole process, driven over its channels as the parent, smtpd, the queue,
 * deliver and the operator do.
 */
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/accounts.h"
#include "auth/attempt.h"
#include "auth/store.h"
#include "auth/vault.h"
#include "ipc/channel.h"
#include "ipc/token.h"
#include "lib/tls.h"
#include "test_dir.h"

#define ALICE    "alice@example.org"
#define SECRET   "correct horse"
#define CLIENT   "192.0.2.7"
#define STRANGER "198.51.100.9"
#define CONF \
	"hostname = mail.example.org\n" \
	"[tls]\ncertificate = /c.pem\nkey = /k.pem\n" \
	"[listen submissions]\naddress = 127.0.0.1:465\ntls = implicit\n" \
	"[limits]\nper-hour = 20\nper-day = 40\n" \
	"[guard]\nnew-recipients = 6\n" \
	"[route *]\nvia = relay.example:587\n"

#define NOBODY 65534

static char dir[64];
static bool as_root; /* and so in a chroot, where no leak is found */
static pid_t pid;
static int parent, smtpd, queue, deliver, ctl, signing;
static uint8_t buf[MSG_MAX];
static uint64_t tag;

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Who runs the tests may be root; the process is somebody ordinary. */
static void
become_ordinary(void)
{
	if (as_root || geteuid() != 0)
		return;
	if (setresgid(NOBODY, NOBODY, NOBODY) == -1 ||
	    setresuid(NOBODY, NOBODY, NOBODY) == -1)
		_exit(1);
	prctl(PR_SET_DUMPABLE, 1); /* for the leak check */
}

/* Start the process; its log goes to DIR/log. */
static void
spawn(void)
{
	char name[] = "postern-auth", flag[] = "-d";
	char *argv[] = { name, flag, dir, NULL };
	char log[80];
	int fds[2], fd;

	fflush(NULL);
	assert_int_equal(message_pair(fds), 0);
	snprintf(log, sizeof(log), "%s/log", dir);
	pid = fork();
	if (pid == 0) {
		fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(fd, 2);
		dup2(fds[1], 3);
		for (fd = 4; fd < 64; fd++)
			close(fd);
		become_ordinary();
		exit(child_main(&vault, 3, argv));
	}
	close(fds[1]);
	parent = fds[0];
}

static void
tell(struct msg *m, int fd)
{
	assert_true(message_send(parent, m, fd));
	if (fd != -1)
		close(fd);
}

static int
memory_file(const char *text, size_t n)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_int_equal(write(fd, text, n), n);
	return fd;
}

static void
send_file(enum file_kind kind, const char *name, const char *text)
{
	struct msg m = { .type = MSG_FILE };

	m.u.file.kind = kind;
	strcpy(m.u.file.name, name);
	tell(&m, memory_file(text, strlen(text)));
}

static void
send_conf(void)
{
	struct msg m = { .type = MSG_CONF };

	m.u.conf.text = (struct bytes){ (const uint8_t *)CONF, strlen(CONF) };
	tell(&m, -1);
}

static void
send_start(void)
{
	struct msg m = { .type = MSG_START };

	tell(&m, -1);
}

static int
connect_peer(enum process process, bool sign)
{
	struct msg m = { .type = MSG_PEER };
	int fds[2];

	assert_int_equal(message_pair(fds), 0);
	m.u.peer.process = process;
	m.u.peer.sign = sign;
	tell(&m, fds[1]);
	return fds[0];
}

static int
connect_ctl(void)
{
	struct msg m = { .type = MSG_CTL_CLIENT };
	int fds[2];

	assert_int_equal(message_pair(fds), 0);
	strcpy(m.u.ctl_client.by, "root");
	tell(&m, fds[1]);
	return fds[0];
}

static void
hear(int sock, enum process to, struct msg *m, enum msg_type type)
{
	struct pollfd p = { sock, POLLIN, 0 };

	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_true(message_recv(sock, P_AUTH, to, m, buf, NULL));
	assert_int_equal(m->type, type);
}

static bool
silent(int sock)
{
	struct pollfd p = { sock, POLLIN, 0 };

	return poll(&p, 1, 50) == 0;
}

/* With everything that a server has. */
static void
begin(void)
{
	struct msg m = { .u.token_key = { { 3, 5 } } };

	spawn();
	send_conf();
	send_file(FILE_ROUTE_SECRET, "*", "relay secret\n");
	token_set_key(&m.u.token_key);
	m.type = MSG_TOKEN_KEY;
	tell(&m, -1);
	smtpd = connect_peer(P_SMTPD, false);
	signing = connect_peer(P_SMTPD, true);
	queue = connect_peer(P_QUEUE, false);
	deliver = connect_peer(P_DELIVER, false);
	send_start();
	hear(parent, P_PARENT, &m, MSG_READY);
	ctl = connect_ctl();
}

/* The way it ends by itself. */
static int
ended(void)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(parent);
	close(smtpd);
	close(signing);
	close(queue);
	close(deliver);
	close(ctl);
	pid = 0;
	return status;
}

static int
end(void)
{
	shutdown(parent, SHUT_RDWR);
	return ended();
}

static int
setup(void **state)
{
	struct msg m;

	(void)state;
	strcpy(dir, "/tmp/postern-test-auth-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	if (!as_root && geteuid() == 0 && chown(dir, NOBODY, NOBODY) == -1)
		return -1;
	begin();
	hear(smtpd, P_SMTPD, &m, MSG_ACCOUNTS_DONE);
	hear(queue, P_QUEUE, &m, MSG_ACCOUNTS_DONE);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (pid != 0)
		assert_int_equal(end(), 0);
	return dir_remove(dir);
}

/* Run a command; its exit code, with the sentence in *done. */
static uint32_t
command(enum account_verb verb, const char *account, const char *arg,
    const char *secret, struct msg *done)
{
	struct msg m = { .type = MSG_ACCOUNT_CMD, .tag = ++tag };

	m.u.account_cmd.verb = verb;
	strcpy(m.u.account_cmd.account, account);
	strcpy(m.u.account_cmd.arg, arg);
	strcpy(m.u.account_cmd.secret, secret);
	assert_true(message_send(ctl, &m, -1));
	hear(ctl, P_CTL, done, MSG_CMD_DONE);
	assert_int_equal(done->tag, tag);
	return done->u.cmd_done.exit_code;
}

static void
add_alice(void)
{
	struct msg m;

	assert_int_equal(command(ACCOUNT_ADD, ALICE, "", SECRET, &m), 0);
}

static void
ask_login(const char *user, const char *secret, const char *ip)
{
	struct msg m = { .type = MSG_AUTH_CHECK, .tag = ++tag };
	struct msg_auth_check *q = &m.u.auth_check;

	strcpy(q->user, user);
	strcpy(q->secret, secret);
	strcpy(q->ip, ip);
	strcpy(q->tls, "TLSv1.3");
	strcpy(q->mech, "PLAIN");
	q->port = 465;
	assert_true(message_send(smtpd, &m, -1));
}

static uint32_t
login(const char *user, const char *secret, const char *ip, struct msg *m)
{
	ask_login(user, secret, ip);
	hear(smtpd, P_SMTPD, m, MSG_AUTH_RESULT);
	assert_int_equal(m->tag, tag);
	return m->u.auth_result.code;
}

/* How often the log says this. */
static int
logged(const char *what)
{
	char path[80], line[1100];
	FILE *f;
	int n = 0;

	snprintf(path, sizeof(path), "%s/log", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, what) != NULL;
	fclose(f);
	return n;
}

static void
a_password_logs_in(void **state)
{
	struct msg m;

	(void)state;
	add_alice();
	assert_int_equal(login(ALICE, SECRET, CLIENT, &m), 235);
	assert_int_equal(m.u.auth_result.verdict, V_OK);
	assert_string_equal(m.u.auth_result.account, ALICE);
	assert_string_equal(m.u.auth_result.credential, "password");
	assert_int_equal(m.u.auth_result.rcpts, 100);
	assert_int_equal(m.u.auth_result.size, 35 << 20);
	assert_int_equal(login("ALICE@Example.Org", SECRET, CLIENT, &m), 235);
	assert_string_equal(m.u.auth_result.account, ALICE);
	assert_int_equal(login("alice", SECRET, CLIENT, &m), 235);
	assert_string_equal(m.u.auth_result.account, ALICE);
	assert_int_equal(
	    logged("auth.ok ip=192.0.2.7 port=465 tls=TLSv1.3 mech=PLAIN "
		   "account=\"alice@example.org\" credential=\"password\" "
		   "cached=0"),
	    1);
	assert_int_equal(logged("cached=1"), 2);
	assert_int_equal(logged(SECRET), 0);
}

static void
wrong_and_unknown_are_told_alike(void **state)
{
	struct msg wrong, unknown;
	int64_t t0, t1, t2;

	(void)state;
	add_alice();
	t0 = now_ms();
	assert_int_equal(login(ALICE, "wrong", CLIENT, &wrong), 535);
	t1 = now_ms();
	assert_int_equal(login("mypassword", "wrong", STRANGER, &unknown), 535);
	t2 = now_ms();
	/* What was typed is named when it looks like an address, known or not;
	 * anything else may be a password in the wrong field. */
	assert_string_equal(wrong.u.auth_result.text,
	    "wrong user name or password (" ALICE "): check both in your mail "
	    "program, or ask your administrator");
	assert_null(strstr(unknown.u.auth_result.text, "mypassword"));
	assert_int_equal(
	    login("mallory@example.org", "wrong", STRANGER, &unknown), 535);
	assert_string_equal(unknown.u.auth_result.text,
	    "wrong user name or password (mallory@example.org): check both in "
	    "your mail program, or ask your administrator");
	assert_string_equal(wrong.u.auth_result.status, "5.7.8");
	assert_string_equal(wrong.u.auth_result.account, "");
	assert_true(t1 - t0 >= 480 && t2 - t1 >= 480);
	assert_true(llabs((t2 - t1) - (t1 - t0)) < 200);
	assert_int_equal(
	    logged("auth.failed ip=192.0.2.7 port=465 tls=TLSv1.3 mech=PLAIN "
		   "reason=bad-password user=\"alice@example.org\""),
	    1);
	assert_int_equal(
	    logged("auth.failed ip=198.51.100.9 port=465 tls=TLSv1.3 "
		   "mech=PLAIN reason=unknown-user user=\"myp\""),
	    1);
	assert_int_equal(logged("mypassword"), 0);
}

/* What somebody who asks for a challenge of this name learns: salt, rounds. */
static void
scram_salt(const char *name, char out[128])
{
	struct msg step = { .type = MSG_SASL_STEP, .tag = ++tag }, m;
	struct msg_sasl_step *q = &step.u.sasl_step;
	const struct bytes *told = &m.u.auth_result.challenge;
	char first[300];

	snprintf(first, sizeof(first), "n,,n=%s,r=abc", name);
	strcpy(q->mech, "SCRAM-SHA-256");
	strcpy(q->ip, CLIENT);
	strcpy(q->tls, "TLSv1.3");
	q->first = 1;
	q->response = (struct bytes){ (const uint8_t *)first, strlen(first) };
	assert_true(message_send(smtpd, &step, -1));
	hear(smtpd, P_SMTPD, &m, MSG_AUTH_RESULT);
	assert_int_equal(m.u.auth_result.code, 334);
	snprintf(out, 128, "%.*s", (int)told->len, (const char *)told->data);
	assert_non_null(strstr(out, ",s="));
	memmove(out, strstr(out, ",s="), strlen(strstr(out, ",s=")) + 1);
}

/* Else two salts for two spellings would say that nobody is there. */
static void
spellings_do_not_tell_who_is_there(void **state)
{
	static const char *const names[][7] = {
		{ "alice@example.org", "alice@example.org ",
		    " ALICE@example.org", "Alice@Example.ORG", "alice",
		    "ALICE ", "\"alice\"@example.org" },
		{ "nobody@example.org", "nobody@example.org ",
		    " NOBODY@example.org", "Nobody@Example.ORG", "nobody",
		    "NOBODY ", "\"nobody\"@example.org" },
		{ "r\xc3\xa9mi@example.org", "re\xcc\x81mi@example.org",
		    "R\xc3\x89MI@example.org", "RE\xcc\x81MI@example.org ",
		    "r\xc3\xa9mi", "R\xc3\x89MI", "Re\xcc\x81mi" },
		{ "n\xc3\xa9mo@example.org", "ne\xcc\x81mo@example.org",
		    "N\xc3\x89MO@example.org", "NE\xcc\x81MO@example.org ",
		    "n\xc3\xa9mo", "N\xc3\x89MO", "Ne\xcc\x81mo" },
	};
	char salt[4][128], other[128];
	struct msg m;

	(void)state;
	add_alice();
	assert_int_equal(command(ACCOUNT_ADD, names[2][0], "", SECRET, &m), 0);
	for (int i = 0; i < 4; i++) {
		scram_salt(names[i][0], salt[i]);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(salt[i], salt[k]);
		for (int k = 1; k < 7; k++) {
			scram_salt(names[i][k], other);
			assert_string_equal(other, salt[i]);
		}
	}
}

/* Ask for each name, from a network of its own, and hear the answers: the
 * milliseconds until the first of them. */
static int64_t
wrong_for_all(
    const char *const names[][2], int n, int spelling, const char *secret)
{
	int64_t t0 = now_ms(), first = 0;
	char ip[16];
	struct msg m;

	for (int i = 0; i < n; i++) {
		snprintf(ip, sizeof(ip), "10.1.%d.1", i);
		ask_login(names[i][spelling], secret, ip);
	}
	for (int i = 0; i < n; i++) {
		hear(smtpd, P_SMTPD, &m, MSG_AUTH_RESULT);
		assert_int_equal(m.u.auth_result.code, 535);
		if (i == 0)
			first = now_ms() - t0;
	}
	return first;
}

/* One wrong password of a pair waits 500 ms, the second 1,000; and the same
 * again is stale. */
static void
spellings_count_as_one(void **state)
{
	static const char *const names[][2] = {
		{ ALICE, "ALICE@example.org " },
		{ "nobody@example.org", "NOBODY@example.org " },
		{ "nemo", "Nemo@example.org" },
		{ "n\xc3\xa9mo@example.org", "NE\xcc\x81MO" },
	};

	(void)state;
	add_alice();
	wrong_for_all(names, 4, 0, "one");
	wrong_for_all(names, 4, 1, "one");
	assert_int_equal(logged("auth.stale"), 4);
	assert_true(wrong_for_all(names, 4, 1, "two") >= 980);
	assert_int_equal(logged("auth.stale"), 4);
}

static void
the_log_cannot_be_forged(void **state)
{
	struct msg m;

	(void)state;
	login("x\" ip=1.1.1.1\nauth.failed ip=1.2.3.4 ", "y", CLIENT, &m);
	assert_int_equal(logged("1.1.1.1"), 0);
	assert_int_equal(logged("1.2.3.4"), 0);
	login("someone@example.org", "y", "9.9.9.9 reason=ok", &m);
	assert_int_equal(logged("9.9.9.9"), 0);
}

static void
one_old_password_is_stale(void **state)
{
	struct msg m;

	(void)state;
	add_alice();
	for (int i = 0; i < 3; i++)
		assert_int_equal(login(ALICE, "old", CLIENT, &m), 535);
	assert_int_equal(logged("auth.failed"), 1);
	assert_int_equal(logged("auth.stale ip=192.0.2.7"), 2);
	assert_int_equal(login(ALICE, SECRET, CLIENT, &m), 235);
	/* Until it becomes the right one. */
	assert_int_equal(command(ACCOUNT_PASSWD, ALICE, "", "old", &m), 0);
	/* Sessions opened with the one before end. */
	hear(smtpd, P_SMTPD, &m, MSG_SESSIONS_END);
	assert_string_equal(m.u.sessions_end.account, ALICE);
	assert_int_equal(login(ALICE, "old", CLIENT, &m), 235);
	assert_int_equal(login(ALICE, SECRET, CLIENT, &m), 535);
}

static void
guessing_is_cut_off_and_hurts_nobody_else(void **state)
{
	char guess[16];
	struct msg m;
	int rate = 0, wrong = 0;

	(void)state;
	add_alice();
	assert_int_equal(login(ALICE, SECRET, CLIENT, &m), 235);
	/* A neighbour in the same network, all at once. */
	for (int i = 0; i < 40; i++) {
		snprintf(guess, sizeof(guess), "guess%d", i);
		ask_login(ALICE, guess, "192.0.2.99");
	}
	for (int i = 0; i < 40; i++) {
		hear(smtpd, P_SMTPD, &m, MSG_AUTH_RESULT);
		rate += m.u.auth_result.code == 454;
		wrong += m.u.auth_result.code == 535;
	}
	assert_int_equal(wrong, 10);
	assert_int_equal(rate, 30);
	assert_int_equal(logged("reason=rate"), 30);
	/* Hers is remembered here, and judged afresh elsewhere. */
	assert_int_equal(login(ALICE, SECRET, CLIENT, &m), 235);
	assert_int_equal(login(ALICE, SECRET, STRANGER, &m), 235);
	assert_int_equal(command(ACCOUNT_TEST, ALICE, STRANGER, SECRET, &m), 0);
	assert_int_equal(command(ACCOUNT_TEST, ALICE, CLIENT, SECRET, &m), 1);
	assert_non_null(strstr(m.u.cmd_done.text, "192.0.2.0/24"));
}

/* Put accounts into the store, as an import will. */
static void
import(const char *const rows[][2], size_t n)
{
	int status;
	pid_t child;

	assert_int_equal(end(), 0);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		become_ordinary();
		store_open(dir);
		for (size_t i = 0; i < n; i++) {
			struct change c = { .login = rows[i][0],
				.hash = rows[i][1],
				.by = "import" };

			if (accounts_add(&c) != CHANGE_DONE)
				_exit(1);
		}
		store_close();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	begin();
}

static void
old_hashes_work_and_become_new(void **state)
{
	static const char *const rows[][2] = {
		{ "des@example.org", "/LgVj7g9me8So" },
		{ "md5@example.org", "$1$Daxl/Tq0$RlbdagHN.SwBipatBqmtg1" },
		{ "bcrypt@example.org",
		    "$2b$04$P/iCb15ef0GGzbGJwcWl9ONdUhgvg0/gq/"
		    "NFdSwEItIkSNozkBLhe" },
		{ "sha@example.org",
		    "$5$rounds=1000$.J7kFlwwRu2IbnbU$"
		    "AuRhqzzH7nkV.un.JBnnW9oS1U7vj93819SgfQbH6N4" },
	};
	struct msg m;

	(void)state;
	import(rows, 4);
	hear(smtpd, P_SMTPD, &m, MSG_ACCOUNTS_DONE);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(login(rows[i][0], "wrong", STRANGER, &m), 535);
		/* Two at once, from different places. */
		ask_login(rows[i][0], SECRET, CLIENT);
		ask_login(rows[i][0], SECRET, STRANGER);
		for (int k = 0; k < 2; k++) {
			hear(smtpd, P_SMTPD, &m, MSG_AUTH_RESULT);
			assert_int_equal(m.u.auth_result.code, 235);
		}
		assert_int_equal(logged("auth.upgraded"), i + 1);
		memset(&m, 0, sizeof(m));
		m.type = MSG_ACCOUNT_CMD;
		m.u.account_cmd.verb = ACCOUNT_SHOW;
		strcpy(m.u.account_cmd.account, rows[i][0]);
		assert_true(message_send(ctl, &m, -1));
		hear(ctl, P_CTL, &m, MSG_ACCOUNT_ROW);
		assert_string_equal(m.u.account_row.hash, "yescrypt");
		assert_int_equal(m.u.account_row.weak, 0);
		hear(ctl, P_CTL, &m, MSG_GRANT_ROW);
		hear(ctl, P_CTL, &m, MSG_CMD_DONE);
		assert_int_equal(login(rows[i][0], SECRET, CLIENT, &m), 235);
		assert_int_equal(login(rows[i][0], "wrong", CLIENT, &m), 535);
	}
}

static void
a_test_says_why_not(void **state)
{
	static const char *const rows[][2] = {
		{ "locked@example.org", "!$1$Daxl/Tq0$x" },
		{ "alien@example.org", "{SSHA}abcdefg" },
		{ "empty@example.org", "" },
	};
	static const char *const why[] = { "locked", "cannot be checked",
		"has no password" };
	struct msg m;

	(void)state;
	import(rows, 3);
	hear(smtpd, P_SMTPD, &m, MSG_ACCOUNTS_DONE);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(login(rows[i][0], SECRET, CLIENT, &m), 535);
		assert_int_equal(
		    command(ACCOUNT_TEST, rows[i][0], "", SECRET, &m), 1);
		assert_non_null(strstr(m.u.cmd_done.text, why[i]));
	}
	add_alice();
	assert_int_equal(command(ACCOUNT_TEST, ALICE, "", "wrong", &m), 1);
	assert_non_null(strstr(m.u.cmd_done.text, "password is wrong"));
	assert_int_equal(command(ACCOUNT_TEST, ALICE, "", SECRET, &m), 0);
	assert_int_equal(
	    command(ACCOUNT_TEST, "eve@example.org", "", SECRET, &m), 1);
	assert_non_null(strstr(m.u.cmd_done.text, "no account"));
}

static void
many_logins_at_once_hash_once(void **state)
{
	struct msg m;
	int64_t t;

	(void)state;
	add_alice();
	t = now_ms();
	for (int i = 0; i < 300; i++)
		ask_login(ALICE, SECRET, CLIENT);
	for (int i = 0; i < 300; i++) {
		hear(smtpd, P_SMTPD, &m, MSG_AUTH_RESULT);
		assert_int_equal(m.u.auth_result.code, 235);
	}
	/* Each for itself would take six seconds. */
	assert_true(now_ms() - t < 2000);
	/* The same wrong one is one wrong one. */
	for (int i = 0; i < 30; i++)
		ask_login(ALICE, "wrong", CLIENT);
	for (int i = 0; i < 30; i++) {
		hear(smtpd, P_SMTPD, &m, MSG_AUTH_RESULT);
		assert_int_equal(m.u.auth_result.code, 535);
	}
	assert_int_equal(logged("reason=bad-password"), 1);
	assert_int_equal(logged("auth.stale"), 29);
}

/* What failed is answered late: by SASL, too, it must not pile up. */
static void
failed_exchanges_do_not_pile_up(void **state)
{
	struct msg step = { .type = MSG_SASL_STEP }, m;
	struct msg_sasl_step *q = &step.u.sasl_step;
	char user[32];
	int busy = 0;

	(void)state;
	/* From here on this network waits four seconds for each. */
	for (int i = 0; i < 16; i++) {
		snprintf(user, sizeof(user), "u%d@example.org", i);
		ask_login(user, "x", CLIENT);
	}
	strcpy(q->mech, "EXTERNAL");
	strcpy(q->ip, CLIENT);
	strcpy(q->tls, "TLSv1.3");
	q->first = 1;
	for (int i = 0; i < ATTEMPTS_MAX + 200; i++) {
		step.tag = ++tag;
		assert_true(message_send(smtpd, &step, -1));
	}
	for (int i = 0; i < ATTEMPTS_MAX + 200 + 16; i++) {
		hear(smtpd, P_SMTPD, &m, MSG_AUTH_RESULT);
		busy += m.u.auth_result.code == 454;
	}
	assert_true(busy >= 200);
}

static void
a_full_house_is_busy(void **state)
{
	char ip[32], user[32];
	struct msg m;
	int busy = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(ip, sizeof(ip), "10.0.%d.1", i);
		snprintf(user, sizeof(user), "u%d@example.org", i);
		ask_login(user, "x", ip);
	}
	for (int i = 0; i < 100; i++) {
		hear(smtpd, P_SMTPD, &m, MSG_AUTH_RESULT);
		if (m.u.auth_result.code == 454) {
			assert_int_equal(m.u.auth_result.verdict, V_TEMP);
			busy++;
		}
	}
	assert_true(busy >= 20 && busy <= 40);
	assert_int_equal(logged("reason=busy"), busy);
}

static void
suspending_is_known_at_once(void **state)
{
	struct msg m;

	(void)state;
	add_alice();
	assert_int_equal(login(ALICE, SECRET, CLIENT, &m), 235);
	assert_int_equal(
	    command(ACCOUNT_SUSPEND, ALICE, "4100 messages", "", &m), 0);
	assert_non_null(
	    strstr(m.u.cmd_done.text, "postern account resume " ALICE));
	/* The neighbours were told before the operator was. */
	hear(queue, P_QUEUE, &m, MSG_ACCOUNT_STATE);
	assert_string_equal(m.u.account_state.account, ALICE);
	assert_int_equal(m.u.account_state.state, ACC_SUSPENDED);
	hear(smtpd, P_SMTPD, &m, MSG_ACCOUNT_STATE);
	assert_int_equal(m.u.account_state.state, ACC_SUSPENDED);
	assert_int_equal(login(ALICE, SECRET, CLIENT, &m), 525);
	assert_string_equal(m.u.auth_result.status, "5.7.13");
	assert_int_equal(login(ALICE, "wrong", CLIENT, &m), 535);
	assert_int_equal(command(ACCOUNT_TEST, ALICE, "", SECRET, &m), 1);
	assert_non_null(strstr(m.u.cmd_done.text, "4100 messages"));
	assert_int_equal(command(ACCOUNT_RESUME, ALICE, "", "", &m), 0);
	hear(smtpd, P_SMTPD, &m, MSG_ACCOUNT_STATE);
	assert_int_equal(m.u.account_state.state, ACC_ACTIVE);
	assert_int_equal(login(ALICE, SECRET, CLIENT, &m), 235);
	assert_int_equal(
	    logged("admin.change by=\"root\" what=account.suspend "
		   "account=\"alice@example.org\" reason=\"4100 messages\""),
	    1);
}

static void
removing_forgets_the_password(void **state)
{
	struct msg m;

	(void)state;
	add_alice();
	assert_int_equal(login(ALICE, SECRET, CLIENT, &m), 235);
	assert_int_equal(command(ACCOUNT_REMOVE, ALICE, "", "", &m), 0);
	hear(smtpd, P_SMTPD, &m, MSG_ACCOUNT_STATE);
	assert_int_equal(m.u.account_state.state, ACC_REMOVED);
	assert_int_equal(login(ALICE, SECRET, CLIENT, &m), 535);
	assert_int_equal(command(ACCOUNT_REMOVE, ALICE, "", "", &m), 5);
	assert_int_equal(command(ACCOUNT_PASSWD, ALICE, "", "x", &m), 5);
	assert_int_equal(command(ACCOUNT_TEST, ALICE, "", SECRET, &m), 1);
	assert_int_equal(command(ACCOUNT_ADD, ALICE, "", "new", &m), 0);
	hear(smtpd, P_SMTPD, &m, MSG_ACCOUNT_STATE);
	assert_int_equal(m.u.account_state.state, ACC_ACTIVE);
	assert_int_equal(login(ALICE, "new", CLIENT, &m), 235);
}

/* As if the session of the last tag had logged in. */
static void
prove(struct token *t, const char *account, const char *credential)
{
	struct token_claim claim = { 0, tag, account, credential };
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	token_make(t, &claim, (int64_t)now.tv_sec * 1000);
}

static uint32_t
check_sender(const char *sender, struct msg *m)
{
	memset(m, 0, sizeof(*m));
	m->type = MSG_SENDER_CHECK;
	m->tag = ++tag;
	strcpy(m->u.sender_check.account, ALICE);
	strcpy(m->u.sender_check.sender, sender);
	prove(&m->u.sender_check.token, ALICE, "");
	assert_true(message_send(smtpd, m, -1));
	hear(smtpd, P_SMTPD, m, MSG_ALLOWED);
	assert_int_equal(m->tag, tag);
	return m->u.allowed.code;
}

static uint32_t
submit(const char *a, const char *b, uint32_t rcpts, struct msg *m)
{
	uint8_t list[1024];
	size_t n = list_add(list, sizeof(list), 0, a, strlen(a));

	if (b != NULL)
		n = list_add(list, sizeof(list), n, b, strlen(b));
	memset(m, 0, sizeof(*m));
	m->type = MSG_SUBMIT_CHECK;
	m->tag = ++tag;
	strcpy(m->u.submit_check.account, ALICE);
	m->u.submit_check.authors = (struct bytes){ list, n };
	m->u.submit_check.rcpts = rcpts;
	prove(&m->u.submit_check.token, ALICE, "");
	assert_true(message_send(smtpd, m, -1));
	hear(smtpd, P_SMTPD, m, MSG_ALLOWED);
	return m->u.allowed.code;
}

static uint32_t
submit_from(const char *sender, uint32_t rcpts, struct msg *m)
{
	uint8_t list[1024];

	memset(m, 0, sizeof(*m));
	m->type = MSG_SUBMIT_CHECK;
	m->tag = ++tag;
	strcpy(m->u.submit_check.account, ALICE);
	strcpy(m->u.submit_check.sender, sender);
	m->u.submit_check.authors = (struct bytes){ list,
		list_add(list, sizeof(list), 0, ALICE, strlen(ALICE)) };
	m->u.submit_check.rcpts = rcpts;
	prove(&m->u.submit_check.token, ALICE, "");
	assert_true(message_send(smtpd, m, -1));
	hear(smtpd, P_SMTPD, m, MSG_ALLOWED);
	return m->u.allowed.code;
}

/* What a session has not logged in as, it may not even ask about. */
static void
nobody_without_login(void **state)
{
	struct msg m, proof;
	uint64_t other;

	(void)state;
	add_alice();
	assert_int_equal(login(ALICE, SECRET, CLIENT, &proof), 235);
	memset(&m, 0, sizeof(m));
	m.type = MSG_SENDER_CHECK;
	m.tag = proof.tag;
	strcpy(m.u.sender_check.account, ALICE);
	strcpy(m.u.sender_check.sender, ALICE);
	strcpy(m.u.sender_check.credential, "password");
	m.u.sender_check.token = proof.u.auth_result.token;
	assert_true(message_send(smtpd, &m, -1));
	hear(smtpd, P_SMTPD, &m, MSG_ALLOWED);
	assert_int_equal(m.u.allowed.code, 250);

	/* In another session, and with none. */
	other = proof.tag + 1;
	memset(&m, 0, sizeof(m));
	m.type = MSG_SUBMIT_CHECK;
	m.tag = other;
	strcpy(m.u.submit_check.account, ALICE);
	strcpy(m.u.submit_check.credential, "password");
	m.u.submit_check.token = proof.u.auth_result.token;
	assert_true(message_send(smtpd, &m, -1));
	hear(smtpd, P_SMTPD, &m, MSG_ALLOWED);
	assert_int_equal(m.u.allowed.verdict, V_TEMP);
	assert_int_equal(m.u.allowed.code, 421);
	memset(&m, 0, sizeof(m));
	m.type = MSG_SENDER_CHECK;
	m.tag = proof.tag;
	strcpy(m.u.sender_check.account, ALICE);
	assert_true(message_send(smtpd, &m, -1));
	hear(smtpd, P_SMTPD, &m, MSG_ALLOWED);
	assert_int_equal(m.u.allowed.code, 421);
	/* A login that fails proves nothing. */
	assert_int_equal(login(ALICE, "wrong", CLIENT, &m), 535);
	assert_int_equal(m.u.auth_result.rcpts, 0);
	assert_int_equal(m.u.auth_result.token.when, 0);
	assert_int_equal(m.u.auth_result.token.mac[0], 0);
}

static void
one_sends_as_oneself(void **state)
{
	static const char *const traps[] = { "`id`@example.org",
		"touch${IFS}/nowhere/x|sh@example.org", "a&b@example.org",
		"--by@example.org", "\"a;id\"@example.org" };
	struct msg m;

	(void)state;
	assert_int_equal(check_sender(ALICE, &m), 550);
	add_alice();
	assert_int_equal(check_sender(ALICE, &m), 250);
	assert_int_equal(check_sender("alice+list@example.org", &m), 250);
	assert_int_equal(check_sender("", &m), 250);
	assert_int_equal(check_sender("bob@example.org", &m), 553);
	assert_string_equal(m.u.allowed.status, "5.7.1");
	assert_non_null(strstr(m.u.allowed.text,
	    "postern grant add alice@example.org bob@example.org"));
	/* Nothing that a shell would run goes to an administrator. */
	for (size_t i = 0; i < sizeof(traps) / sizeof(traps[0]); i++) {
		assert_int_equal(check_sender(traps[i], &m), 553);
		assert_non_null(strstr(m.u.allowed.text, traps[i]));
		assert_null(strstr(m.u.allowed.text, "postern grant"));
		assert_int_equal(submit(ALICE, traps[i], 1, &m), 550);
		assert_null(strstr(m.u.allowed.text, "postern grant"));
	}
	assert_int_equal(
	    command(GRANT_ADD, ALICE, "Bob@example.org", "", &m), 0);
	assert_int_equal(
	    command(GRANT_ADD, ALICE, "bob@EXAMPLE.org", "", &m), 6);
	assert_int_equal(check_sender("bob@example.org", &m), 250);
	assert_int_equal(submit(ALICE, NULL, 1, &m), 250);
	assert_int_equal(submit(ALICE, "bob@example.org", 1, &m), 250);
	assert_int_equal(submit(ALICE, "eve@example.org", 1, &m), 550);
	assert_non_null(strstr(m.u.allowed.text, "eve@example.org"));
	assert_int_equal(submit("not an address", NULL, 1, &m), 550);
	assert_int_equal(
	    command(GRANT_REMOVE, ALICE, "bob@example.org", "", &m), 0);
	assert_int_equal(
	    command(GRANT_REMOVE, ALICE, "bob@example.org", "", &m), 5);
	assert_int_equal(check_sender("bob@example.org", &m), 553);
	assert_int_equal(command(GRANT_ADD, ALICE, "@org.example", "", &m), 0);
	assert_int_equal(check_sender("any@org.example", &m), 250);
	assert_int_equal(command(ACCOUNT_SUSPEND, ALICE, "", "", &m), 0);
	hear(smtpd, P_SMTPD, &m, MSG_ACCOUNT_STATE);
	assert_int_equal(check_sender(ALICE, &m), 550);
	assert_int_equal(submit(ALICE, NULL, 1, &m), 550);
	assert_string_equal(m.u.allowed.status, "5.7.13");
}

/* What is allowed is what was asked about: the queue takes nothing else. */
static bool
may_send_as(const char *account, const char *sender)
{
	struct msg m = { .type = MSG_SENDER_CHECK, .tag = ++tag };

	strcpy(m.u.sender_check.account, account);
	strcpy(m.u.sender_check.sender, sender);
	prove(&m.u.sender_check.token, account, "");
	assert_true(message_send(smtpd, &m, -1));
	hear(smtpd, P_SMTPD, &m, MSG_ALLOWED);
	return m.u.allowed.code == 250;
}

#define SMALL    "\xc3\xa9lodie@example.org"
#define CAPITAL  "\xc3\x89lodie@example.org"
#define IN_PARTS "e\xcc\x81lodie@example.org"

static void
a_name_beyond_ascii_is_one_account(void **state)
{
	struct msg m;

	(void)state;
	assert_int_equal(command(ACCOUNT_ADD, CAPITAL, "", SECRET, &m), 0);
	assert_non_null(strstr(m.u.cmd_done.text, SMALL));
	assert_int_equal(command(ACCOUNT_ADD, SMALL, "", SECRET, &m), 6);
	assert_int_equal(command(ACCOUNT_ADD, IN_PARTS, "", SECRET, &m), 6);
	/* It sends as what it is called, and as what it was given. */
	assert_true(may_send_as(SMALL, SMALL));
	assert_true(may_send_as(SMALL, CAPITAL));
	assert_false(may_send_as(SMALL, IN_PARTS));
	/* What would be no address in that spelling keeps its own. */
	assert_int_equal(command(ACCOUNT_ADD, "\xc3\x89\xcd\xbe@example.org",
			     "", SECRET, &m),
	    0);
	assert_non_null(
	    strstr(m.u.cmd_done.text, "\xc3\x89\xcd\xbe@example.org"));
	assert_int_equal(
	    login("\xc3\x89\xcd\xbe@example.org", SECRET, CLIENT, &m), 235);
}

static void
bring(enum item_kind kind, const char *account, const char *name)
{
	struct msg m = { .type = MSG_ITEM };
	struct msg_item *i = &m.u.item;

	i->item = kind;
	strcpy(i->account, account);
	strcpy(i->name, name);
	if (kind == ITEM_CREDENTIAL)
		strcpy(i->hash, "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=");
	assert_true(message_send(ctl, &m, -1));
}

static void
bring_account(const char *name)
{
	bring(ITEM_ACCOUNT, name, "");
	bring(ITEM_CREDENTIAL, name, CREDENTIAL_PASSWORD);
	bring(ITEM_GRANT, name, name);
}

static void
imported_names_are_one_account(void **state)
{
	struct msg m;

	(void)state;
	bring_account(CAPITAL);
	assert_int_equal(command(ACCOUNT_IMPORT, "", "", "", &m), 0);
	assert_int_equal(command(ACCOUNT_ADD, SMALL, "", SECRET, &m), 6);
	assert_int_equal(login(IN_PARTS, "password", CLIENT, &m), 235);
	assert_string_equal(m.u.auth_result.account, SMALL);
	assert_true(may_send_as(SMALL, SMALL));
	assert_true(may_send_as(SMALL, CAPITAL));
	assert_false(may_send_as(SMALL, "bob@example.org"));
	/* In another spelling it is there, and grants are its own. */
	bring_account(IN_PARTS);
	assert_int_equal(command(ACCOUNT_IMPORT, "", "", "", &m), 0);
	assert_string_equal(m.u.cmd_done.text,
	    "added 0 accounts, updated 0, left alone 1 that exist");
	bring(ITEM_GRANT, CAPITAL, "bob@example.org");
	assert_int_equal(command(ACCOUNT_IMPORT, "", "", "", &m), 0);
	assert_true(may_send_as(SMALL, "bob@example.org"));
	/* Who was there before names had one spelling stays who he is. */
	import((const char *const[][2]){ { "\xc3\x89va@example.org", "" } }, 1);
	bring_account("\xc3\x89va@example.org");
	assert_int_equal(command(ACCOUNT_IMPORT, "", "", "", &m), 0);
	assert_string_equal(m.u.cmd_done.text,
	    "added 0 accounts, updated 0, left alone 1 that exist");
	/* Also when he was removed and is brought back. */
	assert_int_equal(
	    command(ACCOUNT_REMOVE, "\xc3\x89va@example.org", "", "", &m), 0);
	assert_int_equal(
	    command(ACCOUNT_ADD, "\xc3\x89va@example.org", "", SECRET, &m), 0);
	assert_non_null(strstr(
	    m.u.cmd_done.text, "brought back account \xc3\x89va@example.org"));
	/* But not where the one spelling has got an owner. */
	assert_int_equal(
	    command(ACCOUNT_REMOVE, "\xc3\x89va@example.org", "", "", &m), 0);
	assert_int_equal(
	    command(ACCOUNT_ADD, "\xc3\xa9va@example.org", "", SECRET, &m), 0);
	assert_int_equal(
	    command(ACCOUNT_ADD, "\xc3\x89va@example.org", "", SECRET, &m), 6);
	/* And who comes from a backup, where his mail has that name. */
	m = (struct msg){ .type = MSG_ITEM };
	m.u.item.item = ITEM_ACCOUNT;
	m.u.item.created = 1700000000;
	strcpy(m.u.item.account, "\xc3\x96zg\xc3\xbcr@example.org");
	assert_true(message_send(ctl, &m, -1));
	bring(ITEM_CREDENTIAL, m.u.item.account, CREDENTIAL_PASSWORD);
	assert_int_equal(command(ACCOUNT_IMPORT, "", "", "", &m), 0);
	assert_string_equal(m.u.cmd_done.text,
	    "added 1 accounts, updated 0, left alone 0 that exist");
	assert_int_equal(command(ACCOUNT_ADD, "\xc3\x96zg\xc3\xbcr@example.org",
			     "", SECRET, &m),
	    6);
	assert_int_equal(command(ACCOUNT_ADD, "\xc3\xb6zg\xc3\xbcr@example.org",
			     "", SECRET, &m),
	    0);
	/* And nothing becomes a login by it. */
	bring(ITEM_ACCOUNT, "A\xc3\x89@example.org", "");
	memset(&m, 0, sizeof(m));
	m.type = MSG_ACCOUNT_CMD;
	m.u.account_cmd.verb = ACCOUNT_IMPORT;
	assert_true(message_send(ctl, &m, -1));
	hear(ctl, P_CTL, &m, MSG_IMPORT_ROW);
	assert_string_equal(m.u.import_row.action, "refused");
	hear(ctl, P_CTL, &m, MSG_CMD_DONE);
}

/* The first of an import, as what servers look into have it. */
static void
an_import_says_who_came_before(void **state)
{
	struct msg m;

	(void)state;
	for (uint32_t flags = IMPORT_DRY_RUN;; flags = 0) {
		bring_account(SMALL);
		bring(ITEM_GRANT, SMALL, "carol@example.org");
		bring_account("bob@example.org");
		bring_account(CAPITAL);
		bring(ITEM_GRANT, CAPITAL, "eve@example.org");
		m = (struct msg){ .type = MSG_ACCOUNT_CMD };
		m.u.account_cmd.verb = ACCOUNT_IMPORT;
		m.u.account_cmd.flags = flags;
		assert_true(message_send(ctl, &m, -1));
		for (int rows = flags & IMPORT_DRY_RUN ? 3 : 1; rows > 0;
		     rows--)
			hear(ctl, P_CTL, &m, MSG_IMPORT_ROW);
		assert_string_equal(m.u.import_row.account, CAPITAL);
		assert_string_equal(m.u.import_row.action, "left out");
		assert_non_null(strstr(m.u.import_row.why, SMALL));
		hear(ctl, P_CTL, &m, MSG_CMD_DONE);
		if (flags == 0)
			break;
	}
	assert_string_equal(m.u.cmd_done.text,
	    "added 2 accounts, updated 0, left alone 0 that exist, left out 1 "
	    "that came before");
	assert_true(may_send_as(SMALL, "carol@example.org"));
	assert_false(may_send_as(SMALL, "eve@example.org"));
}

/* One that was refused has brought nothing. */
static void
a_refused_row_was_not_before(void **state)
{
	struct msg m = { .type = MSG_ITEM };

	(void)state;
	m.u.item.item = ITEM_ACCOUNT;
	m.u.item.state = ACC_STATES;
	strcpy(m.u.item.account, SMALL);
	assert_true(message_send(ctl, &m, -1));
	bring_account(SMALL);
	bring_account(CAPITAL);
	m = (struct msg){ .type = MSG_ACCOUNT_CMD };
	m.u.account_cmd.verb = ACCOUNT_IMPORT;
	m.u.account_cmd.flags = IMPORT_DRY_RUN;
	assert_true(message_send(ctl, &m, -1));
	hear(ctl, P_CTL, &m, MSG_IMPORT_ROW);
	assert_string_equal(m.u.import_row.action, "refused");
	assert_string_equal(m.u.import_row.why, "its state is unknown");
	hear(ctl, P_CTL, &m, MSG_IMPORT_ROW);
	assert_string_equal(m.u.import_row.account, SMALL);
	assert_string_equal(m.u.import_row.action, "add");
	hear(ctl, P_CTL, &m, MSG_IMPORT_ROW);
	assert_string_equal(m.u.import_row.account, CAPITAL);
	assert_string_equal(m.u.import_row.action, "left out");
	hear(ctl, P_CTL, &m, MSG_CMD_DONE);
}

static void
a_permit_is_for_one_message(void **state)
{
	struct permit_claim claim = { { 0, 0, ALICE, "" }, "" };
	struct permit first;
	struct msg m;

	(void)state;
	add_alice();
	assert_int_equal(submit(ALICE, NULL, 3, &m), 250);
	first = m.u.allowed.permit;
	claim.login.session = tag;
	assert_int_equal(first.rcpts, 3);
	assert_int_equal(
	    permit_verify(&first, &claim, (int64_t)first.when), TOKEN_FINE);
	claim.sender = "bob@example.org";
	assert_int_equal(
	    permit_verify(&first, &claim, (int64_t)first.when), TOKEN_FALSE);
	assert_int_equal(submit(ALICE, NULL, 1, &m), 250);
	assert_true(m.u.allowed.permit.serial > first.serial);
	/* Also the sender that MAIL was not asked about. */
	assert_int_equal(submit_from("bob@example.org", 1, &m), 553);
	assert_int_equal(m.u.allowed.permit.serial, 0);
	assert_int_equal(submit_from("alice+list@example.org", 1, &m), 250);
	claim.login.session = tag;
	claim.sender = "alice+list@example.org";
	assert_int_equal(permit_verify(&m.u.allowed.permit, &claim,
			     (int64_t)m.u.allowed.permit.when),
	    TOKEN_FINE);
}

static void
limits_hold(void **state)
{
	struct msg m;

	(void)state;
	add_alice();
	assert_int_equal(submit(ALICE, NULL, 6, &m), 250);
	assert_int_equal(submit(ALICE, NULL, 5, &m), 450);
	assert_int_equal(m.u.allowed.verdict, V_TEMP);
	assert_string_equal(m.u.allowed.status, "4.7.1");
	assert_non_null(strstr(m.u.allowed.text, "10 recipients an hour"));
	assert_int_equal(submit(ALICE, NULL, 4, &m), 250);
	assert_int_equal(submit(ALICE, NULL, 11, &m), 550);
	assert_int_equal(logged("limit.reached"), 2);
}

/* Recipients within the hour, as the guard has counted them. */
static int
in_an_hour(void)
{
	struct msg m = { .type = MSG_ACCOUNT_CMD, .tag = ++tag };
	int n = -1;

	m.u.account_cmd.verb = GUARD_EXPLAIN;
	strcpy(m.u.account_cmd.account, ALICE);
	assert_true(message_send(ctl, &m, -1));
	for (;;) {
		struct pollfd p = { ctl, POLLIN, 0 };

		assert_int_equal(poll(&p, 1, 10000), 1);
		assert_true(message_recv(ctl, P_AUTH, P_CTL, &m, buf, NULL));
		if (m.type == MSG_CMD_DONE)
			return n;
		if (strcmp(m.u.status_row.key, "in_an_hour") == 0)
			n = atoi(m.u.status_row.value);
	}
}

/* What the queue says was not taken, neither limits nor guard have counted. */
static void
given_back(void **state)
{
	struct msg undo = { .type = MSG_SUBMIT_UNDO }, m;
	int64_t until = now_ms() + 10000;

	(void)state;
	add_alice();
	assert_int_equal(submit(ALICE, NULL, 3, &m), 250);
	assert_int_equal(submit(ALICE, NULL, 7, &m), 250);
	assert_int_equal(submit(ALICE, NULL, 7, &m), 450);
	assert_int_equal(in_an_hour(), 10);
	strcpy(undo.u.submit_undo.account, ALICE);
	undo.u.submit_undo.rcpts = 7;
	assert_true(message_send(queue, &undo, -1));
	while (in_an_hour() != 3)
		assert_true(now_ms() < until);
	assert_int_equal(submit(ALICE, NULL, 7, &m), 250);
}

/* A taken smtpd that ends auth behind each message gets no more for it. */
static void
limits_outlive_a_breach(void **state)
{
	struct msg m;
	char junk[] = "junk";
	uint8_t list[64];
	int status;
	size_t n;

	(void)state;
	add_alice();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(submit(ALICE, NULL, 3, &m), 250);
		if (i == 0) {
			assert_int_equal(
			    send(smtpd, junk, sizeof(junk), 0), sizeof(junk));
		} else if (i == 1) {
			m = (struct msg){ .type = MSG_TLS_SIGN };
			assert_true(message_send(smtpd, &m, -1));
		} else {
			m = (struct msg){ .type = MSG_SUBMIT_CHECK,
				.tag = ++tag };
			strcpy(m.u.submit_check.account, ALICE);
			n = list_add(
			    list, sizeof(list), 0, ALICE, strlen(ALICE));
			m.u.submit_check.authors = (struct bytes){ list, n };
			m.u.submit_check.hashes = (struct bytes){ list, 1 };
			prove(&m.u.submit_check.token, ALICE, "");
			assert_true(message_send(smtpd, &m, -1));
		}
		status = ended();
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
		assert_int_equal(logged("fatal"), i + 1);
		begin();
		hear(smtpd, P_SMTPD, &m, MSG_ACCOUNTS_DONE);
		hear(queue, P_QUEUE, &m, MSG_ACCOUNTS_DONE);
	}
	assert_int_equal(submit(ALICE, NULL, 3, &m), 450);
	assert_int_equal(submit(ALICE, NULL, 1, &m), 250);
}

static void
show_tells_all(void **state)
{
	struct msg m = { .type = MSG_ACCOUNT_CMD, .tag = 99 };

	(void)state;
	add_alice();
	assert_int_equal(login(ALICE, SECRET, CLIENT, &m), 235);
	assert_int_equal(submit(ALICE, NULL, 3, &m), 250);
	memset(&m, 0, sizeof(m));
	m.type = MSG_ACCOUNT_CMD;
	m.u.account_cmd.verb = ACCOUNT_SHOW;
	strcpy(m.u.account_cmd.account, "Alice@example.org");
	assert_true(message_send(ctl, &m, -1));
	hear(ctl, P_CTL, &m, MSG_ACCOUNT_ROW);
	assert_string_equal(m.u.account_row.account, ALICE);
	assert_string_equal(m.u.account_row.hash, "yescrypt");
	assert_string_equal(m.u.account_row.last_ip, CLIENT);
	assert_string_equal(m.u.account_row.by, "root");
	assert_true(m.u.account_row.last_login > 1600000000);
	assert_int_equal(m.u.account_row.weak, 0);
	assert_int_equal(m.u.account_row.grants, 1);
	assert_int_equal(m.u.account_row.sent_hour, 3);
	assert_int_equal(m.u.account_row.sent_day, 3);
	hear(ctl, P_CTL, &m, MSG_GRANT_ROW);
	assert_string_equal(m.u.grant_row.address, ALICE);
	hear(ctl, P_CTL, &m, MSG_CMD_DONE);
	assert_int_equal(m.u.cmd_done.exit_code, 0);
	assert_int_equal(command(ACCOUNT_SHOW, "bob@x.example", "", "", &m), 5);
	assert_int_equal(command(ACCOUNT_SHOW, "bob", "", "", &m), 2);
}

static void
long_lists_arrive_whole(void **state)
{
	struct msg m = { .type = MSG_ACCOUNT_CMD };
	char name[32], last[ADDR_SIZE] = "";
	int rows = 0;

	(void)state;
	for (int i = 0; i < 1500; i++) {
		snprintf(name, sizeof(name), "u%d@example.org", i);
		assert_int_equal(command(ACCOUNT_ADD, name, "", "", &m), 0);
	}
	memset(&m, 0, sizeof(m));
	m.type = MSG_ACCOUNT_CMD;
	m.u.account_cmd.verb = ACCOUNT_LIST;
	assert_true(message_send(ctl, &m, -1));
	/* Meanwhile others are served. */
	assert_int_equal(check_sender(ALICE, &m), 550);
	for (;; rows++) {
		assert_true(message_recv(ctl, P_AUTH, P_CTL, &m, buf, NULL));
		if (m.type != MSG_ACCOUNT_ROW)
			break;
		assert_true(strcmp(last, m.u.account_row.account) < 0);
		strcpy(last, m.u.account_row.account);
	}
	assert_int_equal(m.type, MSG_CMD_DONE);
	assert_int_equal(m.u.cmd_done.count, 1500);
	assert_int_equal(rows, 1500);
}

static void
a_new_neighbour_learns_who_may_not(void **state)
{
	char name[32];
	struct msg m;
	int fd, n = 0;

	(void)state;
	add_alice();
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "u%d@example.org", i);
		assert_int_equal(command(ACCOUNT_ADD, name, "", "", &m), 0);
		assert_int_equal(
		    command(i % 2 ? ACCOUNT_SUSPEND : ACCOUNT_REMOVE, name, "",
			"", &m),
		    0);
	}
	fd = connect_peer(P_QUEUE, false);
	for (;; n++) {
		assert_true(message_recv(fd, P_AUTH, P_QUEUE, &m, buf, NULL));
		if (m.type != MSG_ACCOUNT_STATE)
			break;
		assert_int_not_equal(m.u.account_state.state, ACC_ACTIVE);
		assert_string_not_equal(m.u.account_state.account, ALICE);
	}
	assert_int_equal(m.type, MSG_ACCOUNTS_DONE);
	assert_int_equal(n, 500);
	close(queue);
	queue = fd;
	assert_true(silent(queue));
}

static void
a_freeze_is_told_to_the_next_queue(void **state)
{
	uint8_t list[1024], hashes[8 * 8];
	struct msg m = { .type = MSG_SUBMIT_CHECK };
	struct msg_submit_check *s = &m.u.submit_check;

	(void)state;
	add_alice();
	close(queue);
	queue = -1;
	for (size_t i = 0; i < sizeof(hashes); i++)
		hashes[i] = (uint8_t)(i * 37);
	m.tag = ++tag;
	strcpy(s->account, ALICE);
	strcpy(s->ip, CLIENT);
	s->authors = (struct bytes){ list,
		list_add(list, sizeof(list), 0, ALICE, strlen(ALICE)) };
	s->hashes = (struct bytes){ hashes, sizeof(hashes) };
	s->rcpts = 8;
	prove(&s->token, ALICE, "");
	assert_true(message_send(smtpd, &m, -1));
	/* Told to all smtpds before it is answered. */
	hear(smtpd, P_SMTPD, &m, MSG_ACCOUNT_STATE);
	assert_int_equal(m.u.account_state.state, ACC_SUSPENDED);
	hear(smtpd, P_SMTPD, &m, MSG_ALLOWED);
	assert_int_not_equal(m.u.allowed.verdict, V_OK);
	queue = connect_peer(P_QUEUE, false);
	hear(queue, P_QUEUE, &m, MSG_FROZEN);
	assert_string_equal(m.u.frozen.account, ALICE);
	assert_non_null(strstr(m.u.frozen.text, "never wrote to"));
	hear(queue, P_QUEUE, &m, MSG_ACCOUNT_STATE);
	hear(queue, P_QUEUE, &m, MSG_ACCOUNTS_DONE);
	assert_true(silent(queue));
}

static void
an_answered_change_survives_kill(void **state)
{
	struct msg m;
	int status;

	(void)state;
	add_alice();
	assert_int_equal(command(ACCOUNT_SUSPEND, ALICE, "why", "", &m), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	begin();
	hear(smtpd, P_SMTPD, &m, MSG_ACCOUNT_STATE);
	assert_string_equal(m.u.account_state.account, ALICE);
	assert_int_equal(m.u.account_state.state, ACC_SUSPENDED);
	hear(smtpd, P_SMTPD, &m, MSG_ACCOUNTS_DONE);
	assert_int_equal(login(ALICE, SECRET, CLIENT, &m), 525);
}

static void
alone_it_serves_one_command(void **state)
{
	struct msg m;
	int64_t t;

	(void)state;
	assert_int_equal(end(), 0);
	for (int i = 0; i < 5; i++) {
		char name[32];

		spawn();
		send_conf();
		send_start();
		ctl = connect_ctl();
		hear(parent, P_PARENT, &m, MSG_READY);
		snprintf(name, sizeof(name), "u%d@example.org", i);
		assert_int_equal(command(ACCOUNT_ADD, name, "", "", &m), 0);
		smtpd = signing = queue = deliver = -1;
		/* It has nothing to wait for: ctl has 10 s of patience. */
		t = now_ms();
		assert_int_equal(end(), 0);
		assert_true(now_ms() - t < 10000);
	}
	begin();
	assert_int_equal(command(ACCOUNT_ADD, "u4@example.org", "", "", &m), 6);
}

static void
root_shuts_it_in(void **state)
{
	char path[80];
	struct msg m;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(end(), 0);
	as_root = true;
	begin();
	hear(smtpd, P_SMTPD, &m, MSG_ACCOUNTS_DONE);
	add_alice();
	assert_int_equal(login(ALICE, SECRET, CLIENT, &m), 235);
	end();
	as_root = false;
	snprintf(path, sizeof(path), "%s/env/accounts.db", dir);
	assert_int_equal(access(path, F_OK), 0);
}

static void
an_operator_who_errs_is_dropped(void **state)
{
	struct msg m = { .type = MSG_ACCOUNT_CMD };

	(void)state;
	m.u.account_cmd.verb = ACCOUNT_VERBS;
	assert_true(message_send(ctl, &m, -1));
	assert_false(message_recv(ctl, P_AUTH, P_CTL, &m, buf, NULL));
	close(ctl);
	ctl = connect_ctl();
	/* One who leaves while we hash is no trouble. */
	memset(&m, 0, sizeof(m));
	m.type = MSG_ACCOUNT_CMD;
	m.u.account_cmd.verb = ACCOUNT_ADD;
	strcpy(m.u.account_cmd.account, "gone@example.org");
	strcpy(m.u.account_cmd.secret, SECRET);
	assert_true(message_send(ctl, &m, -1));
	close(ctl);
	ctl = connect_ctl();
	add_alice();
}

static void
deliver_gets_the_smarthosts_password(void **state)
{
	struct msg m = { .type = MSG_ROUTE_SECRET, .tag = 5 };

	(void)state;
	strcpy(m.u.route_secret.route, "*");
	assert_true(message_send(deliver, &m, -1));
	hear(deliver, P_DELIVER, &m, MSG_ROUTE_SECRET_IS);
	assert_int_equal(m.tag, 5);
	assert_int_equal(m.u.route_secret_is.verdict, V_OK);
	assert_string_equal(m.u.route_secret_is.secret, "relay secret");
	memset(&m, 0, sizeof(m));
	m.type = MSG_ROUTE_SECRET;
	strcpy(m.u.route_secret.route, "example.net");
	assert_true(message_send(deliver, &m, -1));
	hear(deliver, P_DELIVER, &m, MSG_ROUTE_SECRET_IS);
	assert_int_equal(m.u.route_secret_is.verdict, V_PERM);
	assert_string_equal(m.u.route_secret_is.secret, "");
}

struct tls {
	EVP_PKEY *key;
	char name[SHA256_HEX], *pem, *certificate;
};

static char *
text_of(BIO *bio)
{
	char *data, *text;
	long n = BIO_get_mem_data(bio, &data);

	text = strndup(data, (size_t)n);
	BIO_free(bio);
	return text;
}

static struct tls
make_tls(EVP_PKEY *key)
{
	struct tls t = { .key = key };
	X509 *cert = X509_new();
	BIO *bio;

	assert_true(tls_key_name(key, t.name));
	X509_set_pubkey(cert, key);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(bio, cert);
	t.certificate = text_of(bio);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	t.pem = text_of(bio);
	X509_free(cert);
	return t;
}

static void
free_tls(struct tls *t)
{
	EVP_PKEY_free(t->key);
	free(t->pem);
	free(t->certificate);
}

/* As after SIGHUP; returns once the new key is in use or refused. */
static void
reload(const char *certificate, const char *key)
{
	int before = logged("tls.key");

	send_conf();
	send_file(FILE_TLS_CERT, "", certificate);
	send_file(FILE_TLS_KEY, "", key);
	send_start();
	while (logged("tls.key") == before)
		poll(NULL, 0, 5);
}

static enum verdict
sign(const char *name, enum sign_op op, uint32_t padding, const uint8_t *data,
    size_t n, struct msg *m)
{
	memset(m, 0, sizeof(*m));
	m->type = MSG_TLS_SIGN;
	m->tag = ++tag;
	strcpy(m->u.tls_sign.key, name);
	m->u.tls_sign.op = op;
	m->u.tls_sign.padding = padding;
	m->u.tls_sign.data = (struct bytes){ data, n };
	assert_true(message_send(signing, m, -1));
	hear(signing, P_SMTPD, m, MSG_TLS_SIGNED);
	assert_int_equal(m->tag, tag);
	return (enum verdict)m->u.tls_signed.verdict;
}

/* Whether what m brought is the key's own signature of a digest. */
static bool
verifies(EVP_PKEY *key, int padding, const uint8_t *digest, size_t n,
    const struct msg *m)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	bool ok;

	assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
	if (padding != 0)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
	ok = EVP_PKEY_verify(ctx, m->u.tls_signed.signature.data,
		 m->u.tls_signed.signature.len, digest, n) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static void
handshakes_are_signed(void **state)
{
	struct tls ec = make_tls(EVP_EC_gen("P-256"));
	struct tls rsa = make_tls(EVP_RSA_gen(2048));
	struct tls other = make_tls(EVP_EC_gen("P-256"));
	uint8_t digest[32], block[256] = { 0, 1 };
	struct msg m;

	(void)state;
	memset(digest, 0x5a, sizeof(digest));
	memset(block + 2, 0x11, sizeof(block) - 2);
	assert_int_equal(sign(ec.name, SIGN_ECDSA, 0, digest, 32, &m), V_PERM);
	reload(ec.certificate, ec.pem);
	assert_int_equal(sign(ec.name, SIGN_ECDSA, 0, digest, 32, &m), V_OK);
	assert_true(verifies(ec.key, 0, digest, 32, &m));
	assert_int_equal(
	    sign(ec.name, SIGN_RSA_PRIVATE, RSA_NO_PADDING, block, 256, &m),
	    V_PERM);
	assert_int_equal(sign(ec.name, 77, 0, digest, 32, &m), V_PERM);
	/* The wrong key is refused and the old one stays. */
	reload(rsa.certificate, other.pem);
	assert_int_equal(logged("does not belong to the certificate"), 1);
	assert_int_equal(sign(ec.name, SIGN_ECDSA, 0, digest, 32, &m), V_OK);
	reload("nonsense", "nonsense");
	/* The right one is used, and the one before still known. */
	reload(rsa.certificate, rsa.pem);
	assert_int_equal(
	    sign(rsa.name, SIGN_RSA_PRIVATE, RSA_PKCS1_PADDING, digest, 32, &m),
	    V_OK);
	assert_true(verifies(rsa.key, RSA_PKCS1_PADDING, digest, 32, &m));
	assert_int_equal(
	    sign(rsa.name, SIGN_RSA_PRIVATE, RSA_NO_PADDING, block, 256, &m),
	    V_OK);
	assert_int_equal(m.u.tls_signed.signature.len, 256);
	assert_int_equal(
	    sign(rsa.name, SIGN_RSA_PRIVATE, RSA_NO_PADDING, block, 255, &m),
	    V_PERM);
	assert_int_equal(sign(rsa.name, SIGN_RSA_PRIVATE,
			     RSA_PKCS1_OAEP_PADDING, digest, 32, &m),
	    V_PERM);
	assert_int_equal(sign(ec.name, SIGN_ECDSA, 0, digest, 32, &m), V_OK);
	assert_true(verifies(ec.key, 0, digest, 32, &m));
	/* So it is after any number of reloads, for a while. */
	reload(other.certificate, other.pem);
	assert_int_equal(sign(ec.name, SIGN_ECDSA, 0, digest, 32, &m), V_OK);
	/* A second line, and the end of the first. */
	close(signing);
	signing = connect_peer(P_SMTPD, true);
	assert_int_equal(sign(other.name, SIGN_ECDSA, 0, digest, 32, &m), V_OK);
	free_tls(&ec);
	free_tls(&rsa);
	free_tls(&other);
}

static void
a_handshake_does_not_wait_for_passwords(void **state)
{
	struct tls ec = make_tls(EVP_EC_gen("P-256"));
	uint8_t digest[32] = { 1 };
	char user[32], ip[32];
	struct msg m;
	int64_t t;

	(void)state;
	reload(ec.certificate, ec.pem);
	for (int i = 0; i < 60; i++) {
		snprintf(ip, sizeof(ip), "10.0.%d.1", i);
		snprintf(user, sizeof(user), "u%d@example.org", i);
		ask_login(user, "x", ip);
	}
	t = now_ms();
	for (int i = 0; i < 50; i++)
		assert_int_equal(
		    sign(ec.name, SIGN_ECDSA, 0, digest, 32, &m), V_OK);
	assert_true(now_ms() - t < 1000);
	for (int i = 0; i < 60; i++)
		hear(smtpd, P_SMTPD, &m, MSG_AUTH_RESULT);
	free_tls(&ec);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_password_logs_in),
		TEST(wrong_and_unknown_are_told_alike),
		TEST(spellings_do_not_tell_who_is_there),
		TEST(spellings_count_as_one),
		TEST(the_log_cannot_be_forged),
		TEST(one_old_password_is_stale),
		TEST(guessing_is_cut_off_and_hurts_nobody_else),
		TEST(old_hashes_work_and_become_new),
		TEST(a_test_says_why_not),
		TEST(many_logins_at_once_hash_once),
		TEST(failed_exchanges_do_not_pile_up),
		TEST(a_full_house_is_busy),
		TEST(suspending_is_known_at_once),
		TEST(removing_forgets_the_password),
		TEST(nobody_without_login),
		TEST(one_sends_as_oneself),
		TEST(a_name_beyond_ascii_is_one_account),
		TEST(imported_names_are_one_account),
		TEST(an_import_says_who_came_before),
		TEST(a_refused_row_was_not_before),
		TEST(a_permit_is_for_one_message),
		TEST(limits_hold),
		TEST(limits_outlive_a_breach),
		TEST(given_back),
		TEST(show_tells_all),
		TEST(long_lists_arrive_whole),
		TEST(a_new_neighbour_learns_who_may_not),
		TEST(a_freeze_is_told_to_the_next_queue),
		TEST(an_answered_change_survives_kill),
		TEST(alone_it_serves_one_command),
		TEST(root_shuts_it_in),
		TEST(an_operator_who_errs_is_dropped),
		TEST(deliver_gets_the_smarthosts_password),
		TEST(handshakes_are_signed),
		TEST(a_handshake_does_not_wait_for_passwords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
