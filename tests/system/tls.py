#!/usr/bin/python3
"""Certificates by name, their renewal, ALPN, and old devices."""
# run: limit 150

import concurrent.futures
import os
import signal
import socket
import ssl
import subprocess
import sys
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from client import Talk
from postern import PASSWORD, Postern, free_port
from tap import has, same, wait

ALICE, OLD = "alice@example.org", "scanner@example.org"
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def openssl(*args, **kwargs):
    return subprocess.run(["openssl", *args], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          **kwargs).stdout


class Site(Postern):
    """An EC certificate for all, an RSA one for example.net's names."""

    def set_up(self):
        self.old_port = free_port()
        self.pair("main", ["mail.example.org"])
        self.pair("net", ["mail.example.net", "*.wild.example.net"], "rsa")
        self.sections["tls"] = {"certificate": self.path("main.cert"),
                                "key": self.path("main.key")}
        self.extra = (
            "[tls other.example.com]\n"
            f"certificate = {self.path('net.cert')}\n"
            f"key = {self.path('net.key')}\n"
            "[listen old]\n"
            f"address = 127.0.0.1:{self.old_port}\n"
            "tls = starttls\nlegacy = yes\n")
        super().set_up()

    def path(self, name):
        return os.path.join(self.dir, name)

    def pair(self, name, names, kind="ec", days=90):
        """A new key and certificate, each put in place in one step."""
        how = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
               "rsa": ["rsa:2048"]}[kind]
        new = self.path(name + ".new")
        openssl("req", "-x509", "-newkey", *how, "-nodes", "-days",
                str(days), "-subj", f"/CN={names[0]}", "-addext",
                "subjectAltName=" + ",".join(f"DNS:{n}" for n in names),
                "-keyout", new + ".key", "-out", new + ".cert")
        os.chmod(new + ".key", 0o600)
        for part in (".key", ".cert"):
            os.rename(new + part, self.path(name + part))

    def on_disk(self, name):
        with open(self.path(name + ".cert")) as f:
            return ssl.PEM_cert_to_DER_cert(f.read())

    def hello(self, name=None, context=None, session=None, port=None):
        """A TLS connection to the port for it, by SNI `name`."""
        raw = socket.create_connection(("127.0.0.1", port or self.port465),
                                       20)
        try:
            return (context or client.context()).wrap_socket(
                raw, server_hostname=name, session=session)
        except BaseException:
            raw.close()
            raise

    def served(self, name=None):
        with self.hello(name) as s:
            return s.getpeercert(binary_form=True)


def only(version, **kwargs):
    made = client.context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version = made.maximum_version = version
    return made


@tap.case("SNI: each name its certificate, everybody else the first one")
def sni(p):
    main, net = p.on_disk("main"), p.on_disk("net")
    for name, want in {
        None: main, "mail.example.org": main, "unknown.example": main,
        "other.example.com": net, "mail.example.net": net,
        "MAIL.Example.NET": net, "a.wild.example.net": net,
        "a.b.wild.example.net": main, "wild.example.net": main,
        "x" * 60 + ".example": main,
    }.items():
        if p.served(name) != want:
            raise AssertionError(f"the wrong certificate for {name}")


for version in (V12, V13):
    for name, kind in ((None, "EC"), ("mail.example.net", "RSA")):
        @tap.case(f"{version.name} with an {kind} key: a login; resumed "
                  "without a signature", version, name)
        def resumes(p, version, name):
            context = only(version)
            with p.hello(name, context) as s:
                talk = Talk.__new__(Talk)
                talk.sock, talk.buffer, talk.strict = s, b"", True
                same(talk.reply(bare=True).code, 220, "banner")
                talk.login(ALICE, PASSWORD)
                same(talk.cmd("NOOP").code, 250, "NOOP")
                session = s.session
            # Who signs stands still: only who needs no signature gets in.
            p.kill("postern-auth", signal.SIGSTOP)
            try:
                with p.hello(name, context, session) as s:
                    same(s.session_reused, True, "resumed")
                    has(s.recv(100), b"220 ", "banner")
            finally:
                p.kill("postern-auth", signal.SIGCONT)


