/*
 * run_dialogs.c - plays the transcripts of tests/dialog/ to the server's
 * session, in this process, and prints TAP: one test for each transcript.
 *
 *   run_dialogs [FILE | FOLDER]...
 *
 * Each transcript is played as written, octet by octet, and, when it says
 * `splits`, cut in two at every offset.  What it means is in
 * tests/dialog/README.md.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "smtpd/owed.h"
#include "smtpd/session.h"
#include "smtpd/transaction.h"
#include "text.h"

#define ID        ((uint64_t)7 << 16)
#define NOW_MS    1000000
#define TEXT_MOST (4 * 1024 * 1024)
#define REQUESTS  512

void __sanitizer_set_report_fd(void *) __attribute__((weak));

/* How the octets of the client are cut. */
enum cut { CUT_NOT, CUT_ALL, CUT_ONCE };

static struct conf conf;
static struct surroundings world;
static struct session session;
static struct msg_conn_verdict screen;
static struct msg_allowed own;   /* limits of the account, as auth tells them */
static struct buf in, out, sent; /* not eaten, not said, not yet sent */
static bool connected, manual, impatient, crowded;
static bool down[P_COUNT], busy[P_COUNT];
static size_t out_checked;
static enum cut cut;
static size_t cut_at, cut_seen;
static bool wants_splits, wants_whole;

/* Requests as text, and the answers that are due. */
static char *requests[REQUESTS];
static int nrequests, request_next;
static struct due {
	enum msg_type type;
	bool scripted;
	struct outcome outcome;
} due[REQUESTS];
static int ndue;
static struct outcome scripted[MSG_TYPES];
static bool has_script[MSG_TYPES];
static char *last_body;
static int lent = -1;
static int lent_as = -1; /* the session's own descriptor of it */
static int log_fd = -1;
static off_t log_read;

static jmp_buf failed;
static const char *file;
static int line_number;
static char why[1200];

void
fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	longjmp(failed, 1);
}

/* 2026-11-21T20:00:00Z, when nothing has happened yet. */
static int64_t
wall_ms(void)
{
	return INT64_C(1795291200000) + world.now_ms - NOW_MS;
}

/* Look at the body of a message as the queue would, and keep it as text. */
static void
take_body(const struct msg_tx_commit *c)
{
	char *body, *text;
	struct stat st;

	if (c->flags & TX_IN_FILE) {
		if (lent == -1 || fstat(lent, &st) == -1 ||
		    (uint64_t)st.st_size != c->size)
			fail("the file does not hold the body");
		if (fcntl(lent_as, F_GETFD) != -1)
			fail("the session can still write to the file");
		body = malloc(c->size);
		if (pread(lent, body, c->size, 0) != (ssize_t)c->size)
			fail("cannot read the file");
		text = text_show(body, c->size);
		free(body);
	} else {
		if (c->body.len != c->size)
			fail("size is not that of the body");
		text = text_show((const char *)c->body.data, c->body.len);
	}
	free(last_body);
	last_body = text;
}

static bool
send_request(const struct msg *m)
{
	static uint8_t record[MSG_MAX];
	enum process to =
	    msg_allowed(m->type, P_SMTPD, P_AUTH) ? P_AUTH : P_QUEUE;
	struct msg copy;
	size_t n;

	if (down[to] || (busy[to] && msg_answer_to(m->type) != MSG_NONE))
		return false;
	if (!msg_allowed(m->type, P_SMTPD, to) || m->tag != ID)
		fail("%s with tag %" PRIx64, msg_name(m->type), m->tag);
	/* What the other end will see, bounds and all. */
	n = msg_encode(m, record, sizeof(record));
	if (n == 0 || !msg_decode(&copy, record, n))
		fail("%s does not fit a record", msg_name(m->type));
	if (nrequests == REQUESTS || ndue == REQUESTS)
		fail("too many requests");
	if (copy.type == MSG_TX_COMMIT)
		take_body(&copy.u.tx_commit);
	requests[nrequests++] = text_of_request(&copy);
	if (msg_answer_to(m->type) != MSG_NONE)
		due[ndue++].type = msg_answer_to(m->type);
	return true;
}

