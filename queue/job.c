/*
 * job.c - see job.h.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "queue/job.h"

#define AHEAD_MS ((uint64_t)3600 * 1000) /* a clock was wrong, not just off */

static struct letter *letters; /* by id */
static struct job *jobs;       /* by key */

static char *
copy(const char *s)
{
	char *c = strdup(s);

	if (c == NULL)
		abort();
	return c;
}

struct letter *
letter_find(uint64_t id)
{
	struct letter *l;

	HASH_FIND(hh, letters, &id, sizeof(id), l);
	return l;
}

static bool
wants(uint8_t notify, enum rcpt_notify what)
{
	if (notify == 0)
		notify = NOTIFY_FAILURE | NOTIFY_DELAY;
	return (notify & what) != 0;
}

bool
rcpt_wants(const struct rcpt *r, enum rcpt_notify what)
{
	return wants(r->notify, what);
}

bool
rcpt_item_wants(struct bytes item, enum rcpt_notify what)
{
	const uint8_t *end = memchr(item.data, '\0', item.len);

	return wants(end != NULL ? end[1] : 0, what);
}

uint64_t
letter_begun(uint64_t accepted, const struct tx_options *o)
{
	uint64_t hold = o->hold_until * 1000;

	return hold > accepted ? hold : accepted;
}

bool
letter_waits(const struct message_row *m, uint64_t now)
{
	return m->options.hold_until * 1000 > now;
}

bool
letter_put_back(uint64_t *accepted, struct tx_options *o, uint64_t now)
{
	uint64_t ahead = *accepted - now;

	if (*accepted <= now + AHEAD_MS)
		return false;
	*accepted = now;
	if (o->hold_until > ahead / 1000)
		o->hold_until -= ahead / 1000;
	if (o->by > ahead)
		o->by -= ahead;
	return true;
}

struct letter *
letter_new(uint64_t id, const struct message_row *m)
{
	struct letter *l = calloc(1, sizeof(*l) + m->added.len);

	if (l == NULL)
		abort();
	l->id = id;
	l->account = copy(m->account);
	l->sender = copy(m->sender);
	l->msgid = copy(m->msgid);
	if (m->added.len > 0)
		memcpy(l + 1, m->added.data, m->added.len);
	l->added.data = (uint8_t *)(l + 1);
	l->added.len = m->added.len;
	l->hash_len = m->body_hash.len;
	if (l->hash_len > 0)
		memcpy(l->body_hash, m->body_hash.data, l->hash_len);
	l->flags = m->flags;
	l->size = m->size;
	l->at.kind = (enum body_kind)m->body;
	l->at.place = m->place;
	l->accepted = m->accepted;
	l->begun = letter_begun(m->accepted, &m->options);
	l->options = m->options;
	l->left = m->jobs;
	l->delivered = m->delivered;
	l->bounced = m->bounced;
	l->dropped = m->dropped;
	l->held = m->held != 0;
	HASH_ADD(hh, letters, id, sizeof(l->id), l);
	return l;
}

static void
letter_free(struct letter *l)
{
	HASH_DEL(letters, l);
	body_free(l->body);
	free(l->account);
	free(l->sender);
	free(l->msgid);
	free(l);
}

struct job *
job_find(uint64_t id, uint32_t n)
{
	struct job_key key = { id, n };
	struct job *j;

	HASH_FIND(hh, jobs, &key, sizeof(key), j);
	return j;
}

/* One allocation: the job, its recipients, the domain, the addresses. */
struct job *
job_new(struct letter *l, uint32_t n, const struct job_row *row)
{
	struct bytes list = row->rcpts, item;
	size_t count = 0, domain = strlen(row->domain) + 1;
	struct job *j;
	char *text, *end;

	if (!list_valid(list, 2 + RCPT_ITEM_MAX, &count) || count > JOB_RCPTS)
		fatal("a job's recipients are damaged");
	j = calloc(
	    1, sizeof(*j) + count * sizeof(j->rcpts[0]) + domain + list.len);
	if (j == NULL)
		abort();
	text = (char *)&j->rcpts[count];
	memcpy(text, row->domain, domain);
	j->domain = text;
	text += domain;
	while (list_next(&list, &item)) {
		struct rcpt *r = &j->rcpts[j->nrcpts++];

		if (item.len < 2 || item.data[0] >= RCPT_STATES)
			fatal("a job's recipients are damaged");
		r->state = item.data[0];
		r->answer = item.data[1];
		r->verdict = NO_VERDICT;
		r->address = text;
		r->orcpt = "";
		memcpy(text, item.data + 2, item.len - 2);
		end = memchr(text, '\0', item.len - 2);
		if (end != NULL) {
			r->notify = (uint8_t)end[1];
			r->orcpt = end + 2;
		}
		text += item.len - 1; /* calloc left a NUL behind it */
	}
	j->key.id = l->id;
	j->key.n = n;
	j->letter = l;
	j->due = row->due;
	j->attempts = row->attempts;
	j->noticed = row->noticed != 0;
	if (row->answers.len > 0) {
		if (!list_valid(row->answers, UINT16_MAX, &count) ||
		    count > JOB_RCPTS)
			fatal("a job's answers are damaged");
		j->answers = malloc(row->answers.len);
		if (j->answers == NULL)
			abort();
		memcpy(j->answers, row->answers.data, row->answers.len);
		j->answers_len = row->answers.len;
		j->nanswers = (unsigned)count;
	}
	l->jobs++;
	HASH_ADD(hh, jobs, key, sizeof(j->key), j);
	return j;
}

