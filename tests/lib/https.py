"""
A web server on port 443 of a loopback address of its own, with a certificate
for each name, for policies of MTA-STS and reports of TLSRPT.
"""

import http.server
import random
import socket
import ssl
import threading

from tap import Skip

_listener = None


def address():
    """Where the server of this test is, or will be; claims the port."""
    global _listener
    for _ in range(50):
        if _listener is not None:
            break
        ip = "127." + ".".join(str(random.randrange(1, 255))
                               for _ in range(3))
        found = socket.socket()
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((ip, 443))
            found.listen(128)
            _listener = found
        except PermissionError:
            raise Skip("port 443 needs root") from None
        except OSError:
            found.close()
    return _listener.getsockname()[0]


class Https:
    """
    page(host, path) says (code, headers, text); posted(host, path, headers,
    body) says a code.  certs are PEM files by name; a name without one gets
    no handshake.
    """

    def __init__(self, page, certs, posted=None):
        self.page, self.posted = page, posted
        self.asked = []
        self.contexts = {}
        for name, pem in certs.items():
            self.contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.contexts[name].load_cert_chain(pem)
        first = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        first.sni_callback = self.choose
        # Python wants some certificate before it asks which.
        if certs:
            first.load_cert_chain(next(iter(certs.values())))
        self.first = first

    def choose(self, sock, name, context):
        if name not in self.contexts:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        sock.context = self.contexts[name]
        return None

    def start(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 20

            def reply(self, code, headers, text):
                data = text.encode()
                self.send_response(code)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self):
                host = self.headers["Host"]
                outer.asked.append((host, self.path))
                self.reply(*outer.page(host, self.path))

            def do_POST(self):
                size = int(self.headers["Content-Length"])
                body = self.rfile.read(size)
                self.reply(outer.posted(self.headers["Host"], self.path,
                                        self.headers, body), {}, "")

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def finish_request(self, request, client):
                request.settimeout(20)
                with outer.first.wrap_socket(request,
                                             server_side=True) as tls:
                    Handler(tls, client, self)

            def handle_error(self, request, client):
                pass

        address()
        self.server = Server(_listener.getsockname(), Handler,
                             bind_and_activate=False)
        self.server.socket.close()
        self.server.socket = _listener.dup()
        threading.Thread(target=self.server.serve_forever, args=(0.05,),
                         daemon=True).start()
        return self

    def stop(self):
        global _listener
        self.server.shutdown()
        self.server.server_close()
        if _listener is not None:
            _listener.close()
            _listener = None
