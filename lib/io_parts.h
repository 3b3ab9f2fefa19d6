/*
 * io_parts.h - what io.c and io_tls.c share; for them only.
 */
#ifndef LIB_IO_PARTS_H
#define LIB_IO_PARTS_H

#include "lib/io.h"

/* io.c: run the owner's code; false when io was closed meanwhile. */
bool io_handle(struct io *, enum io_event);
/* The end of it, told to the owner once. */
void io_fail(struct io *, const char *why);
/* Have the loop wait for what is waited for now. */
void io_want(struct io *);
/*
 * Read until the socket is dry, the owner pauses, or it is others' turn.  With
 * TLS, bytes may be left inside the library where the loop cannot see them:
 * then `again` comes back.
 */
void io_pump(struct io *);

/* io_tls.c: 1 bytes read, 0 would block, -1 failed (told), -2 end of file. */
int io_tls_read(struct io *, char *p, size_t room, size_t *got);
/* Have the front of out made into records; false when that must wait or io
 * failed. */
bool io_tls_seal(struct io *);
/* Send what TLS has said; false when io failed.  It may be stuck. */
bool io_tls_send(struct io *);
/* Go on with the handshake. */
void io_tls_shake(struct io *);
/* Say goodbye, as far as that can be done at once, and forget TLS. */
void io_tls_close(struct io *);

#endif
