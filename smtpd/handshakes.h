/*
 * handshakes.h - how many TLS handshakes come from a network and lead to no
 * login.
 *
 * A handshake costs us a signature and whoever asks for it next to nothing.
 * Those that somebody logs in behind do not count, so that many people behind
 * one address are no flood.
 */
#ifndef SMTPD_HANDSHAKES_H
#define SMTPD_HANDSHAKES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* The /24 of an IPv4 address, the /56 of an IPv6 one. */
struct network {
	uint8_t octets[8];
};

void network_of(struct network *, const struct sockaddr *);

/*
 * May one more begin?  Of a minute's worth, `most` (0: any number), as many as
 * have drained since.  *first is set at the first no for a minute.
 */
bool handshakes_allowed(
    const struct network *, unsigned most, int64_t now_ms, bool *first);
void handshakes_begun(const struct network *, unsigned most, int64_t now_ms);
/* Somebody logged in behind one that had begun. */
void handshakes_forgive(const struct network *);

#endif
