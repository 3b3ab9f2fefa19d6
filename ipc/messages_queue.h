/*
 * messages_queue.h - the operator's commands about the queue, their rows, and
 * a backup of the spool.
 */
#ifndef IPC_MESSAGES_QUEUE_H
#define IPC_MESSAGES_QUEUE_H

#include <stdint.h>

#include "ipc/sizes.h"
#include "lib/record.h"

enum queue_verb {
	QUEUE_LIST,  /* from `after` on, `limit` messages at most */
	QUEUE_SHOW,  /* id */
	QUEUE_RETRY, /* the selected, now */
	QUEUE_HOLD,
	QUEUE_RELEASE,
	QUEUE_REMOVE, /* without a bounce */
	QUEUE_STATUS,
	QUEUE_CHECK, /* is the spool whole? */
	QUEUE_TRACE, /* id, or text: a Message-ID or an address; since `after` */
	QUEUE_LOG,   /* events behind (`after`, `seq`), of id or account */
	QUEUE_BACKUP,  /* every message, as MSG_SPOOL_ rows */
	QUEUE_RESTORE, /* all MSG_RESTORE_ rows that came before are on disk */
	QUEUE_SHAPE,   /* how old what waits is, by domain, as MSG_SHAPE_ROWs */
	QUEUE_VERBS
};

/*
 * Selects by id; or by account, by sender and by recipient domain, as far as
 * they are set; or all.
 *
 *   sender  an address, "@" and a domain, or "<>"
 */
struct msg_queue_cmd {
	uint32_t verb;
	uint64_t id;
	uint32_t all;
	char account[ADDR_SIZE];
	char sender[ADDR_SIZE];
	char domain[256];
	uint64_t after; /* QUEUE_TRACE, QUEUE_LOG: unix milliseconds */
	uint64_t seq;
	uint32_t limit;
	uint32_t count_only; /* change nothing, tell how many */
	char text[ADDR_SIZE];
};

/* Why a message does not move. */
enum held {
	HELD_NO,
	HELD_BY_ADMIN,
	HELD_BY_SUSPENSION, /* of its account */
	HELD_UNCERTAIN,     /* some of it may have arrived: [queue] uncertain */
};

struct msg_queue_row {
	uint64_t id;
	char account[ADDR_SIZE];
	char credential[CREDENTIAL_LABEL];
	char sender[ADDR_SIZE];
	char msgid[256];
	uint64_t size;
	uint64_t accepted; /* unix milliseconds */
	uint32_t rcpts;    /* of the message */
	uint32_t waiting;  /* without a final verdict */
	uint32_t attempts;
	uint64_t next; /* unix milliseconds of the next attempt; 0 none */
	/* Unix milliseconds: its sender asked to hold it until then (RFC
	 * 4865); 0 not or not any more. */
	uint64_t release;
	uint32_t held;  /* enum held */
	char last[300]; /* last answer of a destination */
};

struct msg_rcpt_row {
	uint64_t id;
	char address[ADDR_SIZE];
	char domain[256];
	char state[16]; /* waiting, active, deferred, delivered, bounced, ... */
	uint32_t attempts;
	uint64_t next;
	char route[640]; /* of the next attempt: "[route *] via mx:25" */
	char last[512];
	/* Of a destination that does not answer, while it waits for that;
	 * times in unix milliseconds. */
	char dest[640];  /* "" it is not so, or not known */
	uint64_t silent; /* since when; 0 not */
	uint64_t probe;  /* when one attempt is made for all; 0 now */
};

/* Ages of messages: so old at most, or older than all of these. */
#define SHAPE_AGES 6
/* clang-format off */
#define SHAPE_BELOW_S { 300, 1200, 3600, 14400, 86400 }
/* clang-format on */

/*
 * Some of what waits for one domain: rows of one domain add up.  One row may
 * be told several times, for the queue is gone through piece by piece.
 */
struct msg_shape_row {
	char domain[256];
	uint64_t age[SHAPE_AGES]; /* recipients, by the age of their message */
	uint64_t held;            /* of those: by an admin */
	uint64_t when;            /* of the last answer, unix milliseconds */
	char last[512];
	/* As in msg_rcpt_row. */
	char dest[640];
	uint64_t silent, probe;
};

struct msg_event_row {
	uint64_t time; /* unix milliseconds */
	uint64_t id;
	char event[24]; /* accepted, delivered, deferred, bounced, ... */
	char account[ADDR_SIZE];
	char rcpt[ADDR_SIZE];
	char detail[600];
};

/*
 * A message that waits, as a backup has it: its own row, then for each job a
 * row, the answers that its recipients got, and the recipients; then the body
 * in pieces.  MSG_SPOOL_ is its way out, MSG_RESTORE_ the way in.
 */
struct msg_spool_message {
	uint64_t id;
	char account[ADDR_SIZE]; /* "": made by postern itself */
	char credential[CREDENTIAL_LABEL];
	char sender[ADDR_SIZE];
	char ip[46];
	uint32_t port;
	char tls[16];
	char mech[20];
	char msgid[256];
	uint32_t flags;    /* enum tx_flags */
	uint64_t size;     /* bytes of body */
	uint64_t accepted; /* unix milliseconds */
	uint32_t rcpts;    /* it ever had */
	uint32_t delivered;
	uint32_t bounced;
	uint32_t dropped;
	uint32_t held; /* by an admin */
	char envid[101];
	uint64_t hold_until; /* unix seconds; 0 none */
	uint64_t by;         /* unix milliseconds; 0 none */
	uint32_t priority;   /* 10 more than the value; 0 none */
	struct bytes added;  /* header lines in front of the body */
};

struct msg_spool_job {
	uint32_t n; /* counts up in a message, with gaps */
	char domain[256];
	uint32_t attempts;
	uint32_t noticed; /* a delay notice was sent */
	uint64_t due;     /* unix milliseconds of the next attempt; 0 none */
};

/* Numbered from 0 in each job. */
struct msg_spool_answer {
	uint32_t code;
	char status[12];
	char mx[300];
	char tls[80]; /* protocol, cipher, policy */
	char text[512];
	uint64_t when; /* unix milliseconds */
};

#define SPOOL_NO_ANSWER 0xff

struct msg_spool_rcpt {
	char address[ADDR_SIZE];
	char state[16];  /* "waiting", "delivered", "bounced", "dropped" */
	uint32_t answer; /* which of the job, or SPOOL_NO_ANSWER */
	uint32_t notify; /* enum rcpt_notify */
	char orcpt[501]; /* ORCPT_SIZE */
};

#define SPOOL_PIECE 65536

/* To ctl the descriptor of a large body rides along, instead of pieces. */
struct msg_spool_body {
	struct bytes piece;
	uint32_t last; /* the message is whole */
};

#endif
