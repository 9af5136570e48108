# SPDX-License-Identifier: LGPL-2.1-or-later
"""The server goes away or misbehaves and does not come back: requests fail in time, nothing hangs, unmap works."""

import signal
import time

import pytest

import scripted
import servers
from beds import EXEC_S

IO_S = 2
BED_OPTIONS = ("--set-parameter", f"IoTimeoutValue={IO_S}", "--set-parameter", "ConnectTimeoutMs=3000",
               "--set-parameter", "ReconnectTimeoutMs=1500")
SOON_S = 60  # a time-out, the resets after it and the class driver's retries, with much to spare


def fails_soon(bed, *words):
    begun = time.monotonic()
    result = bed.diskio(*words, limit_s=EXEC_S)
    assert result.code == 1 and ", 0 bytes" in result.out and "error 0" not in result.out, repr(result)
    assert time.monotonic() - begun < SOON_S
    return result


def unmaps_soon(bed, name, *options):
    begun = time.monotonic()
    bed.unmap(name, *options).ok()
    assert time.monotonic() - begun < SOON_S
    assert bed.mapped() == []


@pytest.mark.parametrize("start", [servers.nbdkit, servers.nbd_server, servers.qemu_nbd], ids=lambda f: f.__name__)
def test_server_killed_under_load(start, tmp_path, image, bed, stack):
    arguments = ("file", image) if start is servers.nbdkit else (image,)
    server = stack.enter_context(start(tmp_path, *arguments))
    number = bed.map("lost", server)
    load = bed.start_diskio("storm", number, "--threads", 8, "--seconds", 100, "--bytes", 64 << 20)
    bed.wait_for_load("lost")
    server.end(signal.SIGKILL)
    begun = time.monotonic()
    result = load.wait()
    assert result.code == 1 and "error" in result.err, repr(result)
    assert time.monotonic() - begun < SOON_S
    fails_soon(bed, "read", number, 0, 4096)
    unmaps_soon(bed, "lost")


@pytest.mark.parametrize("options", [("--hard-disconnect",), ()], ids=["hard", "soft"])
def test_server_frozen_under_load(options, server, bed):
    number = bed.map("frozen", server)
    load = bed.start_diskio("storm", number, "--threads", 8, "--seconds", 100, "--bytes", 64 << 20)
    bed.wait_for_load("frozen")
    server.signal(signal.SIGSTOP)
    try:
        result = load.wait()
        assert result.code == 1 and "error" in result.err, repr(result)
        fails_soon(bed, "read", number, 0, 4096)
        unmaps_soon(bed, "frozen", *options)
    finally:
        server.signal(signal.SIGCONT)


def test_unmap_while_requests_are_stuck(bed, stack):
    server = stack.enter_context(scripted.Faulty())
    number = bed.map("stuck", server)
    server.broken = "stall"
    running = bed.start_diskio("verify", number, "--bytes", 1 << 20, "--depth", 8)
    deadline = time.monotonic() + 60
    while len(server.of_kind(scripted.CMD_READ)) < 4:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    unmaps_soon(bed, "stuck", "--hard-disconnect")
    assert running.wait().code == 1


@pytest.mark.parametrize("how", ["stall", "close", "cut", "garbage", "stranger"])
def test_server_that_misbehaves(how, bed, stack):
    server = stack.enter_context(scripted.Faulty())
    number = bed.map("bad", server)
    bed.diskio("write", number, 0, 65536, 1).ok()
    server.broken = how
    fails_soon(bed, "read", number, 0, 65536)
    unmaps_soon(bed, "bad")


@pytest.mark.parametrize("how", ["stall", "close", "garbage"])
def test_write_that_is_never_answered_is_reported_as_failed(how, bed, stack):
    server = stack.enter_context(scripted.Faulty())
    number = bed.map("bad", server)
    server.broken = how
    fails_soon(bed, "write", number, 0, 1 << 20, 1)
    unmaps_soon(bed, "bad")


def test_a_reply_sent_twice_completes_nothing_twice(bed, stack):
    """What the second reply does to the connection is the driver's to choose; the bed watches the completions."""

    class Twice(scripted.Nbd):
        twice = False

        def command(self, stream, kind, cookie, offset, length, payload):
            super().command(stream, kind, cookie, offset, length, payload)
            return super().command(stream, kind, cookie, offset, length, payload) if self.twice else True

    server = stack.enter_context(Twice())
    number = bed.map("twice", server)
    server.twice = True
    bed.diskio("read", number, 0, 4096)
    bed.diskio("read", number, 0, 4096)
    unmaps_soon(bed, "twice")


def test_other_disks_go_on_when_one_is_lost(tmp_path, server, bed, stack):
    lost = stack.enter_context(scripted.Faulty())
    good = bed.map("good", server)
    bad = bed.map("bad", lost)
    load = bed.start_diskio("storm", good, "--threads", 4, "--seconds", 8, "--bytes", 64 << 20)
    lost.broken = "stall"
    fails_soon(bed, "read", bad, 0, 4096)
    lost.broken = "close"
    fails_soon(bed, "read", bad, 0, 4096)
    load.wait().ok()
    bed.unmap("good").ok()
    unmaps_soon(bed, "bad")


def test_mapping_again_after_the_server_came_back(tmp_path, image, bed):
    server = servers.nbdkit(tmp_path, "file", image)
    with server:
        number = bed.map("again", server)
        bed.diskio("write", number, 0, 4096, 9).ok()
    fails_soon(bed, "read", number, 0, 4096)
    unmaps_soon(bed, "again")
    with server:
        number = bed.map("again", server)
        bed.diskio("read", number, 0, 4096).ok()
        unmaps_soon(bed, "again")
