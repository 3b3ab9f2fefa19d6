#!/usr/bin/python3
"""
TLS reports (RFC 8460): what went well and what did not is told to the domains
that ask, by mail and by https, after a day; here a day has a few seconds.
"""
# run: limit 120

import email
import email.policy
import json
import os
import re
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import https
import pki
import tap
from dns import Dns
from postern import HOSTNAME, Postern, free_port
from sink import Sink
from tap import has, same, wait

ALICE = "alice@example.org"
DAY_S = 8

# name: (certificate, MTA-STS mode, what _smtp._tls says)
MAIL = "v=TLSRPTv1; rua=mailto:tls%2Drpt@reports.plain"
WEB = "v=TLSRPTv1;rua=https://collect.plain/v1?to=us"
DOMAINS = {
    "fine": ("good", "enforce", MAIL),
    "other": ("other", "enforce", MAIL),
    "trial": ("own", "testing", WEB),
    "dane": ("own", None, MAIL),
    "danebad": ("good", None, WEB),
    "clear": (None, None, MAIL),
    "broken": ("good", "nonsense", MAIL),
    "old": ("old", "enforce", MAIL),
    "gone": ("good", "gone", MAIL),
    "webown": ("good", "enforce", WEB),
    "unlisted": ("good", "enforce", WEB),
    "danepkix": ("own", None, MAIL),
    "danelost": ("own", None, MAIL),
    "quiet": ("good", "enforce", "v=spf1 -all"),
}


class Site(Postern):
    def set_up(self):
        self.pki = pki.Pki(os.path.join(self.dir, "pki"))
        self.port = free_port()
        self.far, self.posts, self.refuse = {}, [], 1
        self.lock = threading.Lock()
        zones = {"signed": "", "plain": ""}
        names = [f"mx.{name}.{self.zone(name)}" for name in DOMAINS] + \
            [f"mta-sts.{name}.plain" for name in DOMAINS] + ["collect.plain"]
        good = self.pki.issue("good.example", names=names)
        certs = {"good": good, None: None,
                 "other": self.pki.issue("elsewhere.example"),
                 "own": self.pki.issue("own.example", own=True),
                 "old": self.pki.issue("good.example", names=names,
                                       expired=True)}
        self.web = https.Https(self.page, {
            n: certs["own"] if n == "mta-sts.webown.plain" else good
            for n in names}, self.posted).start()
        for number, (name, (cert, mode, txt)) in enumerate(DOMAINS.items()):
            address = f"127.0.7.{2 + number}"
            self.far[name] = Sink(cert=certs[cert], address=address,
                                  port=self.port).start()
            lines = [f"$ORIGIN {name}.{self.zone(name)}.", "@ MX 10 mx",
                     f"mx A {address}", f'_smtp._tls TXT "{txt}"']
            if mode:
                lines += [f"mta-sts A {https.address()}",
                          '_mta-sts TXT "v=STSv1; id=1;"']
            if name == "dane":
                lines.append(f"_{self.port}._tcp.mx TLSA "
                             + pki.tlsa(3, 1, 1, certs["own"]))
            if name == "danebad":
                lines.append(f"_{self.port}._tcp.mx TLSA 3 1 1 " + "ab" * 32)
            if name == "danepkix":
                lines.append(f"_{self.port}._tcp.mx TLSA 1 1 1 " + "ab" * 32)
            if name == "danelost":
                lines.append("_tcp.mx NS ns.dns-test.")
                zones[f"_tcp.mx.{name}.{self.zone(name)}"] = None
            zones[self.zone(name)] += "\n".join(lines) + "\n"
        self.reports = Sink(address="127.0.7.100", port=self.port).start()
        zones["plain"] += ("$ORIGIN plain.\nreports MX 10 mx.reports\n"
                           "mx.reports A 127.0.7.100\n"
                           f"collect A {https.address()}\n")
        self.names = Dns(zones, "knot", True, unsigned=["plain"]).__enter__()
        self.via = f"mx:{self.port}"
        self.sections["dns"] = {"server": f"127.0.0.1@{self.names.port}",
                                "trust-anchor": self.names.anchor}
        self.sections["tls"]["ca-file"] = self.pki.roots
        self.sections.setdefault("queue", {})["tls-contact"] = \
            "tls@example.org"
        self.env["POSTERN_TLSRPT_DAY"] = str(DAY_S)
        super().set_up()
        self.must("dkim", "add", HOSTNAME)

    @staticmethod
    def zone(name):
        return "signed" if name.startswith("dane") else "plain"

    def page(self, host, path):
        mode = DOMAINS[host.split(".")[1]][1]
        if mode == "gone":
            return 404, {"Content-Type": "text/plain"}, "nothing here\n"
        mx = host.replace("mta-sts", "mx", 1)
        if host == "mta-sts.unlisted.plain":
            mx = "mx.elsewhere.plain"
        return 200, {"Content-Type": "text/plain"}, \
            f"version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 86400\n"

    def posted(self, host, path, headers, body):
        with self.lock:
            self.posts.append((host, path, headers["Content-Type"], body))
        return 201

    def __exit__(self, *args):
        super().__exit__(*args)
        for far in (*self.far.values(), self.reports):
            far.stop()
        self.web.stop()
        if hasattr(self, "names"):
            self.names.__exit__()

    def mailed(self):
        """Reports by mail: (message, JSON) of each."""
        found = []
        for kept in self.reports.messages:
            m = email.message_from_bytes(kept.data,
                                         policy=email.policy.default)
            part = [x for x in m.walk()
                    if x.get_content_type() == "application/tlsrpt+json"]
            same(len(part), 1, "reports in a message")
            found.append((kept, m, part[0], json.loads(
                part[0].get_payload(decode=True))))
        return found

    def about(self, name):
        """All policies in the reports about a domain so far."""
        domain = f"{name}.{self.zone(name)}"
        reports = [r for _, _, _, r in self.mailed()]
        reports += [json.loads(body) for _, _, _, body in self.posts]
        return [x for r in reports for x in r["policies"]
                if x["policy"]["policy-domain"] == domain]


