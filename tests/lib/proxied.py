"""Connections with a PROXY header: a client of any address, on loopback."""

import socket

import client


def v1(source, port=4242, family=None, to=None):
    """The first version of the header; the family is the address's."""
    six = ":" in source
    return (f"PROXY {family or ('TCP6' if six else 'TCP4')} {source} "
            f"{to or ('::1' if six else '127.0.0.1')} {port} 587\r\n").encode()


def talk(sock, strict=True):
    """A conversation over a socket that is there already."""
    t = client.Talk.__new__(client.Talk)
    t.sock, t.buffer, t.strict, t.ehlo_lines = sock, b"", strict, []
    t.ssl_context, t.session = client.context(), None
    return t


def dial(port, header, source="127.0.0.1"):
    s = socket.create_connection(("127.0.0.1", port), 10,
                                 source_address=(source, 0))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.sendall(header)
    return s
