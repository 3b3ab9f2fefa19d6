/*
 * rdata.h - the records of a DNS answer as text, for people.
 */
#ifndef DELIVER_RDATA_H
#define DELIVER_RDATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Pack the records of a type, each as text, into list[size] (lib/record.h).
 *
 *   A, AAAA         the address
 *   NS, CNAME, PTR  the name, lower case, no dot at its end
 *   MX              "10 mx.example.net"
 *   SRV             "0 1 465 mail.example.net"
 *   TXT             its strings, one behind the other, any bytes
 *
 *   len  set: bytes of the list; records that do not fit are left out
 *
 * False when the packet is damaged.
 */
bool rdata_list(unsigned type, const uint8_t *packet, size_t n, uint8_t *list,
    size_t size, size_t *len);

/* Is this one of the types above? */
bool rdata_knows(unsigned type);

#endif
