# SPDX-License-Identifier: LGPL-2.1-or-later
"""A connection is lost and made again: the disk stays, no request fails, no byte is wrong, nothing is done twice late."""

import signal
import time

import pytest

import scripted
import servers
from beds import EXEC_S, windows_path
from test_storm import first_difference

IO_S = 4
WAIT_MS = 20000
BED_OPTIONS = ("--set-parameter", f"IoTimeoutValue={IO_S}", "--set-parameter", "ConnectTimeoutMs=3000",
               "--set-parameter", f"ReconnectTimeoutMs={WAIT_MS}")
STORM_BYTES = 64 << 20


def start_storm(bed, number, tmp_path, seconds, *options):
    expected = tmp_path / "expected.img"
    load = bed.start_diskio("storm", number, "--threads", 8, "--seconds", seconds, "--bytes", STORM_BYTES, "--out",
                            windows_path(expected), *options, limit_s=EXEC_S)
    return load, expected


def wait_until(condition, what, limit_s=60):
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def reconnects(bed, name):
    return bed.log().count(f"wnbd 105: {name}: connected again")


@pytest.mark.parametrize("start", [servers.nbdkit, servers.nbd_server, servers.qemu_nbd], ids=lambda f: f.__name__)
def test_server_killed_and_started_again_under_load(start, tmp_path, image, bed, stack):
    arguments = ("file", image) if start is servers.nbdkit else (image,)
    server = stack.enter_context(start(tmp_path, *arguments))
    number = bed.map("kept", server)
    load, expected = start_storm(bed, number, tmp_path, 8)
    bed.wait_for_load("kept")
    for turn in range(3):
        server.end(signal.SIGKILL)
        time.sleep(0.3)
        server.start()
        wait_until(lambda: reconnects(bed, "kept") > turn, "the disk does not come back")
    load.wait().ok()
    bed.unmap("kept").ok()
    assert first_difference(image, expected, STORM_BYTES) is None


def test_server_frozen_for_longer_than_a_request_may_take(image, tmp_path, bed, stack):
    # Not nbdkit: 1.32 now and then ends by an assertion of its own when it wakes up to a connection that is closed.
    server = stack.enter_context(servers.qemu_nbd(tmp_path, image))
    number = bed.map("frozen", server)
    # Little enough at a time that a busy machine answers it within IO_S.
    load, expected = start_storm(bed, number, tmp_path, 4, "--max", 512 << 10)
    bed.wait_for_load("frozen")
    server.signal(signal.SIGSTOP)
    time.sleep(2 * IO_S)
    server.signal(signal.SIGCONT)
    load.wait().ok()
    bed.unmap("frozen").ok()
    assert first_difference(image, expected, STORM_BYTES) is None


def test_connection_closed_while_idle_is_made_again(bed, stack):
    server = stack.enter_context(scripted.Faulty())
    number = bed.map("idle", server)
    bed.diskio("write", number, 0, 4096, 7).ok()
    server.streams[0].shutdown(2)
    wait_until(lambda: reconnects(bed, "idle") == 1, "no new connection")
    shown = bed.show("idle")
    assert shown["State"] == "connected" and shown["Reconnects"] == "1" and shown["LostForMs"] == "0", shown
    assert shown["LastError"] == "the server closed the connection", shown
    bed.diskio("read", number, 0, 4096).ok()
    bed.unmap("idle").ok()


@pytest.mark.parametrize("how", ["close", "cut", "garbage", "stranger"])
def test_request_is_sent_again_after_the_server_misbehaved(how, bed, stack):
    class Once(scripted.Faulty):
        """Misbehaves on its first connection only."""

        def talk(self, stream):
            if len(self.streams) > 1:
                self.broken = None
            super().talk(stream)

    server = stack.enter_context(Once())
    name = f"again-{how}"
    number = bed.map(name, server)
    bed.diskio("write", number, 0, 65536, 1).ok()
    server.broken = how
    bed.diskio("read", number, 0, 65536).ok()
    bed.diskio("write", number, 0, 65536, 2).ok()
    bed.unmap(name).ok()
    assert reconnects(bed, name) == 1


def test_disk_comes_back_after_its_requests_have_failed(tmp_path, image, bed, stack):
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", image))
    number = bed.map("late", server)
    server.end(signal.SIGKILL)
    result = bed.diskio("read", number, 0, 4096, limit_s=EXEC_S)
    assert result.code == 1, repr(result)
    assert "wnbd 303: late: no connection within" in bed.log()
    shown = bed.show("late")
    # Refused, as a rule; a connection to a free port of this machine may also meet itself.
    assert shown["State"] == "lost" and str(server.port) in shown["LastError"], shown
    listed = bed.client("list").ok()
    assert len(listed.out.splitlines()) == 2 and "'late' has been without its server" in listed.err, repr(listed)
    server.start()
    wait_until(lambda: reconnects(bed, "late") == 1, "the disk does not come back")
    bed.diskio("write", number, 0, 4096, 9).ok()
    bed.diskio("read", number, 0, 4096).ok()
    bed.unmap("late").ok()


