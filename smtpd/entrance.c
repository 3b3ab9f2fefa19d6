/*
 * entrance.c - see entrance.h.
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/metric.h"
#include "smtpd/attend.h"
#include "smtpd/entrance.h"
#include "smtpd/listener.h"
#include "smtpd/owed.h"
#include "smtpd/proxied.h"
#include "smtpd/screened.h"

#define OTHER_FILES 64 /* descriptors of no client */
#define LEAST_SHARE 10
#define LOGIN_MS    5000 /* who takes longer may have to make room */
#define LOOK_MS     500

static unsigned most_clients;
static long processors = 1;
static bool stopping;
static struct timer room_timer;

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
	struct client *c = client_first_stranger();

	return c != NULL &&
		c->session.opened_ms <= attend_world.now_ms - LOGIN_MS
	    ? c
	    : NULL;
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
	attend_world.now_ms = loop_now_ms();
	mind_room();
}

/* What became of a connection at the door. */
static void
count_connection(unsigned at, const char *result)
{
	char port[8];

	snprintf(port, sizeof(port), "%u", at);
	metric_add(METRIC_CONNECTIONS_TOTAL, port, result, NULL, 1);
}

void
entrance_count_processors(void)
{
	processors = sysconf(_SC_NPROCESSORS_ONLN);
}

/*
 * Each worker counts for itself, so it gets its share of the limit; but not so
 * small a one that a few connections that happen to come to it are too many.
 */
static unsigned
share_of(unsigned limit)
{
	unsigned n = conf_workers(attend_world.conf, processors);
	unsigned most = limit / n + (limit % n != 0);

	if (most < LEAST_SHARE)
		most = LEAST_SHARE;
	return most > limit ? limit : most;
}

unsigned
entrance_share(void)
{
	return share_of(attend_world.conf->connections);
}

unsigned
entrance_handshakes(void)
{
	return share_of(attend_world.conf->handshakes);
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
	unsigned most = entrance_share();

	if (clients_count() < most_clients - most_clients / 4)
		return most;
	return most < 4 ? 1 : most / 4;
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
	const struct conf_listen *l =
	    conf_listen(attend_world.conf, door->name);
	struct client *c;
	char ip[NET_TEXT];

	attend_world.now_ms = loop_now_ms();
	net_text(sa, ip);
	if (v != NULL)
		log_verdict(ip, door, v);
	count_connection(door->port,
	    v != NULL && v->action == SCREEN_REFUSE ? "refused" : "accepted");
	c = client_new();
	c->source = source;
	network_of(&c->network, sa);
	c->legacy = l != NULL && l->legacy;
	attend_open(c, fd, door->port);
	session_init(&c->session, &attend_world, &c->io.out, c->id, ip,
	    door->port, door->implicit, v);
	c->session.legacy = c->legacy;
	c->session.scram = l != NULL && l->scram;
	c->asks_certificate = c->session.screen == SCREEN_CERTIFICATE ||
	    (l != NULL && l->client_certificates);
	mind_room();
	log_debug("smtp.connect", "ip=%s port=%u", ip, door->port);
	attend_session(c);
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
		&network, entrance_handshakes(), loop_now_ms(), &first)) {
		turn_away(fd, ip, door, &too_fast, first);
		return;
	}
	source = source_enter(sa, most_from_one(), &first);
	if (source == NULL)
		turn_away(fd, ip, door, &too_many, first);
	else if (attend_world.conf->nrules > 0)
		screened_begin(fd, sa, door, source, attend_world.conf);
	else
		receive(fd, sa, door, source, NULL);
}

/* A crowd that does not log in must not keep out those who do.  False when
 * there is nobody to go: the last one may have logged in meanwhile. */
static bool
make_room(void)
{
	static int64_t told_ms;
	struct client *idler;

	attend_world.now_ms = loop_now_ms();
	if (!full())
		return true;
	if ((idler = find_idler()) == NULL)
		return false;
	if (told_ms == 0 || told_ms < attend_world.now_ms - 60000) {
		told_ms = attend_world.now_ms;
		log_event("smtp.full", "error=%s",
		    log_quote("no more clients; who does not log in goes"));
	}
	attend_drop(idler);
	return true;
}

static void
on_client(int fd, const struct sockaddr *sa, const struct door *door)
{
	const struct conf_listen *l =
	    conf_listen(attend_world.conf, door->name);

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

void
entrance_end(void)
{
	if (stopping && clients_count() == 0 && !owed_pending())
		loop_stop();
}

void
entrance_left(void)
{
	entrance_end();
	mind_room();
}

void
entrance_open(bool (*resolve)(const struct msg *))
{
	struct rlimit rl = { .rlim_cur = 0 };

	getrlimit(RLIMIT_NOFILE, &rl);
	/* A session may hold a file of the queue besides its socket. */
	most_clients = rl.rlim_cur < OTHER_FILES + 2 ? 1
	    : rl.rlim_cur > OTHER_FILES + 2 * CLIENTS
	    ? CLIENTS
	    : (unsigned)(rl.rlim_cur - OTHER_FILES) / 2;
	clients_init(most_clients);
	timer_init(&room_timer, on_room_timer, NULL);
	proxied_init(welcome, mind_room);
	screened_init(receive, resolve, mind_room);
	listener_start(on_client);
}

void
entrance_renew(void)
{
	if (!stopping)
		listener_renew();
}

void
entrance_close(void)
{
	stopping = true;
	listener_stop();
	timer_clear(&room_timer);
	proxied_stop();
	screened_stop();
}
