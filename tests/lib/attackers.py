#!/usr/bin/python3
"""
Clients that mean harm, many at once, in a process of their own.

    with Attackers(p, {"deaf": 50, "begun": 100}, guesses=30) as a:
        ...                      # all of them are there by now
    a.said                       # what they did, as counted by themselves

Whoever is sent away comes back after a moment.  Most come from addresses of
their own, 25 to a network; "near" of them from 127.0.0.1.
"""

import asyncio
import base64
import json
import os
import signal
import ssl
import subprocess
import sys
import time

BACK_S = 1  # before one who was sent away comes back


class Attackers:
    def __init__(self, p, kinds, near=0, guesses=0, handshakes=0,
                 account=None, password=None):
        self.order = {
            "port465": p.port465, "port587": p.port587, "kinds": kinds,
            "near": near, "guesses": guesses, "handshakes": handshakes,
            "account": account, "password": password}
        self.said = {}

    def __enter__(self):
        # Elsewhere they would not take their CPU time from the server.
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__),
             json.dumps(self.order)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, preexec_fn=lambda: os.nice(10))
        try:
            if self.process.stdout.readline() != b"ready\n":
                raise AssertionError("the attackers did not get there")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            out, _ = self.process.communicate(timeout=30)
            self.said = json.loads(out or b"{}")
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Crowd:
    def __init__(self, order):
        self.order = order
        self.done = {"connections": 0, "refused": 0, "open": 0, "guesses": 0,
                     "handshakes": 0, "commands": 0, "most_open": 0}
        self.began = time.monotonic()
        self.arrived = set()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE

    def source(self, number):
        if number < self.order["near"]:
            return "127.0.0.1"
        number -= self.order["near"]
        return f"127.{64 + number // 6400}.{number // 25 % 256}." \
               f"{number % 25 + 1}"

    async def connect(self, port, source, tls=False):
        streams = await asyncio.wait_for(asyncio.open_connection(
            "127.0.0.1", port, local_addr=(source, 0), limit=1 << 16,
            ssl=self.context if tls else None), 60)
        self.done["connections"] += 1
        return streams

    async def line(self, reader):
        line = await asyncio.wait_for(reader.readline(), 120)
        if not line or line.startswith(b"421"):
            raise ConnectionError
        return line

    async def ask(self, streams, text):
        streams[1].write(text + b"\r\n")
        while (await self.line(streams[0]))[3:4] == b"-":
            pass

    async def sit(self, streams):
        """Hold on to it until the server has had enough."""
        while await streams[0].read(4096):
            pass

    # Each of these is one visit; what it holds is `there` until it ends.

    async def deaf(self, number, there):
        """Asks for help without end, and does not read it."""
        s = await self.connect(self.order["port587"], self.source(number))
        there(s)
        s[1].transport.pause_reading()
        for _ in range(10):
            if s[1].is_closing():
                return
            s[1].write(b"HELP\r\n" * 500)
            await asyncio.sleep(0.2)
        await asyncio.sleep(60)

    async def trickle(self, number, there):
        """A command an octet a second."""
        s = await self.connect(self.order["port587"], self.source(number))
        there(s)
        for octet in b"EHLO " + b"x" * 200:
            s[1].write(bytes([octet]))
            await asyncio.sleep(1)
            if s[1].is_closing() or s[0].at_eof():
                return

    async def flood(self, number, there):
        """NOOP as fast as it is answered."""
        s = await self.connect(self.order["port587"], self.source(number))
        there(s)
        await self.line(s[0])
        while True:
            s[1].write(b"NOOP\r\n" * 50)
            for _ in range(50):
                await self.line(s[0])
            self.done["commands"] += 50
            await asyncio.sleep(0.05)

    async def errors(self, number, there):
        s = await self.connect(self.order["port587"], self.source(number))
        there(s)
        await self.line(s[0])
        while True:
            await self.ask(s, b"FOO " + b"x" * 500)
            self.done["commands"] += 1

    async def begun(self, number, there):
        """A handshake begun and left."""
        s = await self.connect(self.order["port465"], self.source(number))
        there(s)
        s[1].write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        await self.sit(s)

    async def auth(self, number, there):
        """AUTH LOGIN, and then nothing."""
        s = await self.connect(self.order["port465"], self.source(number),
                               True)
        there(s)
        await self.line(s[0])
        await self.ask(s, b"EHLO x")
        await self.ask(s, b"AUTH LOGIN Ym9i")
        await self.sit(s)

    async def body(self, number, there):
        """A message, an octet a second."""
        s = await self.connect(self.order["port465"], self.source(number),
                               True)
        there(s)
        await self.line(s[0])
        await self.ask(s, b"EHLO x")
        who = self.order["account"].encode()
        await self.ask(s, b"AUTH PLAIN " + base64.b64encode(
            b"\0" + who + b"\0" + self.order["password"].encode()))
        await self.ask(s, b"MAIL FROM:<%s>" % who)
        await self.ask(s, b"RCPT TO:<x@example.net>")
        await self.ask(s, b"DATA")
        s[1].write(b"From: <%s>\r\n\r\n" % who)
        while not s[0].at_eof() and not s[1].is_closing():
            s[1].write(b"x")
            await asyncio.sleep(1)

    async def guess(self, number):
        """One wrong password, each time of another network."""
        s = await self.connect(
            self.order["port465"],
            f"127.{32 + number // 200 % 30}.{number % 200}.7", True)
        try:
            await self.line(s[0])
            await self.ask(s, b"EHLO x")
            self.done["guesses"] += 1
            await self.ask(s, b"AUTH PLAIN " + base64.b64encode(
                b"\0load%d@bench.example\0guess %d" % (number % 100, number)))
        finally:
            s[1].close()

    async def handshake(self, number):
        s = await self.connect(
            self.order["port465"],
            f"127.{96 + number // 200 % 30}.{number % 200}.8", True)
        self.done["handshakes"] += 1
        s[1].close()

    async def stay(self, kind, number):
        while True:
            held = []

            def there(streams):
                held.append(streams)
                self.arrived.add(number)
                self.done["open"] += 1
                self.done["most_open"] = max(self.done["most_open"],
                                             self.done["open"])
            try:
                await getattr(self, kind)(number, there)
            except (OSError, asyncio.TimeoutError, ssl.SSLError, EOFError,
                    asyncio.IncompleteReadError):
                self.done["refused"] += 1
            for _, writer in held:
                self.done["open"] -= 1
                writer.transport.abort()
            await asyncio.sleep(BACK_S)

    async def keep(self, rate, visit):
        """A visit, so many times a second."""
        began, number = time.monotonic(), 0
        running = set()
        while True:
            await asyncio.sleep(0.02)
            while number < (time.monotonic() - began) * rate \
                    and len(running) < 500:
                task = asyncio.ensure_future(self.forgive(visit, number))
                running.add(task)
                task.add_done_callback(running.discard)
                number += 1

    async def forgive(self, visit, number):
        try:
            await visit(number)
        except (OSError, asyncio.TimeoutError, ssl.SSLError, EOFError):
            self.done["refused"] += 1

    async def run(self):
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        number, tasks = 0, []
        for kind, count in self.order["kinds"].items():
            for _ in range(count):
                tasks.append(asyncio.ensure_future(self.stay(kind, number)))
                number += 1
                if number % 20 == 0:
                    await asyncio.sleep(0.02)
        until = time.monotonic() + 60
        while len(self.arrived) < number * 0.95 and time.monotonic() < until:
            await asyncio.sleep(0.05)
        for rate, visit in ((self.order["guesses"], self.guess),
                            (self.order["handshakes"], self.handshake)):
            if rate:
                tasks.append(asyncio.ensure_future(self.keep(rate, visit)))
        self.began = time.monotonic()
        await asyncio.sleep(1)
        print("ready", flush=True)
        await stop.wait()
        self.done["seconds"] = round(time.monotonic() - self.began, 1)
        print(json.dumps(self.done), flush=True)
        os._exit(0)


if __name__ == "__main__":
    asyncio.run(Crowd(json.loads(sys.argv[1])).run())
