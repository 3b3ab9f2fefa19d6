/*
 * flow.c - see flow.h.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/loop.h"
#include "queue/flow.h"
#include "queue/refill.h"
#include "queue/settings.h"

/* While a destination is probed, its flows hold only this many. */
#define PROBE_READY 2

/* Jobs that leave in one transaction. */
struct bundle {
	unsigned flying;
	bool well, busy; /* how any of them landed */
};

static struct flow *flows; /* by key */
static TAILQ_HEAD(, account) turn = TAILQ_HEAD_INITIALIZER(turn);
/* Those who have their share of what may be in flight. */
static TAILQ_HEAD(, account) sated = TAILQ_HEAD_INITIALIZER(sated);
static unsigned nflying;

static struct flow *
find_flow(struct account *a, struct dest *d)
{
	struct flow_key key = { a, d };
	struct flow *f;

	HASH_FIND(hh, flows, &key, sizeof(key), f);
	return f;
}

static struct flow *
flow_for(struct account *a, struct dest *d)
{
	struct flow *f = find_flow(a, d);

	if (f != NULL)
		return f;
	if ((f = calloc(1, sizeof(*f))) == NULL)
		abort();
	f->key.account = a;
	f->key.dest = d;
	for (int i = 0; i < PRIORITIES; i++)
		TAILQ_INIT(&f->ready[i]);
	TAILQ_INSERT_TAIL(&d->flows, f, all);
	a->flows++;
	HASH_ADD(hh, flows, key, sizeof(f->key), f);
	return f;
}

static void
flow_release(struct flow *f)
{
	struct account *a = f->key.account;
	struct dest *d = f->key.dest;

	if (f->jobs > 0 || f->skip.set)
		return;
	assert(f->state == FLOW_EMPTY);
	TAILQ_REMOVE(&d->flows, f, all);
	HASH_DEL(flows, f);
	free(f);
	a->flows--;
	account_release(a);
	dest_idle(d);
}

/*
 * How many jobs a flow may hold: its part of memory, and half of the room that
 * is left at most, so that a new flow always finds some.  Equal parts run out
 * together, and then one walk through the schedule refills them all.
 */
static unsigned
flow_room(const struct dest *d)
{
	unsigned used = job_count(), part, left;

	if (d->pace.failures > 0)
		return PROBE_READY;
	part = JOBS_IN_MEMORY / (HASH_COUNT(flows) + 1) + 1;
	left = used < JOBS_IN_MEMORY ? (JOBS_IN_MEMORY - used) / 2 : 0;
	return part < left ? part : left;
}

/* The same for an account with all its flows: as much as it leaves free. */
static bool
account_has_room(const struct account *a)
{
	return a->jobs + job_count() < JOBS_IN_MEMORY;
}

/*
 * May an account have one more in flight?  Two thirds of all go to one that
 * is alone, two thirds of the rest to a second, and always some to a new one:
 * mail to servers that take their time delays nobody else's.
 */
static bool
account_may_fly(const struct account *a)
{
	return nflying < settings->in_flight &&
	    a->flying < 2 * (settings->in_flight - nflying);
}

static bool
has_place(struct account *a, struct dest *d, const struct due_key *k)
{
	struct flow *f;
	unsigned n;

	if (a != NULL && a->suspended) {
		skip_note(&a->skip, k);
		return false;
	}
	if (a != NULL && a->jobs > 0 && !account_has_room(a)) {
		skip_note(&a->skip, k);
		return false;
	}
	if (d == NULL)
		return true;
	if (dest_waiting(d)) {
		skip_note(&d->skip, k);
		return false;
	}
	f = a != NULL ? find_flow(a, d) : NULL;
	n = f != NULL ? f->nready : 0;
	if (n < flow_room(d))
		return true;
	if (f != NULL && f->jobs > 0)
		skip_note(&f->skip, k);
	else
		refill_starved(k); /* nothing of it will land and ask again */
	return false;
}

/* Earlier rows of its flow were passed over, and will be asked for soon. */
static bool
earlier_wait(struct account *a, struct dest *d, const struct due_key *k)
{
	struct flow *f = a != NULL && d != NULL ? find_flow(a, d) : NULL;

	return f != NULL && f->nready > 0 && f->skip.set &&
	    due_compare(&f->skip.from, k) < 0;
}

bool
flow_has_place(const struct due_key *k, const struct due_row *row)
{
	struct account *a = account_find(row->account);
	struct dest *d = dest_by_row(row);

	return !earlier_wait(a, d, k) && has_place(a, d, k);
}