static void
answer(enum msg_type type, const struct outcome *o)
{
	struct msg m;
	int fd = -1;

	no_answer(&m, type);
	m.tag = ID;
	switch (type) {
	case MSG_AUTH_RESULT:
		m.u.auth_result.verdict = o->verdict;
		m.u.auth_result.code = (uint32_t)o->code;
		strcpy(m.u.auth_result.status, o->status);
		snprintf(m.u.auth_result.text, sizeof(m.u.auth_result.text),
		    "%.150s", o->text);
		if (o->verdict == V_OK) {
			strcpy(m.u.auth_result.account, "alice@example.org");
			strcpy(m.u.auth_result.credential, "password");
			m.u.auth_result.rcpts = own.rcpts;
			m.u.auth_result.size = own.size;
		}
		break;
	case MSG_ALLOWED:
		m.u.allowed.verdict = o->verdict;
		m.u.allowed.code = (uint32_t)o->code;
		strcpy(m.u.allowed.status, o->status);
		strcpy(m.u.allowed.text, o->text);
		m.u.allowed.rcpts = own.rcpts;
		m.u.allowed.size = own.size;
		break;
	case MSG_TX_FILE_LENT:
		m.u.tx_file_lent.verdict = o->verdict;
		m.u.tx_file_lent.code = (uint32_t)o->code;
		strcpy(m.u.tx_file_lent.status, o->status);
		snprintf(m.u.tx_file_lent.text, sizeof(m.u.tx_file_lent.text),
		    "%.150s", o->text);
		if (o->verdict != V_OK)
			break;
		if (lent != -1)
			close(lent);
		/* /dev/full is a file system without room. */
		lent = strcmp(o->text, "full") == 0
		    ? open("/dev/full", O_WRONLY | O_CLOEXEC)
		    : memfd_create("body", MFD_CLOEXEC);
		lent_as = fd = fcntl(lent, F_DUPFD_CLOEXEC, 0);
		break;
	default:
		m.u.tx_result.verdict = o->verdict;
		m.u.tx_result.id = 1;
		m.u.tx_result.code = (uint32_t)o->code;
		strcpy(m.u.tx_result.status, o->status);
		snprintf(m.u.tx_result.text, sizeof(m.u.tx_result.text),
		    "%.150s", o->text);
		break;
	}
	session_answer(&session, &m, fd);
}

/* What auth says when the transcript does not: the password is "secret". */
static void
answer_by_default(enum msg_type type)
{
	struct outcome o = { .verdict = V_OK, .code = 250, .status = "2.0.0" };
	const char *last = requests[nrequests - 1];

	if (has_script[type]) {
		o = scripted[type];
		has_script[type] = false;
	} else if (type == MSG_AUTH_RESULT) {
		if (strstr(last, " secret=secret ") != NULL)
			outcome_set(&o, V_OK, 235, "2.7.0", "welcome");
		else
			outcome_set(&o, V_PERM, 535, "5.7.8",
			    "wrong user name or password");
	}
	answer(type, &o);
}

static void
feed(void)
{
	size_t used;

	while (connected) {
		used = session_input(&session, buf_data(&in), in.len);
		if (used > in.len)
			fail("ate %zu of %zu octets", used, in.len);
		buf_consume(&in, used);
		if (impatient || in.len == 0 || session.until_ms == 0)
			break;
		/* Whoever makes errors is made to wait: so we do. */
		world.now_ms = session.until_ms;
		session_timeout(&session);
	}
}

static void
run(void)
{
	feed();
	while (!manual && ndue > 0) {
		enum msg_type type = due[0].type;

		memmove(due, due + 1, sizeof(*due) * (size_t)--ndue);
		answer_by_default(type);
		feed();
	}
}

static void
deliver(const char *p, size_t n)
{
	if (n == 0)
		return;
	if (!connected)
		fail("the session is closed");
	buf_add(&in, p, n);
	run();
}

/* Send what the client has written, cut as this round wants it. */
static void
flush_client(void)
{
	const char *p = buf_data(&sent);
	size_t n = sent.len, first;

	if (n == 0)
		return;
	switch (cut) {
	case CUT_NOT:
		deliver(p, n);
		break;
	case CUT_ALL:
		for (size_t i = 0; i < n; i++)
			deliver(p + i, 1);
		break;
	case CUT_ONCE:
		first = cut_at > cut_seen ? cut_at - cut_seen : 0;
		if (first > n)
			first = n;
		deliver(p, first);
		deliver(p + first, n - first);
		cut_seen += n;
		break;
	}
	buf_consume(&sent, n);
}

