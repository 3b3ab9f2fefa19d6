/*
 * relay_run.h - all the forms of relay_forms.h against one address.
 */
#ifndef CTL_RELAY_RUN_H
#define CTL_RELAY_RUN_H

#include "ctl/probe.h"
#include "ipc/messages.h"

#define RELAY_NONCE 17 /* 16 digits and a NUL */

struct relay_run {
	struct net_address to;
	bool implicit; /* TLS from the first octet */
	SSL_CTX *ctx;
	char hostname[256]; /* the server's */
	char ip[NET_TEXT];
	char nonce[RELAY_NONCE]; /* in every message, and in the recipient */
	char domain[32];         /* of the recipient */
	char account[ADDR_SIZE]; /* a sender that the server may know */

	/* With an account's password the ends of data are tried as well, and
	 * tickets: NULL leaves these out. */
	const char *secret;
	/* How many messages of the account wait. */
	int (*spool_count)(void *arg, unsigned *n);
	void *spool_arg;
};

struct relay_result {
	const char *group, *title;
	bool relayed;
	const char *reply; /* the server's last word */
};

typedef void relay_result_fn(void *arg, const struct relay_result *);

/*
 * Try everything, in the clear where the server allows that, and inside TLS
 * where it offers it.  CODE_OK, or the reason why it ended early is on
 * stderr.
 */
int relay_run(struct relay_run *, relay_result_fn *, void *arg);

#endif
