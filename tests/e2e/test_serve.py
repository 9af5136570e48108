# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks that a program serves through the library: what its callbacks are given, and what becomes of its answers."""

import struct

import pytest

from programs import digest

BLOCKS = 1 << 20
MIB = 1 << 20
ALL = ("--log", "--flush", "--fua", "--reservations")

WRITE, UNMAP, FLUSH = "2a000000000500000100", "42000000000000001800", "35" + "00" * 9
RESERVE_IN, RESERVE_OUT = "5e0000000000", "5f03" + "00" * 6 + "1800"
READ = "28000000000500000100"


def unmap_list(*ranges):
    """Parameter list of UNMAP: (block, blocks) each."""
    body = b"".join(struct.pack(">QII", block, blocks, 0) for block, blocks in ranges)
    return (struct.pack(">HHI", len(body) + 6, len(body), 0) + body).hex()


def unmap(caller, number, *ranges):
    words = unmap_list(*ranges)
    return caller.disk("cdb", number, f"42{'00' * 6}{len(words) // 2:04x}00", "--out-hex", words)


def round_trip(caller, number, size=4096, depth=16, requests=256, seed=1):
    """Writes at random and verifies."""
    options = ("--bytes", size * requests, "--size", size, "--depth", depth, "--seed", seed)
    caller.disk("write-random", number, *options).ok()
    caller.disk("verify", number, *options).ok()


# --- what callbacks are given


def test_read_and_write(call):
    with call.serve("rw", *ALL) as disk:
        call.disk("write", disk.number, 4096, 1024, 0x5A).ok()
        assert disk.requests("write") == [["8", "2", "0", digest(b"\x5a" * 1024)]]
        assert call.read(disk.number, 8, 2) == b"\x5a" * 1024
        assert disk.requests("read")[-1] == ["8", "2", "0"]
        call.disk("write", disk.number, 0, 5 * MIB, 1).ok()
        assert sorted(int(words[1]) for words in disk.requests("write")[1:]) == [2048, 4096, 4096]
        stats = disk.settled()
        assert stats["written-blocks"] == 2 + 10240 and stats["read-blocks"] >= 2
        assert stats["received"] == stats["submitted"] == stats["replies"] == len(disk.handles())
        assert stats["rw"] == len(disk.requests("read")) + len(disk.requests("write"))
        assert stats["unsubmitted"] == stats["pending"] == stats["pending-replies"] == stats["invalid"] == 0


def test_flush_and_write_through(call):
    with call.serve("cached", *ALL) as disk:
        call.disk("flush", disk.number).ok()
        call.disk("write", disk.number, 0, 4 * MIB, 1, "--through").ok()
        call.disk("cdb", disk.number, "35000000000800001000").ok()
        call.disk("cdb", disk.number, "28080000000500000100", "--in", 512).ok()
        assert disk.requests("flush") == [["0", "0"]] * 2  # the driver flushes the whole disk, whatever was asked for
        assert [words[2] for words in disk.requests("write")] == ["1", "1"]
        assert disk.requests("read")[-1] == ["5", "1", "1"]


def test_write_through_of_a_program_that_can_only_flush(call):
    with call.serve("cached", "--log", "--flush") as disk:
        call.disk("cdb", disk.number, "2a080000000500000100", "--out-hex", "ab" * 512).ok()
        lines = [match[1] for match in disk.said(r"^(write|flush) ")]
        assert lines == ["write", "flush"] and disk.requests("write")[0][2] == "0"


@pytest.mark.parametrize("descriptors", [0, 1, 8])
def test_list_of_unmap_descriptors_is_given_one_a_request(descriptors, call):
    with call.serve("thin", "--log", "--unmap-descriptors", descriptors) as disk:
        call.disk("write", disk.number, 0, 64 * 512, 0xFF).ok()
        unmap(call, disk.number, (2, 1), (7, 8), (63, 1)).ok()
        assert sorted(disk.requests("unmap")) == sorted(["1", *words] for words in
                                                        (["2", "1", "0"], ["7", "8", "0"], ["63", "1", "0"]))
        data = call.read(disk.number, 0, 64)
        assert [block for block in range(64) if data[block * 512] == 0] == [2, *range(7, 15), 63]
        unmap(call, disk.number).ok()
        unmap(call, disk.number, (BLOCKS - 1, 1)).ok()
        assert unmap(call, disk.number, (BLOCKS - 1, 2)).fields()["status"] == "02"
        assert len(disk.requests("unmap")) == 4


