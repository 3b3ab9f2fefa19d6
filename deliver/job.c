/*
 * job.c - see job.h.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deliver/job.h"
#include "ipc/part.h"
#include "ipc/rcpt.h"
#include "lib/log.h"
#include "mail/ascii.h"
#include "mail/utf8.h"

#define OPEN 0xff
#define TOLD 0xfe

static_assert(JOB_RCPTS < TOLD, "an outcome's index fits a byte");

/* Addresses become commands, so what could end a line has no business here. */
static bool
speakable(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (!ascii_print(s[i]) && (s[i] & 0x80) == 0)
			return false;
	return utf8_valid(s, n);
}

/* Each part has its own of the n recipients, and the first one has the rest. */
static bool
parts_fit(struct bytes list, size_t n)
{
	struct part_item p;
	struct bytes item;
	size_t count;

	if (!list_valid(list, PART_ITEM_MAX, &count))
		return false;
	while (list_next(&list, &item)) {
		if (!part_unpack(&p, item) || p.nrcpts >= n)
			return false;
		n -= p.nrcpts;
	}
	return true;
}

static const char *
flaw(const struct msg_job *m, int fd)
{
	struct bytes rest = m->rcpts, rcpt;
	struct rcpt_item r;
	size_t n;

	if (!list_valid(m->rcpts, RCPT_ITEM_MAX, &n) || n == 0 || n > JOB_RCPTS)
		return "recipients";
	if (!parts_fit(m->parts, n))
		return "part";
	while (list_next(&rest, &rcpt))
		if (!rcpt_unpack(&r, rcpt) || !speakable(r.address))
			return "recipient";
	if (!speakable(m->sender))
		return "sender";
	if ((fd == -1) != !(m->flags & TX_IN_FILE))
		return "descriptor";
	if (fd == -1 && m->size != m->body.len)
		return "size";
	return NULL;
}

static char *
keep(char **to, const void *from, size_t n)
{
	char *at = *to;

	if (n > 0)
		memcpy(at, from, n);
	*to += n;
	return at;
}

/* The next recipient; its item lies at text with a NUL behind it. */
static void
take_rcpt(struct job *j, const char *text, size_t n)
{
	const char *end = memchr(text, '\0', n);
	unsigned i = j->nrcpts++;

	j->fate[i] = OPEN;
	j->rcpts[i] = text;
	j->notify[i] = end != NULL ? (uint8_t)end[1] : 0;
	j->orcpt[i] = end != NULL ? end + 2 : "";
}

static void
add_part(struct job *j, const struct part_item *p, char **to)
{
	struct part *part = &j->parts[j->nparts++];

	*part = (struct part){ .tag = p->tag,
		.n = p->n,
		.seal = p->seal,
		.attempt = p->attempt,
		.nrcpts = p->nrcpts,
		.untold = p->nrcpts };
	part->domain = keep(to, p->domain, strlen(p->domain) + 1);
}

static void
take_parts(struct job *j, const struct msg *m, char **to)
{
	const struct msg_job *mj = &m->u.job;
	struct part_item p = { .tag = m->tag,
		.n = mj->n,
		.seal = mj->seal,
		.attempt = mj->attempt };
	struct bytes rest = mj->parts, item;
	size_t count;
	unsigned first;

	list_valid(mj->parts, PART_ITEM_MAX, &count);
	if ((j->parts = calloc(count + 1, sizeof(j->parts[0]))) == NULL)
		abort();
	memcpy(p.domain, mj->domain, sizeof(p.domain));
	add_part(j, &p, to);
	first = j->nrcpts;
	while (list_next(&rest, &item)) {
		part_unpack(&p, item);
		add_part(j, &p, to);
		first -= p.nrcpts;
	}
	j->parts[0].nrcpts = j->parts[0].untold = first;
	for (unsigned i = 1; i < j->nparts; i++) {
		j->parts[i].first = first;
		first += j->parts[i].nrcpts;
	}
}

