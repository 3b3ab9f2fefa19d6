/*
 * screened.c - see screened.h.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "ipc/verdict.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "smtpd/screened.h"

#define PATIENCE_MS 3000 /* deliver answers within two seconds */

struct waiting {
	uint64_t tag;
	int fd;
	struct sockaddr_storage peer;
	struct door door;
	struct source *source;
	struct msg_conn_verdict otherwise; /* what there is without an answer */
	struct timer timer;
	UT_hash_handle hh;
};

static struct waiting *table;
static uint64_t last_tag;
static screened_fn *next;
static bool (*ask)(const struct msg *);
static void (*on_less)(void);

void
screened_init(
    screened_fn *with, bool (*how)(const struct msg *), void (*less)(void))
{
	next = with;
	ask = how;
	on_less = less;
}

static void
forget(struct waiting *w)
{
	timer_clear(&w->timer);
	HASH_DEL(table, w);
	free(w);
}

static void
settle(struct waiting *w, const struct msg_conn_verdict *v)
{
	struct waiting was = *w;

	forget(w);
	next(was.fd, (struct sockaddr *)&was.peer, &was.door, was.source, v);
	on_less();
}

static void
on_timeout(void *arg)
{
	struct waiting *w = arg;
	struct msg_conn_verdict v = w->otherwise;

	log_event(
	    "screen.unanswered", "port=%u ms=%d", w->door.port, PATIENCE_MS);
	settle(w, &v);
}

static void
wait_for(int fd, const struct sockaddr *sa, const struct door *door,
    struct source *source, const struct msg_conn_verdict *otherwise)
{
	struct waiting *w = calloc(1, sizeof(*w));
	struct msg m = { .type = MSG_CONN_CHECK };

	if (w == NULL)
		abort();
	w->tag = m.tag = ++last_tag;
	w->fd = fd;
	memcpy(&w->peer, sa,
	    sa->sa_family == AF_INET ? sizeof(struct sockaddr_in)
				     : sizeof(struct sockaddr_in6));
	w->door = *door;
	w->source = source;
	w->otherwise = *otherwise;
	timer_init(&w->timer, on_timeout, w);
	timer_set(&w->timer, PATIENCE_MS);
	HASH_ADD(hh, table, tag, sizeof(w->tag), w);
	net_text(sa, m.u.conn_check.ip);
	if (!ask(&m))
		settle(w, otherwise);
}

void
screened_begin(int fd, const struct sockaddr *sa, const struct door *door,
    struct source *source, const struct conf *conf)
{
	struct msg_conn_verdict v;
	struct screen_match m;

	screen_match(conf, sa, NULL, &m);
	verdict_set(&v, &m);
	if (m.waiting)
		wait_for(fd, sa, door, source, &v);
	else
		next(fd, sa, door, source, &v);
}

void
screened_answer(const struct msg *m)
{
	struct waiting *w;

	HASH_FIND(hh, table, &m->tag, sizeof(m->tag), w);
	if (w != NULL)
		settle(w, &m->u.conn_verdict);
}

unsigned
screened_count(void)
{
	return HASH_COUNT(table);
}

void
screened_stop(void)
{
	struct waiting *w, *after;

	HASH_ITER(hh, table, w, after)
	{
		close(w->fd);
		source_leave(w->source);
		forget(w);
	}
}
