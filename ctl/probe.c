/*
 * probe.c - see probe.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "ctl/probe.h"

bool
probe_open(
    struct probe *p, const struct net_address *to, SSL_CTX *ctx, bool implicit)
{
	struct timeval wait = { .tv_sec = PROBE_WAIT_S };

	memset(p, 0, sizeof(*p));
	p->fd = socket(to->ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->fd == -1)
		return false;
	setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(p->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(p->fd, (const struct sockaddr *)&to->ss, to->len) == 0 &&
	    (!implicit || probe_secure(p, ctx, NULL)))
		return true;
	probe_close(p);
	return false;
}

bool
probe_secure(struct probe *p, SSL_CTX *ctx, SSL_SESSION *resume)
{
	p->n = 0;
	p->ssl = SSL_new(ctx);
	if (p->ssl == NULL)
		abort();
	if (resume != NULL)
		SSL_set_session(p->ssl, resume);
	if (SSL_set_fd(p->ssl, p->fd) == 1 && SSL_connect(p->ssl) == 1)
		return true;
	SSL_free(p->ssl);
	p->ssl = NULL;
	return false;
}

void
probe_close(struct probe *p)
{
	int error = errno;

	if (p->ssl != NULL) {
		SSL_shutdown(p->ssl);
		SSL_free(p->ssl);
	}
	if (p->fd != -1)
		close(p->fd);
	p->ssl = NULL;
	p->fd = -1;
	errno = error;
}

bool
probe_send(struct probe *p, const char *text, size_t n)
{
	ssize_t k;

	if (p->ssl != NULL)
		return n == 0 || SSL_write(p->ssl, text, (int)n) == (int)n;
	for (; n > 0; text += k, n -= (size_t)k) {
		k = send(p->fd, text, n, MSG_NOSIGNAL);
		if (k <= 0)
			return false;
	}
	return true;
}

static bool
fill(struct probe *p)
{
	size_t room = sizeof(p->in) - p->n;
	int k;

	if (room == 0)
		return false; /* no server says lines that long */
	k = p->ssl != NULL ? SSL_read(p->ssl, p->in + p->n, (int)room)
			   : (int)recv(p->fd, p->in + p->n, room, 0);
	if (k <= 0)
		return false;
	p->n += (size_t)k;
	return true;
}

/* Take one line out of the buffer; its length, or -1 when there is no more. */
static int
take_line(struct probe *p)
{
	char *end;
	size_t n, keep;

	while ((end = memchr(p->in, '\n', p->n)) == NULL)
		if (!fill(p))
			return -1;
	n = (size_t)(end - p->in) + 1;
	keep = n - 1;
	if (keep > 0 && p->in[keep - 1] == '\r')
		keep--;
	if (keep >= sizeof(p->reply))
		keep = sizeof(p->reply) - 1;
	memcpy(p->reply, p->in, keep);
	p->reply[keep] = '\0';
	p->n -= n;
	memmove(p->in, p->in + n, p->n);
	return (int)keep;
}

int
probe_hear(struct probe *p)
{
	const char *r = p->reply;
	int n;

	do {
		n = take_line(p);
		if (n < 3 || !isdigit((unsigned char)r[0]) ||
		    !isdigit((unsigned char)r[1]) ||
		    !isdigit((unsigned char)r[2])) {
			snprintf(p->reply, sizeof(p->reply),
			    "(the connection ended)");
			return 0;
		}
	} while (r[3] == '-');
	return atoi((char[]){ r[0], r[1], r[2], '\0' });
}

int
probe_say(struct probe *p, const char *line)
{
	char text[2048];
	int n = snprintf(text, sizeof(text), "%s\r\n", line);

	if (n < 0 || (size_t)n >= sizeof(text) ||
	    !probe_send(p, text, (size_t)n)) {
		snprintf(p->reply, sizeof(p->reply), "(the connection ended)");
		return 0;
	}
	return probe_hear(p);
}
