# SPDX-License-Identifier: LGPL-2.1-or-later
"""What reaches the server when a program reads, writes, flushes and asks."""

import struct

import pytest

import scripted
import servers
from conftest import FILE_BYTES

MIB = 1 << 20
NOT_READY, MEDIUM_ERROR, HARDWARE_ERROR, DATA_PROTECT, ABORTED_COMMAND = 2, 3, 4, 7, 0xB  # sense keys


def since(path, operation, start):
    """Requests logged after `start` earlier ones."""
    return servers.logged(path, operation)[start:]


# --- lengths and borders


@pytest.mark.parametrize("what", ["write", "read"])
def test_four_mebibytes_arrive_as_exactly_two_requests(what, server, bed):
    number = bed.map("two", server)
    operation = what.capitalize()
    start = len(servers.logged(server.requests, operation))
    bed.diskio(what, number, 512, 4 * MIB, *([0x77] if what == "write" else [])).ok()
    requests = since(server.requests, operation, start)
    found = sorted((request.number("offset"), request.number("count")) for request in requests)
    assert found == [(512, 2 * MIB), (512 + 2 * MIB, 2 * MIB)]


def test_reads_and_writes_beyond_the_end_transfer_nothing(server, bed):
    number = bed.map("end", server)
    assert "error 0, 512 bytes" in bed.diskio("write", number, FILE_BYTES - 512, 512, 1).ok().out
    before = len(servers.logged(server.requests, "Write"))
    for words in (("read", number, FILE_BYTES, 512), ("write", number, FILE_BYTES, 512, 1)):
        result = bed.diskio(*words)
        assert result.code == 1 and ", 0 bytes" in result.out and "error 0" not in result.out
    assert len(servers.logged(server.requests, "Write")) == before


def test_requests_that_are_not_whole_blocks_are_refused(server, bed):
    number = bed.map("odd", server)
    for words in (("read", number, 100, 512), ("read", number, 0, 100), ("write", number, 256, 512, 1)):
        result = bed.diskio(*words)
        assert result.code == 1 and "error 87, 0 bytes" in result.out, repr(result)


def test_what_was_written_is_on_the_server_when_the_write_returns(server, image, bed):
    number = bed.map("now", server)
    bed.diskio("write", number, 12 * 512, 3 * 512, 0xA7).ok()
    data = image.read_bytes()[:32 * 512]
    assert data == bytes(12 * 512) + b"\xa7" * (3 * 512) + bytes(17 * 512)


def test_several_requests_are_in_flight_at_once(bed, stack):
    """A server that answers nothing until eight requests are there."""

    class Gathers(scripted.Nbd):
        waiting = None

        def command(self, stream, kind, cookie, offset, length, payload):
            if self.waiting is None or kind != scripted.CMD_WRITE:
                return super().command(stream, kind, cookie, offset, length, payload)
            self.waiting.append((kind, cookie, offset, length, payload))
            while len(self.waiting) == 8:
                for request in reversed(self.waiting):
                    super().command(stream, *request)
                self.waiting = []
            return True

    server = stack.enter_context(Gathers())
    number = bed.map("eight", server)
    server.waiting = []
    bed.diskio("write-random", number, "--bytes", 8 * 65536, "--size", 65536, "--depth", 8, "--seed", 3).ok()
    server.waiting = None
    bed.diskio("verify", number, "--bytes", 8 * 65536, "--seed", 3).ok()


