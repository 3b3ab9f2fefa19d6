/*
 * link_keep.c - see link.h: connections between two jobs.
 */
#include <stddef.h>

#include "deliver/link_parts.h"

/*
 * A connection is kept for 5 s after a job: a stream of mail has the next one
 * in milliseconds, and a server's slot is not ours to hold.  After 100 mails
 * or 5 minutes it goes anyway, so that changed DNS is noticed and servers
 * that count (many allow 100 messages) need not refuse; a new connection with
 * TLS then costs a hundredth of what it carries.
 */
#define KEEP_MAILS  100
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
link_born(struct link *l, const struct job *job)
{
	l->born_ms = loop_now_ms();
	l->reign = reign;
	l->kept.berths = job->berths;
	berths_take(job->berths);
}

void
link_set_out(struct link *l)
{
	if (!l->leaving)
		berths_leaving(l->kept.berths);
	l->leaving = true;
}

void
link_quit(struct link *l)
{
	kept_remove(&l->kept);
	link_set_out(l);
	talk_quit(&l->talk);
}

static void
send_away(struct link *l)
{
	link_quit(l);
	io_timeout(&l->io, (int64_t)talk_patience(&l->talk) * 1000);
	/* With a job it rests just now, and who turns it flushes behind that. */
	if (l->job == NULL)
		io_flush(&l->io);
}

void
link_make_room(const struct berths *b)
{
	struct kept *k;

	while (berths_crowded(b) && (k = kept_oldest_of(b)) != NULL)
		send_away(link_of(k));
}

void
link_rest(struct link *l)
{
	if ((l->job != NULL && l->job->trial != NULL) ||
	    l->talk.transactions >= KEEP_MAILS || l->reign != reign ||
	    loop_now_ms() - l->born_ms > KEEP_AGE_MS) {
		link_quit(l);
		return;
	}
	kept_add(&l->kept);
	if (kept_count() > KEPT_MAX)
		send_away(link_of(kept_oldest()));
	link_make_room(l->kept.berths);
}

bool
link_drop_oldest(void)
{
	if (kept_count() == 0)
		return false;
	link_bury(link_of(kept_oldest()));
	return true;
}

/* It serves another destination, which shares the server, from now on. */
static void
move(struct link *l, struct berths *to)
{
	berths_leave(l->kept.berths, false);
	l->kept.berths = to;
	berths_take(to);
	link_make_room(to);
}

static bool
reuse(struct link *l, struct job *job, struct link **slot, link_done_fn *done,
    void *arg)
{
	if (l == NULL)
		return false;
	kept_remove(&l->kept);
	if (l->kept.berths != job->berths)
		move(l, job->berths);
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

const char *
link_kept_host(const struct link_key *key, const struct job *job)
{
	struct kept *k = kept_find_berths(key, job->berths);

	return k == NULL ? NULL : k->key.host;
}

void
link_close_kept(void)
{
	struct kept *k;

	reign++;
	while ((k = kept_oldest()) != NULL)
		send_away(link_of(k));
}

void
link_close_resting(const struct berths *b)
{
	struct kept *k;

	while (b != NULL && (k = kept_oldest_of(b)) != NULL)
		send_away(link_of(k));
}
