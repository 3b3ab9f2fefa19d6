#!/usr/bin/python3
"""What `make install` puts where, and what a service manager makes of it."""
# run: limit 90

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import postern
import tap
from tap import has, same

EXPOSURE = {"postern.service": 2.5, "postern-rootless.service": 1.6}


class Installed:
    """A tree as packagers get it."""

    def __enter__(self):
        self.root = tempfile.mkdtemp(prefix="postern-test-")
        subprocess.run(
            ["make", "-s", "install", f"DESTDIR={self.root}", "PREFIX=/usr",
             f"B={os.path.relpath(postern.BUILD, postern.TOP)}"],
            cwd=postern.TOP, check=True, stdout=subprocess.DEVNULL)
        return self

    def __exit__(self, *exc):
        shutil.rmtree(self.root)

    def path(self, name):
        return os.path.join(self.root, "usr", name)

    def run(self, *argv):
        done = subprocess.run(argv, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)
        return done.returncode, done.stdout.decode()


@tap.case("every program, page and unit is there")
def complete(t):
    for name in ("bin/postern", "share/man/man1/postern.1",
                 "share/man/man5/postern.conf.5",
                 "lib/sysusers.d/postern.conf",
                 "lib/tmpfiles.d/postern.conf",
                 *(f"lib/systemd/system/{unit}" for unit in EXPOSURE)):
        same(os.path.isfile(t.path(name)), True, name)
    for name in sorted(os.listdir(postern.BUILD)):
        if re.fullmatch(r"postern-[a-z]+", name):
            same(os.access(t.path(f"libexec/postern/{name}"), os.X_OK), True,
                 name)


@tap.case("the documents that README.md points to are where it says")
def documents(t):
    with open(t.path("share/doc/postern/README.md")) as f:
        links = re.findall(r"\]\(([^):]+)\)", f.read())
    same(len(links) > 10, True, links)
    for link in links:
        same(os.path.isfile(t.path(f"share/doc/postern/{link}")), True, link)


for unit, most in EXPOSURE.items():
    @tap.case(f"exposure of {unit} is at most {most}", unit, most)
    def exposure(t, unit, most):
        path = t.path(f"lib/systemd/system/{unit}")
        code, out = t.run("systemd-analyze", "security", "--offline=yes",
                          "--no-pager", path)
        found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", out)
        if found is None:
            raise AssertionError(out)
        if float(found.group(1)) > most:
            raise AssertionError(f"{found.group(1)}\n{out}")
        with open(path) as f:
            same("@BINDIR@" in f.read(), False, "a placeholder is left")


@tap.case("systemd takes the users and the directories")
def users(t):
    etc = os.path.join(t.root, "etc")
    os.mkdir(etc)
    for name in ("passwd", "group"):
        with open(os.path.join(etc, name), "w") as f:
            f.write("root:x:0:0::/root:/bin/sh\n" if name == "passwd"
                    else "root:x:0:\n")
    code, out = t.run("systemd-sysusers", f"--root={t.root}",
                      t.path("lib/sysusers.d/postern.conf"))
    if os.geteuid() == 0:
        same(code, 0, out)
        with open(os.path.join(etc, "passwd")) as f:
            text = f.read()
        for user in ("_postern", "_posternauth", "_posternq", "_posternout"):
            has(text, f"\n{user}:x:", "passwd")
        code, out = t.run("systemd-tmpfiles", "--create", f"--root={t.root}",
                          t.path("lib/tmpfiles.d/postern.conf"))
        same(code, 0, out)
        for name in ("etc/postern", "var/lib/postern/auth",
                     "var/lib/postern/queue", "run/postern/empty"):
            same(os.path.isdir(os.path.join(t.root, name)), True, name)
        has(oct(os.stat(os.path.join(t.root, "var/lib/postern/queue"))
                .st_mode), "700", "mode of the spool")


# Each prints what its shell would offer behind the words of $1, one a line.
SHELLS = {
    "bash": ("share/bash-completion/completions/postern", """
        . "$2"
        COMP_LINE=$1 COMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        [[ $1 == *" " ]] && COMP_WORDS+=("") && COMP_CWORD=$((COMP_CWORD + 1))
        _postern && printf '%s\\n' "${COMPREPLY[@]}" """),
    "zsh": ("share/zsh/vendor-completions/_postern", """
        compdef() { }
        _files() { print FILES }
        _describe() {
            local a i
            for a in ${@:#-*}; do
                for i in ${(P)a}; do
                    [[ $i == $PREFIX* ]] && print -r -- ${i%%:*}
                done
            done
        }
        compadd() {
            local i
            for i in ${(P)2}; do
                [[ $i == $PREFIX* ]] && print -r -- $i
            done
        }
        . "$2"
        words=(${=1}); [[ $1 == *" " ]] && words+=("")
        CURRENT=$#words; PREFIX=$words[-1]
        _postern """),
    "fish": ("share/fish/vendor_completions.d/postern.fish", """
        source $argv[2]
        complete -C $argv[1] | string split -f1 \\t """),
}


def fakes(t, script):
    """A directory with a `postern` that is this script."""
    fake = os.path.join(t.root, "fake")
    os.makedirs(fake, exist_ok=True)
    with open(os.path.join(fake, "postern"), "w") as f:
        f.write(f"#!/bin/sh\n{script}\n")
    os.chmod(f.name, 0o755)
    return fake