struct job *
job_load(uint64_t id, uint32_t n)
{
	static uint8_t buf[STORE_ROW_MAX];
	struct letter *l = letter_find(id);
	struct message_row m;
	struct job_row row;

	if (l == NULL) {
		if (!t_message_get(NULL, id, &m, buf))
			return NULL;
		l = letter_new(id, &m);
	}
	if (!t_job_get(NULL, id, n, &row, buf)) {
		if (l->jobs == 0)
			letter_free(l);
		return NULL;
	}
	return job_new(l, n, &row);
}

void
job_free(struct job *j)
{
	struct letter *l = j->letter;

	assert(j->flow == NULL);
	HASH_DEL(jobs, j);
	free(j->answers);
	free(j);
	if (--l->jobs == 0)
		letter_free(l);
}

unsigned
job_count(void)
{
	return HASH_COUNT(jobs);
}

unsigned
job_waiting(const struct job *j)
{
	unsigned n = 0;

	for (unsigned i = 0; i < j->nrcpts; i++)
		n += j->rcpts[i].state == RCPT_WAITING;
	return n;
}

struct due_key
job_due_key(const struct job *j)
{
	return (struct due_key){ j->due, j->key.id, (uint32_t)j->key.n };
}

struct due_row
job_due_row(const struct job *j)
{
	return (struct due_row){ hash64(j->letter->account), hash64(j->domain),
		(j->noticed ? DUE_NOTICED : 0) |
		    (j->letter->options.by != 0 ? DUE_DEADLINE : 0) };
}

uint8_t
job_add_answer(struct job *j, const struct answer_row *a)
{
	uint8_t item[sizeof(*a)];
	size_t n = answer_pack(a, item, sizeof(item)), len;

	assert(n > 0 && j->nanswers < NO_ANSWER);
	j->answers = realloc(j->answers, j->answers_len + 2 + n);
	if (j->answers == NULL)
		abort();
	len = list_add(
	    j->answers, j->answers_len + 2 + n, j->answers_len, item, n);
	assert(len > 0);
	j->answers_len = len;
	return (uint8_t)j->nanswers++;
}

static bool
packed_answer(const struct job *j, uint8_t i, struct bytes *item)
{
	struct bytes rest = { j->answers, j->answers_len };

	if (i >= j->nanswers)
		return false;
	do {
		if (!list_next(&rest, item))
			return false;
	} while (i-- > 0);
	return true;
}

bool
job_answer(const struct job *j, uint8_t i, struct answer_row *a)
{
	struct bytes item;

	return packed_answer(j, i, &item) && answer_unpack(a, item);
}

size_t
job_pack_rcpt(uint8_t *out, size_t size, size_t len, enum rcpt_state state,
    uint8_t answer, struct bytes rcpt)
{
	uint8_t item[2 + RCPT_ITEM_MAX];

	assert(rcpt.len <= RCPT_ITEM_MAX);
	item[0] = (uint8_t)state;
	item[1] = answer;
	memcpy(item + 2, rcpt.data, rcpt.len);
	return list_add(out, size, len, item, rcpt.len + 2);
}

/* Copy the answers that are in use; was -> now in map. */
static size_t
pack_answers(const struct job *j, uint8_t *out, size_t size, uint8_t *map)
{
	struct bytes item;
	uint8_t next = 0, was;
	size_t len = 0;

	memset(map, NO_ANSWER, NO_ANSWER + 1);
	for (unsigned i = 0; i < j->nrcpts; i++) {
		was = j->rcpts[i].answer;
		if (map[was] != NO_ANSWER || !packed_answer(j, was, &item))
			continue;
		len = list_add(out, size, len, item.data, item.len);
		assert(len > 0);
		map[was] = next++;
	}
	return len;
}

void
job_row(const struct job *j, struct job_row *row)
{
	static uint8_t answers[JOB_ANSWERS_MAX], rcpts[RCPTS_MAX];
	uint8_t map[NO_ANSWER + 1], item[RCPT_ITEM_MAX];
	size_t len, n;

	memset(row, 0, sizeof(*row));
	strncpy(row->domain, j->domain, sizeof(row->domain) - 1);
	row->attempts = j->attempts;
	row->noticed = j->noticed;
	row->due = j->due;
	len = pack_answers(j, answers, sizeof(answers), map);
	row->answers = (struct bytes){ answers, len };
	len = 0;
	for (const struct rcpt *r = j->rcpts; r < j->rcpts + j->nrcpts; r++) {
		n = rcpt_write(r->address, r->notify, r->orcpt, item);
		len = job_pack_rcpt(rcpts, sizeof(rcpts), len,
		    (enum rcpt_state)r->state, map[r->answer],
		    (struct bytes){ item, n });
		assert(len > 0);
	}
	row->rcpts = (struct bytes){ rcpts, len };
}