static void
begin(unsigned port, bool implicit)
{
	if (connected)
		fail("connected already");
	connected = true;
	buf_reserve(&in, 1);
	session_init(&session, &world, &out, ID, "192.0.2.7", port, implicit,
	    screen.action == SCREEN_ALLOW ? NULL : &screen);
}

static void
ensure_open(void)
{
	if (!connected)
		begin(587, false);
}

static void
client_line(const char *arg)
{
	ensure_open();
	text_unescape(&sent, arg);
	buf_add(&sent, "\r\n", 2);
	flush_client();
}

static void
client_held(const char *arg)
{
	ensure_open();
	text_unescape(&sent, arg);
	buf_add(&sent, "\r\n", 2);
}

static void
client_raw(const char *arg)
{
	ensure_open();
	text_unescape(&sent, arg);
	flush_client();
}

/* The next line that the server said, without CRLF. */
static char *
heard(void)
{
	const char *p = buf_data(&out), *end;
	char *line;

	end = out.len > 0 ? memmem(p, out.len, "\r\n", 2) : NULL;
	if (end == NULL)
		return NULL;
	line = strndup(p, (size_t)(end - p));
	if (strlen(line) != (size_t)(end - p) || end - p > 510)
		fail("a reply line that is none");
	buf_consume(&out, (size_t)(end - p) + 2);
	return line;
}

static void
server_says(const char *arg)
{
	char *line;

	ensure_open();
	flush_client();
	line = heard();
	if (line == NULL)
		fail("said nothing, want \"%s\"", arg);
	if (strncmp(line, arg, strlen(arg)) != 0)
		fail("said \"%.300s\", want \"%s\"", line, arg);
	free(line);
	run();
}

/*
 * A whole reply of several lines: "250 STARTTLS !AUTH" has a line that begins
 * with the first word behind its code, and none with the other.
 */
static void
server_lists(const char *arg)
{
	char *line, all[4096] = "\n", want[64];
	const char *word = arg + 4;
	bool last = false;
	size_t n = 1;

	ensure_open();
	flush_client();
	while (!last && (line = heard()) != NULL) {
		if (strncmp(line, arg, 3) != 0 || strlen(line) < 4)
			fail("said \"%.300s\", want %.3s", line, arg);
		last = line[3] == ' ';
		n += (size_t)snprintf(
		    all + n, sizeof(all) - n, "%.400s\n", line + 4);
		if (n >= sizeof(all))
			fail("said too much");
		free(line);
	}
	if (!last)
		fail("the reply has no end");
	for (; *word != '\0'; word += strspn(word, " ")) {
		bool no = *word == '!';

		word += no;
		snprintf(want, sizeof(want), "\n%.*s", (int)strcspn(word, " "),
		    word);
		if ((strstr(all, want) != NULL) == no)
			fail("%s in the reply", want + 1);
		word += strcspn(word, " ");
	}
	run();
}

static void
server_matches(const char *arg)
{
	char *line;

	ensure_open();
	flush_client();
	line = heard();
	if (line == NULL)
		fail("said nothing, want /%s/", arg);
	if (!text_matches(line, arg))
		fail("said \"%.300s\", want /%s/", line, arg);
	free(line);
	run();
}

static void
silence(const char *arg)
{
	char *line = NULL;

	(void)arg;
	flush_client();
	if (out.len > 0 && (line = heard()) != NULL)
		fail("said \"%.300s\", want silence", line);
}

static void
tls(const char *arg)
{
	(void)arg;
	ensure_open();
	silence("");
	if (session_wants(&session) != WANTS_TLS)
		fail("does not want TLS");
	if (in.len > 0)
		fail("octets wait in front of the handshake");
	session_secured(&session, "TLSv1.3");
	run();
}

static void
closed(const char *arg)
{
	enum wants wants = session_wants(&session);

	(void)arg;
	silence("");
	if (wants != WANTS_CLOSE && wants != WANTS_LINGER)
		fail("wants to go on");
	if (*arg != '\0' && (wants == WANTS_LINGER) != !strcmp(arg, "linger"))
		fail("closes the other way");
}