@tap.case("ALPN: smtp is spoken, h2 and http/1.1 are not")
def alpn(p):
    for offered, chosen in ((["smtp"], "smtp"), (["h2", "smtp"], "smtp"),
                            ([], None)):
        context = client.context()
        if offered:
            context.set_alpn_protocols(offered)
        with p.hello("mail.example.net", context) as s:
            same(s.selected_alpn_protocol(), chosen, f"of {offered}")
    for version in (V12, V13):
        for offered in (["h2"], ["http/1.1"], ["h2", "http/1.1"]):
            context = only(version)
            context.set_alpn_protocols(offered)
            try:
                p.hello("mail.example.org", context).close()
            except ssl.SSLError as e:
                has(str(e).lower().replace("_", " "),
                    "no application protocol", f"{offered}")
            else:
                raise AssertionError(f"{offered} was taken")


@tap.case("renewed files are in use within a minute, and no session ends")
def renewed(p):
    with p.logged_in() as t:
        mark = p.mark_log()
        p.pair("main", ["mail.example.org"])
        p.pair("net", ["mail.example.net"], "rsa")
        for name, sni in (("main", None), ("net", "mail.example.net")):
            wait(lambda: p.served(sni) == p.on_disk(name), 60,
                 f"the new certificate of {name}")
        same(t.cmd("NOOP").code, 250, "the session of before")
    p.wait_event("tls.changed", mark)
    p.wait_event("tls.certificate", mark, status="new", section="-")
    same(p.served("a.wild.example.net"), p.on_disk("main"),
         "a name that is in no certificate any more gets the first")


@tap.case("tls reload: new files at once; wrong ones are named, the old stay")
def reload(p):
    p.pair("net", ["mail.example.net", "*.wild.example.net"], "rsa")
    p.must("tls", "reload")
    wait(lambda: p.served("mail.example.net") == p.on_disk("net"), 10,
         "the new certificate")
    good, before = p.on_disk("net"), p.path("net.before")
    with p.logged_in() as t:
        for name, spoil, code, says in (
                ("key of another", lambda: p.pair("x", ["x"]), 1,
                 "does not belong"),
                ("no key", lambda: p.write(p.path("x.key"), "nonsense\n"), 1,
                 "PEM"),
                ("missing", lambda: None, 78, "No such file")):
            spoil()
            os.rename(p.path("net.key"), before)
            if os.path.exists(p.path("x.key")):
                os.chmod(p.path("x.key"), 0o600)
                os.rename(p.path("x.key"), p.path("net.key"))
            result = p.cli("tls", "reload")
            os.rename(before, p.path("net.key"))
            same(result.code, code, f"{name}: {result}; code")
            has(result.err, p.path("net.key"), name)
            has(result.err, says, name)
            same(p.served("mail.example.net"), good, f"{name}: certificate")
        same(t.cmd("NOOP").code, 250, "the session of before")
    p.must("tls", "reload")
    same(p.served("mail.example.net"), good, "certificate")


@tap.case("tls show: names, days, chain, and whether the key fits")
def show(p):
    # The section's own name is in the certificate of nobody.
    result = p.cli("tls", "show", "--json")
    same(result.code, 1, f"{result}; code")
    said = result.json()
    same(said["running"], True, "running")
    main, net = said["certificates"]
    same(main["names"], ["mail.example.org"], "names")
    same((main["ok"], main["problems"]), (True, []), "main")
    same((main["key_type"], net["key_type"]), ("EC", "RSA"), "key types")
    same((main["key_matches"], net["key_matches"]), (True, True), "match")
    same(main["chain"], "self-signed", "chain")
    if not 88 <= main["days_left"] <= 90:
        raise AssertionError(f"days: {main['days_left']}")
    has(net["problems"][0], "not for other.example.com", "problem")
    p.pair("net", ["other.example.com", "mail.example.net"], "rsa")
    p.must("tls", "reload")
    p.must("tls", "show")
    # Not the key that auth has.
    os.rename(p.path("net.cert"), p.path("net.cert.before"))
    os.rename(p.path("net.key"), p.path("net.key.before"))
    p.pair("net", ["other.example.com"], "ec", days=5)
    result = p.cli("tls", "show", "--json")
    same(result.code, 1, "another key; code")
    net = result.json()["certificates"][1]
    same(net["key_matches"], False, "match")
    has(" ".join(net["problems"]), "it ends in ", "problems")
    has(" ".join(net["problems"]), "tls reload", "problems")
    for part in ("cert", "key"):
        os.rename(p.path(f"net.{part}.before"), p.path(f"net.{part}"))
    p.must("tls", "reload")


