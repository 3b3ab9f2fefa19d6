/*
 * client.h - what a mail program has to know to send through this server, in
 * the forms that mail programs read.
 */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "ipc/messages.h"
#include "lib/conf.h"

struct client_port {
	unsigned number;
	enum tls_mode tls;
};

/* The user name is the address. */
struct client {
	char address[ADDR_SIZE];
	const char *domain;   /* in address */
	const char *hostname; /* borrowed from the configuration */
	/* The best one first: TLS from the first octet, then STARTTLS. */
	struct client_port ports[CONF_LISTENS];
	size_t nports;
	char imap_host[256]; /* "" unknown */
	unsigned imap_port;  /* TLS from the first octet */
};

/* Where mail programs of people find TLS of this kind; 0 nowhere.  Neither
 * listeners for old devices nor, beside others, those behind load balancers. */
unsigned client_port(const struct conf *, enum tls_mode);

/*
 * Everything but IMAP, from the listeners that client_port() has.
 *
 *   address  canonical
 *   conf     borrowed for as long as *c is used
 *
 * False when there is no such listener.
 */
bool
client_init(struct client *c, const char *address, const struct conf *conf);

/* The server to read mail from, "HOST" or "HOST:PORT" (993); false when it is
 * neither. */
bool client_set_imap(struct client *c, const char *text);

/* A document for programs that are none of the below. */
json_t *client_json(const struct client *);

/* The rest need IMAP: the programs take nothing without. */

/* Mozilla's autoconfig, version 1.1: Thunderbird, FairEmail, KMail. */
void client_autoconfig(const struct client *, FILE *);
/* A profile for Apple's Mail; the same one for the same account and server,
 * so that a second one replaces the first. */
void client_mobileconfig(const struct client *, FILE *);
/* What Thunderbird for Android reads from a QR code (version 1 of its export
 * for mobile), without a password. */
json_t *client_mobile(const struct client *);

#endif
