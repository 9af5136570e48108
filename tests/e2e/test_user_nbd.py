# SPDX-License-Identifier: LGPL-2.1-or-later
"""map --user: the NBD client is a process, and the disk is as good as one of the driver's."""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

import pytest

import scripted
import servers
from beds import CLIENT, EXEC_S, PROGRAMS, windows_path
from conftest import FILE_BYTES
from test_interrupt import Silent, SilentInHandshake
from test_io import since, unmap_cdb, unmap_list
from test_reconnect import STORM_BYTES, start_storm, wait_until
from test_storm import first_difference

MIB = 1 << 20
WAIT_MS = 6000
BED_OPTIONS = ("--set-parameter", "ConnectTimeoutMs=6000", "--set-parameter", f"ReconnectTimeoutMs={WAIT_MS}")


class Mapped:
    """A disk and the process that serves it."""

    def __init__(self, bed, name, program):
        self.bed = bed
        self.name = name
        self.program = program
        wait_until(self.appears, f"{name} does not appear")
        self.number = bed.number(name)

    def appears(self):
        assert self.program.process.poll() is None, repr(self.program.wait())
        shown = self.bed.client("show", self.name)
        return shown.code == 0 and shown.fields()["DiskNumber"] != "-1"

    def end(self, *options):
        """Unmaps it from elsewhere; the process ends with it."""
        self.bed.unmap(self.name, *options).ok()
        return self.program.wait().ok()


def map_user(bed, name, server, *options, export=None):
    return Mapped(bed, name, bed.start_map(name, server, "--user", *options, export=export, limit_s=EXEC_S))


@pytest.mark.parametrize("start", [servers.nbdkit, servers.nbd_server, servers.qemu_nbd], ids=lambda f: f.__name__)
def test_round_trips(start, tmp_path, image, bed, stack):
    arguments = ("file", image) if start is servers.nbdkit else (image,)
    server = stack.enter_context(start(tmp_path, *arguments))
    disk = map_user(bed, "trip", server)
    shown = bed.show("trip")
    assert shown["UseUserspaceNbd"] == "1" and shown["SerialNumber"] == "trip", shown
    assert "State" not in shown  # which the driver does not know
    assert int(shown["BlockCount"]) * int(shown["BlockSize"]) == FILE_BYTES
    bed.diskio("write-random", disk.number, "--bytes", 16 * MIB, "--depth", 8, "--seed", 3).ok()
    bed.diskio("verify", disk.number, "--bytes", 16 * MIB, "--size", 2 * MIB, "--depth", 4, "--seed", 3).ok()
    bed.diskio("flush", disk.number).ok()
    said = disk.end().out
    assert said.startswith("Mapped 'trip' as \\\\.\\PhysicalDrive") and bed.mapped() == []


def test_storm(tmp_path, image, bed, stack):
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", image))
    disk = map_user(bed, "storm", server)
    load, expected = start_storm(bed, disk.number, tmp_path, 5)
    load.wait().ok()
    disk.end()
    assert first_difference(image, expected, STORM_BYTES) is None


# --- what reaches the server


def test_beyond_the_end_and_unaligned(server, bed):
    disk = map_user(bed, "end", server)
    assert "error 0, 512 bytes" in bed.diskio("write", disk.number, FILE_BYTES - 512, 512, 1).ok().out
    for words in (("read", disk.number, FILE_BYTES, 512), ("write", disk.number, FILE_BYTES, 512, 1)):
        result = bed.diskio(*words)
        assert result.code == 1 and ", 0 bytes" in result.out and "error 0" not in result.out
    for words in (("read", disk.number, 100, 512), ("write", disk.number, 256, 512, 1)):
        assert "error 87, 0 bytes" in bed.diskio(*words).out
    disk.end()


def test_export_that_does_not_end_with_a_block(tmp_path, bed, stack):
    path = servers.sparse_file(tmp_path / "odd.img", 64 * 512 + 100)
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", path))
    disk = map_user(bed, "odd", server)
    assert bed.show("odd")["BlockCount"] == "64"
    bed.diskio("write", disk.number, 63 * 512, 512, 0x5A).ok()
    assert bed.diskio("write", disk.number, 64 * 512, 512, 1).code == 1
    disk.end()
    assert path.read_bytes() == bytes(63 * 512) + b"\x5a" * 512 + bytes(100)


