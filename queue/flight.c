/*
 * flight.c - see flight.h.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "lib/crash.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "mail/msgid.h"
#include "queue/cargo.h"
#include "queue/domains.h"
#include "queue/flight.h"
#include "queue/flow.h"
#include "queue/group.h"
#include "queue/landing.h"
#include "queue/marks.h"
#include "queue/reports.h"
#include "queue/settings.h"
#include "queue/settle.h"
#include "queue/upkeep.h"

/* Records that deliver has not read yet; beyond this it is not keeping up. */
#define BACKLOG_BYTES   ((size_t)4 << 20)
#define BACKLOG_WAIT_MS 5

static struct channel deliver = { .fd = -1 };
static struct job *flying; /* by tag */
static uint64_t last_tag;
static bool allowed, forbidden;
static bool awaiting; /* deliver's word on the marks it finds */
static struct timer again;

static void
wake_up(void *arg)
{
	(void)arg; /* flight_turn() does the rest */
}

/* False when there is no room for it. */
static bool
load(struct job *j)
{
	if (!cargo_add(j, last_tag + 1))
		return false;
	j->tag = ++last_tag;
	HASH_ADD(hh_tag, flying, tag, sizeof(j->tag), j);
	return true;
}

static void
land(struct job *j, enum landing how)
{
	HASH_DELETE(hh_tag, flying, j);
	flow_land(j, how);
}

static bool
may_send(void)
{
	return allowed && !forbidden && !awaiting && channel_up(&deliver) &&
	    HASH_CNT(hh_tag, flying) < settings->in_flight &&
	    HASH_CNT(hh_tag, flying) + group_gathered() < upkeep_flights();
}

/* A job and all that may go with it. */
static void
load_all(struct job *lead)
{
	struct job *mate;
	bool loaded;

	cargo_clear();
	loaded = load(lead);
	assert(loaded);
	while (may_send() && (mate = flow_mate(lead)) != NULL) {
		if (!load(mate))
			break;
		flow_take_along(lead, mate);
	}
}

static void
fail_all(const char *why)
{
	char id[MSGID_SIZE];
	struct job *j;

	msgid_format(cargo_job(0)->letter->id, id);
	log_event("warning", "text=%s id=%s error=%s",
	    log_quote("a body cannot be read"), id, log_quote(why));
	for (unsigned i = 0; (j = cargo_job(i)) != NULL; i++) {
		landing_answer_rest(
		    j, V_TEMP, "4.3.0", "the message could not be read");
		land(j, LANDED_ANSWERED);
		settle_job(j, true);
	}
}

static void
send_job(struct job *j)
{
	const struct letter *l = j->letter;
	struct msg m = { .type = MSG_JOB };
	struct msg_job *mj = &m.u.job;
	int fd = -1;

	load_all(j);
	m.tag = j->tag;
	mj->id = l->id;
	mj->n = (uint32_t)j->key.n;
	mj->seal = marks_seal(mj->id, mj->n);
	mj->attempt = j->attempts + 1;
	mj->probe = j->probe;
	mj->dest = flow_dest(j)->id;
	mj->width = dest_width(flow_dest(j));
	snprintf(mj->domain, sizeof(mj->domain), "%s", j->domain);
	snprintf(mj->account, sizeof(mj->account), "%s", l->account);
	snprintf(mj->sender, sizeof(mj->sender), "%s", l->sender);
	mj->flags = l->flags & (uint32_t)~TX_IN_FILE;
	mj->options = l->options;
	mj->added = l->added;
	mj->body_hash = (struct bytes){ l->body_hash, l->hash_len };
	if (!cargo_pack(mj, &fd)) {
		fail_all(strerror(errno));
		return;
	}
	channel_send(&deliver, &m, fd);
	if (fd != -1)
		close(fd);
	CRASH_POINT("job-sent");
}

static void
tell_widths(void)
{
	struct msg m = { .type = MSG_WIDTH };
	struct dest *d;

	while (channel_up(&deliver) && (d = dest_narrower()) != NULL) {
		m.u.width.dest = d->id;
		m.u.width.width = dest_width(d);
		channel_send(&deliver, &m, -1);
	}
}