def test_answers_out_of_order_and_in_pieces(bed, stack):
    """Replies in reverse, cut into small sends at odd places, several headers in one segment."""

    class Dribbles(scripted.Nbd):
        held = None

        def command(self, stream, kind, cookie, offset, length, payload):
            if kind != scripted.CMD_READ or self.held is None:
                return super().command(stream, kind, cookie, offset, length, payload)
            self.held.append((cookie, offset, length))
            if len(self.held) < 4:
                return True
            data = b"".join(struct.pack(">IIQ", scripted.REPLY_MAGIC, 0, c) + bytes(self.image[o:o + n])
                            for c, o, n in reversed(self.held))
            self.held = []
            cuts = [0, 1, 7, 16, 17, 3000, 4096, len(data) // 2 + 5, len(data) - 3, len(data)]
            for begin, end in zip(cuts, cuts[1:]):
                stream.sendall(data[begin:end])
                self.ended.wait(0.002)
            return True

    server = stack.enter_context(Dribbles())
    number = bed.map("pieces", server)
    bed.diskio("write-random", number, "--bytes", 2 * MIB, "--seed", 11).ok()
    server.held = []
    for size in (8192, 65536, 131072):
        bed.diskio("verify", number, "--bytes", 16 * size, "--size", size, "--depth", 4, "--seed", 11).ok()


# --- flush, FUA, UNMAP


def test_flush_reaches_the_server_with_offset_and_length_0(bed, stack):
    server = stack.enter_context(scripted.Nbd())
    number = bed.map("flush", server)
    bed.diskio("write", number, 0, 4096, 1).ok()
    assert "flush: error 0" in bed.diskio("flush", number).ok().out
    assert (scripted.CMD_FLUSH, 0, 0, 0) in server.requests
    assert all(request == (scripted.CMD_FLUSH, 0, 0, 0) for request in server.of_kind(scripted.CMD_FLUSH))


def test_flush_of_a_disk_without_a_cache_succeeds_and_sends_nothing(bed, stack):
    server = stack.enter_context(scripted.Nbd(flags=scripted.FLAG_HAS))
    number = bed.map("flush", server)
    assert bed.show("flush")["FlushSupported"] == "0"
    assert "flush: error 0" in bed.diskio("flush", number).ok().out
    assert server.of_kind(scripted.CMD_FLUSH) == []


def test_write_through_is_fua_on_every_write_and_only_then(bed, stack):
    server = stack.enter_context(scripted.Nbd())
    number = bed.map("fua", server)
    bed.diskio("write", number, 0, 4 * MIB, 1).ok()
    bed.diskio("write", number, 0, 4 * MIB, 2, "--through").ok()
    writes = server.of_kind(scripted.CMD_WRITE)
    assert [flags for _, flags, _, _ in writes] == [0, 0, scripted.CMD_FLAG_FUA, scripted.CMD_FLAG_FUA]
    assert not any(flags for _, flags, _, _ in server.of_kind(scripted.CMD_READ))


def test_write_through_without_fua_sends_no_flag_but_a_flush(bed, stack):
    server = stack.enter_context(scripted.Nbd(flags=scripted.FLAG_HAS | scripted.FLAG_FLUSH))
    number = bed.map("fua", server)
    assert bed.show("fua")["FUASupported"] == "0"
    bed.diskio("write", number, 0, 4096, 2, "--through").ok()
    assert [flags for _, flags, _, _ in server.of_kind(scripted.CMD_WRITE)] == [0]
    written = server.requests.index((scripted.CMD_WRITE, 0, 0, 4096))
    assert (scripted.CMD_FLUSH, 0, 0, 0) in server.requests[written:]


def test_flush_and_fua_are_understood_by_a_real_server(server, bed):
    number = bed.map("real", server)
    bed.diskio("write", number, 0, 4096, 2, "--through").ok()
    bed.diskio("flush", number).ok()
    assert [request.number("fua") for request in servers.logged(server.requests, "Write")] == [1]
    assert len(servers.logged(server.requests, "Flush")) >= 1


def unmap_list(*ranges):
    descriptors = b"".join(struct.pack(">QII", lba, count, 0) for lba, count in ranges)
    return (struct.pack(">HHI", len(descriptors) + 6, len(descriptors), 0) + descriptors).hex()


def unmap_cdb(*ranges):
    return "42000000000000" + f"{8 + 16 * len(ranges):04x}" + "00"


def test_unmap_reaches_the_server_as_trim(server, image, bed):
    number = bed.map("trim", server)
    assert bed.diskio("info", number).ok().fields()["trim.enabled"] == "1"
    bed.diskio("write", number, 0, 64 * 512, 0xEE).ok()
    for is_direct in ((), ("--direct",)):
        first = 16 if is_direct else 32
        bed.diskio("cdb", number, unmap_cdb((first, 8)), "--out-hex", unmap_list((first, 8)), *is_direct).ok()
    trims = servers.logged(server.requests, "Trim")
    assert [(trim.number("offset"), trim.number("count")) for trim in trims] == [(32 * 512, 4096), (16 * 512, 4096)]
    data = image.read_bytes()[:64 * 512]
    assert data[16 * 512:24 * 512] == bytes(4096) and data[8 * 512:16 * 512] == b"\xee" * 4096


def test_unmap_beyond_4_gib_is_not_wrapped(tmp_path, bed, stack):
    log = tmp_path / "requests.log"
    server = stack.enter_context(servers.nbdkit(tmp_path, "memory", 1 << 45, log=log))
    number = bed.map("trim", server)
    blocks = (1 << 32) // 512
    for count in (blocks - 1, blocks, blocks + 1):
        start = len(servers.logged(log, "Trim"))
        bed.diskio("cdb", number, unmap_cdb((8, count)), "--out-hex", unmap_list((8, count))).ok()
        trims = sorted((trim.number("offset"), trim.number("count")) for trim in since(log, "Trim", start))
        assert trims[0][0] == 8 * 512
        assert all(offset + length == following for (offset, length), (following, _) in zip(trims, trims[1:]))
        assert sum(length for _, length in trims) == count * 512


def test_unmap_beyond_the_end_or_of_a_read_only_disk_is_refused_with_sense(server, bed):
    number = bed.map("trim", server)
    last = FILE_BYTES // 512
    refused = bed.diskio("cdb", number, unmap_cdb((last, 1)), "--out-hex", unmap_list((last, 1)))
    assert sense(refused) == (5, 0x21, 0)
    bed.diskio("cdb", number, unmap_cdb((last - 1, 1)), "--out-hex", unmap_list((last - 1, 1))).ok()
    bed.unmap("trim").ok()
    number = bed.map("trim", server, "--read-only")
    before = len(servers.logged(server.requests, "Trim"))
    assert bed.show("trim")["UnmapSupported"] == "1"
    refused = bed.diskio("cdb", number, unmap_cdb((0, 1)), "--out-hex", unmap_list((0, 1)))
    assert sense(refused) == (7, 0x27, 0)
    assert len(servers.logged(server.requests, "Trim")) == before


# --- SCSI pass-through


def sense(result):
    """Key, ASC and ASCQ of a check condition."""
    fields = result.fields()
    assert fields.get("status") == "02", repr(result)
    data = bytes.fromhex(fields["sense"])
    assert data[0] & 0x7F == 0x70, repr(result)
    return data[2] & 0xF, data[12], data[13]


@pytest.mark.parametrize("direct", [(), ("--direct",)], ids=["buffered", "direct"])
def test_inquiry_by_pass_through(direct, server, bed):
    number = bed.map("vol-a", server)
    data = bytes.fromhex(bed.diskio("cdb", number, "120000006000", "--in", 96, *direct).ok().fields()["data"])
    assert data[0] == 0 and data[1] & 0x80 == 0 and data[8:16] == b"WNBD    "
    assert data[16:32] == b"WNBD_DISK       " and data[32:36] == b"0.8 "
    short = bed.diskio("cdb", number, "120000000500", "--in", 96, *direct).ok().fields()
    assert bytes.fromhex(short["data"]) == data[:5] and short["transferred"] == "5"


def test_serial_page_is_the_instance_name(server, bed):
    number = bed.map("vol-a", server)
    page = bytes.fromhex(bed.diskio("cdb", number, "12018000ff00", "--in", 255).ok().fields()["data"])
    assert page == b"\0\x80\0\5vol-a"


def test_read_capacity_16_by_pass_through(server, bed):
    number = bed.map("vol-a", server)
    data = bytes.fromhex(bed.diskio("cdb", number, "9e10" + "00" * 11 + "200000", "--in", 32).ok().fields()["data"])
    assert struct.unpack(">QI", data[:12]) == (FILE_BYTES // 512 - 1, 512)
    assert data[14] & 0x80


def test_read_and_write_by_pass_through(server, image, bed, tmp_path):
    number = bed.map("vol-a", server)
    payload = bytes(range(256)) * 16
    (tmp_path / "payload").write_bytes(payload)
    bed.diskio("cdb", number, "2a00000000100000" + "0800", "--out", f"Z:{tmp_path}/payload", "--direct").ok()
    assert image.read_bytes()[0x10 * 512:0x18 * 512] == payload
    data = bed.diskio("cdb", number, "2800000000100000" + "0800", "--in", 4096, "--direct").ok().fields()["data"]
    assert bytes.fromhex(data) == payload


@pytest.mark.parametrize("cdb, expected", [
    ("ff0000000000", (5, 0x20, 0)),          # unknown operation
    ("1201ee00ff00", (5, 0x24, 0)),          # unknown VPD page
    ("28007fffffff00000100", (5, 0x21, 0)),  # beyond the end
], ids=["unknown operation", "unknown page", "beyond the end"])
def test_refusals_carry_sense(cdb, expected, server, bed):
    number = bed.map("vol-a", server)
    assert sense(bed.diskio("cdb", number, cdb, "--in", 512)) == expected


def test_write_to_a_read_only_disk_is_refused_with_sense(server, bed):
    number = bed.map("vol-a", server, "--read-only")
    assert sense(bed.diskio("cdb", number, "2a000000000000000100", "--out-hex", "00" * 512)) == (7, 0x27, 0)


# --- questions of programs


def test_every_query_of_a_writable_disk(server, bed):
    number = bed.map("vol-a", server)
    info = bed.diskio("info", number).ok().fields()
    expected = {
        "length.bytes": FILE_BYTES, "geometry.sector": 512, "geometry_ex.bytes": FILE_BYTES, "device.type": 0,
        "device.removable": 0, "device.bus": 14, "adapter.transfer": 2 * MIB, "adapter.bus": 14,
        "alignment.logical": 512, "alignment.offset": 0, "cache.enabled": 2, "cache.flush": 1, "trim.enabled": 1,
        "number.type": 7, "number.number": number, "scsi.path": 0, "scsi.lun": 0,
    }
    assert {name: int(info.get(name, -1)) for name in expected} == expected
    assert {name: value for name, value in info.items() if name.endswith(".error") and value != "0"} == {}
    assert info["device.vendor"].startswith("WNBD") and info["device.product"].startswith("WNBD_DISK")
    assert info["device.serial"] == "vol-a|"
    assert info["scsi.target"] == bed.show("vol-a")["TargetId"]


def test_write_cache_and_trim_of_a_plain_disk(bed, stack):
    server = stack.enter_context(scripted.Nbd(flags=scripted.FLAG_HAS))
    info = bed.diskio("info", bed.map("plain", server)).ok().fields()
    assert info["trim.enabled"] == "0"
    assert info["cache.enabled"] != "2"


# --- errors of the server


def test_each_error_of_the_server_becomes_sense_and_the_disk_goes_on(bed, stack):
    server = stack.enter_context(scripted.Faulty())
    number = bed.map("errors", server)
    read, write = "28000000000000000100", "2a000000000000000100"
    for errno, expected_read, expected_write in (
            (1, HARDWARE_ERROR, DATA_PROTECT),                # EPERM: a write to what is read-only
            (5, MEDIUM_ERROR, MEDIUM_ERROR),                  # EIO
            (12, ABORTED_COMMAND, ABORTED_COMMAND),           # ENOMEM: to be tried again
            (22, HARDWARE_ERROR, HARDWARE_ERROR),             # EINVAL: also what the server has no number for
            (28, HARDWARE_ERROR, DATA_PROTECT),               # ENOSPC: thin storage ran full
            (4711, HARDWARE_ERROR, HARDWARE_ERROR)):          # none the protocol has
        server.broken = errno
        assert sense(bed.diskio("cdb", number, read, "--in", 512))[0] == expected_read, errno
        assert sense(bed.diskio("cdb", number, write, "--out-hex", "00" * 512))[0] == expected_write, errno
        server.broken = None
        bed.diskio("read", number, 0, 4096).ok()


def test_errors_of_a_real_server_are_reported_and_pass(tmp_path, image, bed, stack):
    trigger = tmp_path / "fail"
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", image, "error=EIO", "error-rate=100%",
                                                f"error-file={trigger}", filters=["error"]))
    number = bed.map("errors", server)
    bed.diskio("write", number, 0, 4096, 1).ok()
    trigger.touch()
    for words in (("read", number, 0, 4096), ("write", number, 0, 4096, 2)):
        result = bed.diskio(*words)
        assert result.code == 1 and "error 0" not in result.out and ", 0 bytes" in result.out, repr(result)
    trigger.unlink()
    bed.diskio("write", number, 0, 4096, 3).ok()
    assert image.read_bytes()[:4096] == b"\3" * 4096