@pytest.mark.parametrize("what", ["write", "read"])
def test_four_mebibytes_arrive_as_exactly_two_requests(what, server, bed):
    disk = map_user(bed, "two", server)
    operation = what.capitalize()
    start = len(servers.logged(server.requests, operation))
    bed.diskio(what, disk.number, 512, 4 * MIB, *([0x77] if what == "write" else [])).ok()
    found = sorted((request.number("offset"), request.number("count"))
                   for request in since(server.requests, operation, start))
    assert found == [(512, 2 * MIB), (512 + 2 * MIB, 2 * MIB)]
    disk.end()


def test_requests_longer_than_the_server_takes_go_in_pieces(bed, stack):
    server = stack.enter_context(scripted.Nbd(block_sizes=(512, 4096, 64 << 10)))
    disk = map_user(bed, "pieces", server)
    bed.diskio("write-random", disk.number, "--bytes", 4 * MIB, "--size", 1 * MIB, "--depth", 3, "--seed", 5).ok()
    bed.diskio("verify", disk.number, "--bytes", 4 * MIB, "--size", 1 * MIB, "--depth", 3, "--seed", 5).ok()
    disk.end()
    lengths = [length for _, _, _, length in server.of_kind(scripted.CMD_READ, scripted.CMD_WRITE)]
    assert max(lengths) == 64 << 10


def test_flush_fua_and_trim(server, image, bed):
    disk = map_user(bed, "real", server)
    bed.diskio("write", disk.number, 0, 64 * 512, 0xEE, "--through").ok()
    bed.diskio("flush", disk.number).ok()
    bed.diskio("cdb", disk.number, unmap_cdb((16, 8)), "--out-hex", unmap_list((16, 8))).ok()
    assert [request.number("fua") for request in servers.logged(server.requests, "Write")] == [1]
    assert len(servers.logged(server.requests, "Flush")) >= 1
    trims = servers.logged(server.requests, "Trim")
    assert [(trim.number("offset"), trim.number("count")) for trim in trims] == [(16 * 512, 4096)]
    disk.end()
    assert image.read_bytes()[8 * 512:24 * 512] == b"\xee" * 4096 + bytes(4096)


def test_read_only_export_gives_a_read_only_disk(tmp_path, image, bed, stack):
    server = stack.enter_context(servers.qemu_nbd(tmp_path, image, read_only=True))
    disk = map_user(bed, "ro", server)
    assert bed.show("ro")["ReadOnly"] == "1"
    bed.diskio("read", disk.number, 0, 4096).ok()
    assert bed.diskio("write", disk.number, 0, 4096, 1).code == 1
    disk.end()


def test_error_of_the_server_reaches_the_program(bed, stack):
    server = stack.enter_context(scripted.Faulty())
    disk = map_user(bed, "fails", server)
    server.broken = scripted.EIO
    fields = bed.diskio("cdb", disk.number, "2a000000000000000800", "--out-hex", "00" * 4096).fields()
    server.broken = None
    assert fields["status"] == "02" and fields["sense"][4:6] == "03", fields  # MEDIUM ERROR
    disk.end()


def test_skipped_handshake(bed, stack):
    server = stack.enter_context(scripted.Nbd(handshake=False))
    disk = map_user(bed, "bare", server, "--skip-handshake", "--disk-size", "8M")
    bed.diskio("write-random", disk.number, "--bytes", 4 * MIB, "--seed", 2).ok()
    bed.diskio("verify", disk.number, "--bytes", 4 * MIB, "--seed", 2).ok()
    disk.end()
    wait_until(lambda: server.of_kind(scripted.CMD_DISC), "the server was not told goodbye")


def test_blocks_of_4096(server, bed):
    disk = map_user(bed, "large", server, "--block-size", "4096")
    assert bed.show("large")["BlockSize"] == "4096"
    bed.diskio("write-random", disk.number, "--bytes", 4 * MIB, "--seed", 4).ok()
    bed.diskio("verify", disk.number, "--bytes", 4 * MIB, "--seed", 4).ok()
    disk.end()


# --- what cannot be mapped


def try_user(bed, server, *options, **more):
    return bed.start_map("no", server, "--user", *options, **more).wait()


