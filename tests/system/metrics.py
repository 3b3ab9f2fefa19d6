#!/usr/bin/python3
"""`postern status --prometheus`, read by Prometheus' own parser."""
# run: limit 60

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import client
import tap
from postern import TOP, Postern
from tap import same, wait

try:
    from prometheus_client.parser import text_string_to_metric_families
except ImportError:
    text_string_to_metric_families = None

ALICE = "alice@example.org"


class Numbers:
    """What a run of the command printed."""

    def __init__(self, p):
        if text_string_to_metric_families is None:
            raise tap.Skip("no python3-prometheus-client")
        self.families = list(text_string_to_metric_families(
            p.must("status", "--prometheus").out))

    def get(self, name, **labels):
        """The sum of all samples that have these labels."""
        return sum(s.value for f in self.families
                   for s in f.samples if s.name == "postern_" + name
                   and labels.items() <= s.labels.items())


@tap.case("it is what Prometheus reads, named and explained as it likes")
def form(p):
    n = Numbers(p)
    for family in n.families:
        name = family.name
        if not name.startswith("postern_") or not family.documentation:
            raise AssertionError(f"{name}: {family.documentation!r}")
        if family.type == "unknown":
            raise AssertionError(f"{name} has no type")
        seen = set()
        for s in family.samples:
            key = (s.name, tuple(sorted(s.labels.items())))
            if key in seen:
                raise AssertionError(f"twice: {key}")
            seen.add(key)
    same(n.get("up"), 1)
    same(n.get("build_info"), 1)
    same(n.get("process_up", process="auth"), 1)
    same(n.get("process_up", process="smtpd.2"), 1)
    same(n.get("queue_accepting"), 1)


@tap.case("what happens is counted, over all processes")
def counted(p):
    before = Numbers(p)
    for _ in range(6):  # by whichever of the two takes them
        p.send()
    wait(lambda: p.waiting() == 0, 20, "delivered")
    with p.smtp("implicit") as t:
        t.ehlo()
        same(t.cmd("AUTH PLAIN " + client.plain(ALICE, "wrong")).code, 535)
    with p.logged_in() as t:
        same(t.cmd("MAIL FROM:<bob@example.org>").code, 553)
    after = Numbers(p)

    def more(name, **labels):
        return after.get(name, **labels) - before.get(name, **labels)
    same(more("messages_accepted_total"), 6)
    same(more("message_size_bytes_count"), 6)
    same(more("accept_duration_seconds_count"), 6)
    same(more("message_size_bytes_bucket", le="4096"), 6)
    same(more("message_size_bytes_bucket", le="+Inf"), 6)
    same(more("messages_rejected_total"), 1)
    same(more("auth_attempts_total", mechanism="PLAIN", result="ok"), 7)
    same(more("auth_attempts_total", result="bad-password"), 1)
    same(more("connections_total", port=str(p.port465), result="accepted"), 8)
    same(more("tls_handshakes_total", version="TLSv1.3", result="ok"), 8)
    same(more("delivery_attempts_total", result="delivered"), 6)
    same(more("recipients_delivered_total"), 6)
    same(more("delivery_duration_seconds_count"), 6)


@tap.case("docs/METRICS.md names every one of them, and no other")
def documented(p):
    with open(os.path.join(TOP, "docs", "METRICS.md")) as f:
        named = set(re.findall(r"^\| (.*?) \|", f.read(), re.M))
    named = set(re.findall(r"postern_[a-z_]+", " ".join(named)))
    printed = set(re.findall(r"(?m)^# TYPE (\S+)",
                             p.must("status", "--prometheus").out))
    same(sorted(named), sorted(printed))


@tap.case("a gauge goes up and down")
def gauge(p):
    def now():
        return Numbers(p).get("connections", port=str(p.port587))
    wait(lambda: now() == 0, 10, "nobody is there")
    with p.smtp(None) as one, p.smtp(None) as two:
        same(one.reply(bare=True).code, 220)
        same(two.reply(bare=True).code, 220)
        same(now(), 2)
    wait(lambda: now() == 0, 10, "both are gone")


@tap.case("no account, address or domain is a label")
def labels(p):
    text = p.must("status", "--prometheus").out
    for word in ("alice", "127.0.0.1", "example.net"):
        if word in text:
            raise AssertionError(f"{word} is in {text}")


@tap.case("a process that was started again counts from zero, and is told")
def restarted(p):
    p.kill("postern-smtpd")
    wait(lambda: len(p.pid("postern-smtpd")) == 2, 20, "they are back")
    wait(p.greets, 20, "they greet")
    n = Numbers(p)
    same(n.get("messages_accepted_total"), 0)
    same(n.get("process_restarts_total", process="smtpd.1"), 1)


@tap.case("without a server it says so")
def down(p):
    p.stop()
    told = p.cli("status", "--prometheus")
    same(told.code, 3)
    same([line for line in told.out.splitlines() if line[0] != "#"],
         ["postern_up 0"])
    p.start()


if __name__ == "__main__":
    tap.main(lambda: Postern(accounts=[ALICE],
                             extra="[smtpd]\nworkers = 2\n"))
