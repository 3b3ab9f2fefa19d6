#!/bin/sh
# log.sh - every event of the log is in docs/LOG.md, and every one there is
# logged.
set -u
cd "$(dirname "$0")/../.." || exit 1

exec python3 - <<'END'
import glob
import re
import sys

NAME = r"[a-z]+(?:\.[a-z-]+)?"


def sources():
    for folder in ("lib", "ipc", "parent", "smtpd", "auth", "queue", "deliver",
                   "sts"):
        for path in sorted(glob.glob(f"{folder}/*.c")):
            with open(path) as f:
                yield path, f.read()


def events(text):
    """What stands between log_event( and its format, which has a =."""
    for call in re.finditer(r"\blog_event\(", text):
        for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', text[call.end():]):
            if not re.fullmatch(NAME, literal):
                break
            yield literal


def say(number, what, wrong):
    print(f"{'not ok' if wrong else 'ok'} {number} - {what}")
    for line in wrong:
        print(f"# not so: {line}")
    return bool(wrong)


with open("docs/LOG.md") as f:
    cells = [line.split("|")[1] for line in f if line.startswith("| `")]
told = {name for cell in cells for name in re.findall(f"`({NAME})`", cell)}
all_text, logged = "", {}
for path, text in sources():
    all_text += text
    for name in events(text):
        logged[name] = path
print("1..2")
bad = say(1, "docs/LOG.md has every event",
          [f"{logged[name]}: {name}" for name in sorted(set(logged) - told)])
bad |= say(2, "every event in docs/LOG.md is logged",
           [name for name in sorted(told) if f'"{name}"' not in all_text])
sys.exit(bad)
END