@tap.case("tls show without a server; chains; expired")
def show_offline(p):
    with Postern(accounts=[], start=False) as q:
        p.dir, mine = q.dir, p.dir
        try:
            openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                    "90", "-subj", "/CN=Root", "-keyout", q.dir + "/ca.key",
                    "-out", q.dir + "/ca.cert")
            openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj",
                    "/CN=mail.example.org", "-keyout", q.dir + "/l.key",
                    "-out", q.dir + "/l.csr")
            os.chmod(q.dir + "/l.key", 0o600)

            def chain(days, *behind, ca=None):
                openssl("x509", "-req", "-in", q.dir + "/l.csr", "-CA",
                        q.dir + "/ca.cert", "-CAkey", q.dir + "/ca.key",
                        "-CAcreateserial", "-days", str(days), "-out",
                        q.dir + "/l.cert")
                with open(q.dir + "/l.cert", "a") as out:
                    for name in behind:
                        with open(name) as f:
                            out.write(f.read())
                q.configure(tls={"certificate": q.dir + "/l.cert",
                                 "key": q.dir + "/l.key", "ca-file": ca})
                result = q.cli("tls", "show", "--json")
                found = result.json()["certificates"][0]
                same(result.code, 0 if found["ok"] else 1, f"{result}; code")
                return found

            ca = q.dir + "/ca.cert"
            found = chain(90, ca=ca)
            same((found["chain"], found["problems"]), ("complete", []), "")
            same(found["key_matches"], True, "key")
            found = chain(90)
            same(found["chain"], "incomplete", "chain")
            has(found["problems"][0], "fullchain", "problem")
            same(chain(90, ca)["chain"], "private", "chain")
            found = chain(-1, ca=ca)
            has(found["problems"][0], "expired", "problem")
            openssl("genrsa", "-out", q.dir + "/l.key", "2048")
            found = chain(90, ca=ca)
            same(found["key_matches"], False, "key")
        finally:
            p.dir = mine


def without_auth(p, then):
    """Twenty handshakes begin while auth is dead; then() is called when some
    of them wait.  What each ends with: a certificate or an exception."""
    mark = p.mark_log()
    os.kill(p.sid, signal.SIGSTOP)  # the parent, who would start it again
    try:
        p.kill("postern-auth")
        # A dying process has its sockets open for a moment.
        wait(lambda: len(p.events("peer.gone", mark, peer="auth"))
             >= len(p.pid("postern-smtpd")), 10, "auth is dead")
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            done = [pool.submit(p.served) for _ in range(20)]
            p.wait_event("tls.held", mark)
            then()
            return [one.exception(30) or one.result() for one in done]
    finally:
        os.kill(p.sid, signal.SIGCONT)
        p.ready()
        wait(lambda: p.cli("account", "list").code == 0, 20, "auth is back")


@tap.case("a handshake in the moment when auth is restarted waits for it")
def held(p):
    for end in without_auth(p, lambda: os.kill(p.sid, signal.SIGCONT)):
        if isinstance(end, Exception):
            raise end
        same(end, p.on_disk("main"), "certificate")


@tap.case("auth stays away: the handshakes that wait end within seconds")
def held_in_vain(p):
    for end in without_auth(p, lambda: None):
        if not isinstance(end, OSError):
            raise AssertionError(f"without a signature: {end!r}")