def test_unmap_fails_when_one_of_its_requests_does(call):
    with call.serve("thin", "--log", "--fail", "unmap", "--asc", 0x0C, "--information") as disk:
        words = unmap_list((2, 1), (7, 8))
        sense = call.sense(disk.number, f"42{'00' * 6}{len(words) // 2:04x}00", "--out-hex", words)
        assert sense[:3] == (3, 0x0C, 0) and sense[3] in (2, 7)


def test_persistent_reservations(call):
    with call.serve("shared", *ALL) as disk:
        result = call.disk("cdb", disk.number, RESERVE_IN, "--in", 24).ok().fields()
        assert bytes.fromhex(result["data"]) == b"\x0f\x0f\x0f\x0f" + bytes(20)
        assert disk.requests("reserve-in") == [["0"]]
        payload = bytes(range(24)).hex()
        call.disk("cdb", disk.number, "5f0105" + "00" * 5 + "1800", "--out-hex", payload).ok()
        assert disk.requests("reserve-out") == [["1", "0", "5", "24", payload]]
        assert call.disk("cdb", disk.number, RESERVE_IN, "--in", 24).fields()["data"][:8] == "0f0f0f10"


def test_what_the_program_does_not_support_is_refused_without_asking_it(call):
    with call.serve("plain", "--log", "--no-unmap") as disk:
        for cdb, options in ((UNMAP, ("--out-hex", unmap_list((0, 1)))), (RESERVE_IN, ("--in", 24)),
                             (RESERVE_OUT, ("--out-hex", "00" * 24))):
            assert call.sense(disk.number, cdb, *options)[:2] == (5, 0x20)
        call.disk("flush", disk.number).ok()
        assert not disk.said("^(unmap|reserve|flush)") and disk.settled()["invalid"] == 0


def test_read_only_disk(call):
    with call.serve("fixed", *ALL, "--read-only", "--fill", 15) as disk:
        call.refused("write", disk.number, 0, 512, 1)
        for cdb, data in ((WRITE, "00" * 512), (UNMAP, unmap_list((0, 1))), (RESERVE_OUT, "00" * 24)):
            assert call.sense(disk.number, cdb, "--out-hex", data)[:2] == (7, 0x27)
        call.disk("cdb", disk.number, RESERVE_IN, "--in", 24).ok()
        assert call.read(disk.number, 0, 1) == b"\x0f" * 512
        assert not disk.said("^(write|unmap|reserve-out)")


@pytest.mark.parametrize("lacks", ["flush", "unmap"])
def test_missing_callback_is_refused_by_the_library(lacks, call):
    with call.serve("lacks", "--flush", "--lacks", lacks) as disk:
        cdb, options = {"flush": (FLUSH, ()), "unmap": (UNMAP, ("--out-hex", unmap_list((0, 1))))}[lacks]
        assert call.sense(disk.number, cdb, *options)[:2] == (5, 0x20)
        stats = disk.settled()
        assert stats["invalid"] == 1 and stats["received"] == stats["submitted"] == stats["replies"]


# --- what becomes of answers


@pytest.mark.parametrize("kind, cdb, options, counter", [
    ("read", READ, ("--in", 512), 0), ("write", WRITE, ("--out-hex", "11" * 512), 1), ("flush", FLUSH, (), 2),
    ("unmap", UNMAP, ("--out-hex", unmap_list((5, 1))), 3), ("persistent_reserve_in", RESERVE_IN, ("--in", 24), 4),
    ("persistent_reserve_out", RESERVE_OUT, ("--out-hex", "00" * 24), 5)])
