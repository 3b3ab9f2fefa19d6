/*
 * probe.h - an SMTP conversation held step by step, to see what a server
 * does; blocking, with a bound on every wait.
 */
#ifndef CTL_PROBE_H
#define CTL_PROBE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/net.h"

#define PROBE_WAIT_S 20

struct probe {
	int fd;
	SSL *ssl;
	char in[8192];
	size_t n;        /* octets of `in` not yet looked at */
	char reply[512]; /* the last one's last line, without its end */
};

/*
 * Connect, and with `implicit` shake hands.  ctx is borrowed; the server's
 * certificate is not looked at: what it lets us do is the question, not who
 * it is.  False when it cannot be reached; errno says why.
 */
bool probe_open(
    struct probe *, const struct net_address *, SSL_CTX *, bool implicit);
/* Shake hands; what came before is forgotten. */
bool probe_secure(struct probe *, SSL_CTX *, SSL_SESSION *resume);
void probe_close(struct probe *);

/* Send octets as they are.  False when the line is dead. */
bool probe_send(struct probe *, const char *, size_t);
/* The code of the next reply, its text in p->reply; 0 when there is none in
 * time or the server hung up. */
int probe_hear(struct probe *);
/* Send a line with its CRLF, and hear. */
int probe_say(struct probe *, const char *line);

#endif
