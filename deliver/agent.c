/*
 * agent.c - see agent.h.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "deliver/agent.h"
#include "deliver/carry.h"
#include "deliver/console.h"
#include "deliver/dns.h"
#include "deliver/fetch.h"
#include "deliver/keeper.h"
#include "deliver/known.h"
#include "deliver/link.h"
#include "deliver/mark.h"
#include "deliver/memory.h"
#include "deliver/results.h"
#include "deliver/screening.h"
#include "deliver/self.h"
#include "deliver/site.h"
#include "deliver/sts.h"
#include "deliver/trust.h"
#include "lib/crash.h"
#include "lib/log.h"
#include "lib/metric.h"

#define STOP_MS    10000
#define ROOTS_MAX  (4 * 1024 * 1024)
#define ANCHOR_MAX 65536

struct errand {
	struct job *job;
	struct carry *carry;
	int64_t began_ms;
	bool orphan; /* its queue is gone: nobody to tell */
	TAILQ_ENTRY(errand) link;
};

static TAILQ_HEAD(, errand) errands = TAILQ_HEAD_INITIALIZER(errands);
static const struct conf *conf;
static struct channel queue = { .fd = -1 };
static struct timer stop_timer;
static bool stopping;
static unsigned queues;   /* that there were, the present one included */
static int queue_fd = -1; /* of a queue that must wait for the start */
/* Files that came for the next start or reload. */
static char *roots, *anchor;
static size_t roots_len;

static void
count(const struct msg_job_verdict *v)
{
	static const char *const results[V_COUNT] = { [V_OK] = "delivered",
		[V_TEMP] = "deferred",
		[V_PERM] = "bounced" };

	metric_add(METRIC_DELIVERIES, results[v->verdict],
	    *v->tls != '\0' ? v->tls : "none",
	    *v->policy != '\0' ? v->policy : "none", (int64_t)v->rcpts.len);
}

static void
tell(void *arg, const struct part *p, const struct msg *m)
{
	const struct msg_job_verdict *v = &m->u.job_verdict;
	const struct errand *e = arg;

	count(v);
	if (v->verdict == V_OK)
		known_note(p->domain, v->mx, v->tls[0] != '\0', v->policy);
	for (size_t i = 0; v->verdict == V_OK && i < v->rcpts.len; i++)
		memory_add(
		    e->job->id, e->job->rcpts[p->first + v->rcpts.data[i]]);
	if (!e->orphan)
		channel_send(&queue, m, -1);
}

static void
tell_contact(struct errand *e)
{
	struct msg m = { .type = MSG_JOB_CONTACT, .tag = e->job->parts[0].tag };

	if (!e->job->probe || !e->job->contact || e->orphan)
		return;
	e->job->probe = false; /* once is enough */
	channel_send(&queue, &m, -1);
}

static void
on_news(void *arg, struct job *job)
{
	struct errand *e = arg;

	tell_contact(e);
	job_report(job, tell, e);
	if (job->open > 0)
		return;
	metric_observe(
	    METRIC_DELIVERY_TIME, (uint64_t)(loop_now_ms() - e->began_ms));
	TAILQ_REMOVE(&errands, e, link);
	job_free(job);
	free(e);
	if (stopping && TAILQ_EMPTY(&errands))
		loop_stop();
}

/* Let go of all jobs that `which` picks; those that are gone meanwhile too. */
static void
abort_jobs(bool (*which)(const struct errand *), const char *why)
{
	struct errand *e, *next;

	for (e = TAILQ_FIRST(&errands); e != NULL; e = next) {
		next = TAILQ_NEXT(e, link);
		if (which(e))
			carry_abort(e->carry, why);
	}
}

static bool
is_any(const struct errand *e)
{
	(void)e;
	return true;
}

static bool
is_silent(const struct errand *e)
{
	return !carry_is_talking(e->carry);
}

/* The end of the message has not left, so nothing can have arrived. */
static bool
is_unsent(const struct errand *e)
{
	return e->orphan && !carry_is_waiting(e->carry);
}

/* Of a queue before this one. */
static bool
is_under_way(uint64_t id, const char *domain)
{
	const struct errand *e;

	TAILQ_FOREACH (e, &errands, link)
		for (unsigned i = 0;
		     e->orphan && e->job->id == id && i < e->job->nparts; i++)
			if (strcmp(e->job->parts[i].domain, domain) == 0)
				return true;
	return false;
}

static void
await(struct job *job, const struct part *p)
{
	struct outcome o = outcome_make(V_TEMP, SCOPE_RCPT, 0, "4.3.2",
	    "the end of an earlier delivery is awaited");

	job_settle_part(job, p, &o);
	mark_follow(job->id, p->n, p->attempt + 1);
}

/*
 * A new queue may not know what the old one was about to be told.  A message
 * that is under way comes again later, when it is known whether it arrived.
 */
static void
recall(const struct errand *e)
{
	struct job *job = e->job;
	struct outcome o;

	o = outcome_make(V_OK, SCOPE_RCPT, 250, "2.0.0",
	    "delivered before the queue was started again");
	for (unsigned i = 0; i < job->nrcpts; i++)
		if (memory_has(job->id, job->rcpts[i]))
			job_settle(job, i, &o);
	for (unsigned i = 0; i < job->nparts; i++)
		if (is_under_way(job->id, job->parts[i].domain))
			await(job, &job->parts[i]);
}

struct post {
	uint64_t tag, serial;
};

/* A queue that was started again asks again. */
static void
on_posted(void *arg, const struct msg_fetched *f)
{
	struct post *p = arg;
	struct msg m = { .type = MSG_TLS_POSTED, .tag = p->tag };

	m.u.tls_posted.verdict = f->verdict;
	memcpy(m.u.tls_posted.text, f->text, sizeof(f->text));
	if (p->serial == queue.serial)
		channel_send(&queue, &m, -1);
	free(p);
}