struct job *
job_new(const struct msg *msg, int fd)
{
	const struct msg_job *m = &msg->u.job;
	struct bytes rest = m->rcpts, rcpt;
	const char *why = flaw(m, fd);
	struct job *j;
	char *to;

	if (why != NULL)
		fatal("queue sent a job with a bad %s", why);
	j = malloc(sizeof(*j));
	/* A packed item has two bytes of length, a string here one NUL. */
	to = malloc(m->added.len + m->body.len + m->rcpts.len + m->parts.len +
	    strlen(m->account) + strlen(m->sender) + strlen(m->domain) + 3);
	if (j == NULL || to == NULL)
		abort();
	*j = (struct job){ .id = m->id, .text = to };
	snprintf(j->domain, sizeof(j->domain), "%s", m->domain);
	j->probe = m->probe != 0;
	if (m->width > 0)
		j->berths = berths_for(m->dest, m->width);
	j->options = m->options;
	j->letter.fd = fd;
	j->letter.file_size = m->size;
	j->flags = m->flags;
	j->letter.eight_bit = m->flags & TX_8BIT;
	j->letter.has_hash = m->body_hash.len == BODY_HASH;
	if (j->letter.has_hash)
		memcpy(j->letter.body_hash, m->body_hash.data, BODY_HASH);
	j->letter.added.data =
	    (uint8_t *)keep(&to, m->added.data, m->added.len);
	j->letter.added.len = m->added.len;
	j->letter.body.data = (uint8_t *)keep(&to, m->body.data, m->body.len);
	j->letter.body.len = m->body.len;
	j->account = keep(&to, m->account, strlen(m->account) + 1);
	j->sender = keep(&to, m->sender, strlen(m->sender) + 1);
	while (list_next(&rest, &rcpt)) {
		take_rcpt(j, keep(&to, rcpt.data, rcpt.len), rcpt.len);
		*to++ = '\0';
	}
	take_parts(j, msg, &to);
	j->open = j->nrcpts;
	return j;
}

void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	if (j->letter.fd != -1)
		close(j->letter.fd);
	berths_put(j->berths);
	free(j->outcomes);
	free(j->parts);
	free(j->text);
	free(j);
}

void
job_reopen(struct job *j)
{
	memset(j->fate, OPEN, sizeof(j->fate));
	j->open = j->nrcpts;
	j->noutcomes = 0;
}

bool
job_open(const struct job *j, unsigned rcpt)
{
	assert(rcpt < j->nrcpts);
	return j->fate[rcpt] == OPEN;
}

/* Recipients who fared alike share an outcome. */
static uint8_t
share(struct job *j, const struct outcome *o)
{
	unsigned i = j->noutcomes;

	while (i > 0)
		if (outcome_equal(&j->outcomes[--i], o))
			return (uint8_t)i;
	j->outcomes =
	    reallocarray(j->outcomes, j->noutcomes + 1, sizeof(*j->outcomes));
	if (j->outcomes == NULL)
		abort();
	j->outcomes[j->noutcomes] = *o;
	return (uint8_t)j->noutcomes++;
}

void
job_settle(struct job *j, unsigned rcpt, const struct outcome *o)
{
	assert(job_open(j, rcpt));
	j->fate[rcpt] = share(j, o);
	j->open--;
}

void
job_settle_part(struct job *j, const struct part *p, const struct outcome *o)
{
	for (unsigned i = p->first; i < p->first + p->nrcpts; i++)
		if (job_open(j, i))
			job_settle(j, i, o);
}

void
job_settle_rest(struct job *j, const struct outcome *o)
{
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (job_open(j, i))
			job_settle(j, i, o);
}

static void
fill(struct msg_job_verdict *v, const struct outcome *o)
{
	v->verdict = o->verdict;
	v->scope = o->scope;
	v->code = (uint32_t)o->code;
	memcpy(v->status, o->status, sizeof(v->status));
	memcpy(v->mx, o->mx, sizeof(v->mx));
	memcpy(v->tls, o->tls, sizeof(v->tls));
	memcpy(v->cipher, o->cipher, sizeof(v->cipher));
	memcpy(v->policy, o->policy, sizeof(v->policy));
	memcpy(v->text, o->text, sizeof(v->text));
	v->relayed = o->relayed;
	v->uncertain = o->uncertain;
	v->signs = o->signs;
}

/* Tell the part's outcome o of those who have it. */
static void
report(struct job *j, struct part *p, unsigned o, job_tell_fn *tell, void *arg)
{
	struct msg m = { .type = MSG_JOB_VERDICT, .tag = p->tag };
	struct msg_job_verdict *v = &m.u.job_verdict;
	uint8_t whose[JOB_RCPTS];
	size_t n = 0;

	for (unsigned i = 0; i < p->nrcpts; i++)
		if (j->fate[p->first + i] == o) {
			whose[n++] = (uint8_t)i;
			j->fate[p->first + i] = TOLD;
		}
	if (n == 0)
		return;
	p->untold -= (unsigned)n;
	fill(v, &j->outcomes[o]);
	v->signs |= j->signs;
	memcpy(v->site, j->site, sizeof(j->site));
	v->rcpts = (struct bytes){ whose, n };
	v->last = p->untold == 0;
	tell(arg, p, &m);
}

void
job_report(struct job *j, job_tell_fn *tell, void *arg)
{
	for (unsigned i = 0; i < j->nparts; i++)
		for (unsigned o = 0; o < j->noutcomes; o++)
			report(j, &j->parts[i], o, tell, arg);
	j->noutcomes = 0;
}
