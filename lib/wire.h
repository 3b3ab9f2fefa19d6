/*
 * wire.h - what the TLS library has to say, on its way to the socket.
 *
 * Records gather here and leave with one send(2): a ticket with the reply
 * behind it, the last words with close_notify, the records of a large write.
 * A send over TCP costs more than what is in it.
 */
#ifndef LIB_WIRE_H
#define LIB_WIRE_H

#include <openssl/bio.h>
#include <stdbool.h>

#include "lib/buf.h"

struct wire {
	int fd;
	struct buf out;
	bool stuck; /* the socket takes no more just now */
};

/* The library's side of it; the wire is borrowed.  Bounded: with too much in
 * it the library is told to try again later. */
BIO *wire_bio(struct wire *);
/* True when all has left.  Else it is stuck, or there is an error: errno,
 * EAGAIN when stuck. */
bool wire_send(struct wire *);

#endif
