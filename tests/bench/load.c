/*
 * load.c - submit many messages to a postern on loopback and time it.
 *
 * One thread a connection, blocking calls: the load is tens of connections,
 * and what is measured is the other side.  Every message carries an
 * X-Load-Id; the id of each acknowledged one is written to the ledger before
 * anything else happens, so that a crash test knows what was promised.
 *
 * Prints one JSON object on stdout when done.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>

enum { THREADS_MAX = 1024, HEADER_MAX = 1024, REPLY_MAX = 4096 };

static struct {
	const char *user; /* "load%d@bench.example": %d is 0..users-1 */
	const char *password;
	const char *domain; /* of the recipients */
	const char *ledger;
	const char *tag; /* first part of every id */
	int port;
	int connections;
	int messages;    /* per connection */
	int per_session; /* messages before QUIT; 0 = all */
	int users, first_user;
	int domains;
	int rcpts;
	size_t size;
	int big_every; /* every nth message has big_size instead */
	size_t big_size;
	double seconds; /* stop after this long; 0 = when all are sent */
	int timeout_s;
	bool implicit;
	bool insist;         /* reconnect after a failure, for ever */
	bool whole;          /* latency counts from connect(2) on */
	double rate;         /* messages a second, of all; 0 = no limit */
	int idle;            /* sessions that log in and then do nothing */
	struct in_addr from; /* any when 0 */
} opt = {
	.user = "load%d@bench.example",
	.password = "",
	.domain = "sink.example",
	.tag = "x",
	.connections = 1,
	.messages = 1,
	.users = 1,
	.domains = 1,
	.rcpts = 1,
	.size = 10240,
	.timeout_s = 60,
};

struct worker {
	pthread_t thread;
	int number;
	int fd;
	SSL *ssl;
	double began; /* the connection */
	char in[REPLY_MAX];
	size_t in_at, in_len;
	char user[256];
	long sent, accepted, refused, broken;
	int sessions;
	struct times {
		uint32_t *us;
		size_t n, room;
	} whole,     /* of each accepted message */
	    ack,     /* from its last octet to 250 */
	    ready;   /* of each session: connect(2) to logged in */
	double next; /* when the next message may begin */
};

static SSL_CTX *ctx;
static int ledger_fd = -1;
static char *filler;
static size_t filler_len;
static double started, first_accept, last_accept;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_in = PTHREAD_COND_INITIALIZER;
static int ready; /* connections, with a rate */
static double ready_at;
static volatile sig_atomic_t stopping;
static long replies[600]; /* how often each code refused something */

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static bool
over(void)
{
	return stopping || (opt.seconds > 0 && now() - started > opt.seconds);
}

static int
put(struct worker *w, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n;

		if (w->ssl)
			n = SSL_write(w->ssl, data, len > 65536 ? 65536 : len);
		else
			n = send(w->fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return -1;
		data += n;
		len -= n;
	}
	return 0;
}

static int
say(struct worker *w, const char *line)
{
	return put(w, line, strlen(line));
}

static int
get(struct worker *w)
{
	ssize_t n;

	if (w->in_at > 0) {
		memmove(w->in, w->in + w->in_at, w->in_len - w->in_at);
		w->in_len -= w->in_at;
		w->in_at = 0;
	}
	if (w->in_len == sizeof w->in)
		return -1;
	if (w->ssl)
		n = SSL_read(
		    w->ssl, w->in + w->in_len, sizeof w->in - w->in_len);
	else
		n = recv(w->fd, w->in + w->in_len, sizeof w->in - w->in_len, 0);
	if (n <= 0)
		return -1;
	w->in_len += n;
	return 0;
}

/* The code of the next reply, or -1 when the connection broke. */
static int
hear(struct worker *w)
{
	for (;;) {
		char *line = w->in + w->in_at;
		char *end = memchr(line, '\n', w->in_len - w->in_at);

		if (end == NULL) {
			if (get(w) != 0)
				return -1;
			continue;
		}
		w->in_at = end + 1 - w->in;
		if (end - line < 3)
			return -1;
		if (end - line > 3 && line[3] == '-')
			continue;
		int code = atoi(line);
		return code >= 200 && code < 600 ? code : -1;
	}
}

static void
hang_up(struct worker *w)
{
	SSL_free(w->ssl);
	w->ssl = NULL;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	w->in_at = w->in_len = 0;
}

