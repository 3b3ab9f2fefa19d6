/*
 * intake.c - see intake.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "mail/msgid.h"
#include "queue/commit.h"
#include "queue/intake.h"
#include "queue/permits.h"
#include "queue/settings.h"
#include "queue/upkeep.h"

/* Unread answers of an smtpd, of which a file is the heaviest: all that it can
 * have at once fit, and what breaks the protocol is far (ipc/channel.c). */
#define UNREAD_MOST ((size_t)64 << 20)

static struct channel smtpds[CONF_WORKERS];
static unsigned nsmtpds; /* the highest index in use, and one */
static enum intake_state state;

static void
be_ready(void)
{
	if (nsmtpds > 0)
		return;
	for (unsigned i = 0; i < CONF_WORKERS; i++)
		smtpds[i].fd = -1;
}

static void
say_state(struct channel *c)
{
	struct msg m = { .type = MSG_QUEUE_STATE };

	m.u.queue_state.accepting = state == INTAKE_OPEN;
	if (state != INTAKE_OPEN)
		snprintf(m.u.queue_state.text, sizeof(m.u.queue_state.text),
		    "%s",
		    state == INTAKE_NO_ROOM ? reply_no_room.text
					    : reply_stopping.text);
	channel_send(c, &m, -1);
}

static void
answer(struct channel *c, uint64_t tag, const struct reply *r)
{
	struct msg m = { .type = MSG_TX_RESULT, .tag = tag };
	struct msg_tx_result *t = &m.u.tx_result;

	t->verdict = r->verdict;
	t->code = r->code;
	snprintf(t->status, sizeof(t->status), "%s", r->status);
	snprintf(t->text, sizeof(t->text), "%s", r->text);
	channel_send(c, &m, -1);
}

static void
on_safe(struct accept *a)
{
	struct channel *c = &smtpds[a->smtpd];
	struct msg m = { .type = MSG_TX_RESULT, .tag = a->tag };
	struct msg_tx_result *t = &m.u.tx_result;
	char id[MSGID_SIZE];

	if (!channel_up(c) || c->serial != a->serial)
		return; /* the asker died; the message is safe all the same */
	msgid_format(a->id, id);
	t->verdict = V_OK;
	t->id = a->id;
	t->code = 250;
	strcpy(t->status, "2.6.0");
	snprintf(t->text, sizeof(t->text), "Accepted, id %s", id);
	channel_send(c, &m, -1);
}

static const struct reply *
refusal(void)
{
	switch (state) {
	case INTAKE_OPEN:
		break;
	case INTAKE_NO_ROOM:
		return &reply_no_room;
	case INTAKE_STOPPING:
		return &reply_stopping;
	}
	return NULL;
}

static const struct reply *
lend(const struct channel *c, struct tx *t, uint64_t size)
{
	int error;

	if (channel_backlog(c) > UNREAD_MOST)
		return &reply_no_file;
	upkeep_check_room();
	if (refusal() != NULL)
		return refusal();
	if (size > settings->message_size)
		return &reply_too_large;
	if ((error = tx_lend(t)) == 0)
		return NULL;
	if (error == EEXIST)
		return &reply_bad_request; /* one file for a transaction */
	log_event("warning", "text=%s error=%s",
	    log_quote("a file for a body cannot be made"),
	    log_quote(strerror(error)));
	return error == ENOSPC || error == EDQUOT ? &reply_no_room
						  : &reply_no_file;
}

static void
on_file(struct channel *c, const struct msg *m)
{
	struct tx *t = tx_begin(c->index, m->tag);
	const struct reply *r = lend(c, t, m->u.tx_file.size);
	struct msg lent = { .type = MSG_TX_FILE_LENT, .tag = m->tag };
	struct msg_tx_file_lent *l = &lent.u.tx_file_lent;

	if (r != NULL) {
		l->verdict = r->verdict;
		l->code = r->code;
		snprintf(l->status, sizeof(l->status), "%s", r->status);
		snprintf(l->text, sizeof(l->text), "%s", r->text);
	}
	channel_send(c, &lent, r == NULL ? t->fd : -1);
}

/* The disk had no room or failed while the body was made durable. */
static void
on_refused(struct accept *a, const struct reply *r)
{
	struct channel *c = &smtpds[a->smtpd];

	permits_restore(&a->permit);
	if (channel_up(c) && c->serial == a->serial)
		answer(c, a->tag, r);
}

static void
on_commit(struct channel *c, const struct msg *m)
{
	struct tx *t = tx_find(c->index, m->tag);
	const struct reply *r;
	struct accept *a;

	upkeep_mind_room();
	r = refusal();
	if (r == NULL) {
		a = accept_new();
		a->smtpd = c->index;
		a->serial = c->serial;
		a->tag = m->tag;
		a->safe = on_safe;
		r = commit_take(a, t, &m->u.tx_commit, on_refused);
		if (r != NULL)
			accept_free(a);
	}
	if (r != NULL)
		answer(c, m->tag, r);
	tx_drop(t);
}

static void
on_message(struct channel *c, const struct msg *m, int fd)
{
	if (fd != -1)
		close(fd);
	switch (m->type) {
	case MSG_TX_RCPTS:
		tx_add_rcpts(tx_begin(c->index, m->tag), m->u.tx_rcpts.rcpts);
		break;
	case MSG_TX_FILE:
		on_file(c, m);
		break;
	case MSG_TX_COMMIT:
		on_commit(c, m);
		break;
	case MSG_PERMIT_RETURN:
		permits_return(c, m);
		break;
	case MSG_TX_ABORT:
		tx_drop(tx_find(c->index, m->tag));
		break;
	default:
		break;
	}
}

static void
on_gone(struct channel *c)
{
	log_event("smtpd.gone", "index=%u", c->index);
	tx_drop_all(c->index);
}

void
intake_smtpd_is(unsigned index, int fd)
{
	be_ready();
	if (index >= CONF_WORKERS)
		fatal("more smtpd processes than %d", CONF_WORKERS);
	channel_close(&smtpds[index]);
	tx_drop_all(index);
	channel_open(&smtpds[index], fd, P_QUEUE, P_SMTPD, index, on_message,
	    on_gone, NULL);
	if (index >= nsmtpds)
		nsmtpds = index + 1;
	say_state(&smtpds[index]);
}

void
intake_set(enum intake_state s)
{
	if (s == state)
		return;
	state = s;
	for (unsigned i = 0; i < nsmtpds; i++)
		if (channel_up(&smtpds[i]))
			say_state(&smtpds[i]);
}

enum intake_state
intake_get(void)
{
	return state;
}

void
intake_turn(void)
{
	for (unsigned i = 0; i < nsmtpds; i++)
		if (channel_up(&smtpds[i]) && channel_backlog(&smtpds[i]) > 0)
			channel_flush(&smtpds[i]);
}
