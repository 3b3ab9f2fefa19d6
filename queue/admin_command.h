/*
 * admin_command.h - one operator's command under way, for the files of admin.
 *
 * A command that concerns many messages goes through them in slices, one in
 * a turn of the loop, so that a long queue can be looked at while it works.
 */
#ifndef QUEUE_ADMIN_COMMAND_H
#define QUEUE_ADMIN_COMMAND_H

#include <sys/queue.h>

#include "ipc/channel.h"
#include "lib/code.h"

/* A message whose events are told. */
struct story {
	uint64_t id;
	uint32_t period; /* of the index; the next to look into */
	uint32_t first, last;
	bool whole; /* nothing is before the first */
	bool known; /* the queue or the journal has it */
	bool ended; /* its last event was told */
};

/* Messages that are looked for by words. */
#define HUNT_MOST 100
struct hunt {
	uint32_t period, since; /* of the index: the next, the last */
	uint64_t ids[HUNT_MOST];
	unsigned n, most, told;
	unsigned older; /* of ids: those from later periods */
	unsigned looked;
	bool found; /* all that there are */
	bool more;  /* there were more than `most` */
};

struct admin {
	struct channel channel;
	TAILQ_ENTRY(admin) link;
	char by[128];
	bool root;    /* or whoever runs the server */
	bool busy;    /* with cmd */
	bool writing; /* waits for the disk */
	bool gone;    /* freed when nothing is under way any more */
	uint64_t tag;
	struct msg_queue_cmd cmd;
	uint64_t at;   /* the next message to look at, */
	uint32_t at_n; /* its next job */
	uint64_t count;
	uint64_t shown; /* the last message listed */
	bool listed_all;
	bool seen;        /* one that the command names */
	bool settled;     /* the index of the journal is whole */
	unsigned missing; /* bodies; of a backup */
	struct restore *restore;
	struct story story;
	struct hunt hunt;
	struct {
		uint64_t time, seq; /* of the next event */
		unsigned looked;
	} log;
};

/* Answer, and be ready for the next command. */
void admin_done(struct admin *, uint32_t code, const char *text);

/* The next messages that the command selects. */
#define FOUND_MOST 32
struct found {
	const struct admin *op;
	unsigned looked, n;
	unsigned jobs; /* of those found */
	uint64_t last;
	struct msg_queue_row rows[FOUND_MOST];
};

/* False when there are no more behind these. */
bool admin_find(struct admin *, struct found *);

/* Begin, and go on with, what a verb asks for. */
void admin_list(struct admin *);
void admin_shape(struct admin *);
void admin_show_begin(struct admin *);
void admin_show(struct admin *);
void admin_trace_begin(struct admin *);
void admin_trace(struct admin *);
void admin_log_begin(struct admin *);
void admin_log(struct admin *);

void admin_change(struct admin *);
/* QUEUE_BACKUP */
void admin_backup_begin(struct admin *);
void admin_backup(struct admin *);
/* QUEUE_RESTORE: answered when everything is on the disk. */
void admin_restore(struct admin *);
/* One of the rows that come before it. */
void admin_restore_row(struct admin *, const struct msg *);
/* QUEUE_CHECK: answered when the thread that looks has looked. */
void admin_check(struct admin *);

#endif
