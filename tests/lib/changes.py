"""
Changes of accounts with a ledger, for the tests that break things under them.

The promise: what a command reported as done is so, whatever dies then.  A
command that was cut off may have been carried out or not; which of them is
seen at the next look, and may not change after that.
"""

import random
import subprocess
import threading
import time

from tap import wait

NAMES = [f"torture{n}@example.org" for n in range(6)]
OTHERS = ["sales@example.org", "news@example.org"]

# An account is None, or (suspended, password, what else it may send as).


def add(old, password):
    return (False, password, frozenset()) if old is None else "exists"


def remove(old, _):
    return "missing" if old is None else None


def passwd(old, password):
    return "missing" if old is None else (old[0], password, old[2])


def suspend(old, _):
    return "missing" if old is None else (True, *old[1:])


def resume(old, _):
    return "missing" if old is None else (False, *old[1:])


def grant(old, other):
    if old is None:
        return "missing"
    return "exists" if other in old[2] else (*old[:2], old[2] | {other})


def revoke(old, other):
    if old is None or other not in old[2]:
        return "missing"
    return (*old[:2], old[2] - {other})


class Changes:
    """A thread that changes accounts of p until it is told to pause."""

    def __init__(self, p, seed):
        self.p, self.random = p, random.Random(seed)
        self.state = {name: {None} for name in NAMES}
        self.acknowledged = self.uncertain = self.passwords = 0
        self.deaf = False  # what is promised now nobody would hear
        self.problem = self.thread = None

    def __enter__(self):
        self.going = True
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.going = False
        self.thread.join()

    def run(self):
        try:
            while self.going:
                self.change()
        except Exception as e:
            self.problem = e

    def change(self):
        name = self.random.choice(NAMES)
        likely = next(iter(self.state[name]))
        verb = add if likely is None else self.random.choice(
            (passwd, suspend, resume, grant, revoke, grant, remove))
        words, stdin, value = self.words(verb, name, likely)
        deaf = self.deaf
        try:
            code = self.p.cli(*words, stdin=stdin, timeout=100).code
        except subprocess.TimeoutExpired:
            code = None
        self.learn(name, verb, value, None if deaf or self.deaf else code)
        if code in (3, None):
            time.sleep(0.02)

    def words(self, verb, name, likely):
        if verb in (add, passwd):
            self.passwords += 1
            value = f"password {self.passwords}"
            return (("account", verb.__name__, name, "--password-stdin"),
                    value + "\n", value)
        if verb in (grant, revoke):
            value = self.random.choice(OTHERS)
            if verb is revoke and likely[2]:
                value = self.random.choice(sorted(likely[2]))
            return (("grant", "add" if verb is grant else "remove", name,
                     value), None, value)
        return ("account", verb.__name__, name), None, None

    def learn(self, name, verb, value, code):
        """What may be, after this command ended with this code."""
        before, after = self.state[name], set()
        for old in before:
            new = verb(old, value)
            refused = {"missing": 5, "exists": 6}.get(new)
            if refused is None:
                if code == 0 or code not in (0, 5, 6):
                    after.add(new)
                if code not in (0, 5, 6):
                    after.add(old)
            elif code == refused or code not in (0, 5, 6):
                after.add(old)
        if not after:
            raise AssertionError(
                f"{verb.__name__} {name} {value or ''} ended with {code}, "
                f"and the account can only be {before}")
        self.state[name] = after
        if code == 0:
            self.acknowledged += 1
        elif code not in (5, 6):
            self.uncertain += 1

    # Afterwards.

    def check(self):
        """Every account is as acknowledged; raises when one is not."""
        if self.problem:
            raise self.problem
        for name in NAMES:
            seen = self.look(name)
            if seen not in self.state[name]:
                raise AssertionError(f"{name} is {seen}, and can only be "
                                     f"{self.state[name]}")
            self.state[name] = {seen}

    def look(self, name):
        def ask(*words, **more):
            result = wait(lambda: self.answer(*words, **more), 60,
                          f"an answer to {words}", 0.1)
            return result
        shown = ask("account", "show", name, "--json")
        if shown.code == 5:
            return None
        row = shown.json()
        passwords = {s[1] for s in self.state[name] if s is not None}
        right = [p for p in passwords if
                 "password is wrong" not in
                 ask("account", "test", name, "--password-stdin",
                     stdin=p + "\n").out]
        return (row["state"] == "suspended", right[0] if right else "?",
                frozenset(row["may_send"]) - {name})

    def answer(self, *words, **more):
        result = self.p.cli(*words, **more)
        return result if result.code in (0, 1, 5) else None
