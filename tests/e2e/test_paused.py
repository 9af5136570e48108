# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program that serves a disk and stands still, as under a debugger, with requests of Windows."""

import contextlib
import signal
import time

import pytest

from programs import until

IO_S = 5
BED_OPTIONS = ("--set-parameter", f"IoTimeoutValue={IO_S}")
SHORT_S, LONG_S = 2, IO_S + 4  # the time-out comes within two seconds of its second
LOAD = ("--bytes", 2 << 20, "--size", 4096, "--depth", 16, "--seed", 5)
NOT_FOUND, UNKNOWN_HANDLE = 2, 1168


@contextlib.contextmanager
def paused(disk):
    disk.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        disk.signal(signal.SIGCONT)


@pytest.fixture
def set_option(other):
    """An option of the driver, until the test ends."""
    names = []

    def set_it(name, value):
        names.append(name)
        other("set-opt", name, value).ok()

    yield set_it
    for name in names:
        other("reset-opt", name).ok()


def outstanding(call, disk):
    return int(call("stats", disk.name).ok().fields()["outstanding"])


def start_load(disk, call, other):
    """Requests that are with the program when this returns."""
    assert disk.number >= 0
    load = call.start("disk", "write-random", disk.number, *LOAD)
    until(lambda: outstanding(other, disk) > 0 and disk.stats()["replies"] > 50, 30)
    return load


def test_short_pause(call, other):
    """Nothing is lost, and nobody notices but by the time."""
    with call.serve("paused", "--delay-ms", 20) as disk:
        load = start_load(disk, call, other)
        with paused(disk):
            time.sleep(SHORT_S)
            assert outstanding(other, disk) > 0 and not call.found("^= ", load[1])
        call.ended(load).ok()
        disk.manner()
        call.disk("verify", disk.number, *LOAD).ok()
        stats = disk.settled()
        assert stats["errors"] == [0] * 6 and stats["received"] == stats["replies"]
        assert other("stats", disk.name).fields()["aborted_submitted"] == "0"


def test_pause_longer_than_the_time_out(call, other, set_option):
    """Windows gives the requests up and sends them again: late answers find nothing, and the data is whole."""
    set_option("RemoveStaleConnections", "false")
    with call.serve("paused", "--delay-ms", 20) as disk:
        load = start_load(disk, call, other)
        with paused(disk):
            time.sleep(LONG_S)
            assert int(other("stats", disk.name).fields()["aborted_submitted"]) > 0
            assert not call.found("^= ", load[1])
        call.ended(load).ok()
        disk.manner()
        call.disk("verify", disk.number, *LOAD).ok()
        assert disk.found(f"^answer [0-9a-f]+ {UNKNOWN_HANDLE}$")


def test_pause_that_ends_the_disk(call, other, set_option):
    """By the options for that: after the first time-out, if the program has not answered for so long."""
    for option in ("StaleReqTimeoutMs", "StaleConnTimeoutMs"):
        set_option(option, 1000)
    with call.serve("paused", "--delay-ms", 20) as disk:
        load = call.bed.start_diskio("write-random", disk.number, *LOAD)  # ends with its first error
        until(lambda: disk.stats()["replies"] > 50, 30)
        with paused(disk):
            result = load.wait()
            assert result.code == 1 and "error" in result.out + result.err, repr(result)
            assert other("show", disk.name).code == NOT_FOUND
        disk.wait("^ended 0$")