bool
flow_row_suspended(const struct due_row *row)
{
	struct account *a = account_find(row->account);

	return a != NULL && a->suspended;
}

static void
join_turn(struct account *a)
{
	if (a->in_turn || a->sated || a->suspended || TAILQ_EMPTY(&a->runnable))
		return;
	a->in_turn = true;
	TAILQ_INSERT_TAIL(&turn, a, turn);
}

static void
leave_turn(struct account *a)
{
	if (a->in_turn)
		TAILQ_REMOVE(&turn, a, turn);
	if (a->sated)
		TAILQ_REMOVE(&sated, a, turn);
	a->in_turn = a->sated = false;
}

/* It has its share; it comes back when something lands. */
static void
satisfy(struct account *a)
{
	leave_turn(a);
	a->sated = true;
	TAILQ_INSERT_TAIL(&sated, a, turn);
}

static void
revive(struct account *a)
{
	if (a == NULL || !a->sated || !account_may_fly(a))
		return;
	leave_turn(a);
	join_turn(a);
}

static void
make_runnable(struct flow *f)
{
	f->state = FLOW_RUNNABLE;
	TAILQ_INSERT_TAIL(&f->key.account->runnable, f, line);
	join_turn(f->key.account);
}

/* Out of whichever line it stands in. */
static void
leave_line(struct flow *f)
{
	struct account *a = f->key.account;

	if (f->state == FLOW_RUNNABLE)
		TAILQ_REMOVE(&a->runnable, f, line);
	else if (f->state == FLOW_BLOCKED)
		TAILQ_REMOVE(&f->key.dest->blocked, f, line);
	f->state = FLOW_EMPTY;
	if (TAILQ_EMPTY(&a->runnable))
		leave_turn(a);
}

/* RFC 6710 5: what has none has the middle one. */
static unsigned
level_of(const struct job *j)
{
	uint32_t p = j->letter->options.priority;

	return p >= 1 && p <= PRIORITIES ? p - 1 : PRIORITIES / 2;
}

/* The ready job whose turn is next; NULL none. */
static struct job *
first_ready(const struct flow *f)
{
	if (f->levels == 0)
		return NULL;
	return TAILQ_FIRST(&f->ready[31 - __builtin_clz(f->levels)]);
}

static void
enqueue(struct flow *f, struct job *j, bool first)
{
	unsigned level = level_of(j);

	j->state = JOB_READY;
	if (first)
		TAILQ_INSERT_HEAD(&f->ready[level], j, link);
	else
		TAILQ_INSERT_TAIL(&f->ready[level], j, link);
	f->levels |= 1u << level;
	f->nready++;
	if (f->state == FLOW_EMPTY)
		make_runnable(f);
}

static void
take_out(struct flow *f, struct job *j)
{
	unsigned level = level_of(j);

	TAILQ_REMOVE(&f->ready[level], j, link);
	if (TAILQ_EMPTY(&f->ready[level]))
		f->levels &= ~(1u << level);
	f->nready--;
}

static void
dequeue(struct flow *f, struct job *j)
{
	take_out(f, j);
	if (f->nready == 0)
		leave_line(f);
	if (f->skip.set && f->nready <= flow_room(f->key.dest) / 2)
		skip_ask(&f->skip);
}

bool
flow_admit(struct job *j)
{
	struct due_key k = job_due_key(j);
	struct account *a = account_for(j->letter->account);
	struct dest *d = dest_for(&(struct conf_mail){
	    j->domain, j->letter->account, j->letter->sender });
	struct flow *f;

	if (!has_place(a, d, &k)) {
		account_release(a);
		dest_idle(d);
		return false;
	}
	f = flow_for(a, d);
	j->flow = f;
	f->jobs++;
	a->jobs++;
	enqueue(f, j, false);
	return true;
}

/* A job is in its flow no more. */
static void
let_go(struct flow *f, struct job *j)
{
	struct account *a = f->key.account;

	j->flow = NULL;
	f->jobs--;
	a->jobs--;
	if (a->skip.set && !a->suspended &&
	    (a->jobs == 0 || 2 * a->jobs + job_count() < JOBS_IN_MEMORY))
		skip_ask(&a->skip);
}

