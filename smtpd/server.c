/*
 * server.c - where callbacks end and calls begin.
 *
 * Sockets, timers and neighbours call in here, and only here are the doors of
 * a session used.  After each call tend() looks at what the session wants.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/metrics.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "lib/tls.h"
#include "smtpd/certificate.h"
#include "smtpd/clients.h"
#include "smtpd/company.h"
#include "smtpd/facts.h"
#include "smtpd/handshakes.h"
#include "smtpd/held.h"
#include "smtpd/keyless.h"
#include "smtpd/listener.h"
#include "smtpd/proxied.h"
#include "smtpd/screened.h"
#include "smtpd/server.h"
#include "smtpd/text.h"

#define IN_LIMIT      32768 /* unread octets of one client */
#define BACKLOG_BYTES (32 * 1024 * 1024)
#define CLIENTS       10000
#define OTHER_FILES   64 /* descriptors of no client */
#define LEAST_SHARE   10
#define LINGER_MS     1000
#define STOP_MS       10000
#define LOGIN_MS      5000 /* who takes longer may have to make room */
#define LOOK_MS       500

static struct surroundings world;
static struct channel auth = { .fd = -1 }, queue = { .fd = -1 },
		      resolver = { .fd = -1 };
static unsigned most_clients, cores = 1;
static bool stopping;
static struct timer stop_timer, room_timer;

/* Every client there is needs its place in the table. */
static bool
full(void)
{
	return clients_full() ||
	    clients_count() + proxied_count() + screened_count() >=
	    most_clients;
}

/* Who has been here longest without a login, and long enough; or NULL. */
static struct client *
find_idler(void)
{
	struct client *c;

	for (c = client_first(); c != NULL; c = client_next(c)) {
		if (c->session.opened_ms > world.now_ms - LOGIN_MS)
			break; /* the others came later */
		if (c->session.account[0] == '\0')
			return c;
	}
	return NULL;
}

/* Accept as long as there is room or somebody to make it. */
static void
mind_room(void)
{
	bool stuck = full() && find_idler() == NULL;

	listener_pause(stuck);
	if (stuck && !stopping)
		timer_set(&room_timer, LOOK_MS);
}

static void
on_room_timer(void *arg)
{
	(void)arg;
	world.now_ms = loop_now_ms();
	mind_room();
}

static bool
send_request(const struct msg *m)
{
	struct channel *c =
	    msg_allowed(m->type, P_SMTPD, P_AUTH) ? &auth : &queue;

	/* What has no answer clears up, and must not get lost. */
	if (msg_answer_to(m->type) != MSG_NONE &&
	    channel_backlog(c) > BACKLOG_BYTES)
		return false;
	return channel_send(c, m, -1);
}

/* What became of a connection at the door. */
static void
count_connection(unsigned at, const char *result)
{
	char port[8];

	snprintf(port, sizeof(port), "%u", at);
	metric_add(METRIC_CONNECTIONS_TOTAL, port, result, NULL, 1);
}

static void
count_open(unsigned at, int n)
{
	char port[8];

	snprintf(port, sizeof(port), "%u", at);
	metric_add(METRIC_CONNECTIONS, port, NULL, NULL, n);
}

static void
drop(struct client *c)
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
	if (stopping && clients_count() == 0)
		loop_stop();
	mind_room();
}

/* Told before the chroot hides it, as the parent counts them. */
static void
count_cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	cores = n < 1 ? 1 : n > 64 ? 64 : (unsigned)n;
}

/*
 * Each worker counts for itself, so it gets its share of the limit; but not so
 * small a one that a few connections that happen to come to it are too many.
 */
static unsigned
share_of(unsigned limit)
{
	unsigned n = world.conf->workers > 0 ? world.conf->workers : cores;
	unsigned most = limit / n + (limit % n != 0);

	if (most < LEAST_SHARE)
		most = LEAST_SHARE;
	return most > limit ? limit : most;
}

static unsigned
share(void)
{
	return share_of(world.conf->connections);
}

