/*
 * tally.c - see tally.h.
 *
 * A tally is read from the store when its account first sends, and leaves
 * memory when it was not asked for in a while: only accounts that have proved
 * themselves get here, so there are no more than those that send.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <uthash.h>

#include "auth/t_account.h"
#include "auth/t_guard.h"
#include "auth/t_known.h"
#include "auth/tally.h"
#include "lib/loop.h"

#define DAY_MS   ((uint64_t)24 * 3600 * 1000)
#define WRITE_MS 1000
/* Rows in one turn: everybody who submits meanwhile waits for them. */
#define SLICE       32
#define LARGE_SLICE 1024 /* when the process ends */
#define SLICE_MS    3
#define NEWS_MOST   65536 /* recipients that wait to be written, of all */
#define IDLE_MS     ((uint64_t)3600 * 1000)

struct news {
	UT_hash_handle hh;
	uint8_t hash[RCPT_HASH];
};

struct tally {
	UT_hash_handle hh;
	struct usage usage;
	struct guard guard;
	bool guarded; /* it was read */
	uint64_t asked_ms;
	bool dirty;              /* it is in one of two lists */
	bool is_due;             /* in the second */
	TAILQ_ENTRY(tally) link; /* of those to be written */
	struct news *news;       /* its recipients that wait to be written */
	size_t login_len;        /* the key begins with its login */
	char key[];
};

static struct tally *tallies;
TAILQ_HEAD(dirties, tally);
static struct dirties dirty = TAILQ_HEAD_INITIALIZER(dirty);
/* Those of them whose time has come; they are written slice by slice. */
static struct dirties due = TAILQ_HEAD_INITIALIZER(due);
static int64_t came_due_ms;
static size_t nnews; /* of all tallies */
static struct timer timer;
static uint64_t swept_ms;

static uint32_t
day_of(uint64_t now_ms)
{
	return (uint32_t)(now_ms / DAY_MS);
}

/* No domain holds a slash: that of a label is nobody's login. */
static const char *
key_of(const char *login, const char *label, char room[USAGE_KEY])
{
	if (label == NULL)
		return login;
	snprintf(room, USAGE_KEY, "%s/%s", login, label);
	return room;
}