@tap.case("bash at a terminal goes on behind @, which it takes for an end")
def at_sign(t):
    fake = fakes(t, """case $* in
        *--plain*) printf 'alice@example.%s\\tx\\n' org net;;
        *) printf '<%s>' "$@";; esac""")
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-i"], stdin=theirs, stdout=theirs,
        stderr=theirs, start_new_session=True,
        env={"PATH": f"{fake}:/usr/bin:/bin", "HOME": "/", "TERM": "dumb",
             "PS1": "> "})
    os.close(theirs)
    try:
        os.write(ours, f". {t.path(SHELLS['bash'][0])}\n".encode())
        for typed, want in (("account show alice@\to\t", "org"),
                            ("account show alice@example.n\t", "net"),
                            ("queue list --account alice@\tn\t", "net")):
            os.write(ours, f"postern {typed}\n".encode())
            end = f"<alice@example.{want}>".encode()
            said = b""
            while end not in said:
                if not select.select([ours], [], [], 20)[0]:
                    raise AssertionError(f"{typed!r}: {said}")
                said += os.read(ours, 4096)
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)


@tap.case("bash says nothing where only an end of a word is typed")
def ends_only(t):
    for words in ("postern", "postern = ''", "postern @", "postern : ="):
        line = words.replace(" ", "").replace("''", "")
        code, out = t.run(
            "env", f"PATH={t.path('bin')}:/usr/bin:/bin", "bash", "-c", f"""
            . "$1"
            COMP_LINE={line} COMP_WORDS=({words})
            COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) COMPREPLY=(old)
            _postern; printf '%s\\n' "${{COMPREPLY[@]}}" """,
            "bash", t.path(SHELLS["bash"][0]))
        same(out.strip(), "", words)


for shell in SHELLS:
    @tap.case(f"{shell} completes commands and flags of the table", shell)
    def completes(t, shell):
        if shutil.which(shell) is None:
            raise tap.Skip(f"no {shell} here")
        name, script = SHELLS[shell]
        for typed, want in (("postern acc", {"account"}),
                            ("postern account su", {"suspend"}),
                            ("postern account app-password re", {"revoke"}),
                            ("postern queue hold --dry", {"--dry-run"}),
                            ("postern queue hold --no-in", {"--no-input"}),
                            ("postern tls ", {"show", "reload"})):
            words = ["--no-config"] if shell == "fish" else []
            args = [] if shell == "fish" else [shell]
            code, out = t.run("env", f"PATH={t.path('bin')}:/usr/bin:/bin",
                              "HOME=/", shell, *words, "-c", script, *args,
                              typed, t.path(name))
            same(set(out.split()) & want, want, f"{typed}: {code} {out}")
            same(want == {"show", "reload"} or len(out.split()) == len(want),
                 True, f"{typed}: {out}")

    @tap.case(f"{shell} completes behind --config and values of flags", shell)
    def behind(t, shell):
        if shutil.which(shell) is None:
            raise tap.Skip(f"no {shell} here")
        name, script = SHELLS[shell]
        fake = fakes(t, '[ "$1 $2" = "--config /c" ] && '
                     "printf 'alice@example.org\\tx\\nbob@example.org\\tx\\n'")
        for typed, want in (
                ("postern --config /c acc", {"account"}),
                ("postern queue list --domain account sh", set()),
                ("postern --config /c account show ali",
                 {"alice@example.org"}),
                ("postern account --config /c suspend --reason x bo",
                 {"bob@example.org"})):
            words = ["--no-config"] if shell == "fish" else []
            args = [] if shell == "fish" else [shell]
            code, out = t.run("env", f"PATH={fake}:/usr/bin:/bin", "HOME=/",
                              shell, *words, "-c", script, *args, typed,
                              t.path(name))
            same(set(out.split()), want, f"{typed}: {code} {out}")

    @tap.case(f"{shell} takes the name of an account for a name", shell)
    def names(t, shell):
        if shutil.which(shell) is None:
            raise tap.Skip(f"no {shell} here")
        name, script = SHELLS[shell]
        ran = os.path.join(t.root, "ran")
        accounts = [f"o`touch${{IFS}}{ran}`@example.org",
                    f"o$(touch${{IFS}}{ran})@example.org",
                    "o'brien@example.org", "o{a,b}|&*?@example.org",
                    "o'hara$HOME@example.org"]
        fake = fakes(t, "cat <<'END'\n" + "".join(
            f"{a}\tactive\n" for a in accounts) + "END")
        words = ["--no-config"] if shell == "fish" else []
        args = [] if shell == "fish" else [shell]
        code, out = t.run("env", f"PATH={fake}:/usr/bin:/bin", "HOME=/",
                          shell, *words, "-c", script, *args,
                          "postern account show o", t.path(name))
        same(os.path.exists(ran), False, f"a name was run: {out}")
        if shell == "bash":  # It offers what may stand in a command.
            code, out = t.run("bash", "-c",
                              "printf '%s\\n' " + out.replace("\n", " "))
            same(os.path.exists(ran), False, f"a name was run: {out}")
        same(sorted(out.splitlines()), sorted(accounts), shell)


if __name__ == "__main__":
    tap.main(Installed)