def test_nobody_listens(bed, tmp_path):
    server = servers.Server([], "127.0.0.1", servers.free_port(), tmp_path / "log")
    try_user(bed, server).failed(2250, "'no'", "refused the connection")
    assert bed.mapped() == []


def test_no_such_host(bed, tmp_path):
    server = servers.Server([], "no-such-host.invalid", 10809, tmp_path / "log")
    result = bed.start_map("no", server, "--user").wait()
    # The exit code is the resolver's, which differs where there is no resolver at all.
    assert result.code in range(11001, 11005), repr(result)
    result.failed(result.code, "no host named 'no-such-host.invalid'")


@pytest.mark.parametrize("make, code, words", [
    (lambda: scripted.Refuses(scripted.REP_ERR_UNKNOWN), 5, "no export named"),
    (lambda: scripted.Refuses(scripted.REP_ERR_POLICY), 5, "policy"),
    (lambda: scripted.Refuses(scripted.REP_ERR_TLS_REQD), 5, "tls"),
    (scripted.http_server, 31, "not an NBD server"),
    (scripted.oldstyle_server, 31, "old-style"),
    (scripted.ClosesInHandshake, 31, "closed the connection"),
    (scripted.Silent, 31, "in time"),
    (lambda: scripted.Nbd(size=100), 87, "smaller than one block"),
    (lambda: scripted.Nbd(block_sizes=(4096, 4096, 65536)), 87, "--block-size 4096"),
], ids=["unknown", "policy", "tls", "http", "oldstyle", "closes", "silent", "small", "blocks"])
def test_refused(make, code, words, bed, stack):
    try_user(bed, stack.enter_context(make())).failed(code, "'no'", words)
    assert bed.mapped() == []


def test_name_in_use(server, bed):
    disk = map_user(bed, "no", server)
    try_user(bed, server).failed(183, "'no'", "in use")
    bed.diskio("read", disk.number, 0, 4096).ok()
    disk.end()


@pytest.mark.parametrize("first", ["driver", "process"])
def test_export_that_is_mapped_already(first, server, bed):
    disk = None
    if first == "driver":
        bed.map("one", server)
    else:
        disk = map_user(bed, "one", server)
    try_user(bed, server).failed(32, "'no'", "mapped already as 'one'")
    second = map_user(bed, "two", server, "--force")
    second.end()
    if disk:
        disk.end()


def test_export_name_fallback(bed, stack):
    server = stack.enter_context(scripted.NoGo())
    disk = map_user(bed, "old", server)
    bed.diskio("write", disk.number, 0, 4096, 1).ok()
    disk.end()


# --- the end


@pytest.mark.parametrize("options", [(), ("--hard-disconnect",)], ids=["soft", "hard"])
def test_unmapped_under_load(options, tmp_path, server, bed):
    disk = map_user(bed, "busy", server)
    load = bed.start_diskio("storm", disk.number, "--threads", 4, "--seconds", 60, "--bytes", STORM_BYTES, "--out",
                            windows_path(tmp_path / "unused"))
    bed.wait_for_load("busy")
    bed.unmap("busy", "--soft-disconnect-timeout", 1, *options).ok()
    disk.program.wait().ok()
    load.wait()
    assert bed.mapped() == []


@pytest.mark.parametrize("options, code, words", [
    ((), 1617, "the adapter was reset or removed"),
    (("--hard-disconnect-mappings",), 1115, "all disks were unmapped"),
], ids=["reset", "cleared"])
def test_disk_that_nobody_unmapped_is_a_failure(options, code, words, server, bed):
    disk = map_user(bed, "lost", server)
    bed.client("reset-adapter", *options).ok()
    result = disk.program.wait()
    assert result.code == code, repr(result)
    assert result.err.splitlines()[-1] == f"wnbd-client: 'lost' is not served any more: {words}."
    disk = map_user(bed, "lost", server)
    disk.end()


def interrupted(bed, file, server, *options):
    return bed.start(PROGRAMS / "interrupt.exe", windows_path(file), windows_path(CLIENT), "map", "x", server.address,
                     "--port", server.port, "--export-name", server.export, "--user", *options)