static void
count_refusal(int code)
{
	if (code > 0 && code < 600)
		__atomic_add_fetch(&replies[code], 1, __ATOMIC_RELAXED);
}

static int
expect(struct worker *w, const char *line, int want)
{
	if (line != NULL && say(w, line) != 0)
		return -1;
	int code = hear(w);
	if (code == want)
		return 0;
	count_refusal(code);
	return -1;
}

static int
secure(struct worker *w)
{
	w->ssl = SSL_new(ctx);
	assert(w->ssl != NULL);
	SSL_set_fd(w->ssl, w->fd);
	SSL_set_tlsext_host_name(w->ssl, "mail.example.org");
	return SSL_connect(w->ssl) == 1 ? 0 : -1;
}

static int
log_in(struct worker *w)
{
	unsigned char raw[600], line[900];
	size_t user_len, pass_len = strlen(opt.password);
	int who = (opt.first_user + w->number + w->sessions * opt.connections) %
	    opt.users;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(w->user, sizeof w->user, opt.user, who);
#pragma GCC diagnostic pop
	user_len = strlen(w->user);
	if (user_len + pass_len + 2 > sizeof raw)
		return -1;
	raw[0] = 0;
	memcpy(raw + 1, w->user, user_len);
	raw[1 + user_len] = 0;
	memcpy(raw + 2 + user_len, opt.password, pass_len);
	memcpy(line, "AUTH PLAIN ", 11);
	int n = EVP_EncodeBlock(line + 11, raw, 2 + user_len + pass_len);
	memcpy(line + 11 + n, "\r\n", 3);
	return expect(w, (char *)line, 235);
}

static void
note_time(struct times *t, double seconds)
{
	if (t->n == t->room) {
		t->room = t->room ? t->room * 2 : 64;
		t->us = realloc(t->us, t->room * sizeof t->us[0]);
		assert(t->us != NULL);
	}
	t->us[t->n++] = seconds * 1e6;
}

/* Connect, secure, log in.  0, or -1 with the connection closed. */
static int
begin(struct worker *w)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(opt.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr = opt.from,
	};
	struct timeval limit = { .tv_sec = opt.timeout_s };
	int one = 1;

	w->began = now();
	w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		return -1;
	if (opt.from.s_addr != 0 &&
	    bind(w->fd, (struct sockaddr *)&from, sizeof from) != 0)
		goto out;
	setsockopt(w->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(w->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(w->fd, (struct sockaddr *)&to, sizeof to) != 0)
		goto out;
	if (opt.implicit && secure(w) != 0)
		goto out;
	if (expect(w, NULL, 220) != 0 ||
	    expect(w, "EHLO load.example\r\n", 250) != 0)
		goto out;
	if (!opt.implicit) {
		if (expect(w, "STARTTLS\r\n", 220) != 0 || secure(w) != 0 ||
		    expect(w, "EHLO load.example\r\n", 250) != 0)
			goto out;
	}
	if (log_in(w) != 0)
		goto out;
	w->sessions++;
	note_time(&w->ready, now() - w->began);
	return 0;
out:
	hang_up(w);
	return -1;
}

static void
acknowledged(struct worker *w, const char *id, double began, double ended)
{
	char line[128];
	double at = now();
	int n = snprintf(line, sizeof line, "%s\n", id);

	/* Before all else: from here on the server owes this message. */
	if (ledger_fd >= 0 && write(ledger_fd, line, n) != n)
		abort();
	note_time(&w->whole, at - began);
	note_time(&w->ack, at - ended);
	w->accepted++;
	pthread_mutex_lock(&lock);
	if (first_accept == 0)
		first_accept = at;
	if (at > last_accept)
		last_accept = at;
	pthread_mutex_unlock(&lock);
}

