/*
 * flight.c - see flight.h.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/part.h"
#include "lib/crash.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "mail/ascii.h"
#include "mail/msgid.h"
#include "queue/bodyfile.h"
#include "queue/domains.h"
#include "queue/flight.h"
#include "queue/flow.h"
#include "queue/group.h"
#include "queue/marks.h"
#include "queue/reports.h"
#include "queue/settings.h"
#include "queue/settle.h"
#include "queue/t_body.h"
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

/* The bytes as a file that nobody can change. */
static int
as_file(const uint8_t *data, size_t len)
{
	int fd = memfd_create("body", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return -1;
	for (size_t at = 0; at < len;) {
		ssize_t n = pwrite(fd, data + at, len - at, (off_t)at);

		if (n <= 0) {
			close(fd);
			return -1;
		}
		at += (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS,
		F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) ==
	    -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The body, inline or as *fd; false when it cannot be had. */
static bool
attach_body(const struct letter *l, struct msg_job *m, int *fd)
{
	static uint8_t store[BODY_ROWS_MAX];
	const uint8_t *data = store;

	m->size = l->size;
	if (l->at.kind == BODY_FILE) {
		m->flags |= TX_IN_FILE;
		*fd = bodyfile_read(l->id);
		return *fd != -1;
	}
	if (l->body != NULL)
		data = l->body->data;
	else if (!t_body_get(l->at, l->id, store, l->size))
		return false;
	if (l->size <= BODY_INLINE) {
		m->body = (struct bytes){ data, l->size };
		return true;
	}
	m->flags |= TX_IN_FILE;
	*fd = as_file(data, l->size);
	return *fd != -1;
}

/* What goes in one MSG_JOB: a job, and those that fly with it. */
static struct cargo {
	struct job *jobs[JOB_RCPTS];
	unsigned njobs, nrcpts;
	size_t rcpts_len, parts_len;
	uint8_t rcpts[RCPTS_MAX], parts[PARTS_MAX];
} cargo;

/* Those who wait behind what is packed already; false when they do not fit. */
static bool
pack_waiting(const struct job *j)
{
	uint8_t item[RCPT_ITEM_MAX];
	size_t len = cargo.rcpts_len, n;

	for (const struct rcpt *r = j->rcpts; r < j->rcpts + j->nrcpts; r++) {
		if (r->state != RCPT_WAITING)
			continue;
		n = rcpt_write(r->address, r->notify, r->orcpt, item);
		len = list_add(cargo.rcpts, sizeof(cargo.rcpts), len, item, n);
		if (len == 0)
			return false;
	}
	cargo.rcpts_len = len;
	return true;
}

static bool
pack_part(const struct job *j, unsigned nrcpts)
{
	struct part_item p = { .tag = last_tag + 1,
		.n = (uint32_t)j->key.n,
		.seal = marks_seal(j->key.id, (uint32_t)j->key.n),
		.attempt = j->attempts + 1,
		.nrcpts = nrcpts };
	uint8_t item[PART_ITEM_MAX];
	size_t len;

	snprintf(p.domain, sizeof(p.domain), "%s", j->domain);
	len = list_add(cargo.parts, sizeof(cargo.parts), cargo.parts_len, item,
	    part_pack(&p, item));
	if (len == 0)
		return false;
	cargo.parts_len = len;
	return true;
}

/* False when there is no room for it. */
static bool
load(struct job *j)
{
	unsigned n = job_waiting(j);

	if (cargo.nrcpts + n > JOB_RCPTS ||
	    (cargo.njobs > 0 && !pack_part(j, n)) || !pack_waiting(j))
		return false;
	cargo.jobs[cargo.njobs++] = j;
	cargo.nrcpts += n;
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

/* One answer for everybody who has none yet. */
static void
answer_rest(
    struct job *j, enum verdict verdict, const char *status, const char *text)
{
	struct answer_row a = { .when = (uint64_t)loop_wall_ms() };
	uint8_t answer;

	snprintf(a.status, sizeof(a.status), "%s", status);
	snprintf(a.text, sizeof(a.text), "%s", text);
	answer = job_add_answer(j, &a);
	for (unsigned i = 0; i < j->nrcpts; i++) {
		struct rcpt *r = &j->rcpts[i];

		if (r->state != RCPT_WAITING || r->verdict != NO_VERDICT)
			continue;
		r->verdict = (uint8_t)verdict;
		r->answer = answer;
	}
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
	size_t parts;

	cargo.njobs = cargo.nrcpts = 0;
	cargo.rcpts_len = cargo.parts_len = 0;
	load(lead);
	assert(cargo.njobs == 1);
	while (may_send() && (mate = flow_mate(lead)) != NULL) {
		parts = cargo.parts_len;
		if (!load(mate)) {
			cargo.parts_len = parts;
			break;
		}
		flow_take_along(lead, mate);
	}
}

static void
fail_all(const char *why)
{
	char id[MSGID_SIZE];

	msgid_format(cargo.jobs[0]->letter->id, id);
	log_event("warning", "text=%s id=%s error=%s",
	    log_quote("a body cannot be read"), id, log_quote(why));
	for (unsigned i = 0; i < cargo.njobs; i++) {
		answer_rest(cargo.jobs[i], V_TEMP, "4.3.0",
		    "the message could not be read");
		land(cargo.jobs[i], LANDED_ANSWERED);
		settle_job(cargo.jobs[i], true);
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
	mj->rcpts = (struct bytes){ cargo.rcpts, cargo.rcpts_len };
	mj->parts = (struct bytes){ cargo.parts, cargo.parts_len };
	if (!attach_body(l, mj, &fd)) {
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

/* The k-th recipient that was sent. */
static struct rcpt *
sent_rcpt(struct job *j, unsigned k)
{
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].state == RCPT_WAITING && k-- == 0)
			return &j->rcpts[i];
	fatal("deliver broke the protocol: recipient out of range");
}

/* What stands between blanks in the log, whatever deliver has become. */
static void
copy_word(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; from[n] != '\0' && n + 1 < size; n++)
		to[n] = (char)(ascii_print(from[n]) && from[n] != ' ' &&
			    from[n] != '"' && from[n] != '='
			? from[n]
			: '?');
	to[n] = '\0';
}

static void
note_verdict(struct job *j, const struct msg_job_verdict *v)
{
	struct answer_row a = { .code = v->code,
		.when = (uint64_t)loop_wall_ms() };
	char tls[sizeof(v->tls)], cipher[sizeof(v->cipher)];
	char policy[sizeof(v->policy)];
	uint8_t answer;

	if (v->rcpts.len == 0)
		return;
	copy_word(a.status, sizeof(a.status), v->status);
	memcpy(a.mx, v->mx, sizeof(a.mx));
	copy_word(tls, sizeof(tls), v->tls);
	copy_word(cipher, sizeof(cipher), v->cipher);
	copy_word(policy, sizeof(policy), v->policy);
	answer_secured(&a, tls, cipher, policy);
	if (v->uncertain)
		answer_mark_uncertain(&a);
	memcpy(a.text, v->text, sizeof(a.text));
	answer = job_add_answer(j, &a);
	for (size_t i = 0; i < v->rcpts.len; i++) {
		struct rcpt *r = sent_rcpt(j, v->rcpts.data[i]);

		if (r->verdict != NO_VERDICT)
			fatal("deliver broke the protocol: second verdict");
		r->verdict = (uint8_t)v->verdict;
		r->answer = answer;
		r->relayed = (uint8_t)v->relayed;
		r->uncertain = v->uncertain != 0;
		r->grey = (v->signs & SIGN_GREY) != 0;
	}
}

static enum landing
landing_of(const struct job *j, const struct msg_job_verdict *v)
{
	bool busy = (v->signs & SIGN_BUSY) != 0;

	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].verdict == V_OK)
			return busy ? LANDED_SQUEEZED : LANDED_WELL;
	if (busy)
		return LANDED_BUSY;
	if (v->verdict != V_TEMP || v->scope != SCOPE_DEST)
		return LANDED_ANSWERED;
	return v->signs & SIGN_SILENT ? LANDED_NOWHERE : LANDED_ASTRAY;
}

static bool
anything_heard(const struct job *j)
{
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].verdict != NO_VERDICT)
			return true;
	return false;
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
	note_verdict(j, v);
	if (!v->last)
		return;
	how = landing_of(j, v);
	if (v->site[0] != '\0' && how != LANDED_ASTRAY)
		dest_site_is(j->domain, v->site, NULL);
	land(j, how);
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].state == RCPT_WAITING &&
		    j->rcpts[i].verdict == NO_VERDICT) {
			answer_rest(j, V_TEMP, "4.3.0",
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
		if (anything_heard(j) || j->removed)
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