/* Let as many flows back into line as there are free flights. */
static void
unblock(struct dest *d)
{
	unsigned limit = d->pace.limit, flying = d->pace.flying;
	struct flow *f;

	if (TAILQ_EMPTY(&d->blocked) || !dest_can_fly(d))
		return;
	for (unsigned room = limit > flying ? limit - flying : 1;
	     room > 0 && (f = TAILQ_FIRST(&d->blocked)) != NULL; room--) {
		TAILQ_REMOVE(&d->blocked, f, line);
		make_runnable(f);
	}
}

static struct conf_mail
mail_of(const struct job *j)
{
	return (struct conf_mail){ j->domain, j->letter->account,
		j->letter->sender };
}

/* More is known by now of where its domain's mail goes. */
static bool
moves(struct job *j)
{
	struct conf_mail mail = mail_of(j);
	struct dest *was = j->flow->key.dest, *d = dest_for(&mail);

	if (d == was)
		return false;
	dest_idle(d);
	flow_leave(j);
	if (!flow_admit(j))
		job_free(j);
	unblock(was); /* nothing of it may be in flight that would */
	return true;
}

static void awake(struct dest *);

/* f must wait for its destination. */
static void
block(struct flow *f)
{
	struct dest *d = f->key.dest;

	leave_line(f);
	f->state = FLOW_BLOCKED;
	d->demand = true;
	TAILQ_INSERT_TAIL(&d->blocked, f, line);
}

/* Account and flow go to the end of their lines. */
static void
yield(struct account *a, struct flow *f)
{
	TAILQ_REMOVE(&a->runnable, f, line);
	TAILQ_INSERT_TAIL(&a->runnable, f, line);
	TAILQ_REMOVE(&turn, a, turn);
	TAILQ_INSERT_TAIL(&turn, a, turn);
}

struct job *
flow_next(void)
{
	struct account *a;
	struct flow *f;
	struct job *j;

	dest_ring(awake);
	while ((a = TAILQ_FIRST(&turn)) != NULL) {
		f = TAILQ_FIRST(&a->runnable);
		j = first_ready(f);
		if (!account_may_fly(a)) {
			satisfy(a);
		} else if (moves(j)) {
			continue;
		} else if (!dest_can_fly(f->key.dest)) {
			block(f);
		} else {
			yield(a, f);
			dequeue(f, j);
			j->state = JOB_FLYING;
			j->probe = f->key.dest->pace.doubt;
			j->epoch = dest_take_off(f->key.dest);
			a->flying++;
			nflying++;
			return j;
		}
	}
	return NULL;
}

struct job *
flow_mate(const struct job *lead)
{
	struct flow *f = lead->flow;
	struct job *j = first_ready(f);
	struct conf_mail mail = mail_of(lead), other;
	const struct conf_route *r;

	/* A rate counts jobs, and a probe is to fail alone. */
	if (j == NULL || j->letter != lead->letter || lead->probe ||
	    f->key.dest->bounds.interval_us > 0 ||
	    !account_may_fly(f->key.account))
		return NULL;
	r = conf_route(settings, &mail);
	other = mail_of(j);
	return !r->mx && conf_route(settings, &other) == r ? j : NULL;
}

void
flow_take_along(struct job *lead, struct job *mate)
{
	struct bundle *b = lead->bundle;

	if (b == NULL) {
		if ((b = calloc(1, sizeof(*b))) == NULL)
			abort();
		b->flying = 1;
		lead->bundle = b;
	}
	b->flying++;
	mate->bundle = b;
	dequeue(mate->flow, mate);
	mate->state = JOB_FLYING;
	mate->probe = false;
	mate->epoch = lead->epoch;
	mate->flow->key.account->flying++;
	nflying++;
}

/* Is this one the last of its bundle to land?  Then how they did is in *how:
 * as with the recipients of one job, that anybody got it counts. */
static bool
last_of_bundle(struct job *j, enum landing *how)
{
	struct bundle *b = j->bundle;

	j->bundle = NULL;
	if (b == NULL)
		return true;
	b->well |= *how == LANDED_WELL || *how == LANDED_SQUEEZED;
	b->busy |= *how == LANDED_BUSY || *how == LANDED_SQUEEZED;
	if (--b->flying > 0)
		return false;
	if (*how != LANDED_UNKNOWN && b->well)
		*how = b->busy ? LANDED_SQUEEZED : LANDED_WELL;
	else if (*how != LANDED_UNKNOWN && b->busy)
		*how = LANDED_BUSY;
	free(b);
	return true;
}

