/*
 * link_keep.c - see link.h: connections between two jobs.
 */
#include <stddef.h>

#include "deliver/link_parts.h"

/*
 * A connection is kept for 5 s after a job: a stream of mail has the next one
 * in milliseconds, and a server's slot is not ours to hold.  After 100 jobs
 * or 5 minutes it goes anyway, so that changed DNS is noticed and servers
 * that count (many allow 100 messages) need not refuse; a new connection with
 * TLS then costs a hundredth of what it carries.
 */
#define KEEP_JOBS   100
#define KEEP_AGE_MS (5 * 60 * 1000)
#define KEPT_MAX    256

static unsigned reign; /* of one configuration, and its authorities */

static struct link *
link_of(struct kept *k)
{
	return k == NULL
	    ? NULL
	    : (struct link *)((char *)k - offsetof(struct link, kept));
}

void
link_born(struct link *l)
{
	l->born_ms = loop_now_ms();
	l->reign = reign;
}

void
link_quit(struct link *l)
{
	kept_remove(&l->kept);
	talk_quit(&l->talk);
}

void
link_rest(struct link *l)
{
	struct link *oldest;

	if ((l->job != NULL && l->job->trial != NULL) || l->jobs >= KEEP_JOBS ||
	    l->reign != reign || loop_now_ms() - l->born_ms > KEEP_AGE_MS) {
		link_quit(l);
		return;
	}
	kept_add(&l->kept);
	if (kept_count() > KEPT_MAX) {
		oldest = link_of(kept_oldest());
		link_quit(oldest);
		io_flush(&oldest->io);
	}
}

bool
link_drop_oldest(void)
{
	if (kept_count() == 0)
		return false;
	link_bury(link_of(kept_oldest()));
	return true;
}

static bool
reuse(struct link *l, struct job *job, struct link **slot, link_done_fn *done,
    void *arg)
{
	if (l == NULL)
		return false;
	kept_remove(&l->kept);
	link_take_job(l, job, slot, done, arg);
	talk_begin(&l->talk, job);
	link_turn(l);
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

static void
part(struct link *l)
{
	link_quit(l);
	io_flush(&l->io);
	link_bury(l);
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
