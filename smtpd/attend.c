/*
 * attend.c - see attend.h.
 *
 * After each call of a session's doors tend() looks at what the session wants.
 */
#include <stdio.h>
#include <sys/socket.h>

#include "lib/log.h"
#include "lib/metric.h"
#include "smtpd/attend.h"
#include "smtpd/certificate.h"
#include "smtpd/company.h"
#include "smtpd/entrance.h"
#include "smtpd/facts.h"
#include "smtpd/held.h"

#define IN_LIMIT  32768 /* unread octets of one client */
#define LINGER_MS 1000

struct surroundings attend_world;

static void
count_open(unsigned at, int n)
{
	char port[8];

	snprintf(port, sizeof(port), "%u", at);
	metric_add(METRIC_CONNECTIONS, port, NULL, NULL, n);
}

void
attend_drop(struct client *c)
{
	count_open(c->session.port, -1);
	if (c->session.account[0] != '\0')
		company_leave(c->session.account);
	log_debug("smtp.gone", "ip=%s port=%u", c->session.ip, c->session.port);
	session_gone(&c->session);
	source_leave(c->source);
	held_forget(c);
	io_close(&c->io);
	client_free(c);
	entrance_left();
}

/* The 220 has left: begin the handshake.  False when the client is gone. */
static bool
secure(struct client *c)
{
	SSL_CTX *ctx = certificate_context(c->legacy);

	if (c->securing || c->io.out.len > 0) {
		io_pause(&c->io, !c->securing);
		return true;
	}
	if (ctx == NULL || c->io.in.len > 0) {
		log_event("tls.failed", "ip=%s port=%u error=%s", c->session.ip,
		    c->session.port,
		    log_quote(ctx == NULL ? "no certificate"
					  : "octets before the handshake"));
		attend_drop(c);
		return false;
	}
	c->securing = true;
	c->counted = true;
	handshakes_begun(
	    &c->network, entrance_handshakes(), attend_world.now_ms);
	io_pause(&c->io, false);
	io_secure(&c->io, ctx, true, NULL);
	if (c->asks_certificate)
		facts_ask(c->io.ssl);
	return true;
}

/* The last words are said.  False when the client is gone. */
static bool
close_politely(struct client *c, bool linger)
{
	io_farewell(&c->io);
	if (c->io.out.len > 0)
		return true;
	if (!linger || c->eof) {
		attend_drop(c);
		return false;
	}
	if (!c->lingering) {
		c->lingering = true;
		shutdown(c->io.fd, SHUT_WR);
		io_timeout(&c->io, LINGER_MS);
	}
	return true;
}

/* A timer that fires too early looks again: cheaper than moving it. */
static void
arm(struct client *c)
{
	int64_t at = session_deadline(&c->session);

	if (c->lingering || (c->timer_at != 0 && c->timer_at <= at))
		return;
	c->timer_at = at;
	io_timeout(
	    &c->io, at > attend_world.now_ms ? at - attend_world.now_ms : 1);
}

/* Offer the session what it has not eaten. */
static void
feed(struct client *c)
{
	struct buf *in = &c->io.in;

	if (in->len == 0)
		return;
	buf_consume(in, session_input(&c->session, buf_data(in), in->len));
	if (in->len == 0)
		buf_release(in);
}

/* See to what the session wants.  The client may be gone afterwards. */
static void
tend(struct client *c)
{
	switch (session_wants(&c->session)) {
	case WANTS_TLS:
		if (!secure(c))
			return;
		break;
	case WANTS_CLOSE:
		if (!close_politely(c, false))
			return;
		break;
	case WANTS_LINGER:
		if (!close_politely(c, true))
			return;
		break;
	case WANTS_INPUT:
		/* It has eaten all it could, and no more will come. */
		if (c->eof && c->io.out.len == 0) {
			attend_drop(c);
			return;
		}
		break;
	case WANTS_NOTHING:
		break;
	}
	if (c->counted && c->session.account[0] != '\0') {
		c->counted = false;
		handshakes_forgive(&c->network);
	}
	/* Once it has logged in, it sends mail and no more passwords. */
	if (c->session.account[0] != '\0') {
		client_known(c);
		io_wipe(&c->io, false);
	}
	arm(c);
	io_flush(&c->io);
}

static void
on_error(struct client *c)
{
	if (session_wants(&c->session) == WANTS_TLS) {
		log_event("tls.failed", "ip=%s port=%u error=%s", c->session.ip,
		    c->session.port, log_quote(io_error(&c->io)));
		metric_add(METRIC_HANDSHAKES, "none", "failed", NULL, 1);
	}
	attend_drop(c);
}

static void
on_timeout(struct client *c)
{
	enum wants wants = session_wants(&c->session);

	c->timer_at = 0;
	if (wants == WANTS_CLOSE || wants == WANTS_LINGER) {
		attend_drop(c);
		return;
	}
	if (session_deadline(&c->session) <= attend_world.now_ms) {
		session_timeout(&c->session);
		feed(c);
	}
	tend(c);
}

static void
on_io(struct io *io, enum io_event event)
{
	struct client *c = io->arg;

	attend_world.now_ms = loop_now_ms();
	switch (event) {
	case IO_ERROR:
		on_error(c);
		return;
	case IO_TIMEOUT:
		on_timeout(c);
		return;
	case IO_HELD:
		held_add(c);
		break;
	case IO_SECURED:
		c->securing = false;
		metric_add(
		    METRIC_HANDSHAKES, io_tls_version(io), "ok", NULL, 1);
		facts_read(&c->session.facts, io->ssl, c->session.scram);
		session_secured(&c->session, io_tls_version(io));
		break;
	case IO_EOF:
		c->eof = true;
		break;
	case IO_CONNECTED:
	case IO_INPUT:
	case IO_SENT:
		break;
	}
	feed(c);
	tend(c);
}

void
attend_open(struct client *c, int fd, unsigned port)
{
	count_open(port, 1);
	io_open(&c->io, fd, IN_LIMIT, on_io, c);
}

void
attend_session(struct client *c)
{
	feed(c);
	tend(c);
}
