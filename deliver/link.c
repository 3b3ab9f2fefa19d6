/*
 * link.c - see link.h.
 *
 * The only place of the client where callbacks end and calls begin: events of
 * the socket become calls of talk.h, and link_turn() does what the talk wants
 * next.  A dead link is freed at the end of the loop's turn, for its socket
 * may be the caller.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "deliver/appetite.h"
#include "deliver/link_parts.h"
#include "deliver/secret.h"
#include "deliver/self.h"
#include "deliver/signer.h"
#include "deliver/source.h"
#include "lib/log.h"
#include "mail/base64.h"

#define CONNECT_MS 30000
#define IN_LIMIT   32768

/* A server that said good-bye counts a connection until it has closed it, so
 * we wait for that with the next one, but not for a server that waits for us. */
#define PART_MS 1000

static TAILQ_HEAD(, link) dead = TAILQ_HEAD_INITIALIZER(dead);

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

void
link_bury(struct link *l)
{
	static bool hooked;

	if (l->dead)
		return;
	if (!hooked)
		loop_hook(free_dead, NULL);
	hooked = true;
	kept_remove(&l->kept);
	berths_leave(l->kept.berths, l->leaving);
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

void
link_give_up(struct link *l, enum link_result result, const char *status,
    const char *why)
{
	struct outcome o;
	bool had_job = l->job != NULL;

	o = outcome_make(V_TEMP, SCOPE_DEST, 0, status, "%s", why);
	memcpy(o.mx, l->mx, sizeof(o.mx));
	if (l->connected)
		talk_lost(&l->talk, why);
	link_bury(l);
	if (had_job)
		hand_back(l, result, &o);
}

static void
on_secret(void *arg, const char *secret)
{
	struct link *l = arg;

	l->ticket = 0;
	talk_secret(&l->talk, secret);
	link_turn(l);
	if (!l->dead)
		io_flush(&l->io);
}

static void
on_signature(void *arg, const char *lines)
{
	struct link *l = arg;

	l->signing = 0;
	talk_signed(&l->talk, lines);
	link_turn(l);
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

static void
note_appetite(struct link *l)
{
	struct talk *t = &l->talk;

	if (t->rcpts_most == t->rules.rcpts_most)
		return;
	t->rules.rcpts_most = t->rcpts_most;
	appetite_note(l->mx, t->rcpts_most);
}

static int64_t
patience_ms(const struct link *l)
{
	if (l->parting)
		return PART_MS;
	return l->kept.on ? KEEP_MS : (int64_t)talk_patience(&l->talk) * 1000;
}

void
link_turn(struct link *l)
{
	struct talk *t = &l->talk;
	struct outcome failure;
	enum link_result result = LINK_DONE;
	bool back;

	if (t->no_tls)
		link_note_tls(l, TLSRPT_NO_STARTTLS, "");
	get_signature(l);
	note_appetite(l);
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
		link_rest(l);
	switch (talk_wants(t)) {
	case TALK_TLS:
		link_shake(l);
		break;
	case TALK_SECRET:
		if (l->ticket == 0)
			l->ticket = secret_ask(l->kept.key.route, on_secret, l);
		break;
	case TALK_CLOSE:
		if (l->parting || !t->parted)
			link_bury(l);
		l->parting = true;
		break;
	case TALK_SIGNATURE:
	case TALK_IDLE:
	case TALK_INPUT:
		break;
	}
	if (!l->dead && t->progress != l->progress) {
		l->progress = t->progress;
		io_timeout(&l->io, patience_ms(l));
	}
	if (back) {
		if (!l->dead && !l->kept.on)
			link_set_out(l);
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
	rules.rcpts_most = appetite_of(l->mx);
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
	const char *why = ev == IO_ERROR ? io_error(io)
	    : ev == IO_EOF               ? "connection closed by the server"
					 : "timed out";

	if (bad && !l->connected) {
		link_give_up(l, LINK_UNREACHED, "4.4.1", why);
		return;
	}
	if (bad && talk_is_securing(&l->talk)) {
		link_not_secured(l, why);
		return;
	}
	switch (ev) {
	case IO_CONNECTED:
		start(l);
		break;
	case IO_HELD: /* only servers are */
		break;
	case IO_SECURED:
		link_secured(l);
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
			link_quit(l);
		else
			talk_timeout(&l->talk);
		break;
	}
	link_turn(l);
}

static void
on_late(void *arg)
{
	struct link *l = arg;
	int e = l->late_errno;
	bool no_way =
	    e == ENETUNREACH || e == EADDRNOTAVAIL || e == EAFNOSUPPORT;
	char why[SOURCE_WHY];

	source_explain(&l->kept.key, &l->target.address, e, why);
	link_give_up(l, no_way ? LINK_NO_WAY : LINK_UNREACHED, "4.4.1", why);
}

static int
connect_link(struct link *l)
{
	return source_connect(
	    &l->io, &l->kept.key, &l->target.address, IN_LIMIT, on_event, l);
}

void
link_take_job(struct link *l, struct job *job, struct link **slot,
    link_done_fn *done, void *arg)
{
	l->job = job;
	l->slot = slot;
	l->done = done;
	l->arg = arg;
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
	timer_init(&l->late, on_late, l);
	target_name(target, l->mx);
	link_born(l, job);
	link_take_job(l, job, slot, done, arg);
	if (connect_link(l) == 0 ||
	    ((errno == EMFILE || errno == ENFILE) && link_drop_oldest() &&
		connect_link(l) == 0)) {
		io_timeout(&l->io, CONNECT_MS);
		return;
	}
	l->late_errno = errno;
	timer_set(&l->late, 0);
}

void
link_abort(struct link *l, const char *why)
{
	*l->slot = NULL;
	l->job = NULL;
	if (l->connected)
		talk_lost(&l->talk, why);
	link_bury(l);
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