/* Where mail goes must be known before much of it does. */
static void
ask_sites(void)
{
	struct msg m = { .type = MSG_SITE_GET };

	if (!allowed || !channel_up(&deliver))
		return;
	while (dest_ask(m.u.site_get.domain))
		channel_send(&deliver, &m, -1);
}

void
flight_turn(void)
{
	struct job *j;

	tell_widths();
	while (may_send()) {
		if (channel_backlog(&deliver) > BACKLOG_BYTES) {
			channel_flush(&deliver);
			if (channel_backlog(&deliver) > BACKLOG_BYTES) {
				timer_set(&again, BACKLOG_WAIT_MS);
				break;
			}
			continue; /* it may be gone */
		}
		if ((j = flow_next()) == NULL)
			break;
		send_job(j);
	}
	ask_sites();
	channel_flush(&deliver);
}

static void
on_verdict(const struct msg *m)
{
	const struct msg_job_verdict *v = &m->u.job_verdict;
	enum landing how;
	struct job *j;

	HASH_FIND(hh_tag, flying, &m->tag, sizeof(m->tag), j);
	if (j == NULL)
		return; /* of a queue before this one */
	if (v->verdict >= V_COUNT)
		fatal("deliver broke the protocol: bad verdict");
	CRASH_POINT("verdict");
	landing_note(j, v);
	if (!v->last)
		return;
	how = landing_of(j, v);
	if (v->site[0] != '\0' && how != LANDED_ASTRAY)
		dest_site_is(j->domain, v->site, NULL);
	land(j, how);
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].state == RCPT_WAITING &&
		    j->rcpts[i].verdict == NO_VERDICT) {
			landing_answer_rest(j, V_TEMP, "4.3.0",
			    "the delivery ended without an answer");
			break;
		}
	settle_job(j, true);
}

/* A new process knows nothing of what is marked. */
static void
on_marks(const struct msg_marks_are *m)
{
	if (!awaiting)
		fatal("deliver broke the protocol: nobody asked for marks");
	awaiting = false;
	if (m->ours)
		return;
	marks_load();
	marks_settle();
}

static void
on_contact(const struct msg *m)
{
	struct job *j;

	HASH_FIND(hh_tag, flying, &m->tag, sizeof(m->tag), j);
	if (j != NULL)
		flow_contact(j);
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	if (fd != -1)
		close(fd);
	if (m->type == MSG_JOB_VERDICT)
		on_verdict(m);
	else if (m->type == MSG_MARKS_ARE)
		on_marks(&m->u.marks_are);
	else if (m->type == MSG_JOB_CONTACT)
		on_contact(m);
	else if (m->type == MSG_SITE_IS)
		flow_site_is(m->u.site_is.domain, m->u.site_is.site);
	else if (!domains_message(c, m))
		reports_message(m);
}

/* Deliver died: what it had told or marked holds, the rest is ready again. */
static void
take_back(void)
{
	struct job *j, *next;
	bool marked;

	marks_load();
	dest_ask_again();
	HASH_ITER(hh_tag, flying, j, next)
	{
		marked = marks_judge(j);
		land(j, LANDED_UNKNOWN);
		if (landing_heard(j) || j->removed)
			settle_job(j, marked);
		else if (j->letter->held)
			flow_unload(j);
		else
			flow_return(j);
	}
}

static void
on_gone(struct channel *c)
{
	(void)c;
	log_event("deliver.gone", "flying=%u", flight_count());
	take_back();
}

bool
flight_deliver_known(void)
{
	return again.ready;
}

void
flight_deliver_is(int fd)
{
	if (!again.ready) {
		timer_init(&again, wake_up, NULL);
		/* What an earlier process asked is nothing to this one. */
		last_tag = (uint64_t)loop_wall_ms() << 20;
		reports_start(&deliver);
	}
	if (channel_up(&deliver)) {
		channel_close(&deliver);
		take_back();
	}
	channel_open(
	    &deliver, fd, P_QUEUE, P_DELIVER, 0, on_message, on_gone, NULL);
	awaiting = marks_lend(&deliver);
}

void
flight_allow(void)
{
	allowed = true;
}

void
flight_forbid(void)
{
	forbidden = true;
}

unsigned
flight_count(void)
{
	return HASH_CNT(hh_tag, flying);
}