@pytest.mark.parametrize("change, words", [
    (lambda server: setattr(server, "size", 4 << 20), "smaller than it was"),
    (lambda server: setattr(server, "flags", server.flags | scripted.FLAG_READ_ONLY), "not what it was: read-only"),
    (lambda server: setattr(server, "block_sizes", (512, 4096, 4096)), "its block sizes have changed"),
], ids=["shrunk", "read-only", "blocks"])
def test_another_export_is_refused_and_the_right_one_taken(change, words, bed, stack):
    server = stack.enter_context(scripted.Faulty())
    name = f"other-{words[-7:].strip()}"
    number = bed.map(name, server)
    bed.diskio("write", number, 0, 4096, 3).ok()
    was = (server.size, server.flags, server.block_sizes)
    change(server)
    server.streams[0].shutdown(2)
    wait_until(lambda: words in bed.show(name)["LastError"], "nobody says what is wrong with the export")
    shown = bed.show(name)
    assert shown["State"] == "reconnecting" and shown["Reconnects"] == "0" and int(shown["LostForMs"]) > 0, shown
    server.size, server.flags, server.block_sizes = was
    wait_until(lambda: reconnects(bed, name) == 1, "the disk does not come back")
    bed.diskio("read", number, 0, 4096).ok()
    bed.unmap(name).ok()


def test_grown_export_gives_a_larger_disk(bed, stack):
    server = stack.enter_context(scripted.Faulty())
    number = bed.map("grown", server)
    blocks = int(bed.show("grown")["BlockCount"])
    server.size *= 2
    server.image += bytes(server.size // 2)
    server.streams[0].shutdown(2)
    wait_until(lambda: reconnects(bed, "grown") == 1, "the disk does not come back")
    assert "the export is larger than it was" in bed.log()
    bed.diskio("read", number, 0, 4096).ok()  # which learns by a unit attention that there is more now
    bed.diskio("read", number, 2 * blocks * 512 - 4096, 4096).ok()
    assert int(bed.show("grown")["BlockCount"]) == 2 * blocks
    assert bed.diskio("read", number, 2 * blocks * 512, 4096).code != 0
    bed.unmap("grown").ok()


def test_unanswered_write_is_over_before_it_is_sent_again(bed, stack):
    """The server takes long over a write and closes when it is told goodbye: the new connection waits for that."""
    server = stack.enter_context(scripted.SlowWrite())
    number = bed.map("fence", server)
    server.slow = True
    bed.diskio("write", number, 0, 4096, 5).ok()
    shown = bed.show("fence")
    assert shown["ReplayedRequests"] == "1" and shown["UnfencedConnections"] == "0", shown
    bed.unmap("fence").ok()
    assert server.journal == ["connected", "write begun", "write done", "connected"]


def test_write_whose_server_does_not_close_is_counted(bed, stack):
    server = stack.enter_context(scripted.Deaf())
    number = bed.map("unfenced", server)
    server.deaf = True
    bed.diskio("write", number, 0, 4096, 5).ok()
    assert bed.show("unfenced")["UnfencedConnections"] == "1"
    bed.unmap("unfenced").ok()


def test_unmap_while_there_is_no_server(tmp_path, image, bed, stack):
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", image))
    for options in ((), ("--hard-disconnect",)):
        number = bed.map("gone", server)
        server.end(signal.SIGKILL)
        load = bed.start_diskio("read", number, 0, 4096)
        wait_until(lambda: "wnbd 302: gone: the connection is lost" in bed.log(), "the loss goes unnoticed")
        begun = time.monotonic()
        bed.unmap("gone", *options).ok()
        assert time.monotonic() - begun < 50
        assert load.wait().code == 1
        server.start()


def test_other_disks_do_not_wait_for_a_lost_one(tmp_path, server, image, bed, stack):
    other = stack.enter_context(scripted.Faulty())
    good, bad = bed.map("good", server), bed.map("bad", other)
    load, _ = start_storm(bed, good, tmp_path, 4)
    other.__exit__()
    waiting = bed.start_diskio("read", bad, 0, 4096)
    load.wait().ok()
    bed.unmap("bad", "--hard-disconnect").ok()
    assert waiting.wait().code == 1
    bed.unmap("good").ok()
