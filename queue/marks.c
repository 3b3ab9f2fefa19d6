/*
 * marks.c - see marks.h.
 *
 * The file is read and written here, never mapped: deliver could cut it off.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/marks.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/siphash.h"
#include "queue/flow.h"
#include "queue/group.h"
#include "queue/marks.h"
#include "queue/settle.h"
#include "queue/t_meta.h"

#define MARKS_BYTES (MARKS * sizeof(struct mark))

/* Behind the marks: which run of the machine they are of. */
struct run {
	char boot[40];
	uint32_t open; /* no clean end came */
	uint32_t layout;
};

static int file = -1;
static uint64_t seal_key[2]; /* the same for as long as the store lives */
static struct mark *marks;   /* as last read; NULL not since */
static unsigned nmarks;

static void
fail(const char *what)
{
	log_event("warning", "text=%s error=%s", log_quote(what),
	    log_quote(strerror(errno)));
	if (file != -1)
		close(file);
	file = -1;
}

static bool
write_run(const char *boot, bool open)
{
	struct run r = { .open = open, .layout = MARKS_LAYOUT };

	snprintf(r.boot, sizeof(r.boot), "%s", boot);
	return pwrite(file, &r, sizeof(r), MARKS_BYTES) == sizeof(r);
}

static void
tell_lost(const struct run *was, const char *boot)
{
	if (strncmp(was->boot, boot, sizeof(was->boot)) != 0)
		log_event("queue.interrupted", "text=%s",
		    log_quote("the machine stopped: what was on its way to a "
			      "server then may arrive twice"));
	else if (was->layout != MARKS_LAYOUT)
		log_event("queue.interrupted", "text=%s",
		    log_quote("another version of postern did not come to its "
			      "end: what was on its way to a server then may "
			      "arrive twice"));
}

void
marks_open(const char *path, const char *boot)
{
	struct run was = { .open = 0 };
	int e;

	t_meta_seal_key(seal_key);
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file == -1) {
		fail("there will be no marks of what is on its way");
		return;
	}
	/* deliver's stores must find their place on the disk. */
	e = posix_fallocate(file, 0, MARKS_BYTES + sizeof(was));
	if (e != 0) {
		errno = e;
		fail("there will be no marks of what is on its way");
		return;
	}
	if (pread(file, &was, sizeof(was), MARKS_BYTES) == sizeof(was) &&
	    was.open)
		tell_lost(&was, boot);
	if (!write_run(boot, true))
		fail("there will be no marks of what is on its way");
}

void
marks_close(void)
{
	if (file != -1)
		write_run("", false);
}

uint64_t
marks_seal(uint64_t id, uint32_t n)
{
	const uint64_t what[2] = { id, n };
	uint64_t out[2];

	siphash(seal_key, (const uint8_t *)what, sizeof(what), out);
	return out[0];
}

bool
marks_lend(struct channel *deliver)
{
	struct msg m = { .type = MSG_MARKS };

	return file != -1 && channel_send(deliver, &m, file);
}

/* Does it say anything of a job that deliver was given? */
static bool
is_fine(const struct mark *m)
{
	return m->id != 0 && m->state != MARK_NONE && m->state < MARK_STATES &&
	    m->nrcpts <= JOB_RCPTS && m->seal == marks_seal(m->id, m->n);
}

/* Those that do, at the front. */
static unsigned
pick(struct mark *m, size_t n)
{
	unsigned k = 0;

	for (size_t i = 0; i < n; i++)
		if (is_fine(&m[i]))
			memmove(&m[k++], &m[i], sizeof(m[0]));
	return k;
}

void
marks_load(void)
{
	ssize_t n;

	nmarks = 0;
	if (file == -1)
		return;
	if (marks == NULL && (marks = malloc(MARKS_BYTES)) == NULL)
		abort();
	n = pread(file, marks, MARKS_BYTES, 0);
	if (n > 0)
		nmarks = pick(marks, (size_t)n / sizeof(marks[0]));
}

/*
 * A mark of this attempt.  That a server took the message stays true; that it
 * may have is old news to the attempt behind it.  Recipients only ever leave
 * those who wait, so the same number are the same.
 */
static bool
is_about(const struct mark *m, const struct job *j)
{
	return m->id == j->key.id && m->n == j->key.n &&
	    m->nrcpts == job_waiting(j) &&
	    (m->state == MARK_TAKEN || m->attempt == j->attempts + 1);
}

static uint8_t
add_answer(struct job *j, const struct mark *m)
{
	struct answer_row a = { .when = (uint64_t)loop_wall_ms() };

	snprintf(a.mx, sizeof(a.mx), "%.*s", (int)sizeof(m->mx), m->mx);
	if (m->state == MARK_TAKEN) {
		a.code = m->code / 100 == 2 ? m->code : 250;
		snprintf(a.status, sizeof(a.status), "2.0.0");
		snprintf(a.text, sizeof(a.text),
		    "the server took it; a crash lost what it said");
	} else {
		snprintf(a.status, sizeof(a.status), "4.4.2");
		snprintf(a.text, sizeof(a.text),
		    "a crash between the end of the message and the server's "
		    "answer: it may have arrived");
		answer_mark_uncertain(&a);
	}
	return job_add_answer(j, &a);
}

static bool
judge(struct job *j, const struct mark *m)
{
	uint8_t answer = NO_ANSWER;
	unsigned k = 0;

	for (unsigned i = 0; i < j->nrcpts; i++) {
		struct rcpt *r = &j->rcpts[i];

		if (r->state != RCPT_WAITING)
			continue;
		if ((m->rcpts[k / 8] & 1u << k % 8) != 0 &&
		    r->verdict == NO_VERDICT) {
			if (answer == NO_ANSWER)
				answer = add_answer(j, m);
			r->verdict = m->state == MARK_TAKEN ? V_OK : V_TEMP;
			r->uncertain = m->state != MARK_TAKEN;
			r->answer = answer;
		}
		k++;
	}
	return answer != NO_ANSWER;
}

bool
marks_judge(struct job *j)
{
	bool any = false;

	/* What is certain first: one attempt may have left two marks. */
	for (int taken = 1; taken >= 0; taken--)
		for (unsigned i = 0; i < nmarks; i++)
			if ((marks[i].state == MARK_TAKEN) == taken &&
			    is_about(&marks[i], j))
				any |= judge(j, &marks[i]);
	return any;
}

static void
settle(uint64_t id, uint32_t n)
{
	struct job *j = job_find(id, n);
	bool loaded = j == NULL;

	if (loaded && (j = job_load(id, n)) == NULL)
		return;
	if (loaded || j->state == JOB_READY) {
		if (marks_judge(j)) {
			flow_leave(j);
			j->state = JOB_SETTLING;
			settle_job(j, true);
			return;
		}
	}
	if (loaded)
		job_free(j);
}

static void
wipe(void)
{
	static const uint8_t none[64 * sizeof(struct mark)];

	for (size_t at = 0; at < MARKS_BYTES; at += sizeof(none))
		if (pwrite(file, none, sizeof(none), (off_t)at) == -1)
			return; /* they are about attempts of the past */
}

void
marks_settle(void)
{
	group_commit();
	for (unsigned i = 0; i < nmarks; i++)
		settle(marks[i].id, marks[i].n);
	if (nmarks > 0)
		wipe();
	nmarks = 0;
	free(marks);
	marks = NULL;
}
