#!/usr/bin/python3
"""
`make run`: a server of its own in build/run on 127.0.0.1, ports 2465 (TLS)
and 2587 (STARTTLS), with one account; one mail through it with curl to a sink
beside it; what became of the mail; then it serves until Ctrl-C.

    run.py [--once]     stop after the proof; exit status 0 if it held
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import sink as sinks

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("B", "build"))
HOME = os.path.join(BUILD, "run")
CONF = os.path.join(HOME, "postern.conf")
LOG = os.path.join(HOME, "log")
ME = "you@example.org"
TLS_PORT, STARTTLS_PORT, SINK_PORT = 2465, 2587, 2525

CONFIG = f"""\
hostname = localhost

[listen submissions]
address = 127.0.0.1:{TLS_PORT}
tls     = implicit

[listen submission]
address = 127.0.0.1:{STARTTLS_PORT}
tls     = starttls

[route *]
via = 127.0.0.1:{SINK_PORT}     ; a sink: nothing leaves this machine

[paths]
state = {HOME}/state
run   = {HOME}/run
"""

MAIL = f"""\
From: You <{ME}>
To: Friend <friend@example.net>
Subject: through the postern

This mail came in through TLS with a password, was stored, and was delivered.
"""


def say(text=""):
    print(text, flush=True)


def die(text):
    say(f"make run: {text}")
    raise SystemExit(1)


def postern(*words, stdin=None):
    done = subprocess.run(
        [os.path.join(BUILD, "postern"), "--config", CONF, *words],
        input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        die(f"postern {' '.join(words)}: exit {done.returncode}\n"
            f"{done.stdout}{done.stderr}")
    return done.stdout


def log():
    with open(LOG, errors="replace") as f:
        return f.read()


def until(what, true, seconds=15):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            die(f"{what}: not within {seconds} s; the log:\n{log()[-3000:]}")
        time.sleep(0.05)


def submit(password):
    """One mail with a real client; the certificate is checked."""
    mail = os.path.join(HOME, "mail")
    with open(mail, "w") as f:
        f.write(MAIL)
    command = ["curl", "--silent", "--show-error", "--max-time", "30",
               "--url", f"smtps://localhost:{TLS_PORT}",
               "--cacert", os.path.join(HOME, "state/tls/cert.pem"),
               "--mail-from", ME, "--mail-rcpt", "friend@example.net",
               "--crlf", "--upload-file", mail, "--config", "-"]
    say(f"$ curl --url smtps://localhost:{TLS_PORT} --user {ME}:... "
        "--mail-rcpt friend@example.net ...")
    done = subprocess.run(command, input=f'user = "{ME}:{password}"\n',
                          text=True, stderr=subprocess.PIPE)
    if done.returncode != 0:
        die(f"curl: exit {done.returncode}: {done.stderr}{log()[-2000:]}")


def prove(sink, password):
    submit(password)
    until("the mail arrives at the sink", lambda: sink.messages)
    kept = sink.messages[0]
    say(f"\narrived at the sink on 127.0.0.1:{SINK_PORT}, from <{kept.sender}> "
        f"to <{kept.rcpts[0]}>:")
    for line in kept.data.decode().splitlines():
        say(f"    {line}")
    until("the queue is empty", lambda: "msg.done" in log())
    identity = next(w[3:] for w in log().split() if w.startswith("id="))
    say(f"\n$ postern queue show {identity}")
    say(postern("queue", "show", identity).rstrip())


def check_ports():
    for port in (TLS_PORT, STARTTLS_PORT, SINK_PORT):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError as e:
                die(f"127.0.0.1:{port}: {e.strerror}; does another "
                    "\"make run\" still run?")


def serve():
    out = open(LOG, "wb")
    server = subprocess.Popen(
        [os.path.join(BUILD, "postern"), "--config", CONF, "serve"],
        stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        start_new_session=True)

    def ready():
        if server.poll() is not None:
            die(f"the server ended with {server.returncode}:\n{log()}")
        return "server.ready" in log()
    until("the server is ready", ready, 30)
    return server


def interrupted(number, frame):
    raise KeyboardInterrupt


def main():
    once = sys.argv[1:] == ["--once"]
    signal.signal(signal.SIGTERM, interrupted)
    check_ports()
    shutil.rmtree(HOME, ignore_errors=True)
    os.makedirs(HOME, 0o755)
    with open(CONF, "w") as f:
        f.write(CONFIG)
    postern("init")
    password = "-".join(secrets.token_hex(3) for _ in range(4))
    postern("account", "add", ME, "--password-stdin", stdin=password + "\n")
    sink = sinks.Sink(port=SINK_PORT).start()
    server = None
    try:
        server = serve()
        say(f"postern serves on 127.0.0.1, configuration {CONF}\n")
        prove(sink, password)
        say("\nFor a mail program (outgoing server):\n"
            "    server      localhost\n"
            f"    port        {TLS_PORT} with SSL/TLS, or {STARTTLS_PORT} "
            "with STARTTLS\n"
            "    method      normal password\n"
            f"    user name   {ME}\n"
            f"    password    {password}\n"
            f"    certificate {HOME}/state/tls/cert.pem (self-signed)\n"
            f"All mail goes to the sink.  The log is {LOG}.")
        if not once:
            say("Serving until Ctrl-C.")
            server.wait()
    except KeyboardInterrupt:
        say("\nstopping")
    finally:
        if server is not None and server.poll() is None:
            server.terminate()
            server.wait(60)
        sink.stop()
    if server.returncode != 0:
        die(f"the server ended with {server.returncode}:\n{log()[-2000:]}")


if __name__ == "__main__":
    main()