/* One transaction, pipelined up to DATA.  0 when the session can go on. */
static int
transact(struct worker *w)
{
	char id[64], head[HEADER_MAX], date[64];
	size_t size = opt.size;
	double began = now(), ended;
	time_t wall = time(NULL);
	struct tm tm;
	int code, good = 0;

	snprintf(id, sizeof id, "%s-%d-%ld", opt.tag, w->number, w->sent++);
	if (opt.big_every > 0 && w->sent % opt.big_every == 0)
		size = opt.big_size;
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000",
	    gmtime_r(&wall, &tm));
	int head_len = snprintf(head, sizeof head,
	    "X-Load-Id: %s\r\nDate: %s\r\nFrom: <%s>\r\n"
	    "To: <list@%s>\r\nMessage-ID: <%s@load.example>\r\n"
	    "Subject: load\r\n\r\n",
	    id, date, w->user, opt.domain, id);
	/* Whole lines of the filler, one at least. */
	size_t body_len = size > (size_t)head_len ? size - head_len : 0;
	body_len = (body_len / 64 + 1) * 64;
	if (body_len > filler_len)
		body_len = filler_len;

	char *text = malloc(512 + 320 * (size_t)opt.rcpts);
	assert(text != NULL);
	int n = sprintf(text, "MAIL FROM:<%.200s> SIZE=%zu\r\n", w->user,
	    head_len + body_len);
	for (int i = 0; i < opt.rcpts; i++) {
		long seq =
		    (w->sent * opt.connections + w->number) * opt.rcpts + i;
		if (opt.domains > 1)
			n += sprintf(text + n, "RCPT TO:<r%ld@d%ld.%.200s>\r\n",
			    seq, seq % opt.domains, opt.domain);
		else
			n += sprintf(text + n, "RCPT TO:<r%ld@%.200s>\r\n", seq,
			    opt.domain);
	}
	n += sprintf(text + n, "DATA\r\n");
	int failed = put(w, text, n);
	free(text);
	if (failed)
		goto broken;

	int mail = hear(w);
	if (mail < 0)
		goto broken;
	if (mail != 250)
		count_refusal(mail);
	for (int i = 0; i < opt.rcpts; i++) {
		code = hear(w);
		if (code < 0)
			goto broken;
		if (code / 100 == 2)
			good++;
		else if (mail == 250)
			count_refusal(code);
	}
	code = hear(w);
	if (code < 0)
		goto broken;
	if (code != 354) {
		if (good)
			count_refusal(code);
		w->refused++;
		return code == 421 || expect(w, "RSET\r\n", 250) != 0 ? -1 : 0;
	}
	if (put(w, head, head_len) != 0 ||
	    put(w, filler + filler_len - body_len, body_len) != 0 ||
	    say(w, ".\r\n") != 0)
		goto broken;
	ended = now();
	code = hear(w);
	if (code < 0)
		goto broken;
	if (code == 250) {
		acknowledged(w, id, opt.whole ? w->began : began, ended);
		return 0;
	}
	count_refusal(code);
	w->refused++;
	return code == 421 ? -1 : 0;
broken:
	w->broken++;
	return -1;
}

/* Until all connections are logged in, or given up: a rate begins there.  Who
 * began while others still log in would run behind it at full speed. */
static double
all_ready(void)
{
	pthread_mutex_lock(&lock);
	if (++ready == opt.connections) {
		ready_at = now();
		pthread_cond_broadcast(&all_in);
	}
	while (ready < opt.connections)
		pthread_cond_wait(&all_in, &lock);
	pthread_mutex_unlock(&lock);
	return ready_at;
}

/* Wait for this connection's next turn. */
static void
pace(struct worker *w)
{
	double interval, left;

	if (opt.rate <= 0)
		return;
	interval = opt.connections / opt.rate;
	if (w->next == 0)
		w->next = all_ready() + interval * w->number / opt.connections;
	left = w->next - now();
	if (left > 0)
		usleep(left * 1e6);
	w->next += interval;
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	int in_session = 0;

	w->fd = -1;
	while (!over() && (opt.seconds > 0 || w->sent < opt.messages)) {
		if (w->fd < 0) {
			if (begin(w) != 0) {
				w->broken++;
				if (!opt.insist)
					break;
				usleep(20000);
				continue;
			}
			in_session = 0;
		}
		pace(w);
		if (transact(w) != 0) {
			hang_up(w);
			if (!opt.insist)
				break;
			usleep(20000);
			continue;
		}
		if (++in_session == opt.per_session) {
			if (say(w, "QUIT\r\n") == 0)
				hear(w);
			hang_up(w);
		}
	}
	if (w->fd >= 0 && say(w, "QUIT\r\n") == 0)
		hear(w);
	hang_up(w);
	if (opt.rate > 0 && w->next == 0)
		all_ready(); /* nobody waits for one that failed */
	return NULL;
}

/* Sessions that log in and stay: this thread's part of opt.idle. */
static struct worker *sleepers;

