/*
 * link.c - see link.h.
 *
 * The only place of the client where callbacks end and calls begin: events of
 * the socket become calls of talk.h, and turn() does what the talk wants
 * next.  A dead link is freed at the end of the loop's turn, for its socket
 * may be the caller.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "deliver/link.h"
#include "deliver/results.h"
#include "deliver/secret.h"
#include "deliver/self.h"
#include "deliver/signer.h"
#include "deliver/talk.h"
#include "deliver/trust.h"
#include "lib/io.h"
#include "lib/log.h"
#include "mail/base64.h"

#define CONNECT_MS 30000
#define IN_LIMIT   32768

/*
 * A connection is kept for 5 s after a job: a stream of mail has the next one
 * in milliseconds, and a server's slot is not ours to hold.  After 100 jobs
 * or 5 minutes it goes anyway, so that changed DNS is noticed and servers
 * that count (many allow 100 messages) need not refuse; a new connection with
 * TLS then costs a hundredth of what it carries.
 */
#define KEEP_MS     5000
#define KEEP_JOBS   100
#define KEEP_AGE_MS (5 * 60 * 1000)
#define KEPT_MAX    256

struct link {
	struct io io;
	struct talk talk;
	struct kept kept;
	struct target target;
	char mx[300];
	int64_t born_ms;
	unsigned jobs;
	unsigned reign;

	struct job *job;
	link_done_fn *done;
	void *arg;
	struct link **slot;

	bool connected, shaking, dead;
	bool resuming;     /* the handshake goes on with a session */
	bool noted;        /* how TLS went */
	unsigned progress; /* of the talk, when the timer was set */
	uint64_t ticket;   /* of a password asked for, or 0 */
	uint64_t signing;  /* ticket of a signature asked for, or 0 */
	struct timer late; /* connect() failed at once */
	int late_errno;
	TAILQ_ENTRY(link) entry; /* of dead */
};

static TAILQ_HEAD(, link) dead = TAILQ_HEAD_INITIALIZER(dead);
static unsigned reign; /* of one configuration, and its authorities */

static void
free_dead(void *arg)
{
	struct link *l;

	(void)arg;
	while ((l = TAILQ_FIRST(&dead)) != NULL) {
		TAILQ_REMOVE(&dead, l, entry);
		free(l);
	}
}

static struct link *
link_of(struct kept *k)
{
	return k == NULL
	    ? NULL
	    : (struct link *)((char *)k - offsetof(struct link, kept));
}

static void
bury(struct link *l)
{
	static bool hooked;

	if (l->dead)
		return;
	if (!hooked)
		loop_hook(free_dead, NULL);
	hooked = true;
	kept_remove(&l->kept);
	l->dead = true;
	secret_forget(l->ticket);
	signer_forget(l->signing);
	timer_clear(&l->late);
	talk_clear(&l->talk);
	if (l->late_errno == 0)
		io_close(&l->io);
	TAILQ_INSERT_TAIL(&dead, l, entry);
}

/* The job returns to its owner.  Nothing may be done with l after this. */
static void
hand_back(
    struct link *l, enum link_result result, const struct outcome *failure)
{
	link_done_fn *done = l->done;
	void *arg = l->arg;

	signer_forget(l->signing);
	l->signing = 0;
	*l->slot = NULL;
	l->job = NULL;
	done(arg, result, failure);
}

/* The connection came to nothing. */
static void
give_up(struct link *l, enum link_result result, const char *status,
    const char *why)
{
	struct outcome o;
	bool had_job = l->job != NULL;

	o = outcome_make(V_TEMP, SCOPE_DEST, 0, status, "%s", why);
	memcpy(o.mx, l->mx, sizeof(o.mx));
	if (l->connected)
		talk_lost(&l->talk, why);
	bury(l);
	if (had_job)
		hand_back(l, result, &o);
}

static void
quit(struct link *l)
{
	kept_remove(&l->kept);
	talk_quit(&l->talk);
}

/* Nothing is under way: keep the connection for the next job, or end it. */
static void
rest(struct link *l)
{
	struct link *oldest;

	if ((l->job != NULL && l->job->trial != NULL) || l->jobs >= KEEP_JOBS ||
	    l->reign != reign || loop_now_ms() - l->born_ms > KEEP_AGE_MS) {
		quit(l);
		return;
	}
	kept_add(&l->kept);
	if (kept_count() > KEPT_MAX) {
		oldest = link_of(kept_oldest());
		quit(oldest);
		io_flush(&oldest->io);
	}
}

