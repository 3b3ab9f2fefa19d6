/*
 * daemon.h - the line to whoever answers a command: a process of the running
 * server through its control socket, or, for accounts and backups, the owner
 * of a store that runs for this one command.
 */
#ifndef CTL_DAEMON_H
#define CTL_DAEMON_H

#include <sys/types.h>

#include "ctl/settings.h"
#include "ipc/messages.h"

struct daemon {
	enum process peer;
	int sock;        /* -1: closed */
	uint8_t *buffer; /* MSG_MAX bytes, what rows borrow from */
	uint64_t tag;
	int fd; /* rode with the row that is being told, or -1; whoever takes
		 * it sets -1 */
	/* An auth or a queue of our own. */
	pid_t pid;  /* 0: the running server's */
	int parent; /* where we are its parent */
	int lock;   /* held on the state */
	int log;    /* what it says */
};

/*
 * Read the configuration, if that is not done yet, for a command that the
 * running server alone carries out.  It goes on with its old configuration when
 * the file was broken since, and so does this, with a word on stderr; then, and
 * only while that server answers, what stands elsewhere in *s is what could be
 * read.  CODE_OK, or the reason is on stderr, as settings_load() has it.
 */
int daemon_find(struct settings *, const char *file);

/*
 * Open the line.  CODE_OK, or the reason is on stderr: CODE_DOWN (no server
 * runs), CODE_DENIED, CODE_TEMP (it restarts, or speaks another version).
 * What fails leaves nothing open; daemon_close() is harmless all the same.
 */
int daemon_open(struct daemon *, const struct settings *, enum service);

/* The same, of the processes of this kind the one with this number. */
int daemon_open_number(
    struct daemon *, const struct settings *, enum service, unsigned index);

/* Wait no longer than this for each part of an answer (120 s). */
void daemon_patience(struct daemon *, unsigned seconds);

/* As daemon_open(SERVICE_AUTH), but without a server auth is started alone. */
int daemon_open_auth(struct daemon *, const struct settings *);

/* The same with auth or the queue. */
int daemon_open_owner(struct daemon *, const struct settings *, enum service);

/* True when a server answers; says nothing. */
bool daemon_running(const struct settings *);

typedef void daemon_row_fn(void *arg, const struct msg *);

/*
 * Ask, and hand every row of the answer to `row` (NULL: none is expected).
 * CODE_OK with *done set, whatever its exit code is; CODE_TEMP, with the
 * reason on stderr, when no answer comes.  Secrets in *ask stay the caller's
 * to wipe.
 */
int daemon_ask(struct daemon *, struct msg *ask, daemon_row_fn *row, void *arg,
    struct msg_cmd_done *done);

/* The exit code of an answer; what went wrong is said on stderr. */
int daemon_settle(const struct msg_cmd_done *);

/*
 * Both in one: CODE_OK when the answer is yes, otherwise the reason is on
 * stderr.
 *
 *   done  NULL, or out; all zero when no answer came
 */
int daemon_call(struct daemon *, struct msg *ask, daemon_row_fn *row, void *arg,
    struct msg_cmd_done *done);

/* The same over a line to the running server that is opened for it. */
int daemon_call_once(const struct settings *, enum service, struct msg *ask,
    daemon_row_fn *row, void *arg);

/*
 * Hang up.  A process of our own finishes and is waited for; what it had to
 * say is shown when it failed.
 */
void daemon_close(struct daemon *);

#endif
