/*
 * rescue.c - see rescue.h.
 *
 * Messages whose body is in the log are committed in the order of their ids,
 * so the search begins where the last one found nothing more, and does not
 * see the long queue that was moved before.
 */
#include <stdlib.h>

#include "lib/crash.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "mail/msgid.h"
#include "queue/group.h"
#include "queue/job.h"
#include "queue/rescue.h"
#include "queue/upkeep.h"

#define LOOK_SLICE 256 /* messages looked at in one turn */
#define MOVE_SLICE 64  /* and moved */
#define MOVE_COST  2   /* octets on the disk for each that moves: log, page */

struct move {
	struct change change; /* the first member */
	unsigned n;
	uint64_t ids[MOVE_SLICE];
	uint64_t log_from; /* with the last one: the new beginning; else 0 */
};

static bool searching, leaving;
static uint32_t last_file;
static void (*tell)(uint32_t last_file);
static uint64_t at;     /* the next id to look at */
static uint64_t remain; /* the first whose body stays in the log; 0 none */
static uint64_t behind; /* the last seen, and one */
static struct timer again;

static void
wake_up(void *arg)
{
	(void)arg; /* rescue_turn() does the rest */
}

void
rescue_start(void)
{
	searching = leaving = false;
	timer_init(&again, wake_up, NULL);
}

void
rescue_bodies(uint32_t file, void (*done)(uint32_t last_file))
{
	if (searching || leaving)
		return;
	searching = true;
	last_file = file;
	tell = done;
	at = behind = group_totals()->log_from;
	remain = 0;
}

static void
move_one(struct txn *t, uint64_t id)
{
	static uint8_t buf[STORE_ROW_MAX];
	struct letter *l = letter_find(id);
	struct message_row m;
	struct body_at body;
	char name[MSGID_SIZE];

	if (!t_message_get(t, id, &m, buf) || m.body != BODY_LOG)
		return; /* it left meanwhile */
	body = (struct body_at){ BODY_LOG, m.place };
	if (!t_body_move(t, &body, id, m.size)) {
		/* The next attempt at it finds out, too. */
		msgid_format(id, name);
		log_event("warning", "text=%s id=%s",
		    log_quote("a body is not in the log any more"), name);
		return;
	}
	m.body = body.kind;
	m.place = body.place;
	t_message_put(t, id, &m);
	if (l != NULL)
		l->at = body;
}

static void
move_all(struct txn *t, struct totals *totals, struct change *c)
{
	struct move *m = (struct move *)c;

	for (unsigned i = 0; i < m->n; i++)
		move_one(t, m->ids[i]);
	if (m->log_from != 0)
		totals->log_from = m->log_from;
}

/* It survives power loss, and all that was removed before it does, too. */
static void
moved(struct change *c)
{
	struct move *m = (struct move *)c;
	bool last = m->log_from != 0;

	free(m);
	if (!last)
		return;
	leaving = false;
	CRASH_POINT("log-left");
	tell(last_file);
}

struct look {
	struct move *move;
	unsigned looked;
	uint64_t bytes; /* that move */
	bool ended;     /* there is no room for the next */
};

/*
 * To move takes more room at first than the log behind it gives back, and when
 * most of what is in it waits, more for good.  So nothing moves that would take
 * what deliveries need, and no log goes but in front of it.
 */
static void
stop_at(struct look *k, uint64_t id, uint32_t file)
{
	last_file = file - 1;
	if (remain == 0)
		remain = id;
	k->ended = true;
}

static bool
look_at(void *arg, uint64_t id, const struct message_row *m)
{
	struct look *k = arg;

	at = id + 1;
	if (m->body != BODY_FILE)
		behind = at;
	if (m->body == BODY_LOG && store_log_file(m->place) <= last_file) {
		k->bytes += m->size;
		if (upkeep_room_to_move(MOVE_COST * k->bytes))
			k->move->ids[k->move->n++] = id;
		else
			stop_at(k, id, store_log_file(m->place));
	} else if (m->body == BODY_LOG && remain == 0) {
		remain = id;
	}
	return !k->ended && ++k->looked < LOOK_SLICE && k->move->n < MOVE_SLICE;
}

void
rescue_turn(void)
{
	struct look k = { .looked = 0 };
	bool more;

	if (!searching)
		return;
	if ((k.move = calloc(1, sizeof(*k.move))) == NULL)
		abort();
	k.move->change.apply = move_all;
	k.move->change.durable = moved;
	more = t_message_walk(at, look_at, &k) && !k.ended;
	if (!more) {
		k.move->log_from = remain != 0 ? remain
		    : behind != 0              ? behind
					       : 1;
		searching = false;
		leaving = true;
	} else {
		timer_set(&again, 0);
	}
	if (k.move->n == 0 && more)
		free(k.move);
	else
		group_add(&k.move->change, HURRY_NOT);
}