/* What a server may know as one client: without a name and an address of its
 * own a route's connections are like all others.  A trial is to see the
 * certificate. */
static const char *
self_of(const struct link *l)
{
	const struct link_key *k = &l->kept.key;

	if (l->job != NULL && l->job->trial != NULL)
		return NULL;
	return *k->user != '\0' || *k->helo != '\0' || k->source4.len != 0 ||
		k->source6.len != 0
	    ? k->route
	    : "";
}

static void
shake(struct link *l)
{
	if (l->shaking)
		return;
	l->shaking = true;
	l->resuming = trust_secure(&l->io, &l->target, &l->kept.key.policy,
	    l->kept.domain, self_of(l));
}

/* How TLS went, once for each connection; a trial is nobody's affair. */
static void
note(struct link *l, enum tlsrpt_result result, const char *why)
{
	const struct link_key *k = &l->kept.key;

	if (!l->noted && (l->job == NULL || l->job->trial == NULL))
		results_session(l->kept.domain, &l->target, &k->policy,
		    k->demand, l->io.fd, result, why);
	l->noted = true;
}

static enum tlsrpt_result
result_of(enum trust_flaw flaw)
{
	switch (flaw) {
	case TRUST_FINE:
		return TLSRPT_SUCCESS;
	case TRUST_NAME:
		return TLSRPT_HOST_MISMATCH;
	case TRUST_EXPIRED:
		return TLSRPT_EXPIRED;
	case TRUST_UNKNOWN:
		return TLSRPT_NOT_TRUSTED;
	case TRUST_HANDSHAKE:
	case TRUST_OTHER:
		break;
	}
	return TLSRPT_VALIDATION;
}

static void turn(struct link *);

static void
on_secret(void *arg, const char *secret)
{
	struct link *l = arg;

	l->ticket = 0;
	talk_secret(&l->talk, secret);
	turn(l);
	if (!l->dead)
		io_flush(&l->io);
}

static void
on_signature(void *arg, const char *lines)
{
	struct link *l = arg;

	l->signing = 0;
	talk_signed(&l->talk, lines);
	turn(l);
	if (!l->dead)
		io_flush(&l->io);
}

static void
get_signature(struct link *l)
{
	struct talk *t = &l->talk;
	const char *lines;

	while (talk_wants(t) == TALK_SIGNATURE && l->signing == 0) {
		lines = signer_find(l->job->id, &t->reading);
		if (lines != NULL)
			talk_signed(t, lines);
		else
			l->signing = signer_ask(
			    l->job->id, &t->reading, on_signature, l);
	}
}

/* Do what the talk wants, and give a finished job back. */
static void
turn(struct link *l)
{
	struct talk *t = &l->talk;
	struct outcome failure;
	enum link_result result = LINK_DONE;
	bool back;

	if (t->no_tls)
		note(l, TLSRPT_NO_STARTTLS, "");
	get_signature(l);
	back = l->job != NULL && talk_job(t) == NULL;

	if (back) {
		if (talk_stale(t))
			result = LINK_STALE;
		else if (l->job->open > 0)
			result = LINK_FAILED;
		if (l->job->open > 0)
			failure = t->failure;
	}
	if (talk_wants(t) == TALK_IDLE)
		rest(l);
	switch (talk_wants(t)) {
	case TALK_TLS:
		shake(l);
		break;
	case TALK_SECRET:
		if (l->ticket == 0)
			l->ticket = secret_ask(l->kept.key.route, on_secret, l);
		break;
	case TALK_CLOSE:
		bury(l);
		break;
	case TALK_SIGNATURE:
	case TALK_IDLE:
	case TALK_INPUT:
		break;
	}
	if (!l->dead && t->progress != l->progress) {
		l->progress = t->progress;
		io_timeout(&l->io,
		    l->kept.on ? KEEP_MS : (int64_t)talk_patience(t) * 1000);
	}
	if (back) {
		hand_back(l, result, result == LINK_FAILED ? &failure : NULL);
	} else if (t->partly ||
	    (t->begun && l->job != NULL && l->job->probe && !l->job->contact)) {
		t->partly = false;
		l->job->contact = true;
		l->done(l->arg, LINK_PART, NULL);
	}
}

