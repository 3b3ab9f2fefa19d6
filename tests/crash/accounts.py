#!/usr/bin/python3
"""kill -9 to auth at any moment: every account change that was answered is
there afterwards, and an import is whole or not there at all."""
# run: limit 150
# run: limit-all 900

import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from postern import Postern
from tap import comment, same

# Each death makes the parent wait longer before the next start.
KILLS = 12 if tap.FULL else 4
BATCH = 50
HASH = "$1$Daxl/Tq0$RlbdagHN.SwBipatBqmtg1"
SEED = int(os.environ.get("POSTERN_SEED", random.randrange(10 ** 6)))


class Operator(threading.Thread):
    """Changes one thing after another; what was answered with 0 is promised,
    what was not may be so or not."""

    def __init__(self, p):
        super().__init__(daemon=True)
        self.p, self.over, self.n = p, False, 0
        self.error = None
        self.there, self.gone, self.labels, self.grants = \
            set(), set(), set(), set()
        self.batches = []

    def run(self):
        try:
            while not self.over:
                self.step()
        except Exception as e:  # told by the case
            self.error = e

    def done(self, *words):
        code = self.p.cli("account", *words).code \
            if words[0] != "grant" else self.p.cli(*words).code
        if code not in (0, 3, 6, 75):
            raise AssertionError(f"{words}: exit {code}")
        return code == 0

    def step(self):
        self.n += 1
        name = f"k{self.n}@example.org"
        if self.done("add", name, "--generate"):
            self.there.add(name)
            if self.done("app-password", "add", name, "phone"):
                self.labels.add(name)
            if self.done("grant", "add", name, "@example.net"):
                self.grants.add(name)
            if self.n % 3 == 0:
                self.there.discard(name)
                self.labels.discard(name)
                self.grants.discard(name)
                if self.done("remove", name):
                    self.gone.add(name)
        path = os.path.join(self.p.dir, f"batch{self.n}")
        self.p.write(path, "".join(f"b{self.n}-{i}@example.org:{HASH}\n"
                                   for i in range(BATCH)))
        self.batches.append((self.n, self.done("import", path)))


def up(p):
    return p.cli("account", "list", timeout=20).code == 0


@tap.case(f"what was answered is there after {KILLS} kills (seed {SEED})")
def kills(p):
    rng = random.Random(SEED)
    operator = Operator(p)
    operator.start()
    for _ in range(KILLS):
        tap.wait(lambda: p.pid("postern-auth"), 60, "auth")
        tap.wait(lambda: up(p), 60, "auth answers")
        time.sleep(rng.uniform(0.05, 0.6))  # the moment is the test
        p.kill("postern-auth")
    tap.wait(lambda: up(p), 60, "auth answers")
    operator.over = True
    operator.join(60)
    if operator.error:
        raise operator.error
    have = {r["account"] for r in p.must("account", "list", "--json").items()}
    same(sorted(operator.there - have), [], "answered and lost")
    same(sorted(operator.gone & have), [], "removed and back")
    for name in operator.labels:
        rows = p.must("account", "app-password", "list", name,
                      "--json").items()
        same([r["label"] for r in rows], ["phone"], name)
    grants = {r["account"] for r in p.must("grant", "list", "--json").items()
              if r["address"] == "@example.net"}
    same(sorted(operator.grants - grants), [], "granted and lost")
    for number, answered in operator.batches:
        n = sum(f"b{number}-{i}@example.org" in have for i in range(BATCH))
        if n not in ((BATCH,) if answered else (0, BATCH)):
            raise AssertionError(f"{n} of an import of {BATCH}, "
                                 f"{'answered' if answered else 'cut off'}")
    comment(f"{operator.n} rounds, {len(operator.there)} accounts, "
            f"{len(operator.batches)} imports")
    if operator.n < KILLS:
        raise AssertionError("nothing happened between the kills")


if __name__ == "__main__":
    tap.main(lambda: Postern())