def test_ctrl_c_unmaps(tmp_path, server, image, bed):
    now = tmp_path / "now"
    disk = Mapped(bed, "x", interrupted(bed, now, server))
    bed.diskio("write", disk.number, 0, 4096, 0x3C).ok()
    now.touch()
    disk.program.wait().ok()
    assert bed.mapped() == [] and image.read_bytes()[:4096] == b"\x3c" * 4096


def test_ctrl_c_while_the_disk_is_in_use(tmp_path, server, bed):
    now = tmp_path / "now"
    disk = Mapped(bed, "x", interrupted(bed, now, server))
    with bed.hold(disk.number, tmp_path):
        begun = time.monotonic()
        now.touch()
        disk.program.wait().ok()
        assert time.monotonic() - begun < 30
    assert bed.mapped() == []


@pytest.mark.parametrize("kind, stage", [(Silent, "connected"), (SilentInHandshake, "asked")],
                         ids=["before the greeting", "in the handshake"])
def test_ctrl_c_before_there_is_a_disk(kind, stage, tmp_path, bed, stack):
    silent = stack.enter_context(kind(tmp_path, stage))
    interrupted(bed, silent.file, silent).wait().failed(995, "'x'", "given up")
    assert bed.mapped() == []


def test_ctrl_c_leaves_the_disk_of_that_name_which_is_another_process_s(server, tmp_path, bed, stack):
    disk = map_user(bed, "x", server)
    silent = stack.enter_context(Silent(tmp_path, "connected"))
    interrupted(bed, silent.file, silent).wait().failed(995, "'x'", "given up")
    assert bed.mapped() == ["x"]
    bed.diskio("read", disk.number, 0, 4096).ok()
    disk.end()