/* 24 random letters: 18 bytes in base64, which has no comma. */
static void
make_nonce(char nonce[SCRAM_NONCE + 1])
{
	unsigned char bytes[SCRAM_NONCE / 4 * 3];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		fatal("no randomness");
	base64_encode(bytes, sizeof(bytes), nonce);
}

static void
start(struct link *l)
{
	struct talk_rules rules;

	l->connected = true;
	rules.tls =
	    l->kept.key.clear ? ROUTE_TLS_NEVER : l->kept.key.policy.tls;
	rules.sign = true;
	rules.requiretls = l->kept.key.policy.requiretls;
	rules.policy = policy_name(&l->kept.key.policy, true);
	snprintf(rules.helo, sizeof(rules.helo), "%s",
	    *l->kept.key.helo != '\0' ? l->kept.key.helo : self_name());
	memcpy(rules.mx, l->mx, sizeof(rules.mx));
	memcpy(rules.user, l->kept.key.user, sizeof(rules.user));
	make_nonce(rules.nonce);
	talk_start(&l->talk, &rules, &l->io.out, l->job);
}

static void
on_input(struct link *l)
{
	struct buf *in = &l->io.in;

	talk_input(&l->talk, buf_data(in), in->len);
	buf_consume(in, in->len);
}

static void
on_event(struct io *io, enum io_event ev)
{
	struct link *l = io->arg;
	bool bad = ev == IO_ERROR || ev == IO_EOF || ev == IO_TIMEOUT;
	bool securing = l->connected && talk_is_securing(&l->talk);
	enum tlsrpt_result result;
	char flaw[160];
	const char *why = ev == IO_ERROR ? io_error(io)
	    : ev == IO_EOF               ? "connection closed by the server"
					 : "timed out";

	if (bad && !l->connected) {
		give_up(l, LINK_UNREACHED, "4.4.1", why);
		return;
	}
	if (bad && securing && l->resuming && l->io.ssl != NULL) {
		/* A session that the server gave and cannot go on with says
		 * nothing about its TLS: the same again, from the start. */
		log_event("tls.not-resumed", "mx=%s error=%s", log_quote(l->mx),
		    log_quote(why));
		trust_distrust(io);
		give_up(l, LINK_STALE, "4.7.5", why);
		return;
	}
	if (bad && securing) {
		result = result_of(trust_flaw(io, flaw, sizeof(flaw)));
		note(l, result == TLSRPT_SUCCESS ? TLSRPT_VALIDATION : result,
		    *flaw ? flaw : why);
		give_up(l, LINK_TLS_FAILED, "4.7.5", *flaw ? flaw : why);
		return;
	}
	switch (ev) {
	case IO_CONNECTED:
		start(l);
		break;
	case IO_HELD: /* only servers are */
		break;
	case IO_SECURED:
		l->shaking = false;
		result = result_of(trust_flaw(io, flaw, sizeof(flaw)));
		/* Without a proof or a watch nobody looked. */
		if (l->kept.key.policy.proof == PROOF_NONE &&
		    !l->kept.key.policy.watch)
			result = TLSRPT_SUCCESS;
		note(l, result, flaw);
		if (l->job != NULL && l->job->trial != NULL)
			trust_flaw(io, l->job->trial->certificate,
			    sizeof(l->job->trial->certificate));
		talk_secured(&l->talk, io_tls_version(io), io_tls_cipher(io));
		break;
	case IO_INPUT:
		on_input(l);
		break;
	case IO_SENT:
		talk_drained(&l->talk);
		break;
	case IO_EOF:
	case IO_ERROR:
		talk_lost(&l->talk, why);
		break;
	case IO_TIMEOUT:
		if (l->kept.on)
			quit(l);
		else
			talk_timeout(&l->talk);
		break;
	}
	turn(l);
}

/* From where the route wants its connections; len 0: it does not say. */
static const struct net_address *
source_of(const struct link *l)
{
	return l->target.address.ss.ss_family == AF_INET ? &l->kept.key.source4
							 : &l->kept.key.source6;
}

/* The route has a source address, but of the other family. */
static bool
lacks_source(const struct link *l)
{
	return source_of(l)->len == 0 &&
	    (l->kept.key.source4.len != 0 || l->kept.key.source6.len != 0);
}

