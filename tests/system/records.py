#!/usr/bin/python3
"""postern dns: what is to be published, and what is wrong with what is."""
# run: limit 120

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from dns import Dns
from postern import HOSTNAME, Postern
from tap import has, same, wait

DOMAIN = "example.org"
# Not one of those that resolvers know to have no names (RFC 6303).
REVERSE = "33.22.11.in-addr.arpa"
LIST = "zen.spamhaus.org"
EMPTY = "bl.spamcop.net", "psbl.surriel.com"
HOST = f"{HOSTNAME}. A 11.22.33.25\n"
SPF = f'@ TXT "v=spf1 a:{HOSTNAME} ~all"\n'


class Site(Postern):
    def set_up(self):
        self.names = Dns({DOMAIN: HOST, REVERSE: "", LIST: "",
                          **{zone: "" for zone in EMPTY}}, "knot").__enter__()
        self.sections["dns"] = {"server": f"127.0.0.1@{self.names.port}"}
        super().set_up()
        self.must("dkim", "add", DOMAIN)
        self.lines = [
            line for line in self.dns(DOMAIN, "--format", "zone")
            .out.splitlines() if line and line[0] != ";"]

    def __exit__(self, *args):
        super().__exit__(*args)
        self.names.__exit__()

    def publish(self, drop=(), add="", **zones):
        """Everything, but lines that hold one of `drop`, and `add`."""
        def pick(suffix):
            return "".join(
                line + "\n" for line in self.lines
                if (line.split()[0].endswith(REVERSE + ".")
                    == (suffix == REVERSE))
                and not any(word in line for word in drop))
        self.names.update(DOMAIN, pick(DOMAIN) + "@ MX 10 mx\nmx A 11.22.33.9\n"
                          + add)
        self.names.update(REVERSE, zones.get("reverse", pick(REVERSE)))
        self.names.update(LIST, zones.get("listed", ""))
        # A new resolver, which has heard nothing yet.
        self.stop()
        self.start()

    def dns(self, *args):
        """The command; a part of a server that just began may not be there."""
        return wait(lambda: (r := self.cli("dns", *args)).code != 75 and r,
                    30, "an answer", 0.1)

    def found(self, want=None):
        """{name: row} of what --check tells, and its exit status."""
        result = self.dns(DOMAIN, "--check", "--json")
        rows = {row["name"]: row for row in result.items()} \
            if result.out else {}
        if want is not None:
            same(result.code, want, f"exit status ({result})")
        return rows


@tap.case("without a server: the list, and no check")
def offline(p):
    p.stop()
    has(p.must("dns", DOMAIN).out, "p=", "the list")
    same(p.dns(DOMAIN, "--check").code, 3, "exit status")
    p.start()


@tap.case("nothing published: everything is missing")
def nothing(p):
    rows = p.found(1)
    missing = {n for n, r in rows.items()
               if r["result"] == "missing" and r["need"] != "optional"}
    selectors = {k["name"] for k in p.must("dkim", "list", "--json").items()}
    same(missing, selectors | {
        DOMAIN, f"_dmarc.{DOMAIN}", f"_submissions._tcp.{DOMAIN}",
        f"_submission._tcp.{DOMAIN}", f"25.{REVERSE}"}, "missing")
    people = p.dns(DOMAIN, "--check")
    has(people.out, "missing   TXT", "what people see")
    has(people.err, "problems", "what people see")


@tap.case("what --format zone prints, published, is right")
def complete(p):
    p.publish()
    same(p.found(0), {}, "differences")
    same(p.dns(DOMAIN, "--check").out, "", "what people see")


@tap.case("what is optional is told and is no problem")
def optional(p):
    p.publish(drop=("autoconfig", "STSv1"))
    rows = p.found(0)
    same({n: r["need"] for n, r in rows.items()},
         {f"autoconfig.{DOMAIN}": "optional",
          f"_mta-sts.{DOMAIN}": "optional"}, "rows")


@tap.case("each thing that can be wrong")
def wrong(p):
    key = p.must("dkim", "list", "--json").items()[0]
    p.publish(
        drop=("_submissions", key["name"], "_dmarc"),
        add=f"_submissions._tcp SRV 0 1 25 {HOSTNAME}.\n"
            f'{key["name"]}. TXT "v=DKIM1; k=ed25519; p=AAAA"\n'
            '_dmarc TXT "v=DMARC1; p=none"\n_dmarc TXT "v=DMARC1; p=reject"\n',
        reverse="25 PTR other.example.org.\n",
        listed="25.33.22.11 A 127.0.0.2\n")
    rows = p.found(1)
    same({n: r["result"] for n, r in rows.items()},
         {f"_submissions._tcp.{DOMAIN}": "differs", key["name"]: "differs",
          f"_dmarc.{DOMAIN}": "differs", f"25.{REVERSE}": "differs",
          f"25.33.22.11.{LIST}": "listed"}, "results")
    has(rows[f"25.{REVERSE}"]["have"], "other.example.org", "have")


@tap.case("a block list that does not answer us is no problem")
def refused(p):
    p.publish(listed="25.33.22.11 A 127.255.255.254\n")
    rows = p.found(0)
    same({n: r["result"] for n, r in rows.items()},
         {f"25.33.22.11.{LIST}": "no answer"}, "results")


RECORDS = {
    "v=spf1 ip4:11.22.33.25 -all": None,
    "v=spf1 ip4:11.22.33.0/27 -all": None,
    "v=spf1 ip4:11.22.33.0/28 -all": "differs",
    "v=spf1 -all": "differs",
    "v=spf1 mx -all": "differs",
    f"v=spf1 a:{HOSTNAME}/24 ?all": None,
    "v=spf1 a/24 mx/24 -all": None,
    "v=spf1 include:good.example.org -all": None,
    "v=spf1 include:bad.example.org ip4:11.22.33.25 -all": None,
    "v=spf1 include:bad.example.org ~all": "differs",
    "v=spf1 include:deep.example.org -all": None,
    "v=spf1 -include:good.example.org +all": "differs",
    "v=spf1 redirect=good.example.org": None,
    "v=spf1 include:loop.example.org -all": "differs",
    "v=spf1 exists:%{i}.example.org -all": "no answer",
    "v=spf1 include:none.example.org -all": "missing",
    "some other text": "missing",
}


@tap.case("SPF: whether a record lets this server send")
def spf(p):
    lines = "".join(f'case{n} TXT "{record}"\ncase{n} MX 10 mx\n'
                    f"case{n} A 11.22.33.9\n"
                    for n, record in enumerate(RECORDS))
    p.publish(add=lines
              + 'good TXT "v=spf1 ip4:11.22.33.25 -all"\n'
              'bad TXT "v=spf1 ip4:11.22.33.1 -all"\n'
              'deep TXT "v=spf1 include:good.example.org -all"\n'
              'loop TXT "v=spf1 include:loop.example.org -all"\n')
    for n, (record, want) in enumerate(RECORDS.items()):
        name = f"case{n}.{DOMAIN}"
        rows = p.dns(name, "--check", "--json").items()
        got = [row for row in rows
               if (row["name"], row["type"]) == (name, "TXT")]
        same(got[0]["result"] if got else None, want, f"{record}; {got}")


if __name__ == "__main__":
    tap.main(lambda: Site(accounts=["alice@example.org"]))
