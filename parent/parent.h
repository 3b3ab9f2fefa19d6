/*
 * parent.h - the supervisor: binds, starts, watches, hands over.
 *
 * It is the only process that keeps root, so it does as little as it can: it
 * reads the configuration, opens files and sockets for others, and never sees
 * a byte from a stranger.  What an operator types reaches it only as whole
 * messages of the codec, after the kernel has said who types.
 */
#ifndef PARENT_PARENT_H
#define PARENT_PARENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ipc/channel.h"
#include "lib/conf.h"
#include "lib/loop.h"

#define WORKERS_MAX (4 + CONF_WORKERS)

struct worker {
	enum process process;
	unsigned index; /* which smtpd; else 0 */
	pid_t pid;      /* 0: not running */
	struct channel channel;
	bool ready;    /* MSG_READY has come */
	bool stopping; /* told to stop; its end is no accident */
	int64_t started_ms;
	unsigned failures;  /* in a row, for the back-off */
	unsigned restarts;  /* since the parent started */
	struct timer again; /* until the next start */
};

/* main.c: the effective configuration and its text. */
const struct conf *parent_conf(void);
const char *parent_conf_text(size_t *len);
int64_t parent_started(void); /* unix seconds */

/*
 * listen.c - bind every [listen] address, and let go of those that are in no
 * [listen] any more; sockets that stay keep whoever waits in them.  0, or -1
 * after logging each one that cannot be bound: then all is as it was.
 */
int listen_open(const struct conf *);
void listen_send(struct channel *); /* MSG_LISTEN for each, to an smtpd */
void listen_close(void);

/*
 * workers.c - the children.  workers_start() forks auth, queue, deliver and
 * sts, and the smtpds once the first two are ready.  A child that dies is
 * started again after 0, 1, 2, 4 ... 16 s.  workers_stop() ends them in the
 * order that lets transactions finish: smtpd, deliver, sts, queue, auth; then
 * the loop.
 */
void workers_start(void);
void workers_reload(void); /* the configuration and the files, anew */
void workers_renew(void);  /* certificates and keys, anew */
void workers_stop(void);
/* The service manager has been told that the start is done. */
bool workers_serving(void);
/* A child cannot start, and will not be able to: what it logged says why.
 * The loop has been ended. */
bool workers_hopeless(void);
/* A child that the start waits for has died again and again before it could
 * do anything.  sts is none of these: mail flows without it. */
bool workers_failing(void);
size_t workers_count(void);
struct worker *workers_get(size_t i);
/* The running child of this kind and number, or NULL. */
struct worker *workers_find(enum process, unsigned index);

/* handover.c - what a child is given: the configuration with the files that
 * are for it, and the word to begin with them. */
void handover_conf(struct worker *);
void handover_start(struct worker *);
/* A fresh line between it and every neighbour that is running.  0, or -1 with
 * errno: not all of them are there. */
int handover_peers(struct worker *);

/* tickets.c - keys for TLS session tickets, shared by all smtpds, changed
 * every 12 hours. */
void tickets_init(void);
void tickets_send(struct channel *);

/* tokens.c - the key by which auth and queue know who has logged in. */
void tokens_send(struct channel *);

/*
 * renew.c - certificates and keys that change on the disk: looked at every
 * ten seconds, so that a renewed one is in use within a minute.
 *
 * renew_now() reads them at once, changed or not.  0, or the number of files
 * that are wrong, each told; then all stays as it is.
 */
void renew_init(void);
void renew_seen(void); /* the files were read for another reason */
int renew_now(conf_error_fn *, void *arg);

/*
 * control.c - the control socket.  Root, the server's own user and members of
 * users.admin-group may command.  0, or -1 after logging.
 */
int control_open(const struct conf *);
void control_close(void);

/*
 * notify.c - tell the service manager (sd_notify(3)); a no-op without one.
 * After notify_begin() it hears that a start takes longer, until READY=1 or
 * while workers_failing(), and, when it asked (WatchdogSec=), that the loop
 * still turns.
 */
void notify(const char *state);
void notify_begin(void);

#endif