static void
request_is(const char *arg)
{
	flush_client();
	if (request_next == nrequests)
		fail("no request, want \"%s\"", arg);
	if (strncmp(requests[request_next], arg, strlen(arg)) != 0)
		fail("request \"%.400s\", want \"%s\"", requests[request_next],
		    arg);
	request_next++;
}

static void
request_matches(const char *arg)
{
	flush_client();
	if (request_next == nrequests)
		fail("no request, want /%s/", arg);
	if (!text_matches(requests[request_next], arg))
		fail("request \"%.400s\", want /%s/", requests[request_next],
		    arg);
	request_next++;
}

static void
no_request(const char *arg)
{
	(void)arg;
	flush_client();
	if (request_next < nrequests)
		fail("request \"%.400s\", want none", requests[request_next]);
}

static void
forget_requests(const char *arg)
{
	(void)arg;
	flush_client();
	request_next = nrequests;
}

static void
body_is(const char *arg)
{
	struct buf want = { 0 };
	char *text;

	text_unescape(&want, arg);
	text = text_show(buf_data(&want), want.len);
	buf_release(&want);
	if (last_body == NULL)
		fail("nothing was stored");
	if (strcmp(last_body, text) != 0)
		fail("body \"%.500s\", want \"%.500s\"", last_body, text);
	free(text);
}

static enum msg_type
type_of(const char **arg)
{
	static const enum msg_type types[] = { MSG_AUTH_RESULT, MSG_ALLOWED,
		MSG_TX_FILE_LENT, MSG_TX_RESULT };
	size_t n = strcspn(*arg, " ");

	for (size_t i = 0; i < 4; i++)
		if (strlen(msg_name(types[i])) == n &&
		    strncmp(*arg, msg_name(types[i]), n) == 0) {
			*arg += n + strspn(*arg + n, " ");
			return types[i];
		}
	fail("not an answer: %s", *arg);
}

/* TYPE ok|temp|perm [CODE STATUS [TEXT]] */
static enum msg_type
read_answer(const char *arg, struct outcome *o)
{
	static const char *const verdicts[] = { "ok", "temp", "perm" };
	enum msg_type type = type_of(&arg);
	char verdict[8] = "";
	int used = 0;

	memset(o, 0, sizeof(*o));
	if (sscanf(arg, "%7s %d %11s%n", verdict, &o->code, o->status, &used) <
	    1)
		fail("no verdict");
	arg += used + strspn(arg + used, " ");
	if (used > 0)
		snprintf(o->text, sizeof(o->text), "%s", arg);
	for (o->verdict = V_OK; o->verdict < V_COUNT; o->verdict++)
		if (strcmp(verdicts[o->verdict], verdict) == 0)
			return type;
	fail("not a verdict: %s", verdict);
}

static void
next_answer(const char *arg)
{
	struct outcome o;
	enum msg_type type = read_answer(arg, &o);

	flush_client();
	scripted[type] = o;
	has_script[type] = true;
}

static void
answer_now(const char *arg)
{
	struct outcome o;
	enum msg_type type = read_answer(arg, &o);
	int i;

	flush_client();
	for (i = 0; i < ndue && due[i].type != type; i++)
		;
	if (i == ndue)
		fail("nobody asked for this answer");
	memmove(due + i, due + i + 1, sizeof(*due) * (size_t)(ndue - i - 1));
	ndue--;
	answer(type, &o);
	run();
}

static void
by_hand(const char *arg)
{
	(void)arg;
	manual = true;
}

static void
dont_wait(const char *arg)
{
	(void)arg;
	impatient = true;
}

static enum process
neighbour(const char *arg)
{
	if (strcmp(arg, "auth") == 0)
		return P_AUTH;
	if (strcmp(arg, "queue") == 0)
		return P_QUEUE;
	fail("who is \"%s\"?", arg);
}

static void
neighbour_dies(const char *arg)
{
	enum process who = neighbour(arg);
	int kept = 0;

	flush_client();
	down[who] = true;
	if (who == P_QUEUE)
		world.queue_up = false;
	for (int i = 0; i < ndue; i++)
		if (!msg_allowed(due[i].type, who, P_SMTPD))
			due[kept++] = due[i];
	ndue = kept;
	if (connected) {
		session_bereaved(&session, who);
		run();
	}
}

static void
neighbour_back(const char *arg)
{
	enum process who = neighbour(arg);

	down[who] = busy[who] = false;
	if (who == P_QUEUE)
		world.queue_up = true;
}

