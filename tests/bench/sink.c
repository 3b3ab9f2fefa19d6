/*
 * sink.c - receive mail as fast as one thread can, and count it.
 *
 * For each message accepted one line goes to the ledger, before the 250
 * leaves: microseconds of CLOCK_MONOTONIC, the X-Load-Id of its header (or
 * "-"), the number of recipients, the first of them.  Twice the same id and
 * recipient is a duplicate.
 *
 * Prints "ready" when it listens and one JSON object when it ends (SIGTERM).
 * SIGUSR1: answer 451 to every MAIL; SIGUSR2: accept again.  Loopback only.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	IN_MAX = 65536,
	OUT_MAX = 65536,
	ID_MAX = 64,
	RCPT_MAX = 128,
	EVENTS = 64
};

/* Where in the data a byte falls; see RFC 5321 section 4.1.1.4. */
enum spot { TEXT, CR, LINE, DOT, DOT_CR };

struct peer {
	int fd;
	bool in_data, in_header, mail, closing;
	enum spot spot;
	int rcpts;
	char rcpt[RCPT_MAX]; /* the first */
	char id[ID_MAX];
	char field[96]; /* start of the header line under way */
	size_t field_len;
	size_t in_len, out_len;
	char in[IN_MAX];
	char out[OUT_MAX];
};

static struct {
	long messages, rcpts, connections, open, peak, octets, refused;
	int64_t first_us, last_us;
} count;

static volatile sig_atomic_t stopping, refusing;
static int ledger_fd = -1;

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
say(struct peer *p, const char *line)
{
	size_t len = strlen(line);

	if (p->out_len + len > sizeof p->out) {
		p->closing = true; /* It does not read what it asked for. */
		return;
	}
	memcpy(p->out + p->out_len, line, len);
	p->out_len += len;
}

static void
forget(struct peer *p)
{
	p->mail = false;
	p->rcpts = 0;
	p->id[0] = '\0';
}

static void
header_byte(struct peer *p, char c)
{
	if (c != '\n') {
		if (c != '\r' && p->field_len + 1 < sizeof p->field)
			p->field[p->field_len++] = c;
		return;
	}
	p->field[p->field_len] = '\0';
	if (p->field_len == 0)
		p->in_header = false;
	if (strncasecmp(p->field, "X-Load-Id:", 10) == 0) {
		const char *value = p->field + 10;

		while (*value == ' ')
			value++;
		snprintf(p->id, sizeof p->id, "%s", value);
	}
	p->field_len = 0;
}

static void
received(struct peer *p)
{
	char line[ID_MAX + RCPT_MAX + 64];
	int64_t at = now_us();
	int n = snprintf(line, sizeof line, "%" PRId64 " %s %d %s\n", at,
	    p->id[0] ? p->id : "-", p->rcpts, p->rcpt);

	if (ledger_fd >= 0 && write(ledger_fd, line, n) != n)
		abort();
	if (count.first_us == 0)
		count.first_us = at;
	count.last_us = at;
	count.messages++;
	count.rcpts += p->rcpts;
	p->in_data = false;
	say(p, "250 2.0.0 sunk\r\n");
	forget(p);
}

/* Eat message bytes; how many there were up to and with the final dot. */
static size_t
eat_data(struct peer *p, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = data[i];

		if (p->in_header)
			header_byte(p, c);
		else if (p->spot == TEXT) {
			/* Nothing matters before the next CR. */
			const char *cr = memchr(data + i, '\r', len - i);

			if (cr == NULL)
				return len;
			i = cr - data;
			c = '\r';
		}
		switch (p->spot) {
		case TEXT:
			p->spot = c == '\r' ? CR : TEXT;
			break;
		case CR:
			p->spot = c == '\n' ? LINE : c == '\r' ? CR : TEXT;
			break;
		case LINE:
			p->spot = c == '.' ? DOT : c == '\r' ? CR : TEXT;
			break;
		case DOT:
			p->spot = c == '\r' ? DOT_CR : TEXT;
			break;
		case DOT_CR:
			if (c == '\n') {
				received(p);
				return i + 1;
			}
			p->spot = c == '\r' ? CR : TEXT;
			break;
		}
	}
	return len;
}

static bool
is(const char *line, const char *verb)
{
	return strncasecmp(line, verb, strlen(verb)) == 0;
}

static void
command(struct peer *p, const char *line)
{
	if (is(line, "EHLO")) {
		forget(p);
		say(p,
		    "250-sink.example\r\n250-PIPELINING\r\n"
		    "250-8BITMIME\r\n250-SIZE 1000000000\r\n"
		    "250 ENHANCEDSTATUSCODES\r\n");
	} else if (is(line, "HELO")) {
		forget(p);
		say(p, "250 sink.example\r\n");
	} else if (is(line, "MAIL FROM:")) {
		if (refusing) {
			count.refused++;
			say(p, "451 4.3.0 not now\r\n");
		} else {
			p->mail = true;
			say(p, "250 2.1.0 ok\r\n");
		}
	} else if (is(line, "RCPT TO:")) {
		if (p->mail) {
			if (p->rcpts++ == 0)
				snprintf(p->rcpt, sizeof p->rcpt, "%.*s",
				    (int)strcspn(line + 8, "> "), line + 8);
			say(p, "250 2.1.5 ok\r\n");
		} else
			say(p, "503 5.5.1 MAIL first\r\n");
	} else if (is(line, "DATA")) {
		if (p->rcpts > 0) {
			p->in_data = p->in_header = true;
			p->spot = LINE;
			p->field_len = 0;
			say(p, "354 go\r\n");
		} else
			say(p, "503 5.5.1 RCPT first\r\n");
	} else if (is(line, "RSET")) {
		forget(p);
		say(p, "250 2.0.0 ok\r\n");
	} else if (is(line, "NOOP")) {
		say(p, "250 2.0.0 ok\r\n");
	} else if (is(line, "QUIT")) {
		say(p, "221 2.0.0 bye\r\n");
		p->closing = true;
	} else
		say(p, "500 5.5.2 what?\r\n");
}