static void
post(const struct msg *m)
{
	struct post *p = malloc(sizeof(*p));

	if (p == NULL)
		abort();
	*p = (struct post){ m->tag, queue.serial };
	fetch_url(m->u.tls_post.url, "application/tlsrpt+json",
	    m->u.tls_post.body, on_posted, p);
}

static void
take_marks(uint64_t tag, int fd)
{
	struct msg m = { .type = MSG_MARKS_ARE, .tag = tag };

	if (fd == -1)
		fatal("queue sent no file of marks");
	m.u.marks_are.ours = mark_file(fd);
	channel_send(&queue, &m, -1);
}

static void
on_site(void *arg, const struct msg_site_is *is)
{
	struct msg m = { .type = MSG_SITE_IS };

	(void)arg;
	m.u.site_is = *is;
	if (channel_up(&queue))
		channel_send(&queue, &m, -1);
}

static void
take_job(const struct msg *m, int fd)
{
	struct errand *e = calloc(1, sizeof(*e));

	if (e == NULL)
		abort();
	e->job = job_new(m, fd);
	e->began_ms = loop_now_ms();
	TAILQ_INSERT_TAIL(&errands, e, link);
	if (queues > 1)
		recall(e);
	if (e->job->open > 0)
		carry_start(e->job, conf, &e->carry, on_news, e);
	else
		on_news(e, e->job);
	if (stopping)
		abort_jobs(is_silent, "the server is stopping");
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	(void)c;
	switch (m->type) {
	case MSG_JOB:
		take_job(m, fd);
		break;
	case MSG_WIDTH:
		link_make_room(berths_tell(m->u.width.dest, m->u.width.width));
		break;
	case MSG_SITE_GET:
		site_ask(m->u.site_get.domain, on_site, NULL);
		break;
	case MSG_DOMAIN_IS:
		known_message(m);
		break;
	case MSG_TLS_POST:
		post(m);
		break;
	case MSG_MARKS:
		take_marks(m->tag, fd);
		break;
	default:
		fatal("queue sent %s", msg_name(m->type));
	}
}

/*
 * A new queue knows of its jobs only what is on disk and will send them
 * again.  What was not sent yet is better left to that; what was sent cannot
 * be called back.
 */
static void
on_gone(struct channel *c)
{
	struct errand *e;

	(void)c;
	TAILQ_FOREACH (e, &errands, link)
		e->orphan = true;
	abort_jobs(is_unsent, "the queue is gone");
}

static void
take_files(void)
{
	dns_configure(conf->dns_server, anchor);
	trust_configure(roots, roots_len);
	free(roots);
	free(anchor);
	roots = anchor = NULL;
	roots_len = 0;
}

static void
open_queue(int fd)
{
	if (channel_up(&queue)) {
		channel_close(&queue);
		on_gone(&queue);
	}
	queues++;
	channel_open(
	    &queue, fd, P_DELIVER, P_QUEUE, 0, on_message, on_gone, NULL);
	known_queue_is_back();
}

void
agent_start(const struct conf *c)
{
	crash_init();
	known_start(&queue);
	results_start(&queue);
	agent_reload(c);
	if (queue_fd != -1)
		open_queue(queue_fd);
	queue_fd = -1;
	child_ready();
}

void
agent_reload(const struct conf *c)
{
	conf = c;
	self_configure(c);
	console_configure(c);
	results_configure(c->tls_reports);
	take_files();
	screening_configure(c);
	link_close_kept(); /* they live by the old rules */
}

void
agent_peer(enum process peer, unsigned index, bool sign, int fd)
{
	(void)sign;
	switch (peer) {
	case P_QUEUE:
		if (conf != NULL)
			open_queue(fd);
		else
			queue_fd = fd;
		break;
	case P_AUTH:
		keeper_peer(fd);
		break;
	case P_STS:
		sts_peer(fd);
		break;
	case P_SMTPD:
		screening_peer(index, fd);
		break;
	default:
		fatal("unexpected peer %s", process_name(peer));
	}
}

void
agent_file(enum file_kind kind, const char *name, int fd)
{
	size_t n;

	switch (kind) {
	case FILE_CA_BUNDLE:
		free(roots);
		roots = child_read_file(fd, ROOTS_MAX, &roots_len);
		if (roots == NULL)
			log_event(
			    "deliver.unreadable", "file=%s", log_quote(name));
		break;
	case FILE_TRUST_ANCHOR:
		free(anchor);
		anchor = child_read_file(fd, ANCHOR_MAX, &n);
		if (anchor == NULL)
			log_event(
			    "deliver.unreadable", "file=%s", log_quote(name));
		break;
	default:
		close(fd);
		break;
	}
}

void
agent_message(const struct msg *m, int fd)
{
	if (m->type != MSG_CTL_CLIENT || fd == -1 || conf == NULL)
		fatal("unexpected %s from the parent", msg_name(m->type));
	console_open(fd);
}

static void
on_stop_timer(void *arg)
{
	(void)arg;
	abort_jobs(is_any, "the server is stopping");
	loop_stop();
}

void
agent_stop(void)
{
	stopping = true;
	consoles_close();
	link_close_kept();
	/* What waits for DNS or a connection is better begun anew. */
	abort_jobs(is_silent, "the server is stopping");
	if (TAILQ_EMPTY(&errands)) {
		loop_stop();
		return;
	}
	timer_init(&stop_timer, on_stop_timer, NULL);
	timer_set(&stop_timer, STOP_MS);
}
