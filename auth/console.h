/*
 * console.h - one connection of the `postern` command, and the command that
 * it has under way.
 *
 * Commands come one at a time; each is answered by rows and MSG_CMD_DONE.
 * What an import brings comes before its command.
 */
#ifndef AUTH_CONSOLE_H
#define AUTH_CONSOLE_H

#include "auth/hasher.h"
#include "auth/import.h"
#include "ipc/channel.h"
#include "lib/code.h"

#define ISSUED_FILE 8192 /* bytes of a PKCS#12 file at most */

struct console {
	struct channel line;
	char by[128]; /* who types */
	bool root;    /* or whoever runs the server */
	LIST_ENTRY(console) link;

	/* The command under way. */
	bool busy;
	uint64_t tag;
	struct msg_account_cmd cmd; /* its secret is wiped at the end */
	struct msg_dkim_cmd dkim;   /* ... or this */
	char typed[ADDR_SIZE];      /* canonical cmd.account */
	char login[ADDR_SIZE];      /* the account that it means */
	char address[ADDR_SIZE];    /* canonical grant in cmd.arg */
	struct msg_issued issued; /* what a change made; told when it is done */
	uint8_t file[ISSUED_FILE]; /* what issued.file borrows from */
	uint64_t count;            /* rows sent, or accounts changed */
	struct hash_job job;
	void (*then)(struct console *); /* not NULL while hashing */
	struct import *import;          /* what came of one, or NULL */

	/* Of a list: the last row that was sent. */
	bool (*next)(struct console *); /* send one; false at the end */
	char at_login[ADDR_SIZE], at_address[ADDR_SIZE];
	size_t at; /* of an import: the byte that comes next */
	struct timer timer;
};

/* Serve a connection that the parent has checked and greeted; takes fd. */
void console_open(int fd, const char *by, bool root);

/* From now on every command ends with CODE_TEMP and this sentence. */
void consoles_refuse(const char *why);

/* End the command, with a sentence for whoever typed it. */
void console_done(struct console *, enum code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Send a row of the answer. */
void console_row(struct console *, struct msg *);

/*
 * Send rows until next() is false, and then CODE_OK with their count: as fast
 * as the other side reads, and never so many at once that others wait.
 */
void console_list(struct console *, bool (*next)(struct console *));

/*
 * Hash cmd.secret, or check it against con->job.hash; then `then` is called,
 * unless the connection is gone.
 */
void
console_hash(struct console *, enum hash_op, void (*then)(struct console *));

void consoles_close(void);

#endif
