/*
 * talk_steps.h - what the rows of steps[] in talk.c are made of; for the
 * files talk*.c only.
 */
#ifndef DELIVER_TALK_STEPS_H
#define DELIVER_TALK_STEPS_H

#include "deliver/talk.h"

/* What a say function did. */
enum said {
	SAID,         /* one command, an answer is owed; go on to .next */
	SAID_MORE,    /* one command; the same step again */
	SAID_SKIP,    /* nothing to say here; go on to .next */
	SAID_WAIT,    /* nothing to say now; the same step later */
	SAID_GIVE_UP, /* go on to .give_up */
	SAID_FAIL,    /* the session is over; talk_blame() was told why */
};

/* What an answer means for the course. */
enum heard {
	HEARD_FINE,
	HEARD_GIVE_UP, /* go on to .give_up */
	HEARD_FAIL,    /* the session is over; talk_blame() was told why */
};

void talk_say(struct talk *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* 2, 4 or 5: the class of the reply at hand; else 3. */
int talk_class(const struct talk *);
/* What the reply at hand says about those whom it concerns. */
struct outcome talk_outcome(const struct talk *, enum scope);
/* The same in words of our own. */
void talk_sign(const struct talk *, struct outcome *);

/* Why the session, or this job's part in it, ends.  The first one counts. */
void talk_blame(struct talk *, const struct outcome *);
void talk_blame_reply(struct talk *);
/* The answer at hand makes no sense here. */
enum heard talk_absurd(struct talk *);

/* talk_session.c */
enum heard hear_greeting(struct talk *, const struct owed *);
enum said say_ehlo(struct talk *);
enum heard hear_ehlo(struct talk *, const struct owed *);
void hear_ehlo_line(void *talk, unsigned number, const char *text);
enum said say_helo(struct talk *);
enum heard hear_helo(struct talk *, const struct owed *);
enum said say_starttls(struct talk *);
enum heard hear_starttls(struct talk *, const struct owed *);
enum said say_auth_scram(struct talk *);
enum heard hear_scram_challenge(struct talk *, const struct owed *);
enum said say_scram_proof(struct talk *);
enum heard hear_scram_last(struct talk *, const struct owed *);
enum said say_scram_end(struct talk *);
enum said say_auth_plain(struct talk *);
enum said say_auth_login(struct talk *);
enum said say_auth_user(struct talk *);
enum said say_auth_secret(struct talk *);
enum heard hear_auth_asks(struct talk *, const struct owed *);
enum heard hear_auth_done(struct talk *, const struct owed *);
enum said say_quit(struct talk *);
enum heard hear_quit(struct talk *, const struct owed *);

/* talk_form.c */
enum said say_sign(struct talk *);

/* talk_mail.c */
enum said say_ready(struct talk *);
enum said say_rset(struct talk *);
enum heard hear_rset(struct talk *, const struct owed *);
enum said say_mail(struct talk *);
enum heard hear_mail(struct talk *, const struct owed *);
enum said say_rcpt(struct talk *);
enum heard hear_rcpt(struct talk *, const struct owed *);
enum said say_data(struct talk *);
enum heard hear_data(struct talk *, const struct owed *);
enum said say_body(struct talk *);
enum said say_dot(struct talk *);
enum heard hear_dot(struct talk *, const struct owed *);
/* Our own trouble, for all who are open: no other server would help. */
void mail_unreadable(struct talk *);
/* The job leaves: its reading ends, and those who were accepted before the
 * dot and never had an answer get an outcome that says so (RFC 1047). */
void mail_leave(struct talk *);

/* talk_params.c: the parameters of MAIL and RCPT, each with a blank in front.
 * With the longest addresses they fit a line of 1022 bytes. */
enum { PARAMS_MAX = 640 };
/* body: of BODY=, or NULL. */
void params_mail(const struct talk *, const char *body, char out[PARAMS_MAX]);
void params_rcpt(const struct talk *, unsigned rcpt, char out[PARAMS_MAX]);

/* Why a message cannot go without SMTPUTF8 (RFC 6531 3.2): the first reason
 * that holds. */
enum utf8_need { UTF8_NONE, UTF8_SENDER, UTF8_HEADER, UTF8_RCPTS };
enum utf8_need params_utf8_need(const struct job *);
bool params_utf8_rcpt(const struct job *, unsigned rcpt);
/* Seconds to the deadline that was given. */
int64_t params_by_left_s(const struct job *);
/* What the sender wants to know and this server will not tell: a set of
 * enum relayed. */
unsigned params_lost(const struct talk *);

#endif