static void
neighbour_busy(const char *arg)
{
	flush_client();
	busy[neighbour(arg)] = true;
}

static void
queue_full(const char *arg)
{
	world.accepting = false;
	snprintf(world.refusal, sizeof(world.refusal), "%s", arg);
}

static void
queue_free(const char *arg)
{
	(void)arg;
	world.accepting = true;
}

/* Seconds pass; the timer fires if it is due. */
static void
wait_s(const char *arg)
{
	ensure_open();
	flush_client();
	world.now_ms += strtol(arg, NULL, 10) * 1000;
	if (session_deadline(&session) <= world.now_ms) {
		session_timeout(&session);
		run();
	}
}

/* What the rules of [screen] say: ACTION, "unsure" or not, and the text. */
static void
screened(const char *arg)
{
	size_t n = strcspn(arg, " ");

	while (screen.action < SCREEN_ACTIONS &&
	    strncmp(screen_action_name((enum screen_action)screen.action), arg,
		n) != 0)
		screen.action++;
	if (screen.action == SCREEN_ACTIONS)
		fail("no such action");
	arg += n + strspn(arg + n, " ");
	if (strncmp(arg, "unsure", 6) == 0) {
		screen.unsure = 1;
		arg += 6 + strspn(arg + 6, " ");
	}
	snprintf(screen.text, sizeof(screen.text), "%s", arg);
}

static bool
enter_account(const char *account)
{
	(void)account;
	return !crowded;
}

static void
too_many_sessions(const char *arg)
{
	(void)arg;
	crowded = true;
}

static void
no_certificate(const char *arg)
{
	(void)arg;
	world.tls = false;
}

static void
stop(const char *arg)
{
	(void)arg;
	ensure_open();
	flush_client();
	session_part(&session, PART_STOP);
	run();
}

static void
bar(const char *arg)
{
	(void)arg;
	ensure_open();
	flush_client();
	session_part(&session, PART_BARRED);
	run();
}

static void
relogin(const char *arg)
{
	(void)arg;
	ensure_open();
	flush_client();
	session_part(&session, PART_RELOGIN);
	run();
}

static void
gone(const char *arg)
{
	(void)arg;
	flush_client();
	session_gone(&session);
	connected = false;
}

static void
connect_to(const char *arg)
{
	unsigned port = (unsigned)strtoul(arg, NULL, 10);

	begin(port, port == 465);
}

static void
ignore_replies(void)
{
	char *line;

	while ((line = heard()) != NULL)
		free(line);
}

static void
say(const char *text)
{
	deliver(text, strlen(text));
}

/* Up to where mail can be sent, without a look at the replies. */
static void
login(const char *arg)
{
	bool was_manual = manual;

	(void)arg;
	manual = false;
	begin(465, true);
	session_secured(&session, "TLSv1.3");
	say("EHLO client.example\r\n");
	say("AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHNlY3JldA==\r\n");
	ignore_replies();
	if (session.account[0] == '\0')
		fail("cannot log in");
	request_next = nrequests;
	manual = was_manual;
}

/* ... and up to the body. */
static void
data(const char *arg)
{
	(void)arg;
	login("");
	say("MAIL FROM:<alice@example.org>\r\n");
	say("RCPT TO:<bob@example.net>\r\n");
	say("DATA\r\n");
	ignore_replies();
	if (session.state != ST_BODY)
		fail("no DATA");
	request_next = nrequests;
}

static void
set(const char *arg)
{
	unsigned long n;
	char what[32];

	if (sscanf(arg, "%31s %lu", what, &n) != 2)
		fail("set WHAT NUMBER");
	if (strcmp(what, "size") == 0)
		conf.message_size = n;
	else if (strcmp(what, "recipients") == 0)
		conf.recipients = (uint32_t)n;
	else
		fail("set %s?", what);
}

/* RECIPIENTS OCTETS of a message. */
static void
allow(const char *arg)
{
	if (sscanf(arg, "%" SCNu32 " %" SCNu64, &own.rcpts, &own.size) != 2)
		fail("allows RECIPIENTS OCTETS");
}

static void
splits(const char *arg)
{
	(void)arg;
	wants_splits = true;
}

static void
whole(const char *arg)
{
	(void)arg;
	wants_whole = true;
}

