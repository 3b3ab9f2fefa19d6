/*
 * proxy.h - the header with which a load balancer begins a connection, to
 * tell whose it is (the PROXY protocol of HAProxy, versions 1 and 2).
 */
#ifndef LIB_PROXY_H
#define LIB_PROXY_H

#include <stddef.h>
#include <sys/socket.h>

#define PROXY_MOST 2064 /* octets of a header: 16 and 2,048 */

enum proxy { PROXY_OK, PROXY_MORE, PROXY_BAD };

/*
 * Read the header at the front of p[n].
 *
 *   client  its source address, on PROXY_OK; untouched when the header has
 *           none (v1 UNKNOWN, v2 LOCAL and UNSPEC): then it is the
 *           connection's own
 *   used    octets of the header, on PROXY_OK
 *
 * PROXY_MORE: so far it is one, and all n octets belong to it.  PROXY_BAD: it
 * is none, or over its bound: 107 octets of version 1, PROXY_MOST of version
 * 2, or of a protocol that is not TCP.
 */
enum proxy proxy_parse(const unsigned char *p, size_t n,
    struct sockaddr_storage *client, size_t *used);

#endif