static unsigned
handshakes_most(void)
{
	return share_of(world.conf->handshakes);
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
		drop(c);
		return false;
	}
	c->securing = true;
	c->counted = true;
	handshakes_begun(&c->network, handshakes_most(), world.now_ms);
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
		drop(c);
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
	io_timeout(&c->io, at > world.now_ms ? at - world.now_ms : 1);
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
			drop(c);
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
	if (c->session.account[0] != '\0')
		io_wipe(&c->io, false);
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
	drop(c);
}

static void
on_timeout(struct client *c)
{
	enum wants wants = session_wants(&c->session);

	c->timer_at = 0;
	if (wants == WANTS_CLOSE || wants == WANTS_LINGER) {
		drop(c);
		return;
	}
	if (session_deadline(&c->session) <= world.now_ms) {
		session_timeout(&c->session);
		feed(c);
	}
	tend(c);
}

static void
on_io(struct io *io, enum io_event event)
{
	struct client *c = io->arg;

	world.now_ms = loop_now_ms();
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

struct crowd {
	const char *result, *hint, *sorry;
};

static const struct crowd
    too_many = { "too-many", "too-many-connections",
	    "421 4.7.0 too many connections from your address\r\n" },
    too_fast = { "too-fast", "too-many-handshakes",
	    "421 4.7.0 too many connections from your network that do not "
	    "log in; try again in a minute\r\n" };

/* Nobody of us has said anything to this one yet. */
static void
turn_away(int fd, const char *ip, const struct door *door,
    const struct crowd *why, bool log)
{
	count_connection(door->port, why->result);
	if (log)
		log_event("smtp.closed", "ip=%s port=%u hint=%s", ip,
		    door->port, why->hint);
	if (!door->implicit &&
	    send(fd, why->sorry, strlen(why->sorry),
		MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		log_debug("smtp.gone", "ip=%s port=%u", ip, door->port);
	close(fd);
}

/* While it is getting full, nobody may have many: room for other addresses. */
static unsigned
most_from_one(void)
{
	unsigned most = share();

	if (clients_count() < most_clients - most_clients / 4)
		return most;
	return most < 4 ? 1 : most / 4;
}

static bool
enter(const char *account)
{
	return company_enter(account, share());
}

static bool
is_legacy(const struct door *door)
{
	const struct conf_listen *l = conf_listen(world.conf, door->name);

	return l != NULL && l->legacy;
}

static void
log_verdict(
    const char *ip, const struct door *door, const struct msg_conn_verdict *v)
{
	if (v->action == SCREEN_ALLOW)
		return;
	metric_add(METRIC_SCREENED,
	    screen_action_name((enum screen_action)v->action), NULL, NULL, 1);
	log_event("smtp.screened",
	    "ip=%s port=%u action=%s line=%u sure=%s found=%s", ip, door->port,
	    screen_action_name((enum screen_action)v->action), v->line,
	    v->unsure ? "no" : "yes", log_quote(v->found));
}

/* Begin with a client of whom is known what the rules say.  NULL: nothing. */
static void
receive(int fd, const struct sockaddr *sa, const struct door *door,
    struct source *source, const struct msg_conn_verdict *v)
{
	const struct conf_listen *l;
	struct client *c;
	char ip[NET_TEXT];

	world.now_ms = loop_now_ms();
	net_text(sa, ip);
	if (v != NULL)
		log_verdict(ip, door, v);
	count_connection(door->port,
	    v != NULL && v->action == SCREEN_REFUSE ? "refused" : "accepted");
	count_open(door->port, 1);
	c = client_new();
	c->source = source;
	network_of(&c->network, sa);
	c->legacy = is_legacy(door);
	io_open(&c->io, fd, IN_LIMIT, on_io, c);
	session_init(&c->session, &world, &c->io.out, c->id, ip, door->port,
	    door->implicit, v);
	c->session.legacy = c->legacy;
	l = conf_listen(world.conf, door->name);
	c->session.scram = l != NULL && l->scram;
	c->asks_certificate = c->session.screen == SCREEN_CERTIFICATE ||
	    (l != NULL && l->client_certificates);
	mind_room();
	log_debug("smtp.connect", "ip=%s port=%u", ip, door->port);
	tend(c);
}

/* Begin with a client whose address is known. */
static void
welcome(int fd, const struct sockaddr *sa, const struct door *door)
{
	struct network network;
	struct source *source;
	char ip[NET_TEXT];
	bool first;

	net_text(sa, ip);
	network_of(&network, sa);
	if (!handshakes_allowed(
		&network, handshakes_most(), loop_now_ms(), &first)) {
		turn_away(fd, ip, door, &too_fast, first);
		return;
	}
	source = source_enter(sa, most_from_one(), &first);
	if (source == NULL)
		turn_away(fd, ip, door, &too_many, first);
	else if (world.conf->nrules > 0)
		screened_begin(fd, sa, door, source, world.conf);
	else
		receive(fd, sa, door, source, NULL);
}

static bool
ask_resolver(const struct msg *m)
{
	return channel_backlog(&resolver) <= BACKLOG_BYTES &&
	    channel_send(&resolver, m, -1);
}

static void
on_less(void)
{
	mind_room();
}

/* A crowd that does not log in must not keep out those who do.  False when
 * there is nobody to go: the last one may have logged in meanwhile. */
static bool
make_room(void)
{
	static int64_t told_ms;
	struct client *idler;

	world.now_ms = loop_now_ms();
	if (!full())
		return true;
	if ((idler = find_idler()) == NULL)
		return false;
	if (told_ms == 0 || told_ms < world.now_ms - 60000) {
		told_ms = world.now_ms;
		log_event("smtp.full", "error=%s",
		    log_quote("no more clients; who does not log in goes"));
	}
	drop(idler);
	return true;
}

static void
on_client(int fd, const struct sockaddr *sa, const struct door *door)
{
	const struct conf_listen *l = conf_listen(world.conf, door->name);

	if (!make_room()) {
		count_connection(door->port, "full");
		close(fd);
		mind_room();
		return;
	}
	if (l == NULL || l->nproxies == 0) {
		welcome(fd, sa, door);
		return;
	}
	proxied_begin(fd, sa, door, l);
	mind_room();
}

static void
answer(const struct msg *m, int fd)
{
	struct client *c = client_find(m->tag);

	if (c == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	session_answer(&c->session, m, fd);
	feed(c);
	tend(c);
}

/* Do something to every session that there is now. */
static void
each(void (*call)(struct session *, const void *), const void *arg)
{
	struct client *c, *next;

	world.now_ms = loop_now_ms();
	for (c = client_first(); c != NULL; c = next) {
		next = client_next(c);
		call(&c->session, arg);
		feed(c);
		tend(c);
	}
}

static void
bereave(struct session *s, const void *who)
{
	session_bereaved(s, *(const enum process *)who);
}

static void
bar(struct session *s, const void *account)
{
	if (strcmp(s->account, account) == 0)
		session_part(s, PART_BARRED);
}

static void
ask_for_login(struct session *s, const void *ended)
{
	const struct msg_sessions_end *e = ended;

	if (strcmp(s->account, e->account) == 0 &&
	    (e->credential[0] == '\0' ||
		strcmp(s->credential, e->credential) == 0))
		session_part(s, PART_RELOGIN);
}

static void
send_home(struct session *s, const void *unused)
{
	(void)unused;
	session_part(s, PART_STOP);
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	(void)c;
	world.now_ms = loop_now_ms();
	switch (m->type) {
	case MSG_AUTH_RESULT:
	case MSG_ALLOWED:
	case MSG_TX_FILE_LENT:
	case MSG_TX_RESULT:
		answer(m, fd);
		break;
	case MSG_ACCOUNT_STATE:
		if (m->u.account_state.state != ACC_ACTIVE)
			each(bar, m->u.account_state.account);
		break;
	case MSG_SESSIONS_END:
		each(ask_for_login, &m->u.sessions_end);
		break;
	case MSG_ACCOUNTS_DONE:
		break;
	case MSG_CONN_VERDICT:
		if (m->u.conn_verdict.action >= SCREEN_ACTIONS)
			fatal("bad verdict");
		screened_answer(m);
		break;
	case MSG_QUEUE_STATE:
		world.accepting = m->u.queue_state.accepting != 0;
		text_copy(world.refusal, sizeof(world.refusal),
		    m->u.queue_state.text);
		break;
	default:
		fatal("unexpected %s", msg_name(m->type));
	}
}

static void
on_gone(struct channel *c)
{
	enum process who = c->peer;

	log_event("peer.gone", "peer=%s", process_name(who));
	if (who == P_QUEUE)
		world.queue_up = false;
	each(bereave, &who);
}

static void
take_peer(enum process who, unsigned index, bool sign, int fd)
{
	struct channel *c = who == P_AUTH ? &auth
	    : who == P_QUEUE              ? &queue
					  : &resolver;

	if (who == P_AUTH && sign) {
		keyless_line(fd);
		held_go_on();
		return;
	}
	if (who != P_AUTH && who != P_QUEUE && who != P_DELIVER)
		fatal("no business with %s", process_name(who));
	if (channel_up(c)) {
		channel_close(c);
		on_gone(c);
	}
	channel_open(c, fd, P_SMTPD, who, index, on_message, on_gone, NULL);
	if (who == P_QUEUE) {
		world.queue_up = world.accepting = true;
		world.refusal[0] = '\0';
	}
}

static void
take_file(enum file_kind kind, const char *name, int fd)
{
	if (kind != FILE_TLS_CERT)
		fatal("a file that is none of our business");
	certificate_take(name, fd);
}

static void
take_message(const struct msg *m, int fd)
{
	if (m->type == MSG_LISTEN && fd != -1)
		listener_add(&m->u.listen, fd);
	else if (m->type == MSG_CTL_CLIENT && fd != -1)
		metrics_open(fd, P_SMTPD);
	else if (m->type == MSG_TICKET_KEYS)
		tls_ticket_keys(m->u.ticket_keys.keys.data,
		    m->u.ticket_keys.keys.len / TLS_TICKET_KEY);
	else
		fatal("unexpected %s from the parent", msg_name(m->type));
}

static void
start(const struct conf *conf)
{
	struct rlimit rl = { .rlim_cur = 0 };

	getrlimit(RLIMIT_NOFILE, &rl);
	/* A session may hold a file of the queue besides its socket. */
	most_clients = rl.rlim_cur < OTHER_FILES + 2 ? 1
	    : rl.rlim_cur > OTHER_FILES + 2 * CLIENTS
	    ? CLIENTS
	    : (unsigned)(rl.rlim_cur - OTHER_FILES) / 2;
	clients_init(most_clients);
	world.conf = conf;
	world.send = send_request;
	world.enter = enter;
	world.wall_ms = loop_wall_ms;
	world.now_ms = loop_now_ms();
	certificate_adopt(conf, held_wanted);
	world.tls = certificate_context(false) != NULL;
	timer_init(&room_timer, on_room_timer, NULL);
	proxied_init(welcome, on_less);
	screened_init(receive, ask_resolver, on_less);
	listener_start(on_client);
	child_ready();
}

static void
reload(const struct conf *conf)
{
	world.conf = conf;
	if (!stopping)
		listener_renew();
	certificate_adopt(conf, held_wanted);
	world.tls = certificate_context(false) != NULL;
}

static void
give_up(void *arg)
{
	(void)arg;
	loop_stop();
}

static void
stop(void)
{
	stopping = true;
	listener_stop();
	timer_clear(&room_timer);
	proxied_stop();
	screened_stop();
	metrics_close();
	each(send_home, NULL);
	if (clients_count() == 0) {
		loop_stop();
		return;
	}
	timer_init(&stop_timer, give_up, NULL);
	timer_set(&stop_timer, STOP_MS);
}

const struct child server = {
	.self = P_SMTPD,
	.program = "postern-smtpd",
	.rights = MAY_ACCEPT,
	.prepare = count_cores,
	.start = start,
	.reload = reload,
	.peer = take_peer,
	.file = take_file,
	.message = take_message,
	.stop = stop,
};
