/*
 * quota.c - see quota.h.
 *
 * An entry is read from the store when its account first sends, and leaves
 * memory when it was not asked for in a while: only accounts that have proved
 * themselves get here, so there are no more than those that send.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <uthash.h>

#include "auth/quota.h"
#include "auth/t_account.h"
#include "auth/t_guard.h"
#include "auth/t_known.h"
#include "auth/t_usage.h"
#include "lib/log.h"
#include "lib/loop.h"

#define HOUR_MS  ((uint64_t)3600 * 1000)
#define DAY_MS   (24 * HOUR_MS)
#define WRITE_MS 1000
/* Rows in one turn: everybody who submits meanwhile waits for them. */
#define SLICE       32
#define LARGE_SLICE 1024 /* when the process ends */
#define SLICE_MS    3
#define NEWS_MOST   65536 /* recipients that wait to be written, of all */
#define IDLE_MS     HOUR_MS

static const uint64_t periods_ms[LIMITS] = {
	[LIMIT_HOUR] = HOUR_MS,
	[LIMIT_DAY] = DAY_MS,
	[LIMIT_MESSAGES_HOUR] = HOUR_MS,
	[LIMIT_MESSAGES_DAY] = DAY_MS,
	[LIMIT_NEW] = DAY_MS,
};

struct news {
	UT_hash_handle hh;
	uint8_t hash[RCPT_HASH];
};

struct entry {
	UT_hash_handle hh;
	struct usage usage;
	struct guard guard;
	bool guarded; /* it was read */
	uint64_t asked_ms;
	bool dirty;              /* it is in one of two lists */
	bool is_due;             /* in the second */
	TAILQ_ENTRY(entry) link; /* of those to be written */
	struct news *news;       /* its recipients that wait to be written */
	size_t login_len;        /* the key begins with its login */
	char key[];
};

static struct entry *entries;
TAILQ_HEAD(dirties, entry);
static struct dirties dirty = TAILQ_HEAD_INITIALIZER(dirty);
/* Those of them whose time has come; they are written slice by slice. */
static struct dirties due = TAILQ_HEAD_INITIALIZER(due);
static int64_t came_due_ms;
static size_t nnews; /* of all entries */
static struct timer timer;
static uint64_t swept_ms;

static uint32_t
day_of(uint64_t now_ms)
{
	return (uint32_t)(now_ms / DAY_MS);
}

/* No domain holds a slash: this is nobody's login. */
static void
label_key(char key[USAGE_KEY], const char *login, const char *label)
{
	snprintf(key, USAGE_KEY, "%s/%s", login, label);
}

