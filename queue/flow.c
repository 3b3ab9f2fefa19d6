/*
 * flow.c - see flow.h.
 */
#include <assert.h>
#include <stdlib.h>

#include "queue/bundle.h"
#include "queue/flow_parts.h"
#include "queue/settings.h"
#include "queue/turn.h"

static struct flow *flows; /* by key */

struct flow *
flow_find(struct account *a, struct dest *d)
{
	struct flow_key key = { a, d };
	struct flow *f;

	HASH_FIND(hh, flows, &key, sizeof(key), f);
	return f;
}

unsigned
flow_count(void)
{
	return HASH_COUNT(flows);
}

static struct flow *
find_or_make(struct account *a, struct dest *d)
{
	struct flow *f = flow_find(a, d);

	if (f != NULL)
		return f;
	if ((f = calloc(1, sizeof(*f))) == NULL)
		abort();
	f->key.account = a;
	f->key.dest = d;
	ready_init(&f->ready);
	TAILQ_INSERT_TAIL(&d->flows, f, all);
	a->flows++;
	HASH_ADD(hh, flows, key, sizeof(f->key), f);
	return f;
}

static void
release(struct flow *f)
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

static void
make_runnable(struct flow *f)
{
	f->state = FLOW_RUNNABLE;
	TAILQ_INSERT_TAIL(&f->key.account->runnable, f, line);
	turn_join(f->key.account);
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
		turn_leave(a);
}

static void
enqueue(struct flow *f, struct job *j, bool first)
{
	j->state = JOB_READY;
	ready_add(&f->ready, j, first);
	if (f->state == FLOW_EMPTY)
		make_runnable(f);
}

static void
dequeue(struct flow *f, struct job *j)
{
	ready_remove(&f->ready, j);
	if (f->ready.n == 0)
		leave_line(f);
	if (f->skip.set && f->ready.n <= flow_room(f->key.dest) / 2)
		skip_ask(&f->skip);
}

static struct conf_mail
mail_of(const struct job *j)
{
	return (struct conf_mail){ j->domain, j->letter->account,
		j->letter->sender };
}

bool
flow_admit(struct job *j)
{
	struct due_key k = job_due_key(j);
	struct conf_mail mail = mail_of(j);
	struct account *a = account_for(mail.account);
	struct dest *d = dest_for(&mail);
	struct flow *f;

	if (!flow_takes(a, d, &k)) {
		account_release(a);
		dest_idle(d);
		return false;
	}
	f = find_or_make(a, d);
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
	turn_yield(a);
}

struct job *
flow_next(void)
{
	struct account *a;
	struct flow *f;
	struct job *j;

	dest_ring(awake);
	while ((a = turn_first()) != NULL) {
		f = TAILQ_FIRST(&a->runnable);
		j = ready_first(&f->ready);
		if (!turn_may_fly(a)) {
			turn_sate(a);
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
			turn_take_off(a);
			return j;
		}
	}
	return NULL;
}

struct job *
flow_mate(const struct job *lead)
{
	struct flow *f = lead->flow;
	struct job *j = ready_first(&f->ready);
	struct conf_mail mail = mail_of(lead), other;
	const struct conf_route *r;

	/* A rate counts jobs, and a probe is to fail alone. */
	if (j == NULL || j->letter != lead->letter || lead->probe ||
	    f->key.dest->bounds.interval_us > 0 ||
	    !turn_may_fly(f->key.account))
		return NULL;
	r = conf_route(settings, &mail);
	other = mail_of(j);
	return !r->mx && conf_route(settings, &other) == r ? j : NULL;
}

void
flow_take_along(struct job *lead, struct job *mate)
{
	bundle_join(lead, mate);
	dequeue(mate->flow, mate);
	mate->state = JOB_FLYING;
	mate->probe = false;
	mate->epoch = lead->epoch;
	turn_take_off(mate->flow->key.account);
}

/* Its ready jobs become rows again, remembered in s. */
static void
unload_all(struct flow *f, struct skip *s)
{
	struct due_key k;
	struct job *j;

	while ((j = ready_first(&f->ready)) != NULL) {
		k = job_due_key(j);
		skip_note(s, &k);
		ready_remove(&f->ready, j);
		let_go(f, j);
		job_free(j);
	}
	leave_line(f);
	if (f->skip.set)
		skip_note(s, &f->skip.from);
	f->skip.set = false;
}

/* The ready jobs of all its flows become rows again. */
static void
abandon(struct dest *d)
{
	struct flow *f, *next;

	for (f = TAILQ_FIRST(&d->flows); f != NULL; f = next) {
		next = TAILQ_NEXT(f, all);
		unload_all(f, &d->skip);
		release(f);
	}
}

struct dest *
flow_dest(const struct job *j)
{
	return j->flow->key.dest;
}

void
flow_land(struct job *j, enum landing how)
{
	struct flow *f = j->flow;
	struct dest *d = f->key.dest, *about = d;
	struct conf_mail mail = mail_of(j);
	uint32_t epoch = j->epoch;

	j->state = JOB_SETTLING;
	turn_land(f->key.account);
	if (!bundle_land(j, &how))
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
	release(f);
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
	turn_leave(a);
	a->flows++; /* keeps it while its flows go */
	HASH_ITER(hh, flows, f, next)
	{
		if (f->key.account != a)
			continue;
		unload_all(f, &a->skip);
		release(f);
	}
	a->flows--;
}

static void
resume(struct account *a)
{
	if (!a->suspended)
		return;
	account_mark(a, false);
	turn_join(a); /* what deliver gave back meanwhile */
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