def test_errors_with_sense(kind, cdb, options, counter, call):
    with call.serve("fails", *ALL) as disk:
        assert disk.number >= 0
        disk.manner("--fail", kind, "--sense-key", 3, "--asc", 0x11)
        assert call.sense(disk.number, cdb, *options) == (3, 0x11, 0, None)
        disk.manner("--fail", kind, "--sense-key", 4, "--asc", 0x44, "--information")
        assert call.sense(disk.number, cdb, *options) == (4, 0x44, 0, 5 if counter in (0, 1, 3) else 0)
        disk.manner("--fail", kind, "--status", 0x18)  # RESERVATION CONFLICT
        result = call.disk("cdb", disk.number, cdb, *options)
        assert result.fields()["status"] == "18", repr(result)
        disk.manner()
        call.disk("cdb", disk.number, cdb, *options).ok()
        assert disk.settled()["errors"] == [3 if index == counter else 0 for index in range(6)]


def test_failed_requests_of_programs(call):
    with call.serve("fails", "--flush") as disk:
        call.disk("write", disk.number, 0, 4096, 7).ok()
        disk.manner("--fail", "write", "--sense-key", 7, "--asc", 0x27)
        call.refused("write", disk.number, 0, 4096, 1)
        disk.manner("--fail", "read", "--sense-key", 3, "--asc", 0x11)
        call.refused("read", disk.number, 0, 4096)
        disk.manner("--fail", "write", "--status", 0x18)
        call.refused("write", disk.number, 0, 4096, 1)
        disk.manner()
        assert call.read(disk.number, 0, 8) == b"\7" * 4096


@pytest.mark.parametrize("options, data", [
    (("--short", 512), b"\x0f" * 512 + bytes(3584)), (("--short", 0), bytes(4096)),
    (("--without-data",), bytes(4096)), (("--copies",), b"\x0f" * 4096), (("--excess", 512), b"\x0f" * 4096)])
def test_read_answered_with_less_or_other_memory(options, data, call):
    with call.serve("short", "--fill", 0x0F, *options) as disk:
        assert call.read(disk.number, 0, 8) == data


def test_size_without_a_buffer(call):
    with call.serve("hollow", "--log") as disk:
        assert disk.number >= 0
        disk.manner("--null-with-size", "--log")
        start = len(disk.lines)
        assert call.sense(disk.number, READ, "--in", 512)[0] == 4
        assert disk.wait(r"^answer [0-9a-f]+ (\d+)$", start)[1] == "87"
        disk.manner()
        assert call.read(disk.number, 0, 1) == bytes(512)


def test_second_answer_finds_nothing(call):
    with call.serve("twice", "--twice") as disk:
        call.disk("write", disk.number, 0, 4096, 1).ok()
        assert disk.wait(r"^again [0-9a-f]+ (\d+)$")[1] == "1168"
        for handle in ("0", "1", "ffffffffffffffff", "0000000100000000", "7fffffff00000000"):
            assert disk.order(f"answer {handle}", r"^answered (\d+)$")[1] == "1168"
        assert call.read(disk.number, 0, 8) == b"\1" * 4096


def test_answers_in_reverse_at_full_depth(call):
    """As many requests as Windows keeps in flight for a disk, and nothing answered before all are there."""
    with call.serve("deep", "--answer-threads", 1) as disk:
        assert disk.number >= 0
        options = ("--bytes", 255 * 4 * 4096, "--size", 4096, "--depth", 255, "--seed", 7)
        disk.manner("--gather", 255)
        call.disk("write-random", disk.number, *options).ok()
        call.disk("verify", disk.number, *options).ok()
        disk.manner()
        assert disk.settled()["errors"] == [0] * 6 and not disk.said("^answer")


def test_as_the_storage_vendor_serves(call):
    """Four threads that answer with one OVERLAPPED each, and the disk in place of the handle for its result."""
    naa = "60" + "0123456789abcdef" * 2
    options = ("--threads", 4, "--answer-threads", 4, "--owner", "ceph-rbd-wnbd", "--flush", "--fua", "--naa", naa[:32])
    with call.serve("pool/image@snap", *options) as disk:
        assert int(call("poll", disk.name, 1, 1, 30000, 500).ok().fields()["number"]) == disk.number
        shown = call("show", disk.name).ok().fields()
        assert shown["owner"] == "ceph-rbd-wnbd" and shown["serial"] == disk.name
        round_trip(call, disk.number, 4096, 64, 2048)
        round_trip(call, disk.number, 2 * MIB, 64, 32, seed=2)
        disk.manner("--gather", 4)
        round_trip(call, disk.number, 65536, 4, 64, seed=3)
        disk.manner()
        stats = disk.settled()
        assert stats["pending"] == stats["pending-replies"] == 0 and stats["errors"] == [0] * 6
        assert not disk.said("^(answer|unsignalled|log)")