static void *
open_sleepers(void *arg)
{
	struct worker *w = arg;

	for (int i = w->number; i < opt.idle; i += opt.connections) {
		sleepers[i].number = i;
		sleepers[i].fd = -1;
		if (begin(&sleepers[i]) == 0)
			w->accepted++;
	}
	return NULL;
}

/* Say how many there are, wait for the end of stdin, say how many still
 * answer. */
static int
hold_sleepers(struct worker *workers)
{
	long opened = 0, alive = 0;
	char c;

	for (int i = 0; i < opt.connections; i++)
		opened += workers[i].accepted;
	printf(
	    "{\"opened\": %ld, \"seconds\": %.3f}\n", opened, now() - started);
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		continue;
	for (int i = 0; i < opt.idle; i++) {
		if (sleepers[i].fd >= 0 &&
		    expect(&sleepers[i], "NOOP\r\n", 250) == 0)
			alive++;
		hang_up(&sleepers[i]);
	}
	printf("{\"alive\": %ld}\n", alive);
	return alive == opt.idle ? 0 : 1;
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Median, 99th percentile and longest of what all workers have noted. */
static void
print_times(const struct worker *workers, size_t member, const char *prefix)
{
	uint32_t *all;
	size_t n = 0;

	for (int i = 0; i < opt.connections; i++)
		n +=
		    ((const struct times *)((const char *)&workers[i] + member))
			->n;
	all = calloc(n + 1, sizeof all[0]);
	assert(all != NULL);
	n = 0;
	for (int i = 0; i < opt.connections; i++) {
		const struct times *t =
		    (const void *)((const char *)&workers[i] + member);

		memcpy(all + n, t->us, t->n * sizeof all[0]);
		n += t->n;
	}
	qsort(all, n, sizeof all[0], compare);
	printf("\"%sp50_ms\": %.2f, \"%sp99_ms\": %.2f, "
	       "\"%smax_ms\": %.2f, ",
	    prefix, n ? all[n / 2] / 1e3 : 0.0, prefix,
	    n ? all[n * 99 / 100] / 1e3 : 0.0, prefix,
	    n ? all[n - 1] / 1e3 : 0.0);
	free(all);
}

static void
report(struct worker *workers)
{
	long accepted = 0, refused = 0, broken = 0, sessions = 0;

	for (int i = 0; i < opt.connections; i++) {
		accepted += workers[i].accepted;
		refused += workers[i].refused;
		broken += workers[i].broken;
		sessions += workers[i].sessions;
	}
	double seconds = last_accept > 0 ? last_accept - started : 0;
	printf("{\"accepted\": %ld, \"refused\": %ld, \"broken\": %ld, "
	       "\"sessions\": %ld, \"started\": %.6f, \"seconds\": %.4f, "
	       "\"rate\": %.1f, ",
	    accepted, refused, broken, sessions, started, seconds,
	    seconds > 0 ? accepted / seconds : 0.0);
	print_times(workers, offsetof(struct worker, whole), "");
	print_times(workers, offsetof(struct worker, ack), "ack_");
	print_times(workers, offsetof(struct worker, ready), "ready_");
	printf("\"codes\": {");
	const char *comma = "";
	for (int code = 0; code < 600; code++) {
		if (replies[code] == 0)
			continue;
		printf("%s\"%d\": %ld", comma, code, replies[code]);
		comma = ", ";
	}
	printf("}}\n");
}

static void
on_signal(int number)
{
	(void)number;
	stopping = 1;
}

static void
usage(void)
{
	fprintf(stderr,
	    "usage: load --port N --password P [--implicit] [--user PATTERN]\n"
	    "    [--users N] [--connections N] [--messages N]\n"
	    "    [--per-session N] [--size N] [--big-every N --big-size N]\n"
	    "    [--rcpts N] [--domain D] [--domains N] [--seconds S]\n"
	    "    [--insist] [--ledger FILE] [--tag T] [--timeout S]\n"
	    "    [--whole] [--from ADDRESS] [--idle N] [--first-user N]\n"
	    "    [--rate N]\n");
	exit(2);
}

static void
options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "port", 1, 0, 'p' },
		{ "password", 1, 0, 'w' },
		{ "implicit", 0, 0, 'i' },
		{ "user", 1, 0, 'u' },
		{ "users", 1, 0, 'U' },
		{ "connections", 1, 0, 'c' },
		{ "messages", 1, 0, 'm' },
		{ "per-session", 1, 0, 's' },
		{ "size", 1, 0, 'z' },
		{ "big-every", 1, 0, 'b' },
		{ "big-size", 1, 0, 'B' },
		{ "rcpts", 1, 0, 'r' },
		{ "domain", 1, 0, 'd' },
		{ "domains", 1, 0, 'D' },
		{ "seconds", 1, 0, 'S' },
		{ "insist", 0, 0, 'I' },
		{ "ledger", 1, 0, 'l' },
		{ "tag", 1, 0, 't' },
		{ "timeout", 1, 0, 'T' },
		{ "whole", 0, 0, 'W' },
		{ "from", 1, 0, 'f' },
		{ "idle", 1, 0, 'N' },
		{ "rate", 1, 0, 'R' },
		{ "first-user", 1, 0, 'F' },
		{ 0, 0, 0, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 'p':
			opt.port = atoi(optarg);
			break;
		case 'w':
			opt.password = optarg;
			break;
		case 'i':
			opt.implicit = true;
			break;
		case 'u':
			opt.user = optarg;
			break;
		case 'U':
			opt.users = atoi(optarg);
			break;
		case 'c':
			opt.connections = atoi(optarg);
			break;
		case 'm':
			opt.messages = atoi(optarg);
			break;
		case 's':
			opt.per_session = atoi(optarg);
			break;
		case 'z':
			opt.size = strtoul(optarg, NULL, 10);
			break;
		case 'b':
			opt.big_every = atoi(optarg);
			break;
		case 'B':
			opt.big_size = strtoul(optarg, NULL, 10);
			break;
		case 'r':
			opt.rcpts = atoi(optarg);
			break;
		case 'd':
			opt.domain = optarg;
			break;
		case 'D':
			opt.domains = atoi(optarg);
			break;
		case 'S':
			opt.seconds = atof(optarg);
			break;
		case 'I':
			opt.insist = true;
			break;
		case 'l':
			opt.ledger = optarg;
			break;
		case 't':
			opt.tag = optarg;
			break;
		case 'T':
			opt.timeout_s = atoi(optarg);
			break;
		case 'W':
			opt.whole = true;
			break;
		case 'R':
			opt.rate = atof(optarg);
			break;
		case 'F':
			opt.first_user = atoi(optarg);
			break;
		case 'N':
			opt.idle = atoi(optarg);
			break;
		case 'f':
			if (inet_pton(AF_INET, optarg, &opt.from) != 1)
				usage();
			break;
		default:
			usage();
		}
	}
	if (opt.port <= 0 || optind != argc || opt.connections < 1 ||
	    opt.connections > THREADS_MAX || opt.users < 1 || opt.rcpts < 1 ||
	    opt.rcpts > 1000)
		usage();
}