/* It was removed since, and nothing of it may come back. */
static bool
is_gone(struct txn *txn, const struct tally *t)
{
	char login[ADDR_SIZE];
	struct account a;

	snprintf(login, sizeof(login), "%.*s", (int)t->login_len, t->key);
	return account_get(txn, login, &a) && a.state == ACC_REMOVED;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The first n that wait. */
static void
write_news(struct txn *txn, const struct tally *t, size_t n, uint32_t *known)
{
	uint32_t today = day_of(t->asked_ms);

	for (const struct news *w = t->news; n > 0; w = w->hh.next, n--)
		known_put(txn, t->key, w->hash, today, known);
}

/* Some rows of the first tallies that wait, and how far that is. */
struct slice {
	size_t most; /* rows, about */
	struct tally *last;
	size_t news; /* of the last; of those before, all */
};

static bool
write_slice(struct txn *txn, void *arg)
{
	struct slice *s = arg;
	size_t left = s->most;
	struct tally *t;

	TAILQ_FOREACH (t, &due, link) {
		struct usage u = t->usage; /* this may run again */

		s->last = t;
		s->news = least(HASH_COUNT(t->news), left);
		left -= least(left, s->news + 1);
		if (is_gone(txn, t))
			s->news = HASH_COUNT(t->news);
		else {
			write_news(txn, t, s->news, &u.known);
			usage_put(txn, t->key, &u);
			if (t->guarded)
				guard_put(txn, t->key, &t->guard);
		}
		if (left == 0)
			break;
	}
	return true;
}

static void
forget_news(struct tally *t, size_t n)
{
	struct news *w;

	for (; n > 0; n--) {
		w = t->news;
		HASH_DEL(t->news, w);
		free(w);
		nnews--;
	}
}

/* So many of its news are in the store. */
static void
news_written(struct tally *t, size_t n)
{
	struct usage u;

	if (n == 0)
		return;
	usage_get(NULL, t->key, &u);
	t->usage.known = u.known;
	forget_news(t, n);
}

/* Of those that are due, at most so many rows.  False: there is no room on the
 * disk, which store_txn() has said, and all of them still wait. */
static bool
write_some(size_t most)
{
	struct slice s = { .most = most };
	struct tally *t = NULL;

	if (TAILQ_EMPTY(&due))
		return true;
	if (store_txn(STORE_SOON, write_slice, &s) != V_OK)
		return false;
	while (t != s.last) {
		t = TAILQ_FIRST(&due);
		news_written(t, t == s.last ? s.news : HASH_COUNT(t->news));
		TAILQ_REMOVE(&due, t, link);
		t->dirty = t->is_due = t->news != NULL;
		if (t->dirty) /* one with many lets the others go first */
			TAILQ_INSERT_TAIL(&due, t, link);
	}
	return true;
}

static void
come_due(void)
{
	struct tally *t;

	came_due_ms = loop_now_ms();
	TAILQ_FOREACH (t, &dirty, link)
		t->is_due = true;
	TAILQ_CONCAT(&due, &dirty, link);
}

void
tally_write(void)
{
	come_due();
	while (!TAILQ_EMPTY(&due) && write_some(LARGE_SLICE))
		;
}

static void
drop(struct tally *t)
{
	if (t->dirty)
		TAILQ_REMOVE(t->is_due ? &due : &dirty, t, link);
	HASH_DEL(tallies, t);
	forget_news(t, HASH_COUNT(t->news));
	free(t);
}

static void
sweep(uint64_t now_ms)
{
	struct tally *t, *next;

	if (now_ms - swept_ms < IDLE_MS)
		return;
	swept_ms = now_ms;
	HASH_ITER(hh, tallies, t, next)
	if (!t->dirty && now_ms - t->asked_ms >= IDLE_MS)
		drop(t);
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

struct tally *
tally_find(const char *login, const char *label, uint64_t now_ms)
{
	char room[USAGE_KEY];
	const char *key = key_of(login, label, room);
	struct tally *t;
	size_t n;

	HASH_FIND_STR(tallies, key, t);
	if (t == NULL) {
		n = strlen(key) + 1;
		t = calloc(1, sizeof(*t) + n);
		if (t == NULL)
			abort();
		memcpy(t->key, key, n);
		t->login_len = strlen(login);
		usage_get(NULL, key, &t->usage);
		HASH_ADD_STR(tallies, key, t);
	}
	t->asked_ms = now_ms;
	return t;
}

struct meter *
tally_meters(struct tally *t)
{
	return t->usage.meter;
}

void
tally_read(const char *login, const char *label, struct usage *u)
{
	char room[USAGE_KEY];
	const char *key = key_of(login, label, room);
	struct tally *t;

	HASH_FIND_STR(tallies, key, t);
	if (t != NULL)
		*u = t->usage;
	else
		usage_get(NULL, key, u);
}

void
tally_touch(struct tally *t)
{
	if (t->dirty)
		return;
	if (!timer.ready)
		timer_init(&timer, on_timer, NULL);
	if (TAILQ_EMPTY(&dirty) && TAILQ_EMPTY(&due))
		timer_set(&timer, WRITE_MS);
	t->dirty = true;
	TAILQ_INSERT_TAIL(&dirty, t, link);
}

struct guard *
tally_guard(const char *login)
{
	struct tally *t = tally_find(login, NULL, (uint64_t)loop_wall_ms());

	if (!t->guarded)
		guard_get(NULL, login, &t->guard);
	t->guarded = true;
	tally_touch(t);
	return &t->guard;
}

void
tally_read_guard(const char *login, struct guard *g)
{
	struct tally *t;

	HASH_FIND_STR(tallies, login, t);
	if (t != NULL && t->guarded)
		*g = t->guard;
	else
		guard_get(NULL, login, g);
}

static bool
is_waiting(const struct tally *t, const uint8_t *hash)
{
	struct news *w;

	HASH_FIND(hh, t->news, hash, RCPT_HASH, w);
	return w != NULL;
}

uint32_t
tally_age(const struct tally *t, const uint8_t hash[RCPT_HASH])
{
	uint32_t day, today = day_of(t->asked_ms);

	if (is_waiting(t, hash))
		return 0;
	day = known_day(NULL, t->key, hash);
	if (day == 0)
		return UINT32_MAX;
	return today > day ? today - day : 0;
}

void
tally_note(struct tally *t, const uint8_t hash[RCPT_HASH])
{
	struct news *w;

	if (!room_for_news())
		return; /* it stays new */
	if ((w = malloc(sizeof(*w))) == NULL)
		abort();
	memcpy(w->hash, hash, RCPT_HASH);
	HASH_ADD(hh, t->news, hash, RCPT_HASH, w);
	nnews++;
	tally_touch(t);
}

void
tally_forget(const char *login)
{
	struct tally *t, *next;
	size_t n = strlen(login);

	HASH_ITER(hh, tallies, t, next)
	if (strncmp(t->key, login, n) == 0 &&
	    (t->key[n] == '\0' || t->key[n] == '/'))
		drop(t);
}

void
tally_close(void)
{
	struct tally *t, *next;

	timer_clear(&timer);
	HASH_ITER(hh, tallies, t, next)
	drop(t);
}