def test_no_answer_is_lost_when_the_kernel_is_short_of_memory(call):
    """Each request would be out until Windows' time-out, and its place in the queue gone for good."""
    with call.serve("short", "--answer-threads", 2) as disk:
        assert disk.number >= 0
        for times in (1, 5):
            disk.let_fail("DeviceIoControl", 0, "--error", 1450, "--times", times)
            round_trip(call, disk.number, 4096, 16, 256)
            disk.heal()
        assert disk.settled()["pending-replies"] == 0 and not disk.said("^answer")


def test_no_answer_is_lost_when_the_program_has_no_memory(call):
    """Slow callbacks answer at once, each by a command of its own; when none can be made answers go with others."""
    with call.serve("poor", "--threads", 2, "--delay-ms", 60) as disk:
        assert disk.number >= 0
        disk.let_fail("calloc", 0)
        round_trip(call, disk.number, 4096, 4, 16)
        disk.heal()
        assert disk.settled()["pending-replies"] == 0 and not disk.said("^answer")


@pytest.mark.parametrize("threads", [1, 255])
def test_number_of_threads(threads, call):
    with call.serve("threads", "--threads", threads) as disk:
        round_trip(call, disk.number, 4096, 255, 1024)
        assert disk.order("misuse", r"^misused (.*)$")[1] == "87 87 87"


def test_answers_from_memory_of_the_program_after_a_while(call):
    with call.serve("slow", "--copies", "--delay-ms", 3, "--threads", 8) as disk:
        round_trip(call, disk.number, 4096, 16, 128)
        counts = disk.order("latency", r"^latency 0 (.*)$")[1].split()
        assert all(int(count.split(":")[1]) >= 12 for count in counts), counts  # 2^11 us and more


@pytest.mark.parametrize("how", [(), ("--synchronous",)], ids=["overlapped", "synchronous"])
def test_one_request_at_a_time_without_the_dispatcher(how, call):
    with call.serve("single", "--singly", *how, ready="^created") as disk:
        round_trip(call, disk.number, 65536, 8, 32)
        call("remove", disk.name, "--default").ok()
        assert disk.wait(r"^fetch (\d+) (\w+)$").groups() == ("0", "DISCONNECT")


# --- size


@pytest.mark.parametrize("blocks", [2 * BLOCKS, BLOCKS // 2, BLOCKS + 1])
def test_resize(blocks, call, other):
    with call.serve("elastic", "--log") as disk:
        call.disk("write", disk.number, 4096, 512, 1).ok()
        assert disk.order(f"resize {blocks}", r"^resized (.*)$")[1] == f"0 {blocks}"
        info = call.disk("info", disk.number).ok().fields()
        assert int(info["length.bytes"]) == int(info["geometry_ex.bytes"]) == blocks * 512
        assert call("show", disk.name).ok().fields()["blocks"] == str(blocks)
        call.disk("write", disk.number, (blocks - 1) * 512, 512, 2).ok()
        assert disk.requests("write")[-1][0] == str(blocks - 1)
        call.refused("write", disk.number, blocks * 512, 512, 3)
        call.refused("read", disk.number, blocks * 512, 512)
        assert call.read(disk.number, 8, 1) == b"\1" * 512


def test_resize_to_nothing_or_too_much(call):
    with call.serve("elastic") as disk:
        assert disk.number >= 0
        for blocks in (0, 1 << 55):
            assert disk.order(f"resize {blocks}", r"^resized (.*)$")[1] == f"87 {BLOCKS}"
        assert call("show", disk.name).ok().fields()["blocks"] == str(BLOCKS)
    assert call("set-size", disk.id, 1).code == 2