def processes_with(*words):
    """Of this machine, those whose command lines have all of the words."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes().decode(errors="replace")
            if all(word in line for word in words) and "\0--\0" not in line:
                yield int(path.parent.name)


def test_killed_process_takes_its_disk_with_it(bed, stack):
    server = stack.enter_context(scripted.Faulty())
    name = f"dies-{server.port}"
    disk = map_user(bed, name, server)
    for pid in processes_with("wnbd-client.exe", name):
        os.kill(pid, signal.SIGKILL)
    disk.program.process.communicate(timeout=60)
    wait_until(lambda: bed.mapped() == [], "the disk outlives its process")


def test_server_that_goes_on_sending_after_the_goodbye(bed, stack):
    """It is heard out for a second, and not for as long as it has something to say."""

    class Floods(scripted.Nbd):
        flooding = False

        def serve(self, stream):
            goes_on = super().serve(stream)
            while self.requests[-1][0] == scripted.CMD_DISC:
                self.flooding = True
                stream.sendall(bytes(4 * MIB))
            return goes_on

    server = stack.enter_context(Floods())
    disk = map_user(bed, "flood", server)
    begun = time.monotonic()
    disk.end()
    assert server.flooding and time.monotonic() - begun < 20


# --- a lost connection


def replies(bed, name):
    return bed.stats(name)["TotalReceivedIOReplies"]


def lose(server):
    server.streams[-1].shutdown(2)


@pytest.mark.parametrize("start", [servers.nbdkit, servers.nbd_server, servers.qemu_nbd], ids=lambda f: f.__name__)
def test_server_killed_and_started_again_under_load(start, tmp_path, image, bed, stack):
    arguments = ("file", image) if start is servers.nbdkit else (image,)
    server = stack.enter_context(start(tmp_path, *arguments))
    disk = map_user(bed, "kept", server)
    load, expected = start_storm(bed, disk.number, tmp_path, 15)
    bed.wait_for_load("kept")
    for _ in range(3):
        server.end(signal.SIGKILL)
        time.sleep(0.3)
        answered = replies(bed, "kept")
        server.start()
        wait_until(lambda: replies(bed, "kept") > answered, "the disk does not come back")
    load.wait().ok()
    said = disk.end()
    assert said.err.count("connected again") >= 3, repr(said)
    assert first_difference(image, expected, STORM_BYTES) is None


@pytest.mark.parametrize("how", ["close", "cut", "garbage", "stranger"])
def test_request_is_sent_again_after_the_server_misbehaved(how, bed, stack):
    server = stack.enter_context(scripted.BrokenOnce())
    disk = map_user(bed, "again", server)
    bed.diskio("write", disk.number, 0, 65536, 1).ok()
    server.broken = how
    bed.diskio("read", disk.number, 0, 65536).ok()
    bed.diskio("write", disk.number, 0, 65536, 2).ok()
    said = disk.end()
    assert said.err.count("connected again") == 1, repr(said)


def test_requests_fail_in_time_and_the_disk_comes_back(tmp_path, image, bed, stack):
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", image))
    disk = map_user(bed, "late", server)
    server.end(signal.SIGKILL)
    result = bed.diskio("read", disk.number, 0, 4096, limit_s=EXEC_S)
    assert result.code == 1, repr(result)
    server.start()
    wait_until(lambda: bed.diskio("read", disk.number, 0, 4096).code == 0, "the disk does not come back")
    bed.diskio("write", disk.number, 0, 4096, 9).ok()
    said = disk.end()
    assert f"no connection within {WAIT_MS} ms" in said.err and "connected again" in said.err, repr(said)


def test_another_export_is_refused_and_the_right_one_taken(bed, stack):
    server = stack.enter_context(scripted.Faulty())
    disk = map_user(bed, "other", server)
    was = server.size
    server.size = 4 << 20
    lose(server)
    wait_until(lambda: len(server.streams) >= 3, "nobody tries")
    server.size = was
    bed.diskio("read", disk.number, 0, 4096).ok()
    disk.end()


def test_grown_export_gives_a_larger_disk(bed, stack):
    server = stack.enter_context(scripted.Faulty())
    disk = map_user(bed, "grown", server)
    blocks = int(bed.show("grown")["BlockCount"])
    server.size *= 2
    server.image += bytes(server.size // 2)
    lose(server)
    wait_until(lambda: int(bed.show("grown")["BlockCount"]) == 2 * blocks, "the disk does not grow")
    bed.diskio("read", disk.number, 0, 4096).ok()  # which learns by a unit attention that there is more now
    bed.diskio("read", disk.number, 2 * blocks * 512 - 4096, 4096).ok()
    disk.end()


def test_unanswered_write_is_over_before_it_is_sent_again(bed, stack):
    server = stack.enter_context(scripted.SlowWrite())
    disk = map_user(bed, "fence", server)
    server.slow = True
    bed.diskio("write", disk.number, 0, 4096, 5).ok()
    disk.end()
    assert server.journal == ["connected", "write begun", "write done", "connected"]


def test_overlapping_writes_go_one_after_the_other(bed, stack):
    """Whoever sends a write again, or two at a time, gets the later one."""

    class Holds(scripted.Nbd):
        holding = None
        together = 0

        def command(self, stream, kind, cookie, offset, length, payload):
            if self.holding is None or kind != scripted.CMD_WRITE:
                return super().command(stream, kind, cookie, offset, length, payload)
            self.holding.append((kind, cookie, offset, length, payload))
            if len(self.holding) == 1:
                threading.Timer(2, self.let_go, (stream,)).start()
            self.together = max(self.together, len(self.holding))
            return True

        def let_go(self, stream):
            held, self.holding = self.holding, []
            for request in held:
                super().command(stream, *request)

    server = stack.enter_context(Holds())
    disk = map_user(bed, "order", server)
    server.holding = []
    writes = [bed.start_diskio("write", disk.number, 0, 4096, byte) for byte in (1, 2)]
    apart = bed.start_diskio("write", disk.number, 65536, 4096, 3)
    for program in (*writes, apart):
        program.wait().ok()
    server.holding = None
    disk.end()
    assert server.together <= 2


@pytest.mark.parametrize("how", ["unmap", "unmap hard", "Ctrl-C"])
def test_removal_while_there_is_no_server(how, tmp_path, image, bed, stack):
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", image))
    now = tmp_path / "now"
    disk = Mapped(bed, "x", interrupted(bed, now, server))
    server.end(signal.SIGKILL)
    load = bed.start_diskio("read", disk.number, 0, 4096)
    time.sleep(1)
    begun = time.monotonic()
    if how == "Ctrl-C":
        now.touch()
    else:
        bed.unmap("x", *(["--hard-disconnect"] if how == "unmap hard" else [])).ok()
    disk.program.wait().ok()
    assert time.monotonic() - begun < 50
    load.wait()
    assert bed.mapped() == []
