#!/usr/bin/python3
"""
Take away one protection after the other, in a copy, and see that the test
that is named for it fails.

    tests/mutate.py [WORD]...      those whose name has one of the words
    tests/mutate.py --look         only whether each line is still there, once

A protection that is taken away and missed by nobody is an error, and so is a
line that is not there any more: then this table must follow the code.
"""

import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
UNIT = "build/tests/unit/"
DIALOG = "build/tests/dialog/run_dialogs"

#   name, file, what stands there, what stands there instead, the test
PROTECTIONS = [
    ("the filter of system calls", "lib/seccomp.c",
     "seccomp_init(SCMP_ACT_KILL_PROCESS)", "seccomp_init(SCMP_ACT_ALLOW)",
     "tests/system/sandbox.py"),
    ("Landlock", "lib/sandbox.c",
     "landlock = landlock_enter(s->rights);", "",
     "tests/system/sandbox.py"),
    ("listeners that others have, too", "lib/seccomp.c",
     "\t\talone(f);", "\t\trules(f, SCMP_ACT_ALLOW, EACH(changing)), (void)alone;",
     "tests/system/sandbox.py"),
    ("a parent that outlives its children", "ipc/channel.c",
     "else if (c->self == P_PARENT)", "else if (0)",
     UNIT + "test_ipc_channel"),
    ("an end to new keys", "lib/io_tls.c",
     "SSL_set_info_callback(io->ssl, on_step);", "(void)on_step;",
     UNIT + "test_lib_io"),
    ("certificates of clients that are taken as they are", "smtpd/facts.c",
     "SSL_CTX_set_cert_verify_callback(ctx, take_any, NULL);",
     "(void)ctx, (void)take_any;", UNIT + "test_smtpd_facts"),
    ("the empty root directory", "lib/sandbox.c",
     '(chroot(".") == -1 || chdir("/") == -1)', 'chdir(".") == -1',
     "tests/system/privsep.py"),
    ("users of their own", "lib/sandbox.c",
     "\t\tbecome(pw);", "\t\t(void)become;",
     "tests/system/privsep.py"),
    ("the flush before 250", "queue/store.c",
     "(ret = store_env->log_flush(store_env, NULL)) != 0", "(ret = 0) != 0",
     "tests/crash/powercut.py"),
    ("connections of one address", "smtpd/source.c",
     "if (src->count >= most)", "if (0)", UNIT + "test_smtpd_source"),
    ("handshakes of one network", "smtpd/handshakes.c",
     "level(s, most, now_ms) + 1 <= most", "true",
     UNIT + "test_smtpd_handshakes"),
    ("the proof of a login", "auth/peers.c",
     "if (fault == TOKEN_FINE)", "if (1)", UNIT + "test_auth_vault"),
    ("the permit's code", "ipc/token.c",
     "!= 0 || !have_key)", "== 1)", UNIT + "test_queue_token"),
    ("each permit once", "queue/permits.c",
     "if (*octet_of(p->serial) & bit_of(p->serial))", "if (0)",
     UNIT + "test_queue_token"),
    ("the permit's limits", "queue/permits.c",
     "if (rcpts > p->rcpts ||", "if (0 &&", UNIT + "test_queue_token"),
    ("the seal of a mark", "queue/marks.c",
     "m->seal == marks_seal(m->id, m->n)", "true",
     UNIT + "test_queue_marks"),
    ("a clock that is behind", "queue/clock.c",
     "if (age < 0)", "if (0)",
     UNIT + "test_queue_domains"),
    ("hours behind a clock that was set", "queue/clock.c",
     "if (doubtful == 0)", "if (1)", UNIT + "test_queue_clock"),
    ("a schedule whose clock goes back", "queue/refill.c",
     "if (frontier.time <= now)", "if (1)", "tests/system/settime.py"),
    ("flights that slow servers leave", "queue/turn.c",
     "left / 2 + landed_lately(a)", "left * 2 + landed_lately(a)",
     UNIT + "test_queue_flow"),
    ("files not yet looked at", "queue/intake.c",
     "channel_backlog(c) > UNREAD_MOST", "0", UNIT + "test_queue_process"),
    ("grants", "auth/permit.c",
     "if (!page_covers(page, &a))", "if (0)", "tests/system/identity.py"),
    ("the minimum rate", "smtpd/patience.c",
     "#define MS_PER_OCTET  2 ", "#define MS_PER_OCTET  2000 ", DIALOG),
    ("the check of the header", "smtpd/body.c",
     "header_faults[tx->header.fault]", "header_faults[HEADER_CLEAN]", DIALOG),
    ("ends of lines", "smtpd/body.c",
     "\tif (data_faults[tx->reader.fault].verdict != V_OK)\n\t\treturn",
     "\tif (0)\n\t\treturn", DIALOG),
]


def run(command, where):
    return subprocess.run(command, cwd=where, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, "B": "build"})


def build(where, test):
    done = run(["make", "-s", f"-j{os.cpu_count()}", "all"]
               + [test] * test.startswith("build/"), where)
    if done.returncode != 0:
        raise SystemExit(done.stdout.decode())


def whole(where, file, old):
    with open(os.path.join(where, file)) as f:
        text = f.read()
    if text.count(old) != 1:
        raise SystemExit(f"tests/mutate.py: {file} has \"{old}\" "
                         f"{text.count(old)} times, not once")
    return text


def is_missed(where, file, old, new, test):
    path = os.path.join(where, file)
    text = whole(where, file, old)
    try:
        with open(path, "w") as f:
            f.write(text.replace(old, new))
        build(where, test)
        return run(["tests/run", test], where).returncode != 0
    finally:
        with open(path, "w") as f:
            f.write(text)


def look():
    for _, file, old, _, test in PROTECTIONS:
        whole(TOP, file, old)
        if not test.startswith("build/") and \
                not os.path.exists(os.path.join(TOP, test)):
            raise SystemExit(f"tests/mutate.py: there is no {test}")
    return 0


def main(words):
    failed = 0
    if words == ["--look"]:
        return look()
    where = tempfile.mkdtemp(prefix="postern-mutate")
    os.chmod(where, 0o755)
    try:
        files = run(["git", "ls-files"], TOP).stdout.decode().split("\n")
        for name in filter(None, files):
            os.makedirs(os.path.join(where, os.path.dirname(name)),
                        exist_ok=True)
            shutil.copy2(os.path.join(TOP, name), os.path.join(where, name))
        for name, *rest in PROTECTIONS:
            if words and not any(w in name for w in words):
                continue
            missed = is_missed(where, *rest)
            failed += not missed
            print(("ok  " if missed else "FAIL"), f"without {name}:",
                  rest[-1], "fails" if missed else "does not notice",
                  flush=True)
    finally:
        shutil.rmtree(where, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