/* Some line of the log since the last look matches. */
static void
logged(const char *arg)
{
	char text[8192], *line, *save;
	ssize_t n = pread(log_fd, text, sizeof(text) - 1, log_read);
	bool found = false;

	if (n < 0)
		n = 0;
	text[n] = '\0';
	log_read += n;
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char *event = strstr(line, "Z ");

		found |= text_matches(event != NULL ? event + 2 : line, arg);
	}
	if (!found)
		fail("not in the log: /%s/", arg);
}

static void
not_logged(const char *arg)
{
	char text[8192], *line, *save;
	ssize_t n = pread(log_fd, text, sizeof(text) - 1, log_read);

	text[n < 0 ? 0 : n] = '\0';
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (strstr(line, arg) != NULL)
			fail("in the log: %.300s", line);
}

/* clang-format off */
static const struct directive {
	const char *word;
	void (*run)(const char *arg);
} directives[] = {
	{ "C:",		client_line },	 /* say this and CRLF */
	{ "C|",		client_held },	 /* the same, together with what follows */
	{ "C>",		client_raw },	 /* say this and nothing more */
	{ "S:",		server_says },	 /* hear a line that begins so */
	{ "S~",		server_matches },/* ... or matches */
	{ "S+",		server_lists },	 /* hear all lines of a reply */
	{ "silence",	silence },	 /* nothing was said */
	{ "tls",	tls },		 /* the handshake happens */
	{ "closed",	closed },	 /* the server hangs up [linger | now] */
	{ "Q:",		request_is },	 /* a neighbour was asked so */
	{ "Q~",		request_matches },
	{ "Q.",		no_request },	 /* nothing was asked */
	{ "Q*",		forget_requests },
	{ "A:",		answer_now },	 /* a neighbour answers so, now */
	{ "next",	next_answer },	 /* ... when it is asked next */
	{ "manual",	by_hand },	 /* no answers by themselves */
	{ "impatient",	dont_wait },	 /* no time passes by itself */
	{ "stored",	body_is },	 /* the body that the queue got */
	{ "dies",	neighbour_dies },
	{ "busy",	neighbour_busy }, /* hears no more questions */
	{ "back",	neighbour_back },
	{ "full",	queue_full },
	{ "free",	queue_free },
	{ "wait",	wait_s },
	{ "no-certificate", no_certificate },
	{ "crowded",	too_many_sessions }, /* of the account */
	{ "screen",	screened },	 /* what the rules say of it */
	{ "stop",	stop },		 /* the server is going down */
	{ "bar",	bar },		 /* the account is suspended */
	{ "relogin", relogin },	 /* its password was changed */
	{ "gone",	gone },		 /* the client is gone */
	{ "connect",	connect_to },	 /* 587, or 465 with TLS first */
	{ "login",	login },
	{ "data",	data },
	{ "set",	set },
	{ "allows",	allow },	 /* auth to this account, at most */
	{ "splits",	splits },
	{ "whole",	whole },	 /* the cut matters: as written only */
	{ "log~",	logged },
	{ "log!",	not_logged },
	{ NULL, NULL },
};
/* clang-format on */

static void
obey(char *line)
{
	const struct directive *d;
	size_t n = strcspn(line, " \t");
	char *arg = line + n;

	if (*line == '\0' || *line == '#')
		return;
	if (*arg != '\0')
		*arg++ = '\0';
	for (d = directives; d->word != NULL; d++)
		if (strcmp(d->word, line) == 0) {
			d->run(arg);
			return;
		}
	fail("what is \"%s\"?", line);
}

static void
reset(void)
{
	memset(&conf, 0, sizeof(conf));
	strcpy(conf.hostname, "mail.example.org");
	conf.message_size = 1000000;
	conf.recipients = 100;
	conf.connections = 20;
	conf.hold_s = 86400;
	world = (struct surroundings){ .conf = &conf,
		.now_ms = NOW_MS,
		.tls = true,
		.queue_up = true,
		.accepting = true,
		.wall_ms = wall_ms,
		.send = send_request,
		.enter = enter_account };
	memset(down, 0, sizeof(down));
	memset(busy, 0, sizeof(busy));
	memset(has_script, 0, sizeof(has_script));
	for (int i = 0; i < nrequests; i++)
		free(requests[i]);
	nrequests = request_next = ndue = 0;
	free(last_body);
	last_body = NULL;
	if (lent != -1)
		close(lent);
	lent = -1;
	if (connected)
		session_gone(&session);
	owed_forget();
	connected = manual = impatient = crowded = false;
	memset(&screen, 0, sizeof(screen));
	memset(&own, 0, sizeof(own));
	buf_release(&in);
	buf_release(&out);
	buf_release(&sent);
	out_checked = cut_seen = 0;
	log_read = lseek(log_fd, 0, SEEK_END);
}

