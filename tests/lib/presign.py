#!/usr/bin/python3 -I
"""
Sign a zone for a time that is over: zone lines on stdin, the zone's name and
the days (first, last, counted back from now) as arguments; the signed lines
and the DS for its parent as JSON on stdout.

A program of its own, because tests/lib/dns.py has the name of its library.
"""

import json
import sys
import time

import dns.dnssec
import dns.name
import dns.rdataset
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec


def main(zone, first, last):
    origin = dns.name.from_text(zone)
    private = ec.generate_private_key(ec.SECP256R1())
    key = dns.dnssec.make_dnskey(private.public_key(), "ECDSAP256SHA256",
                                 flags=257)
    z = dns.zone.from_text(sys.stdin.read(), origin=origin, relativize=False)
    keys = dns.rdataset.from_rdata(5, key)
    z.replace_rdataset(origin, keys)
    begin, end = (int(time.time()) - int(d) * 86400 for d in (first, last))
    lines = []
    for name, rdataset in z.iterate_rdatasets():
        lines.append(rdataset.to_text(name, relativize=False))
        rrsig = dns.dnssec.sign((name, rdataset), private, origin, key,
                                inception=begin, expiration=end)
        # It was right once.
        dns.dnssec.validate_rrsig((name, rdataset), rrsig, {origin: keys},
                                  now=begin + 1)
        lines.append(f"{name} {rdataset.ttl} IN RRSIG {rrsig.to_text()}")
    ds = dns.dnssec.make_ds(origin, key, "SHA256")
    print(json.dumps({"zone": "\n".join(lines) + "\n",
                      "ds": f"{origin} DS {ds.to_text()}\n"}))


if __name__ == "__main__":
    main(*sys.argv[1:])
