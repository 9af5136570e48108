# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The published functional cases of the interface, by their numbers and titles. docs/published-cases.md has the table: how
each differs from the published one, and what cannot be shown here.
"""

import struct

import pytest

from programs import digest, until

# What other tests have, so that they can read the driver's log, is no default.
BED_OPTIONS = ("--set-parameter", "LogLevel=1")

NOT_FOUND = 2
BLOCK, MIB, BLOCKS, TWO_PIB = 512, 1 << 20, 1 << 20, 1 << 42
CACHED = ("--flush", "--fua")
FILLED = ("--fill", 0x0F)  # what the published backend answers reads with


def shown(disk):
    return disk.caller("show", disk.name).ok().fields()


# --- 1 to 3: options


def option(call, *words):
    result = call("get-opt", "LogLevel", *words)
    return result.fields()["value"] if result.code == 0 else result.code


def test_01_option_get_set_int64(call):
    assert call("reset-opt", "LogLevel", "--stored").code in (0, NOT_FOUND)
    assert option(call, "--stored") == NOT_FOUND and option(call) == "int64 1"
    call("set-opt", "LogLevel", 2).ok()
    assert option(call, "--stored") == NOT_FOUND and option(call) == "int64 2"
    call("set-opt", "LogLevel", 3, "--stored").ok()
    assert option(call, "--stored") == option(call) == "int64 3"
    call("set-opt", "LogLevel", 4).ok()
    assert option(call, "--stored") == "int64 3" and option(call) == "int64 4"
    call("reset-opt", "LogLevel").ok()
    assert option(call, "--stored") == "int64 3" and option(call) == "int64 1"
    call("reset-opt", "LogLevel", "--stored").ok()
    assert option(call, "--stored") == NOT_FOUND and option(call) == "int64 1"


def options(call, *words):
    """The list, with the two-phase sizing checked."""
    listed = call("list-opt", *words).ok().fields()
    sizes = {name: int(listed.pop(name)) for name in ("needed", "too_small", "used", "element", "count")}
    assert sizes["needed"] == sizes["too_small"] == 1368 * sizes["count"] + 1376
    assert sizes["used"] <= sizes["needed"]
    assert sizes["element"] == 1368
    return listed


def test_02_option_list(call):
    call("set-opt", "LogLevel", 3, "--stored").ok()
    call("set-opt", "LogLevel", 2).ok()
    call("set-opt", "DbgPrintEnabled", "false").ok()
    call("set-opt", "EtwLoggingEnabled", "true", "--stored").ok()
    found = options(call)
    expected = {"LogLevel": "int64 2", "LogLevel.default": "int64 1", "DbgPrintEnabled": "bool false",
                "DbgPrintEnabled.default": "bool true", "EtwLoggingEnabled": "bool true",
                "EtwLoggingEnabled.default": "bool true"}
    assert {name: found[name] for name in expected} == expected
    assert options(call, "--stored") == {"LogLevel": "int64 3", "LogLevel.default": "int64 1",
                                         "EtwLoggingEnabled": "bool true", "EtwLoggingEnabled.default": "bool true"}
    for name in ("LogLevel", "EtwLoggingEnabled"):
        call("reset-opt", name, "--stored").ok()
    call("reset-opt", "DbgPrintEnabled").ok()


def limits(call):
    with call.serve("limits") as disk:
        found = call("limits", disk.number).ok().fields()
        return int(found["disk"]), int(found["adapter"])


def test_03_io_limits(call):
    call("set-opt", "MaxIOReqPerAdapter", 8192, "--stored").ok()
    call("set-opt", "MaxIOReqPerLun", 512, "--stored").ok()
    call("reset-adapter").ok()
    assert limits(call) == (512, 8192)
    call("reset-opt", "MaxIOReqPerAdapter", "--stored").ok()
    call("reset-opt", "MaxIOReqPerLun", "--stored").ok()
    call("reset-adapter", "--timeout", 5000, "--interval", 500).ok()
    assert limits(call) == (255, 1000)


# --- 4 to 9: mapping


@pytest.mark.parametrize("flags, blocks", [(CACHED, BLOCKS), ((), BLOCKS), ((*CACHED, "--read-only"), BLOCKS),
                                           (CACHED, TWO_PIB)],
                         ids=["04 map cached", "05 map not cached", "06 map read-only", "07 map 2 PiB"])
def test_map(flags, blocks, call):
    with call.serve("mapped", "--blocks", blocks, *flags) as disk:
        assert disk.number >= 0
        found = shown(disk)
        assert found["name"] == found["serial"] == "mapped" and found["owner"] == "WnbdTests"
        assert (found["blocks"], found["block_size"]) == (str(blocks), str(BLOCK))
        assert int(found["pid"]) > 0
        assert {name: found[name] for name in ("flush", "fua", "read_only", "unmap", "kernel_nbd", "user_nbd")} == {
            "flush": str(int("--flush" in flags)), "fua": str(int("--fua" in flags)),
            "read_only": str(int("--read-only" in flags)), "unmap": "1", "kernel_nbd": "0", "user_nbd": "0"}


def test_08_refuse_block_count_0(call):
    assert call("create", "refused", 0, BLOCK).code != 0


@pytest.mark.parametrize("size", [0, 256, 4096, 65536])
def test_09_refuse_block_sizes(size, call):
    assert call("create", "refused", BLOCKS, size).code != 0


# --- 10 and 11: size


@pytest.mark.parametrize("blocks", [BLOCKS * 2, BLOCKS // 2], ids=["10 live resize double", "11 live resize half"])
def test_live_resize(blocks, call):
    with call.serve("resized", "--log") as disk:
        assert disk.number >= 0
        assert disk.order(f"resize {blocks}", r"^resized (.*)$")[1] == f"0 {blocks}"
        call.disk("write", disk.number, (blocks - 1) * BLOCK, BLOCK, 1).ok()
        if blocks < BLOCKS:
            call.refused("write", disk.number, (BLOCKS - 1) * BLOCK, BLOCK, 1)


# --- 12 and 13: identity


def test_12_naa_id(call):
    naa = "60" + "a5" * 14 + "01"
    with call.serve("named", "--naa", naa) as disk:
        info = call.disk("info", disk.number).ok().fields()
        raw = bytes.fromhex(info["id.raw"])
        code_set, kind, length, _, association = struct.unpack("<IIHHI", raw[:16])
        assert info["id.count"] == "1" and (code_set, kind, association) == (1, 3, 0)
        assert length == 16 and raw[16:32].hex() == naa and len(raw) == 32


def test_13_serial(call):
    with call.serve("named", "--serial", "Serial-0001_x") as disk:
        assert call.disk("info", disk.number).ok().fields()["device.serial"] == "Serial-0001_x|"


# --- 14 to 18: removal, list


def test_14_soft_unmap(call):
    with call.serve("soft") as disk:
        assert disk.number >= 0 and disk.remove("forever") == 0
        assert call("show", "soft").code == NOT_FOUND


class Held:
    """Another program has the disk open."""

    def __init__(self, other, disk, tmp_path):
        self.other, self.number, self.until = other, disk.number, tmp_path / "until"

    def __enter__(self):
        mark = len(self.other.lines)
        self.holding = self.other.start("disk", "hold", self.number, "--seconds", 60, "--until", f"Z:{self.until}")
        self.other.wait("^holding$", mark)

    def __exit__(self, *_):
        self.until.touch()
        self.other.ended(self.holding).ok()


def test_15_soft_unmap_times_out(call, other, tmp_path):
    with call.serve("soft") as disk, Held(other, disk, tmp_path):
        assert disk.remove("softly") != 0
        assert shown(disk)["name"] == "soft"


@pytest.mark.parametrize("how", ["fallback", "hard"], ids=["16 hard fallback", "17 hard unmap"])
def test_hard_unmap(how, call, other, tmp_path):
    with call.serve("hard") as disk, Held(other, disk, tmp_path):
        assert disk.remove(how) == 0
        assert call("show", "hard").code == NOT_FOUND


def test_18_list(call):
    with call.serve("one", *CACHED) as one, call.serve("two", "--read-only") as two:
        assert one.number != two.number
        listed = call("list").ok().out
        first, second = listed[listed.index("name: one"):], listed[listed.index("name: two"):]
        assert "read_only: 0\nflush: 1\nfua: 1\nunmap: 1\n" in first[:first.index("number:")]
        assert "read_only: 1\nflush: 0\nfua: 0\nunmap: 1\n" in second[:second.index("number:")]
        assert listed.count("kernel_nbd: 0\nuser_nbd: 0\n") == 2
        for disk in (one, two):
            assert disk.remove() == 0
        assert call.mapped() == []


# --- 19 to 27: reads and writes


def assert_handles_are_unique(disk):
    handles = disk.handles()
    assert len(set(handles)) == len(handles)


def assert_writes(call, disk, blocks, fua, *through):
    assert disk.requests("write") == []
    call.disk("write", disk.number, 0, BLOCK, 0xA1, *through).ok()
    call.disk("write", disk.number, BLOCK, 4 * MIB, 0xB2, *through).ok()
    call.disk("write", disk.number, (blocks - 1) * BLOCK, BLOCK, 0xC3, *through).ok()
    call.refused("write", disk.number, blocks * BLOCK, BLOCK, 0xD4, *through)
    half = digest(b"\xb2" * 2 * MIB)
    first, *middle, last = disk.requests("write")
    assert first == ["0", "1", fua, digest(b"\xa1" * BLOCK)]
    assert sorted(middle, key=lambda words: int(words[0])) == [["1", "4096", fua, half], ["4097", "4096", fua, half]]
    assert last == [str(blocks - 1), "1", fua, digest(b"\xc3" * BLOCK)]


@pytest.mark.parametrize("flags, blocks, through", [
    (CACHED, BLOCKS, ()), ((), BLOCKS, ()), (CACHED, TWO_PIB, ()), ((), BLOCKS, ("--through",)),
    (CACHED, BLOCKS, ("--through",))],
    ids=["19 write cached", "20 write not cached", "21 write 2 PiB", "22 write FUA not cached", "23 write FUA cached"])
def test_write(flags, blocks, through, call):
    with call.serve("written", "--log", *FILLED, "--blocks", blocks, *flags) as disk:
        assert_writes(call, disk, blocks, str(int(bool(flags and through))), *through)
        call.disk("flush", disk.number, *through).ok()
        assert disk.requests("flush") == ([["0", "0"]] if flags else [])
        assert_handles_are_unique(disk)
        assert all(match[1] == "0" for match in disk.said(r"^answer \w+ (\d+)"))


def test_24_write_read_only(call):
    with call.serve("written", "--log", "--read-only", *CACHED) as disk:
        call.refused("write", disk.number, 0, BLOCK, 1)
        assert disk.requests("write") == []


@pytest.mark.parametrize("flags, blocks", [(CACHED, BLOCKS), ((), BLOCKS), (CACHED, TWO_PIB)],
                         ids=["25 read cached", "26 read not cached", "27 read 2 PiB"])
def test_read(flags, blocks, call, tmp_path):
    with call.serve("read", "--log", *FILLED, "--blocks", blocks, *flags) as disk:
        assert disk.number >= 0
        for block, count in ((0, 1), (1, 8192), (blocks - 1, 1)):
            start = len(disk.lines)
            call.disk("read", disk.number, block * BLOCK, count * BLOCK, "--out", f"Z:{tmp_path}/data").ok()
            assert (tmp_path / "data").read_bytes() == b"\x0f" * BLOCK * count
            parts = [[str(block), str(count), "0"]] if count == 1 else [["1", "4096", "0"], ["4097", "4096", "0"]]
            assert sorted(disk.requests("read", start), key=lambda words: int(words[0])) == parts
        call.refused("read", disk.number, blocks * BLOCK, BLOCK)
        assert_handles_are_unique(disk)


# --- 28: counters


def test_28_counters(call):
    with call.serve("counted", *CACHED, *FILLED) as disk:
        assert disk.stats()["written-blocks"] == 0 and disk.stats()["errors"][1] == 0
        call.disk("write", disk.number, 0, BLOCK, 1).ok()
        call.disk("flush", disk.number).ok()

        def driver():
            return {name: int(value) for name, value in call("stats", disk.name).ok().fields().items()}

        def reach(library, of_driver):
            until(lambda: all(disk.stats()[name] >= value for name, value in library.items()), 2)
            until(lambda: all(driver()[name] >= of_driver for name in ("received", "replies")), 2)

        reach({"written-blocks": 1}, 1)
        call.disk("read", disk.number, 0, BLOCK).ok()
        reach({"read-blocks": 1, "rw": 2}, 2)
        for _ in range(2):
            call.refused("write", disk.number, BLOCKS * BLOCK, BLOCK, 1)
        reach({"received": 3, "submitted": 3, "replies": 3}, 3)
        assert disk.stats()["invalid"] == 0


# --- 29 to 31: pass-through


def test_29_reservation_in(call):
    with call.serve("reserved", "--log", "--reservations") as disk:
        result = call.disk("cdb", disk.number, "5e0100000000", "--in", 24).ok().fields()
        assert result["status"] == "00" and bytes.fromhex(result["data"]) == b"\x0f" * 4 + bytes(20)
        assert disk.requests("reserve-in") == [["1"]] and disk.stats()["errors"][4] == 0


def test_30_reservation_out(call):
    payload = bytes(range(1, 25)).hex()
    with call.serve("reserved", "--log", "--reservations") as disk:
        result = call.disk("cdb", disk.number, "5f03" + "03" + "00" * 5 + "1800", "--out-hex", payload).ok()
        assert result.fields()["status"] == "00"
        assert disk.requests("reserve-out") == [["3", "0", "3", "24", payload]] and disk.stats()["errors"][5] == 0


def test_31_unmap(call):
    descriptors = struct.pack(">HHIQII", 22, 16, 0, 2, 1, 0).hex()
    with call.serve("thin", "--log") as disk:
        result = call.disk("cdb", disk.number, "42000000000000001800", "--out-hex", descriptors).ok()
        assert result.fields()["status"] == "00"
        assert disk.requests("unmap") == [["1", "2", "1", "0"]]


# --- 32 and 33: NBD


@pytest.fixture
def daemon(call, other, server):
    """The library's NBD client in the other program; the number of its disk."""
    other("start-daemon", "remote", "--host", server.address, "--port", server.port).ok()
    yield int(call("poll", "remote", 0, 1, 10000, 500).ok().fields()["number"])
    if "remote" in call.mapped():
        call("remove", "remote", "--hard").ok()
        other("wait-daemon").ok()


def test_32_nbd_map(daemon, call, other):
    found = call("show", "remote").ok().fields()
    assert found["name"] == found["serial"] == "remote" and found["owner"] == "WnbdTests"
    assert found["number"] == str(daemon) and int(found["blocks"]) > 0 and int(found["pid"]) > 0
    assert (found["user_nbd"], found["kernel_nbd"]) == ("1", "0")
    call("remove", "remote", "--hard").ok()
    other("wait-daemon").ok()
    assert call("show", "remote").code == NOT_FOUND


def test_33_nbd_io(daemon, call, image, tmp_path):
    number, size, through = daemon, image.stat().st_size, "--through"
    pieces = ((0, BLOCK, 1), (BLOCK, 4 * MIB, 2), (size - BLOCK, BLOCK, 3))
    for offset, length, byte in pieces:
        call.disk("write", number, offset, length, byte, through).ok()
    for offset, length, byte in pieces:
        call.disk("read", number, offset, length, "--out", f"Z:{tmp_path}/back", through).ok()
        assert (tmp_path / "back").read_bytes() == bytes([byte]) * length
    call.refused("read", number, size, BLOCK, through)
    call.refused("write", number, size, BLOCK, 4, through)
    call.disk("flush", number, through).ok()