int
main(int argc, char **argv)
{
	struct worker *workers;
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t signals;

	options(argc, argv);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (opt.ledger != NULL) {
		ledger_fd = open(opt.ledger,
		    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		if (ledger_fd < 0) {
			perror(opt.ledger);
			return 1;
		}
	}
	filler_len = opt.size > opt.big_size ? opt.size : opt.big_size;
	filler_len = (filler_len / 64 + 1) * 64;
	filler = malloc(filler_len);
	assert(filler != NULL);
	for (size_t i = 0; i < filler_len; i++)
		filler[i] = i % 64 == 62 ? '\r'
		    : i % 64 == 63       ? '\n'
				   : "abcdefghijklmnopqrstuvwxyz"[i % 61 % 26];
	ctx = SSL_CTX_new(TLS_client_method());
	assert(ctx != NULL);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);

	workers = calloc(opt.connections, sizeof workers[0]);
	sleepers = calloc(opt.idle + 1, sizeof sleepers[0]);
	assert(workers != NULL && sleepers != NULL);
	/* Only main hears signals: a transaction under way is finished. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	started = now();
	for (int i = 0; i < opt.connections; i++) {
		workers[i].number = i;
		int error = pthread_create(&workers[i].thread, NULL,
		    opt.idle > 0 ? open_sleepers : work, &workers[i]);
		assert(error == 0);
		(void)error;
	}
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	for (int i = 0; i < opt.connections; i++)
		pthread_join(workers[i].thread, NULL);
	if (opt.idle > 0)
		return hold_sleepers(workers);
	report(workers);
	return 0;
}