/* It was removed since, and nothing of it may come back. */
static bool
is_gone(struct txn *txn, const struct entry *e)
{
	char login[ADDR_SIZE];
	struct account a;

	snprintf(login, sizeof(login), "%.*s", (int)e->login_len, e->key);
	return account_get(txn, login, &a) && a.state == ACC_REMOVED;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The first n that wait. */
static void
write_news(struct txn *txn, const struct entry *e, size_t n, uint32_t *known)
{
	uint32_t today = day_of(e->asked_ms);

	for (const struct news *w = e->news; n > 0; w = w->hh.next, n--)
		known_put(txn, e->key, w->hash, today, known);
}

/* Some rows of the first entries that wait, and how far that is. */
struct slice {
	size_t most; /* rows, about */
	struct entry *last;
	size_t news; /* of the last; of those before, all */
};

static bool
write_slice(struct txn *txn, void *arg)
{
	struct slice *s = arg;
	size_t left = s->most;
	struct entry *e;

	TAILQ_FOREACH (e, &due, link) {
		struct usage u = e->usage; /* this may run again */

		s->last = e;
		s->news = least(HASH_COUNT(e->news), left);
		left -= least(left, s->news + 1);
		if (is_gone(txn, e))
			s->news = HASH_COUNT(e->news);
		else {
			write_news(txn, e, s->news, &u.known);
			usage_put(txn, e->key, &u);
			if (e->guarded)
				guard_put(txn, e->key, &e->guard);
		}
		if (left == 0)
			break;
	}
	return true;
}

static void
forget_news(struct entry *e, size_t n)
{
	struct news *w;

	for (; n > 0; n--) {
		w = e->news;
		HASH_DEL(e->news, w);
		free(w);
		nnews--;
	}
}

/* So many of an entry's news are in the store. */
static void
news_written(struct entry *e, size_t n)
{
	struct usage u;

	if (n == 0)
		return;
	usage_get(NULL, e->key, &u);
	e->usage.known = u.known;
	forget_news(e, n);
}

/* Of those that are due, at most so many rows.  False: there is no room on the
 * disk, which store_txn() has said, and all of them still wait. */
static bool
write_some(size_t most)
{
	struct slice s = { .most = most };
	struct entry *e = NULL;

	if (TAILQ_EMPTY(&due))
		return true;
	if (store_txn(STORE_SOON, write_slice, &s) != V_OK)
		return false;
	while (e != s.last) {
		e = TAILQ_FIRST(&due);
		news_written(e, e == s.last ? s.news : HASH_COUNT(e->news));
		TAILQ_REMOVE(&due, e, link);
		e->dirty = e->is_due = e->news != NULL;
		if (e->dirty) /* one with many lets the others go first */
			TAILQ_INSERT_TAIL(&due, e, link);
	}
	return true;
}

static void
come_due(void)
{
	struct entry *e;

	came_due_ms = loop_now_ms();
	TAILQ_FOREACH (e, &dirty, link)
		e->is_due = true;
	TAILQ_CONCAT(&due, &dirty, link);
}

void
quota_write(void)
{
	come_due();
	while (!TAILQ_EMPTY(&due) && write_some(LARGE_SLICE))
		;
}

static void
drop(struct entry *e)
{
	if (e->dirty)
		TAILQ_REMOVE(e->is_due ? &due : &dirty, e, link);
	HASH_DEL(entries, e);
	forget_news(e, HASH_COUNT(e->news));
	free(e);
}

static void
sweep(uint64_t now_ms)
{
	struct entry *e, *next;

	if (now_ms - swept_ms < IDLE_MS)
		return;
	swept_ms = now_ms;
	HASH_ITER(hh, entries, e, next)
	if (!e->dirty && now_ms - e->asked_ms >= IDLE_MS)
		drop(e);
}

static void
on_timer(void *arg)
{
	bool written;

	(void)arg;
	/* Also while a long list is being written. */
	if (TAILQ_EMPTY(&due) || loop_now_ms() - came_due_ms >= WRITE_MS)
		come_due();
	written = write_some(SLICE);
	if (!TAILQ_EMPTY(&due) || !TAILQ_EMPTY(&dirty))
		timer_set(&timer,
		    written && !TAILQ_EMPTY(&due) ? SLICE_MS : WRITE_MS);
	sweep((uint64_t)loop_wall_ms());
}

/* Make room for one more, where there is none. */
static bool
room_for_news(void)
{
	if (nnews < NEWS_MOST)
		return true;
	come_due();
	while (nnews >= NEWS_MOST)
		if (TAILQ_EMPTY(&due) || !write_some(SLICE))
			return false;
	return true;
}

static struct entry *
find_key(const char *key, size_t login_len, uint64_t now_ms)
{
	struct entry *e;
	size_t n = strlen(key) + 1;

	HASH_FIND_STR(entries, key, e);
	if (e == NULL) {
		e = calloc(1, sizeof(*e) + n);
		if (e == NULL)
			abort();
		memcpy(e->key, key, n);
		e->login_len = login_len;
		usage_get(NULL, key, &e->usage);
		HASH_ADD_STR(entries, key, e);
	}
	e->asked_ms = now_ms;
	return e;
}

static struct entry *
find(const char *login, uint64_t now_ms)
{
	return find_key(login, strlen(login), now_ms);
}

static void
touch(struct entry *e)
{
	if (e->dirty)
		return;
	if (!timer.ready)
		timer_init(&timer, on_timer, NULL);
	if (TAILQ_EMPTY(&dirty) && TAILQ_EMPTY(&due))
		timer_set(&timer, WRITE_MS);
	e->dirty = true;
	TAILQ_INSERT_TAIL(&dirty, e, link);
}

struct guard *
quota_guard(const char *login)
{
	struct entry *e = find(login, (uint64_t)loop_wall_ms());

	if (!e->guarded)
		guard_get(NULL, login, &e->guard);
	e->guarded = true;
	touch(e);
	return &e->guard;
}

static struct entry *
find_label(const char *login, const char *label, uint64_t now_ms)
{
	char key[USAGE_KEY];

	label_key(key, login, label);
	return find_key(key, strlen(login), now_ms);
}

static bool
is_waiting(const struct entry *e, const uint8_t *hash)
{
	struct news *w;

	HASH_FIND(hh, e->news, hash, RCPT_HASH, w);
	return w != NULL;
}

/* How many days ago it was written to; UINT32_MAX never. */
static uint32_t
age(const struct entry *e, const uint8_t *hash, uint32_t today)
{
	uint32_t day;

	if (is_waiting(e, hash))
		return 0;
	day = known_day(NULL, e->key, hash);
	if (day == 0)
		return UINT32_MAX;
	return today > day ? today - day : 0;
}

/* Which of the recipients are to be noted, in fresh[], and how many of all
 * are new. */
static void
sort_out(const struct entry *e, const struct quota_ask *q, bool fresh[],
    struct quota_answer *a)
{
	static uint8_t hashes[RCPT_HASH * RCPT_HASHES];
	size_t n = q->hashes.len / RCPT_HASH;
	uint32_t days, today = day_of(q->now_ms);
	uint32_t news = n < q->rcpts ? q->rcpts - (uint32_t)n : 0;

	for (size_t i = 0; i < n; i++) {
		days = age(e, q->hashes.data + i * RCPT_HASH, today);
		fresh[i] = days >= KNOWN_FRESH;
		if (days <= KNOWN_DAYS)
			continue;
		memcpy(hashes + a->new_hashes.len,
		    q->hashes.data + i * RCPT_HASH, RCPT_HASH);
		a->new_hashes.len += RCPT_HASH;
		news++;
	}
	a->new_hashes.data = hashes;
	a->news = news;
}

static void
note(struct entry *e, const uint8_t *hash)
{
	struct news *w;

	if (!room_for_news())
		return; /* it stays new */
	if ((w = malloc(sizeof(*w))) == NULL)
		abort();
	memcpy(w->hash, hash, RCPT_HASH);
	HASH_ADD(hh, e->news, hash, RCPT_HASH, w);
	nnews++;
	touch(e);
}

static struct meter_rate
rate(const uint64_t limit[LIMITS], enum limit l)
{
	return (struct meter_rate){ limit[l], periods_ms[l] };
}

static uint64_t
amount(enum limit l, const struct quota_ask *q, uint32_t news)
{
	switch (l) {
	case LIMIT_HOUR:
	case LIMIT_DAY:
		return q->rcpts;
	case LIMIT_MESSAGES_HOUR:
	case LIMIT_MESSAGES_DAY:
		return 1;
	case LIMIT_NEW:
		return news;
	default:
		return 0;
	}
}

/* Keep the worse of two: what never fits is worst. */
static void
blame(struct quota_answer *a, enum limit l, bool of_label, uint64_t limit,
    uint64_t n, int64_t wait_ms)
{
	if (wait_ms == 0 || a->wait_ms == -1 ||
	    (wait_ms != -1 && wait_ms <= a->wait_ms))
		return;
	a->which = l;
	a->of_label = of_label;
	a->limit = limit;
	a->n = n;
	a->wait_ms = wait_ms;
}

/* Does it fit into what the account, or one credential of it, may? */
static void
weigh(const struct entry *e, const struct quota_ask *q, bool of_label,
    struct quota_answer *a)
{
	const uint64_t *limit = of_label ? q->label_limit : q->limit;
	uint64_t n;

	for (int l = 0; l < LIMITS; l++)
		if (limit[l] != 0 && (n = amount(l, q, a->news)) > 0)
			blame(a, l, of_label, limit[l], n,
			    meter_wait_ms(&e->usage.meter[l], rate(limit, l), n,
				q->now_ms));
}

static void
charge(struct entry *e, const struct quota_ask *q, const uint64_t limit[LIMITS],
    uint32_t news)
{
	uint64_t n;

	for (int l = 0; l < LIMITS; l++)
		if (limit[l] != 0 && (n = amount(l, q, news)) > 0)
			meter_add(
			    &e->usage.meter[l], rate(limit, l), n, q->now_ms);
	touch(e);
}

bool
quota_charge(const struct quota_ask *q, struct quota_answer *a)
{
	struct entry *e = find(q->login, q->now_ms), *le = NULL;
	bool fresh[RCPT_HASHES];

	assert(q->hashes.len <= RCPT_HASH * RCPT_HASHES);
	memset(a, 0, sizeof(*a));
	sort_out(e, q, fresh, a);
	weigh(e, q, false, a);
	if (q->label != NULL) {
		le = find_label(q->login, q->label, q->now_ms);
		weigh(le, q, true, a);
	}
	if (a->wait_ms != 0)
		return false;
	charge(e, q, q->limit, a->news);
	if (le != NULL)
		charge(le, q, q->label_limit, a->news);
	for (size_t i = 0; i < q->hashes.len / RCPT_HASH; i++)
		if (fresh[i])
			note(e, q->hashes.data + i * RCPT_HASH);
	return true;
}

static void
undo(struct entry *e, uint32_t rcpts)
{
	meter_undo(&e->usage.meter[LIMIT_HOUR], rcpts);
	meter_undo(&e->usage.meter[LIMIT_DAY], rcpts);
	meter_undo(&e->usage.meter[LIMIT_MESSAGES_HOUR], 1);
	meter_undo(&e->usage.meter[LIMIT_MESSAGES_DAY], 1);
	touch(e);
}

void
quota_undo(const char *login, const char *label, uint32_t rcpts)
{
	uint64_t now_ms = (uint64_t)loop_wall_ms();

	undo(find(login, now_ms), rcpts);
	if (label != NULL)
		undo(find_label(login, label, now_ms), rcpts);
}

void
quota_used(const char *login, const char *label, const uint64_t limit[LIMITS],
    uint64_t now_ms, uint64_t used[LIMITS])
{
	char key[USAGE_KEY];
	struct entry *e;
	struct usage u;

	if (label == NULL)
		snprintf(key, sizeof(key), "%s", login);
	else
		label_key(key, login, label);
	HASH_FIND_STR(entries, key, e);
	if (e != NULL)
		u = e->usage;
	else
		usage_get(NULL, key, &u);
	for (int l = 0; l < LIMITS; l++)
		used[l] = periods_ms[l] == 0 || limit[l] == 0
		    ? 0
		    : meter_level(&u.meter[l], rate(limit, l), now_ms);
}

void
quota_forget(const char *login)
{
	struct entry *e, *next;
	size_t n = strlen(login);

	HASH_ITER(hh, entries, e, next)
	if (strncmp(e->key, login, n) == 0 &&
	    (e->key[n] == '\0' || e->key[n] == '/'))
		drop(e);
}

void
quota_close(void)
{
	struct entry *e, *next;

	timer_clear(&timer);
	HASH_ITER(hh, entries, e, next)
	drop(e);
}
