/*
 * handler.h - what handles commands, and what it answers and asks with; for
 * the files of the session alone.
 */
#ifndef SMTPD_HANDLER_H
#define SMTPD_HANDLER_H

#include "mail/command.h"
#include "smtpd/session.h"

/*
 * A handler returns the code of the reply that it queued, or one of these:
 * WAIT after ask(), MORE when there is nothing to say yet, GO for what leads
 * where a 3yz reply does, but says nothing.
 */
enum { WAIT = 0, MORE = 1, GO = 300 };

/* Takes a uint64_t of bytes. */
#define TOO_LARGE \
	"message too large: %" PRIu64 " octets at most, and attachments take " \
	"a third more than their files; send less at a time"
#define RELOGIN \
	"the password or a right of this account was changed; log in again"
/* What 451 4.3.0 says while the spool is not there. */
#define QUEUE_AWAY \
	"the server cannot store mail just now; try again in a minute"

/* Queue "code status text"; status "" for replies that have none. */
int reply(struct session *, int code, const char *status, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same as a line that is not the last one of its reply. */
void reply_line(struct session *, int code, const char *status, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

/*
 * Refuse a MAIL or RCPT whose arguments could not be read.
 *
 *   address  the enhanced status of an address that is wrong
 *   shape    what the command should look like
 */
int reply_misread(
    struct session *, enum args_result, const char *address, const char *shape);

/* What a neighbour decided, or why we refuse. */
struct outcome {
	enum verdict verdict;
	int code;
	char status[12];
	char text[400];
};

/* Set o; a code that does not fit the verdict becomes the class's general
 * one.  Texts are cut to fit. */
void outcome_set(struct outcome *o, uint32_t verdict, uint32_t code,
    const char *status, const char *text);
int reply_outcome(struct session *, const struct outcome *);
/* Reply with it, and log msg.refused; inside a transaction. */
int refuse(struct session *, const struct outcome *);
/* The same for a MAIL from this sender that begins none. */
int refuse_sender(struct session *, const char *sender, const struct outcome *);

/*
 * Refuse a chunk: its octets are dropped as they come, then this is said.  At
 * once when there are none; and the session ends when nobody can tell how
 * many there are, or more than anybody would wait for.
 */
int refuse_octets(struct session *, const struct bdat_args *, int code,
    const char *status, const char *text);

/* Send a request; the session stands still until its answer comes. */
int ask(struct session *, struct msg *);
/* Send a request whose answer is collected with await_expected().  False: it
 * got nowhere. */
bool expect(struct session *, struct msg *);
int await_expected(struct session *);
/* What to take for the answer that does not come. */
void no_answer(struct msg *, enum msg_type);

/* cmd_*.c. */
int cmd_ehlo(struct session *, char *args, size_t n);
int cmd_helo(struct session *, char *args, size_t n);
int cmd_starttls(struct session *, char *args, size_t n);
int cmd_auth(struct session *, char *args, size_t n);
int auth_line(struct session *, char *line, size_t n);
/* The mechanisms on offer, each behind a space. */
void auth_list(const struct session *, char *out, size_t size);
int auth_answered(struct session *, const struct msg *, int fd);
void auth_clear(struct session *);
/* Log an AUTH of this mechanism, as the client calls it, that auth is not asked
 * about. */
void
auth_refused(struct session *, const char *name, size_t n, const char *reason);
/* Have every MAIL told so; NULL: not any more. */
void auth_bar(struct session *, const char *text);
int cmd_mail(struct session *, char *args, size_t n);
int mail_answered(struct session *, const struct msg *, int fd);
int cmd_rcpt(struct session *, char *args, size_t n);
int cmd_data(struct session *, char *args, size_t n);
int cmd_data_early(struct session *, char *args, size_t n);
int cmd_bdat(struct session *, char *args, size_t n);
int cmd_rset(struct session *, char *args, size_t n);
int cmd_noop(struct session *, char *args, size_t n);
int cmd_vrfy(struct session *, char *args, size_t n);
int cmd_expn(struct session *, char *args, size_t n);
int cmd_help(struct session *, char *args, size_t n);
int cmd_quit(struct session *, char *args, size_t n);
int cmd_foreign(struct session *, char *args, size_t n);

/* body.c: bytes as they come, and the steps up to the reply.  A chunk of no
 * octets is fed once, too. */
enum data_step { DATA_ON, DATA_STOP, DATA_FLOOD };
enum data_step
body_feed(struct session *, const char *p, size_t n, size_t *used);
int body_next(struct session *);
/* Octets that the message may have. */
uint64_t body_most(const struct session *);
/* A body of more than this is none: its octets are not even dropped. */
uint64_t body_flood(const struct session *);
int body_answered(struct session *, const struct msg *, int fd);
void body_allowed(struct session *, const struct msg *);

#endif
