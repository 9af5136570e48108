# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The forms of NBD's replies, several connections, and the SCSI commands for the rest of the protocol, against a server
that speaks all of it (tests/interop/fullserver.py) and holds against the driver what the document does not allow.
"""

import hashlib
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "interop"))

import fullserver
from nbdwire import Command, CommandFlag

FORMS = ("simple", "structured", "extended")
SIZE = 64 << 20
FLAGS_WITHOUT_FUA = fullserver.ALL_FLAGS & ~fullserver.Flag.FUA


class Full(fullserver.Server):
    """With what Bed.map wants to know of a server."""

    address = "127.0.0.1"
    export = "disk"

    def asked(self, command):
        return [request for request in self.requests if request[0] == command]


def check_end(bed, name, server):
    """The driver takes its leave, and has done nothing that the document forbids."""
    bed.unmap(name).ok()
    assert server.complaints == []
    assert server.requests[-1][0] == Command.DISC


@pytest.mark.parametrize("form", FORMS)
def test_each_form_carries_the_data(form, tmp_path, bed, stack):
    server = stack.enter_context(Full(size=SIZE, form=form, shape=fullserver.Shape.wild(seed=7)))
    number = bed.map("forms", server)
    assert bed.show("forms")["Replies"] == form
    bed.diskio("storm", number, "--threads", 4, "--requests", 100, "--bytes", 32 << 20).ok()
    data = random.Random(1).randbytes(1 << 20)
    holes = data[:200 << 10] + bytes(400 << 10) + data[600 << 10:]
    server.image.write(40 << 20, holes)
    out = tmp_path / "out"
    bed.diskio("read", number, 40 << 20, len(holes), "--out", f"Z:{out}").ok()
    assert hashlib.sha256(out.read_bytes()).digest() == hashlib.sha256(holes).digest()
    check_end(bed, "forms", server)


@pytest.mark.parametrize("form, fault", [
    ("simple", "wrong-cookie"), ("structured", "overlap"), ("structured", "missing-middle"),
    ("structured", "simple-read"), ("extended", "extended-wrong-offset"), ("extended", "payload-4-gib")])
def test_server_that_breaks_the_protocol_loses_the_connection_and_nothing_else(form, fault, bed, stack):
    server = stack.enter_context(Full(size=SIZE, form=form, fault=fault, fault_at=20))
    number = bed.map("broken", server)
    bed.diskio("storm", number, "--threads", 2, "--requests", 100, "--bytes", 32 << 20).ok()
    shown = bed.show("broken")
    assert shown["Reconnects"] == "1" and shown["State"] == "connected", shown
    assert shown["LastError"].startswith(("it ", "the server ")), shown
    check_end(bed, "broken", server)


def test_requests_go_over_the_connections_that_were_asked_for(bed, stack):
    server = stack.enter_context(Full(size=SIZE))
    number = bed.map("several", server, "--connections", 4)
    bed.diskio("storm", number, "--threads", 8, "--requests", 100, "--bytes", 64 << 20).ok()
    shown = bed.show("several")
    assert shown["Connections"] == "4" and shown["ConnectionsWanted"] == "4", shown
    assert len(server.connections) == 4 and all(connection.requests for connection in server.connections)
    check_end(bed, "several", server)


def test_one_connection_where_the_server_allows_no_more_is_said(bed, stack):
    server = stack.enter_context(Full(size=SIZE, flags=fullserver.ALL_FLAGS & ~fullserver.Flag.MULTI_CONN))
    result = bed.try_map("single", server, "--connections", 4)
    assert result.code == 0 and "the disk has 1 of the 4 connections" in result.err, repr(result)
    assert bed.show("single")["ConnectionsWanted"] == "1"
    check_end(bed, "single", server)


def test_write_same_of_zeroes_becomes_write_zeroes(bed, stack):
    server = stack.enter_context(Full(size=SIZE))
    number = bed.map("same", server)
    server.image.write(0, b"\xee" * (1 << 20))
    bed.diskio("cdb", number, "41000000000800" + "0100" + "00", "--out-hex", "00" * 512).ok()  # 256 blocks from 8 on
    bed.diskio("cdb", number, "9309" + "0000000000000400" + "00000100" + "0000").ok()  # UNMAP, NDOB; from 1024 on
    asked = server.asked(Command.WRITE_ZEROES)
    assert asked == [(Command.WRITE_ZEROES, CommandFlag.NO_HOLE, 8 * 512, 256 * 512),
                     (Command.WRITE_ZEROES, 0, 1024 * 512, 256 * 512)]
    assert server.image.read(0, 1 << 20) == (b"\xee" * 4096 + bytes(256 * 512) + b"\xee" * (1016 * 512 - 256 * 512)
                                             + bytes(256 * 512) + b"\xee" * ((1 << 20) - 1280 * 512))
    check_end(bed, "same", server)


def test_write_same_of_any_block_becomes_writes(bed, stack):
    server = stack.enter_context(Full(size=SIZE))
    number = bed.map("pattern", server)
    block = bytes(i * 7 % 256 for i in range(512))
    bed.diskio("cdb", number, "41000000000800" + "0100" + "00", "--out-hex", block.hex()).ok()  # 256 blocks from 8 on
    assert server.asked(Command.WRITE_ZEROES) == []
    assert server.image.read(0, 1 << 20) == bytes(4096) + block * 256 + bytes((1 << 20) - 4096 - 256 * 512)
    refused = bed.diskio("cdb", number, "41000000000800" + "0100" + "00", "--out-hex", block.hex() * 2).fields()
    assert refused["status"] == "02" and bytes.fromhex(refused["sense"])[2] == 5
    check_end(bed, "pattern", server)


def test_get_lba_status_asks_for_the_block_status(bed, stack):
    server = stack.enter_context(Full(size=SIZE, form="structured", shape=fullserver.Shape(extents=10)))
    number = bed.map("status", server)
    server.image.write(1 << 20, b"\1" * 65536)
    data = bytes.fromhex(bed.diskio("cdb", number, "9e12" + "00" * 8 + "00000060" + "0000", "--in", 96).ok()
                         .fields()["data"])
    descriptors = [data[at:at + 16] for at in range(8, 4 + int.from_bytes(data[:4], "big"), 16)]
    said = [(int.from_bytes(one[:8], "big"), int.from_bytes(one[8:12], "big"), one[12]) for one in descriptors]
    whole = [(0, 2048, 1), (2048, 128, 0), (2176, SIZE // 512 - 2176, 1)]
    assert said == whole[:len(said)] and said, said  # a server may tell less than was asked for
    check_end(bed, "status", server)


def test_pre_fetch_becomes_cache(bed, stack):
    server = stack.enter_context(Full(size=SIZE))
    number = bed.map("fetch", server)
    bed.diskio("cdb", number, "34000000001000" + "0080" + "00").ok()
    assert server.asked(Command.CACHE) == [(Command.CACHE, 0, 16 * 512, 128 * 512)]
    check_end(bed, "fetch", server)


def test_fua_without_the_servers_help_is_a_write_and_a_flush(bed, stack):
    server = stack.enter_context(Full(size=SIZE, flags=FLAGS_WITHOUT_FUA))
    number = bed.map("through", server)
    bed.diskio("flush", number).ok()
    before = len(server.requests)
    bed.diskio("cdb", number, "2a080000001000" + "0001" + "00", "--out-hex", "77" * 512).ok()
    commands = [request[0] for request in server.requests[before:]]
    assert commands[:2] == [Command.WRITE, Command.FLUSH], commands
    check_end(bed, "through", server)


def page(bed, number, code):
    return bytes.fromhex(bed.diskio("cdb", number, f"1201{code:02x}00ff00", "--in", 255).ok().fields()["data"])


def test_limits_of_the_server_are_shown(bed, stack):
    flags = fullserver.ALL_FLAGS | fullserver.Flag.ROTATIONAL
    server = stack.enter_context(Full(size=SIZE, flags=flags, block_sizes=(512, 65536, 1 << 20)))
    number = bed.map("limits", server)
    limits = page(bed, number, 0xB0)
    assert limits[4] & 1  # WSNZ
    assert int.from_bytes(limits[8:12], "big") == (2 << 20) // 512  # longest transfer: longer than the server's payload
    assert int.from_bytes(limits[12:16], "big") == 65536 // 512  # optimal transfer: what the server prefers
    assert int.from_bytes(limits[28:32], "big") == 65536 // 512  # granularity of UNMAP
    assert int.from_bytes(page(bed, number, 0xB1)[4:6], "big") > 1  # it turns
    bed.diskio("storm", number, "--threads", 4, "--requests", 50, "--bytes", 32 << 20).ok()
    assert max(request[3] for request in server.asked(Command.READ)) <= 1 << 20
    check_end(bed, "limits", server)