/* Lines that are played several times. */
struct refrain {
	const char *text;
	int line_number, times;
};

/* Whether the line was about that. */
static bool
refrain(struct refrain *r, const char *line, const char **next)
{
	if (sscanf(line, "repeat %d", &r->times) == 1) {
		r->text = *next;
		r->line_number = line_number;
		return true;
	}
	if (strcmp(line, "end") != 0)
		return false;
	if (--r->times > 0) {
		*next = r->text;
		line_number = r->line_number;
	}
	return true;
}

/* Play the transcript once. */
static bool
play(const char *text)
{
	static char line[65536];
	static const char *next;
	static struct refrain r;
	const char *end;

	reset();
	next = text;
	line_number = 0;
	if (setjmp(failed) != 0)
		return false;
	while (*next != '\0') {
		end = strchrnul(next, '\n');
		if ((size_t)(end - next) >= sizeof(line))
			fail("the line is too long");
		snprintf(line, sizeof(line), "%.*s", (int)(end - next), next);
		next = *end != '\0' ? end + 1 : end;
		line_number++;
		if (!refrain(&r, line, &next))
			obey(line);
	}
	line_number++;
	silence("");
	return true;
}

/* Play it in all its cuts; how many octets the client says in *octets. */
static bool
play_all(const char *text)
{
	size_t total;

	wants_splits = wants_whole = false;
	cut = CUT_NOT;
	if (!play(text))
		return false;
	if (wants_whole)
		return true;
	cut = CUT_ALL;
	if (!play(text))
		return false;
	if (!wants_splits)
		return true;
	cut = CUT_ONCE;
	cut_at = 0;
	do {
		if (!play(text))
			return false;
		total = cut_seen;
	} while (++cut_at < total);
	return true;
}

static char *
read_all(const char *path)
{
	char *text = malloc(TEXT_MOST);
	FILE *f = fopen(path, "r");
	size_t n;

	if (f == NULL || text == NULL) {
		perror(path);
		exit(2);
	}
	n = fread(text, 1, TEXT_MOST - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static const char *
name_of(const char *path)
{
	const char *folder = "tests/dialog/", *p = strstr(path, folder);

	return p != NULL ? p + strlen(folder) : path;
}

static void
test(const char *path)
{
	static const char *const cuts[] = { "", ", octet by octet", ", cut" };
	static int number;
	char *text = read_all(path);

	file = path;
	if (play_all(text))
		printf("ok %d - %s\n", ++number, name_of(path));
	else {
		printf("not ok %d - %s\n# %s:%d: %s%s", ++number, name_of(path),
		    path, line_number, why, cuts[cut]);
		if (cut == CUT_ONCE)
			printf(" at %zu", cut_at);
		putchar('\n');
	}
	free(text);
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

int
main(int argc, char **argv)
{
	char *all[] = { (char[]){ "tests/dialog" }, NULL };
	FTS *tree = fts_open(argc > 1 ? argv + 1 : all, FTS_LOGICAL, by_name);
	int real = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10), count = 0;
	FTSENT *e;

	if (tree == NULL) {
		perror("fts");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	unsetenv("JOURNAL_STREAM");
	log_open("smtpd");
	log_fd = memfd_create("log", MFD_CLOEXEC);
	if (__sanitizer_set_report_fd != NULL)
		__sanitizer_set_report_fd((void *)(intptr_t)real);
	dup2(log_fd, STDERR_FILENO);
	while ((e = fts_read(tree)) != NULL) {
		size_t n = strlen(e->fts_name);

		if (e->fts_info != FTS_F || n < 4 ||
		    strcmp(e->fts_name + n - 4, ".dlg") != 0)
			continue;
		test(e->fts_path);
		count++;
	}
	fts_close(tree);
	reset();
	buf_release(&in);
	printf("1..%d\n", count);
	return 0;
}
