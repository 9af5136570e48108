# SPDX-License-Identifier: LGPL-2.1-or-later
"""
How soon a disk is gone whose program has died. A program that already runs watches for it, and nothing is started
between the death and its end.
"""

import contextlib
import signal
import time

import pytest

from beds import Serving
from programs import signal_program

NOT_FOUND = 2
GONE_S = 1.0
TRIES = 3  # of which one must be in time: a busy machine stops for a while now and then, and a driver that waits always
NEVER = ("--never", "--log")
QUEUE = ("--answer-threads", 4, "--gather", 9, "--log")
STALL = ("--stall-every", 1, "--stall-ms", 3000, "--log")


class Watch:
    """Until the driver does not know the disk any more."""

    def __init__(self, program, name):
        self.program = program
        self.started = program.start("watch", name)
        time.sleep(0.05)
        assert not program.found("^= ", self.started[1])

    def since(self, begun):
        assert self.program.ended(self.started).code == NOT_FOUND
        return time.monotonic() - begun


def within(seconds, measure):
    """The best of a few, and the first that will do."""
    took = []
    while len(took) < TRIES and (not took or took[-1] >= seconds):
        took.append(measure())
    print("took", *(f"{one:.3f}" for one in took), "s")
    assert took[-1] < seconds, took


def end(disk):
    """Whatever has become of the program."""
    with contextlib.suppress(BrokenPipeError):
        disk.process.stdin.close()
    disk.died()


def removal(call, other):
    """The control: how soon the watch sees what was asked for."""
    with call.serve("dead") as disk:
        assert disk.number >= 0
        watch = Watch(other, "dead")
        begun = time.monotonic()
        removing = call.start("remove", "dead", "--timeout", 10000)
        took = watch.since(begun)
        call.ended(removing).ok()
        return took


def test_removal(call, other):
    within(GONE_S, lambda: removal(call, other))


WAYS = {"killed": lambda disk: disk.signal(signal.SIGKILL), "crashed": lambda disk: disk.say("crash"),
        "closed": lambda disk: disk.say("close"), "keeper killed": lambda disk: disk.say("kill-keeper"),
        "threads killed": lambda disk: disk.say("kill-thread 0\nkill-thread 1")}


def death(way, options, call, other):
    """Also of the requests that are with the program."""
    disk = call.serve("dead", *options, ready="^created" if "--singly" in options else "^started$")
    number, start = disk.number, len(disk.lines)
    writing = call.start("disk", "write", number, 4096, 4096, 7) if "--log" in options else None
    if writing:
        disk.wait("^write", start)
    watch = Watch(other, "dead")
    begun = time.monotonic()
    WAYS[way](disk)
    took = watch.since(begun)
    if writing:
        result = call.ended(writing)
        assert result.code == 1 and "error 0" not in result.out, repr(result)
        took = time.monotonic() - begun
    end(disk)
    return took


@pytest.mark.parametrize("way", WAYS)
def test_idle_program(way, call, other):
    options = ("--no-wait",) if way == "closed" else ()
    within(GONE_S, lambda: death(way, options, call, other))


@pytest.mark.parametrize("way, options", [
    ("killed", NEVER), ("crashed", NEVER), ("killed", STALL), ("killed", QUEUE),
    ("keeper killed", NEVER), ("closed", (*NEVER, "--no-wait")), ("threads killed", STALL)],
    ids=["killed with a request", "crashed with a request", "killed in a callback", "killed with an answer queued",
         "keeper killed with a request", "closed with a request", "threads killed in a callback"])
def test_program_with_requests(way, options, call, other):
    within(GONE_S, lambda: death(way, options, call, other))


def test_program_without_a_dispatcher(call, other):
    within(GONE_S, lambda: death("killed", ("--singly",), call, other))


def client_death(words, call, other):
    disk = Serving(call.bed, "dead", *words)
    watch = Watch(other, "dead")
    begun = time.monotonic()
    signal_program(call.bed, "wnbd-client.exe", "dead", signal.SIGKILL)
    took = watch.since(begun)
    disk.wait()
    return took


def test_client_that_serves_memory(call, other):
    within(GONE_S, lambda: client_death(("--ram", "16M"), call, other))


def test_client_that_serves_an_export(server, call, other):
    words = (server.address, "--port", server.port, "--export-name", server.export, "--user")
    within(GONE_S, lambda: client_death(words, call, other))
