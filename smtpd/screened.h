/*
 * screened.h - clients that wait for what the rules of [screen] say of them.
 *
 * Rules about networks are answered here.  Names and block lists are looked
 * up by deliver, for this process may open no socket.
 */
#ifndef SMTPD_SCREENED_H
#define SMTPD_SCREENED_H

#include "ipc/messages.h"
#include "lib/conf.h"
#include "smtpd/listener.h"
#include "smtpd/source.h"

/* A client whose verdict is there; takes fd and its place at the source. */
typedef void screened_fn(int fd, const struct sockaddr *, const struct door *,
    struct source *, const struct msg_conn_verdict *);

/* Who gets them, how deliver is asked (false: it is away), and who is told
 * that a place became free. */
void screened_init(
    screened_fn *next, bool (*ask)(const struct msg *), void (*on_less)(void));

/*
 * Takes fd and its place at the source; calls `next` at once when no name and
 * no list is needed, otherwise when deliver has answered or three seconds are
 * over: then a rule about a name or a list does not match.
 */
void screened_begin(int fd, const struct sockaddr *, const struct door *,
    struct source *, const struct conf *);

/* MSG_CONN_VERDICT has come. */
void screened_answer(const struct msg *);

/* How many wait for their verdict. */
unsigned screened_count(void);

/* Close all that wait. */
void screened_stop(void);

#endif