static void
eat(struct peer *p)
{
	size_t at = 0;

	while (at < p->in_len && !p->closing) {
		if (p->in_data) {
			at += eat_data(p, p->in + at, p->in_len - at);
			continue;
		}
		char *end = memchr(p->in + at, '\n', p->in_len - at);
		if (end == NULL) {
			if (p->in_len - at == sizeof p->in)
				p->closing = true;
			break;
		}
		*end = '\0';
		if (end > p->in + at && end[-1] == '\r')
			end[-1] = '\0';
		command(p, p->in + at);
		at = end + 1 - p->in;
	}
	memmove(p->in, p->in + at, p->in_len - at);
	p->in_len -= at;
}

static void
drop(struct peer *p)
{
	close(p->fd);
	free(p);
	count.open--;
}

static int
flush(struct peer *p)
{
	size_t at = 0;

	while (at < p->out_len) {
		ssize_t n =
		    send(p->fd, p->out + at, p->out_len - at, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			return -1;
		at += n;
	}
	memmove(p->out, p->out + at, p->out_len - at);
	p->out_len -= at;
	return 0;
}

static void
ready(struct peer *p)
{
	for (;;) {
		ssize_t n =
		    recv(p->fd, p->in + p->in_len, sizeof p->in - p->in_len, 0);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			drop(p);
			return;
		}
		count.octets += n;
		p->in_len += n;
		eat(p);
		if (flush(p) != 0 || p->closing) {
			drop(p);
			return;
		}
	}
	if (flush(p) != 0)
		drop(p);
}

static void
welcome(int ep, int listener)
{
	for (;;) {
		int one = 1;
		int fd =
		    accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		struct peer *p = calloc(1, sizeof *p);
		assert(p != NULL);
		p->fd = fd;
		/*
		 * Edge-triggered both ways: writable again wakes a peer whose
		 * replies did not fit.
		 */
		struct epoll_event e = {
			.events = EPOLLIN | EPOLLOUT | EPOLLET,
			.data.ptr = p,
		};
		count.connections++;
		if (++count.open > count.peak)
			count.peak = count.open;
		say(p, "220 sink.example ESMTP\r\n");
		if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) != 0 || flush(p) != 0)
			drop(p);
	}
}

static void
on_signal(int number)
{
	if (number == SIGUSR1)
		refusing = 1;
	else if (number == SIGUSR2)
		refusing = 0;
	else
		stopping = 1;
}

static int
listen_on(const char *address, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	at.sin_port = htons(port);
	if (fd < 0 || inet_pton(AF_INET, address, &at.sin_addr) != 1 ||
	    ntohl(at.sin_addr.s_addr) >> 24 != 127)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
	    listen(fd, 4096) != 0)
		return -1;
	return fd;
}

static void
usage(void)
{
	fprintf(stderr,
	    "usage: sink --port N [--address 127.x.y.z] "
	    "[--ledger FILE] [--refuse]\n");
	exit(2);
}

int
main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "port", 1, 0, 'p' },
		{ "address", 1, 0, 'a' },
		{ "ledger", 1, 0, 'l' },
		{ "refuse", 0, 0, 'r' },
		{ 0, 0, 0, 0 },
	};
	const char *address = "127.0.0.1", *ledger = NULL;
	struct sigaction sa = { .sa_handler = on_signal };
	struct epoll_event events[EVENTS];
	int c, port = 0;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 'p':
			port = atoi(optarg);
			break;
		case 'a':
			address = optarg;
			break;
		case 'l':
			ledger = optarg;
			break;
		case 'r':
			refusing = 1;
			break;
		default:
			usage();
		}
	}
	if (port <= 0 || optind != argc)
		usage();
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGUSR2, &sa, NULL);
	if (ledger != NULL) {
		ledger_fd = open(
		    ledger, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		if (ledger_fd < 0) {
			perror(ledger);
			return 1;
		}
	}
	int listener = listen_on(address, port);
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event e = { .events = EPOLLIN };
	if (listener < 0 || ep < 0 ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, listener, &e) != 0) {
		fprintf(stderr, "sink: cannot listen on %s port %d\n", address,
		    port);
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (!stopping) {
		int n = epoll_wait(ep, events, EVENTS, 1000);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == NULL)
				welcome(ep, listener);
			else
				ready(events[i].data.ptr);
		}
	}
	printf("{\"messages\": %ld, \"rcpts\": %ld, \"connections\": %ld, "
	       "\"peak\": %ld, \"octets\": %ld, \"refused\": %ld, "
	       "\"first\": %.6f, \"last\": %.6f}\n",
	    count.messages, count.rcpts, count.connections, count.peak,
	    count.octets, count.refused, count.first_us / 1e6,
	    count.last_us / 1e6);
	return 0;
}