/* Why not even an attempt could be made. */
static const char *
explain(const struct link *l, char *out, size_t size)
{
	const struct net_address *from = source_of(l);
	char source[NET_TEXT];

	if (lacks_source(l)) {
		snprintf(out, size, "[route %s] has no %s address as source",
		    l->kept.key.route,
		    l->target.address.ss.ss_family == AF_INET ? "IPv4"
							      : "IPv6");
	} else if (from->len != 0 && l->late_errno == EADDRNOTAVAIL) {
		net_text((const struct sockaddr *)&from->ss, source);
		snprintf(out, size,
		    "source %s of [route %s] is not an address of this machine",
		    source, l->kept.key.route);
	} else {
		snprintf(out, size, "%s", strerror(l->late_errno));
	}
	return out;
}

static void
on_late(void *arg)
{
	struct link *l = arg;
	int e = l->late_errno;
	bool no_way =
	    e == ENETUNREACH || e == EADDRNOTAVAIL || e == EAFNOSUPPORT;
	char why[2 * CONF_ROUTE_NAME];

	give_up(l, no_way ? LINK_NO_WAY : LINK_UNREACHED, "4.4.1",
	    explain(l, why, sizeof(why)));
}

static int
connect_link(struct link *l)
{
	const struct net_address *a = &l->target.address, *from = source_of(l);

	if (lacks_source(l)) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return io_connect(&l->io, (const struct sockaddr *)&a->ss, a->len,
	    from->len != 0 ? (const struct sockaddr *)&from->ss : NULL,
	    from->len, IN_LIMIT, on_event, l);
}

static void
take_job(struct link *l, struct job *job, struct link **slot,
    link_done_fn *done, void *arg)
{
	l->job = job;
	l->slot = slot;
	l->done = done;
	l->arg = arg;
	l->jobs++;
	*slot = l;
}

void
link_open(const struct link_key *key, const struct target *target,
    const char *domain, struct job *job, struct link **slot, link_done_fn *done,
    void *arg)
{
	struct link *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	l->kept.key = *key;
	l->target = *target;
	snprintf(l->kept.domain, sizeof(l->kept.domain), "%s", domain);
	l->born_ms = loop_now_ms();
	l->reign = reign;
	timer_init(&l->late, on_late, l);
	target_name(target, l->mx);
	take_job(l, job, slot, done, arg);
	if (connect_link(l) == 0) {
		io_timeout(&l->io, CONNECT_MS);
		return;
	}
	if ((errno == EMFILE || errno == ENFILE) && kept_count() > 0) {
		bury(link_of(kept_oldest()));
		if (connect_link(l) == 0) {
			io_timeout(&l->io, CONNECT_MS);
			return;
		}
	}
	l->late_errno = errno;
	timer_set(&l->late, 0);
}

static bool
reuse(struct link *l, struct job *job, struct link **slot, link_done_fn *done,
    void *arg)
{
	if (l == NULL)
		return false;
	kept_remove(&l->kept);
	take_job(l, job, slot, done, arg);
	talk_begin(&l->talk, job);
	turn(l);
	if (!l->dead)
		io_flush(&l->io);
	return true;
}

bool
link_reuse(const struct link_key *key, struct job *job, struct link **slot,
    link_done_fn *done, void *arg)
{
	return reuse(link_of(kept_find(key)), job, slot, done, arg);
}

bool
link_reuse_route(const struct link_key *key, struct job *job,
    struct link **slot, link_done_fn *done, void *arg)
{
	struct kept *k = kept_find_route(key);

	return reuse(link_of(k), job, slot, done, arg);
}

bool
link_reuse_domain(const struct link_key *key, const char *domain,
    struct job *job, struct link **slot, link_done_fn *done, void *arg)
{
	struct kept *k = kept_find_domain(key, domain);

	return reuse(link_of(k), job, slot, done, arg);
}

void
link_abort(struct link *l, const char *why)
{
	*l->slot = NULL;
	l->job = NULL;
	if (l->connected)
		talk_lost(&l->talk, why);
	bury(l);
}

bool
link_is_waiting(const struct link *l)
{
	return l->talk.dot_sent && l->io.out.len == 0;
}

bool
link_is_talking(const struct link *l)
{
	return l->connected && l->talk.begun;
}

static void
part(struct link *l)
{
	quit(l);
	io_flush(&l->io);
	bury(l);
}

void
link_close_kept(void)
{
	struct kept *k;

	reign++;
	while ((k = kept_oldest()) != NULL)
		part(link_of(k));
}

void
link_close_resting(const char *host, unsigned port)
{
	struct kept *k;

	while ((k = kept_find_host(host, port)) != NULL)
		part(link_of(k));
}