def told(p, name):
    wait(lambda: p.about(name), 60, f"a report about {name}")
    return p.about(name)


@tap.case("mail to all of them")
def send(p):
    for name in DOMAINS:
        p.send(f"v@{name}.{p.zone(name)}")
    for name in ("fine", "trial", "dane", "clear", "quiet"):
        wait(lambda: p.far[name].messages, 30, f"mail at {name}")


def one(p, name):
    found = told(p, name)
    same(len({json.dumps(x["policy"]) for x in found}), 1, str(found))
    return found[0]


@tap.case("a session that went well")
def fine(p):
    x = one(p, "fine")
    same(x["policy"], {
        "policy-type": "sts", "policy-domain": "fine.plain",
        "policy-string": ["version: STSv1", "mode: enforce",
                          "mx: mx.fine.plain", "max_age: 86400"],
        "mx-host": ["mx.fine.plain"]}, "policy")
    same(x["summary"], {"total-successful-session-count": 1,
                        "total-failure-session-count": 0}, "summary")
    same("failure-details" in x, False, "no failures")


FAILED = {
    "other": ("sts", "certificate-host-mismatch"),
    "trial": ("sts", "certificate-not-trusted"),
    "danebad": ("tlsa", "validation-failure"),
    "clear": ("no-policy-found", "starttls-not-supported"),
    "old": ("sts", "certificate-expired"),
}


def failed(p, name):
    x = one(p, name)
    policy, result = FAILED[name]
    same(x["policy"]["policy-type"], policy, str(x))
    same(x["summary"]["total-successful-session-count"], 0, str(x))
    count = x["summary"]["total-failure-session-count"]
    details = x["failure-details"]
    same([d["result-type"] for d in details], [result], str(x))
    same(details[0]["failed-session-count"], count, str(x))
    same(details[0]["receiving-mx-hostname"], f"mx.{name}.{p.zone(name)}",
         str(x))
    same(details[0]["receiving-ip"], p.far[name].address, str(x))
    has(details[0]["sending-mta-ip"], "127.0.", str(x))


for _name, (_, _result) in FAILED.items():
    tap.add(f"{_name}: {_result}", failed, _name)