def old_context(version=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made = only(version or ssl.TLSVersion.TLSv1)
    made.set_ciphers("ALL:@SECLEVEL=0")
    return made


@tap.case("old devices: TLS 1.0 and 1.1 on a port of its own only")
def legacy_port(p):
    p.must("account", "legacy", OLD, "on")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        versions = {"TLSv1": ssl.TLSVersion.TLSv1,
                    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
                    "TLSv1.2": V12, "TLSv1.3": V13}
    for name, version in versions.items():
        mark = p.mark_log()
        with Talk(p.old_port, "starttls",
                  ssl_context=old_context(version)) as t:
            same(t.sock.version(), name, "version")
            t.login(OLD, PASSWORD)
            same(t.submit(OLD, ["x@example.net"],
                          client.message(OLD)).code, 250, "message")
            p.wait_event("msg.accepted", mark, tls=name)
        p.wait_event("auth.ok", mark, tls=name)
    # RSA keys sign another way there.
    with Talk(p.old_port) as t:
        t.reply(bare=True)
        t.ehlo()
        same(t.auth(OLD, PASSWORD).code, 538, "AUTH in the clear")
        same(t.cmd("STARTTLS").code, 220, "STARTTLS")
        t.sock = old_context().wrap_socket(
            t.sock, server_hostname="mail.example.net")
        t.login(OLD, PASSWORD)
    for name in ("TLSv1", "TLSv1.1"):
        try:
            p.hello(None, old_context(versions[name])).close()
        except ssl.SSLError:
            continue
        raise AssertionError(f"{name} on port 465")


@tap.case("old devices: nobody but who is allowed to, and that says why")
def legacy_accounts(p):
    mark = p.mark_log()
    with Talk(p.old_port, "starttls", ssl_context=old_context()) as t:
        t.ehlo()
        reply = t.auth(ALICE, PASSWORD)
        same(reply.code, 534, f"{reply}; code")
        has(reply.text, "old devices", "reply")
        # Who does not know the password is not told.
        same(t.auth(ALICE, "wrong").code, 535, "wrong password")
    p.wait_event("auth.failed", mark, reason="legacy", tls="TLSv1")
    p.must("account", "legacy", OLD, "on")
    same(p.must("account", "show", OLD, "--json").json()["legacy"], True, "")
    same(p.cli("account", "legacy", OLD, "perhaps").code, 2, "usage")
    secret = p.must("account", "app-password", "add", OLD, "tray").out.strip()
    with Talk(p.old_port, "starttls", ssl_context=old_context()) as t, \
            Talk(p.old_port, "starttls", ssl_context=old_context()) as other:
        t.login(OLD, PASSWORD)
        other.login(OLD, secret)
        p.must("account", "legacy", OLD, "off")
        same(t.reply().code, 421, "the session of before")
        same(other.reply().code, 421, "that of its app password")
    with Talk(p.old_port, "starttls", ssl_context=old_context()) as t:
        t.ehlo()
        same(t.auth(OLD, PASSWORD).code, 534, "afterwards")
    with p.logged_in(1):
        pass


@tap.case("old devices: nobody relays there either")
def legacy_relay(p):
    if not tap.FULL:
        raise tap.Skip("long; POSTERN_TESTS=full")
    result = p.cli("check", "relay", timeout=110)
    same(result.code, 0, f"{result}; code")
    has(result.out, f"127.0.0.1:{p.old_port}", "listeners tried")


@tap.case("old devices: a session of there is no good elsewhere")
def legacy_session(p):
    p.must("account", "legacy", OLD, "on")
    context = old_context(V12)
    with Talk(p.old_port, "starttls", ssl_context=context) as t:
        t.login(OLD, PASSWORD)
        session = t.sock.session
    with Talk(p.port587, "starttls", ssl_context=context,
              session=session) as t:
        same(t.sock.session_reused, False, "resumed")


if __name__ == "__main__":
    tap.main(lambda: Site(accounts=[ALICE, OLD]))
