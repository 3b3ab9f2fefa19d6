/*
 * link.h - one connection to one server, and those kept for the next job.
 *
 * A link joins a socket (lib/io.h), a conversation (talk.h) and at most one
 * job.  When the job comes back the link stays open for a while, so that a
 * stream of jobs to one destination costs a few connections.  All of them, also
 * those that rest, have a berth (berths.h).
 */
#ifndef DELIVER_LINK_H
#define DELIVER_LINK_H

#include <stdbool.h>

#include "deliver/job.h"
#include "deliver/kept.h"
#include "deliver/target.h"
#include "lib/conf.h"

struct link;

enum link_result {
	LINK_DONE,       /* every recipient has an outcome */
	LINK_PART,       /* some have theirs, and the link goes on with others;
			 * or it is a probe, and the server answers */
	LINK_STALE,      /* the kept connection had died unnoticed */
	LINK_NO_WAY,     /* no network of that kind here, not a try */
	LINK_UNREACHED,  /* no connection; failure says why */
	LINK_TLS_FAILED, /* no handshake; failure says why */
	LINK_FAILED,     /* open recipients; failure says why */
};

/* The job is back, but for LINK_PART.  failure: NULL when done, a part of it
 * or stale. */
typedef void
link_done_fn(void *arg, enum link_result, const struct outcome *failure);

/*
 * Connect to a target for a job, for which there is a berth.
 *
 *   target  its TLSA records live until done
 *   domain  the mail domain for which it was found in MX records, or ""
 *   slot    set while the link has the job, for link_abort()
 *
 * done comes once, not before this has returned.
 */
void
link_open(const struct link_key *, const struct target *, const char *domain,
    struct job *, struct link **slot, link_done_fn *, void *arg);

/*
 * Give a job to a kept connection: to one that served this mail domain last
 * (the key without host and policy), to one of this route (without policy), or
 * to one with this key.  False when there is none; else done comes once,
 * perhaps before this returns.
 */
bool link_reuse_domain(const struct link_key *, const char *domain,
    struct job *, struct link **slot, link_done_fn *, void *arg);
bool link_reuse_route(const struct link_key *, struct job *, struct link **slot,
    link_done_fn *, void *arg);
bool link_reuse(const struct link_key *, struct job *, struct link **slot,
    link_done_fn *, void *arg);

/* The host of a kept connection of the job's destination that may do for the
 * job (the key without host and policy); NULL none. */
const char *link_kept_host(const struct link_key *, const struct job *);
/* Say QUIT on connections that rest until the destination is not crowded. */
void link_make_room(const struct berths *);

/* Break the connection off; done does not come.  Recipients whose message may
 * have arrived get an outcome that says so, other open ones stay open. */
void link_abort(struct link *, const char *why);
/* The end of a message has left, and its answer has not come. */
bool link_is_waiting(const struct link *);
/* A transaction is under way. */
bool link_is_talking(const struct link *);

/* Say QUIT on the connections that are kept, and let go of them; those in use
 * end with their jobs. */
void link_close_kept(void);
/* The same on those that rest between two jobs, of one destination. */
void link_close_resting(const struct berths *);

#endif