# What is wrong before a connection: the policy, the result, and what else a
# report says of the day.
BEFORE = {
    "gone": ("sts", "sts-policy-fetch-error", {"no-policy-found"}),
    "webown": ("sts", "sts-webpki-invalid", {"no-policy-found"}),
    "broken": ("sts", "sts-policy-invalid", {"no-policy-found"}),
    "unlisted": ("sts", "validation-failure", set()),
    "danepkix": ("tlsa", "tlsa-invalid", set()),
    "danelost": ("tlsa", "dnssec-invalid", set()),
}


def before(p, name):
    policy, result, more = BEFORE[name]
    wait(lambda: {x["policy"]["policy-type"] for x in p.about(name)}
         == {policy} | more, 60, f"the policies of {name}")
    for x in p.about(name):
        details = x.get("failure-details", [])
        wanted = [result] if x["policy"]["policy-type"] == policy else []
        same([d["result-type"] for d in details], wanted, str(x))
        count = x["summary"]["total-failure-session-count"]
        same(sum(d["failed-session-count"] for d in details), count, str(x))


for _name, (_, _result, _) in BEFORE.items():
    tap.add(f"{_name}: {_result}", before, _name)


@tap.case("every result type of RFC 8460 4.3 that we can see has a case")
def complete(p):
    with open(os.path.join(os.path.dirname(__file__), "..", "..", "mail",
                           "tlsrpt.c")) as f:
        known = set(re.findall(r'= "([a-z-]+)",', f.read()))
    results = {r for _, r in FAILED.values()}
    results |= {r for _, r, _ in BEFORE.values()}
    same({r for r in known if "-" in r} - results - {"no-policy-found"},
         set(), "without a case")


@tap.case("DANE, with its records")
def dane(p):
    x = one(p, "dane")
    same(x["policy"]["policy-type"], "tlsa", str(x))
    same(x["policy"]["policy-string"][0].split()[:3], ["3", "1", "1"], str(x))
    same(x["summary"]["total-successful-session-count"], 1, str(x))


@tap.case("the mail is as RFC 8460 5.3 wants it")
def message(p):
    told(p, "fine")
    kept, m, part, report = [x for x in p.mailed()
                             if x[3]["policies"][0]["policy"][
                                 "policy-domain"] == "fine.plain"][0]
    same((kept.sender, kept.rcpts), ("", ["tls-rpt@reports.plain"]),
         "envelope")
    same(m.get_content_type(), "multipart/report", "type")
    same(m.get_param("report-type"), "tlsrpt", "report-type")
    same((m["TLS-Report-Submitter"], m["From"].addresses[0].addr_spec),
         (HOSTNAME, f"postmaster@{HOSTNAME}"), "from whom")
    same([f"d={HOSTNAME};" in x for x in m.get_all("DKIM-Signature")],
         [True, True], "signed")
    same(m["TLS-Report-Domain"], "fine.plain", "domain")
    same(m["TLS-Required"], "No", "TLS-Required")
    has(m["Subject"], "Report Domain: fine.plain Submitter: "
        + m["TLS-Report-Submitter"], "subject")
    has(m["Subject"], "<" + report["report-id"] + ">", "its id")
    same(report["contact-info"], "tls@example.org", "contact")
    begin, end = (report["date-range"][f"{x}-datetime"]
                  for x in ("start", "end"))
    same((len(begin), begin[-1], begin < end), (20, "Z", True), "dates")
    name = part.get_filename().split("!")
    same((name[0], name[1], name[3].endswith(".json")),
         (m["TLS-Report-Submitter"], "fine.plain", True), "filename")


@tap.case("the post is as RFC 8460 5.4 wants it, and comes once")
def post(p):
    told(p, "danebad")
    told(p, "trial")
    host, path, kind, body = p.posts[0]
    same((host, path, kind), ("collect.plain", "/v1?to=us",
                              "application/tlsrpt+json"), "request")
    ids = [json.loads(body)["report-id"] for _, _, _, body in p.posts]
    same(sorted(set(ids)), sorted(ids), "each report once")
    ids = [r["report-id"] for _, _, _, r in p.mailed()]
    same(sorted(set(ids)), sorted(ids), "each mail once")


@tap.case("who does not ask is not told")
def quiet(p):
    for name in ("fine", "trial"):
        told(p, name)
    same(p.about("quiet"), [], "reports about quiet")


if __name__ == "__main__":
    tap.main(lambda: Site(accounts=[ALICE]))