/* Its ready jobs become rows again, remembered in s. */
static void
unload_all(struct flow *f, struct skip *s)
{
	struct due_key k;
	struct job *j;

	while ((j = first_ready(f)) != NULL) {
		k = job_due_key(j);
		skip_note(s, &k);
		take_out(f, j);
		let_go(f, j);
		job_free(j);
	}
	leave_line(f);
	if (f->skip.set)
		skip_note(s, &f->skip.from);
	f->skip.set = false;
}

/* Its ready jobs become rows again. */
static void
abandon(struct dest *d)
{
	struct flow *f, *next;

	for (f = TAILQ_FIRST(&d->flows); f != NULL; f = next) {
		next = TAILQ_NEXT(f, all);
		unload_all(f, &d->skip);
		flow_release(f);
	}
}

/* One less in flight: somebody who had his share may go on. */
static void
make_room(struct account *a)
{
	a->flying--;
	nflying--;
	revive(a);
	revive(TAILQ_FIRST(&sated));
}

void
flow_land(struct job *j, enum landing how)
{
	struct flow *f = j->flow;
	struct dest *d = f->key.dest, *about = d;
	struct conf_mail mail = mail_of(j);
	uint32_t epoch = j->epoch;

	j->state = JOB_SETTLING;
	make_room(f->key.account);
	if (!last_of_bundle(j, &how))
		return;
	dest_land(d, epoch);
	if (how != LANDED_UNKNOWN)
		about =
		    how == LANDED_ASTRAY ? dest_alone(&mail) : dest_for(&mail);
	if (about != d)
		epoch = about->pace.epoch; /* it is its latest news */
	if (dest_hear(about, how, epoch))
		abandon(about); /* f lives: j is still its */
	else
		unblock(about);
	if (about != d) {
		unblock(d);
		dest_idle(about);
	}
}

void
flow_contact(const struct job *j)
{
	struct conf_mail mail = mail_of(j);
	struct dest *d = j->flow->key.dest, *site = dest_for(&mail);

	dest_contact(d);
	unblock(d);
	if (site == d)
		return;
	dest_contact(site);
	unblock(site);
	dest_idle(site);
}

void
flow_site_is(const char *domain, const char *site)
{
	dest_site_is(domain, site, unblock);
}

void
flow_return(struct job *j)
{
	enqueue(j->flow, j, true);
}

void
flow_leave(struct job *j)
{
	struct flow *f = j->flow;

	if (f == NULL)
		return;
	if (j->state == JOB_READY)
		dequeue(f, j);
	assert(j->state != JOB_FLYING);
	let_go(f, j);
	if (f->jobs == 0)
		skip_ask(&f->skip);
	flow_release(f);
}

void
flow_unload(struct job *j)
{
	flow_leave(j);
	job_free(j);
}

void
flow_suspend(const char *name, unsigned told)
{
	struct account *a = account_for(name);
	struct flow *f, *next;

	a->told = told;
	if (a->suspended)
		return;
	account_mark(a, true);
	leave_turn(a);
	a->flows++; /* keeps it while its flows go */
	HASH_ITER(hh, flows, f, next)
	{
		if (f->key.account != a)
			continue;
		unload_all(f, &a->skip);
		flow_release(f);
	}
	a->flows--;
}

static void
resume(struct account *a)
{
	if (!a->suspended)
		return;
	account_mark(a, false);
	join_turn(a); /* what deliver gave back meanwhile */
	skip_ask(&a->skip);
	account_release(a);
}

void
flow_resume(const char *name)
{
	struct account *a = account_find(hash64(name));

	if (a != NULL)
		resume(a);
}

void
flow_resume_untold(unsigned told)
{
	account_each_untold(told, resume);
}

bool
flow_suspended(const char *name)
{
	struct account *a = account_find(hash64(name));

	return a != NULL && a->suspended;
}

static void
awake(struct dest *d)
{
	struct skip s = d->skip;

	d->skip.set = false;
	skip_ask(&s);
	unblock(d);
}

static void
reconsider(struct dest *d)
{
	abandon(d);
	skip_ask(&d->skip);
}

void
flow_reroute(void)
{
	dest_reroute();
	dest_each(reconsider);
}

void
flow_tick(void)
{
	dest_ring(awake);
	dest_sweep();
}

static void
forgive(struct dest *d)
{
	if (!dest_waiting(d))
		return;
	dest_forgive(d);
	awake(d);
}

void
flow_wake_all(void)
{
	dest_each(forgive);
}

void
flow_wake(const struct conf_mail *m)
{
	struct dest *d = dest_count_waiting() > 0 ? dest_look(m) : NULL;

	if (d != NULL)
		forgive(d);
}
