#!/usr/bin/python3
"""
A crash between the end of a message and the server's answer: who it is about
is uncertain, the trace says so, and the configuration what becomes of it.
"""
# run: limit 90

import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import tap
from postern import Postern, free_port
from sink import Sink, Slow
from tap import has, same, wait


class Site(Postern):
    """Mail to victim.example goes to a server that each case scripts."""

    def set_up(self):
        self.far = Sink(port=free_port()).start()
        self.routes["victim.example"] = {"via": f"127.0.0.1:{self.far.port}"}
        super().set_up()

    def __exit__(self, *args):
        super().__exit__(*args)
        self.far.stop()

    def play(self, script=None):
        self.far.stop()
        self.far = Sink(script, port=self.far.port).start()
        return self.far


def silent(p):
    """A server that has the whole message and says nothing; the moment."""
    reached = threading.Event()

    def body(session, _):
        reached.set()
        return Slow(600)
    p.play({"body": body})
    return reached


def sent_in_silence(p):
    reached = silent(p)
    ident = p.send("v@victim.example")
    if not reached.wait(20):
        raise AssertionError("the message never left")
    return ident


def told(p, ident, **more):
    event = p.wait_event("msg.uncertain", 0, id=ident)
    for key, value in more.items():
        same(event[key], value, key)
    has(event["reply"], "it may have arrived", "reply in the log")
    has(event["mx"], "127.0.0.1", "mx in the log")
    has(p.must("trace", ident).out, "uncertain", "trace")
    has(p.must("trace", ident).out, "may have arrived", "trace")
    has(p.must("queue", "show", ident).out, "uncertain", "queue show")


def arrives(p, ident, *command):
    mark = p.mark_log()
    far = p.play()
    p.must(*command)
    p.wait_event("msg.delivered", mark, id=ident)
    same(len(far.messages), 1, "copies from now on")
    wait(lambda: p.queue() == [], 5, "an empty queue")


@tap.case("deliver alone dies: tried again")
def alone(p):
    ident = sent_in_silence(p)
    p.kill("postern-deliver")
    told(p, ident, attempt="1")
    arrives(p, ident, "queue", "retry", ident)


@tap.case("all processes die: tried again")
def together(p):
    ident = sent_in_silence(p)
    p.end_all()
    p.start()
    told(p, ident, attempt="1")
    arrives(p, ident, "queue", "retry", ident)


@tap.case("the queue alone dies: deliver knows the answer")
def queue_alone(p):
    go = threading.Event()
    reached = threading.Event()

    def body(session, _):
        reached.set()
        go.wait(30)
    far = p.play({"body": body})
    ident = p.send("v@victim.example")
    reached.wait(20)
    mark = p.mark_log()
    p.kill("postern-queue")
    p.wait_event("queue.ready", mark)
    go.set()

    def delivered():
        p.cli("queue", "retry", ident)
        return p.events("msg.delivered", mark, id=ident)
    wait(delivered, 20, "the verdict", 0.2)
    same(len(far.messages), 1, "copies")
    same(p.events("msg.uncertain", 0, id=ident), [], "uncertain")


@tap.case("all processes die, and it is to be held")
def held(p):
    p.configure(queue={"uncertain": "hold"})
    p.stop()
    p.start()
    ident = sent_in_silence(p)
    p.end_all()
    p.start()
    told(p, ident, next="held")
    same(p.queue()[0]["held"], "uncertain", "held in queue list")
    has(p.must("queue", "show", ident).out, "queue release",
        "the way out in queue show")
    arrives(p, ident, "queue", "release", ident)


@tap.case("the answer came and the verdict did not: one copy")
def answered(p):
    p.stop()
    p.start(env={"POSTERN_CRASH": "dot-answered:1"})
    far = p.play()
    mark = p.mark_log()
    ident = p.send("v@victim.example")
    p.wait_event("process.died", mark, process="deliver")
    p.wait_event("msg.delivered", mark, id=ident)
    wait(lambda: p.queue() == [], 5, "an empty queue")
    same(len(far.messages), 1, "copies")
    has(p.must("trace", ident).out, "a crash lost what it said", "trace")


if __name__ == "__main__":
    tap.main(Site)
