# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Every command and page of docs/scsi.md by pass-through, with the whole of what is answered: on an NBD disk, whose server
tells what it was asked, and on a disk that a program serves from its memory.
"""

import os
import re
import struct
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "interop"))

from beds import ROOT, Serving
from conftest import living
from nbdwire import Command
from scsi import (BLOCK, DATA_PROTECT, ILLEGAL_REQUEST, MISCOMPARE, NO_SENSE, UNIT_ATTENTION, Disk, cdb, descriptor,
                  fixed, unmap_list)
from scsi_tables import (ANSWERS, ASKED, BLOCKS, CHANGEABLE, CURRENT, DATA, DEFAULT, FLUSHES, INQUIRY, INVALID_FIELD,
                         MODE_PAGES, MODE_SELECT_10, MODE_SELECT_6, NAMES, NO_COMMAND, ONE_LUN, OWN_ANSWERS,
                         OWN_PAGES, PRE_FETCHES, READS, REFUSED, REPORT_LUNS, REQUEST_SENSE, RESERVE_IN, RESERVE_OUT, SIZE,
                         STANDARD, TEST_UNIT_READY, VERIFIES, WRITES, WRITE_AND_VERIFIES, WRITE_SAMES, mode_sense)
from servers import nbdkit, sparse_file
from test_forms import Full

OTHER = DATA[:-1] + b"\0"  # differs in its second block
OUT_OF_RANGE = 0x21
WRITE_PROTECTED = fixed(DATA_PROTECT, 0x27)


@pytest.fixture(scope="module")
def caller(callers):
    return living(callers, 0)


@pytest.fixture(scope="module")
def nbd(module_bed, caller, tmp_path_factory):
    """`server` is its server."""
    with Full(size=SIZE, form="structured") as server:
        disk = Disk(caller, module_bed.map(NAMES[0], server), tmp_path_factory.mktemp("nbd") / "read")
        disk.server = server
        yield disk
        module_bed.unmap(NAMES[0]).ok()
        assert server.complaints == []


@pytest.fixture(scope="module")
def served(module_bed, caller, tmp_path_factory):
    serving = Serving(module_bed, NAMES[1], "--ram", SIZE, "--physical-block-size", 4096)
    yield Disk(caller, serving.number, tmp_path_factory.mktemp("served") / "read")
    module_bed.unmap(NAMES[1]).ok()
    serving.wait().ok()


@pytest.fixture(params=["nbd", "served"])
def disk(request):
    return request.getfixturevalue(request.param)


# --- what is answered without storage


@pytest.mark.parametrize("name", ANSWERS)
def test_answer(name, disk):
    command, expected = ANSWERS[name]
    assert disk.answer(command, 256) == expected


@pytest.mark.parametrize("code", OWN_PAGES)
def test_page_of_its_own(code, nbd, served):
    assert [disk.answer(cdb(0x12, code << 8, 255, 1), 255) for disk in (nbd, served)] == OWN_PAGES[code]


@pytest.mark.parametrize("name", OWN_ANSWERS)
def test_answer_of_its_own(name, nbd, served):
    command, answers = OWN_ANSWERS[name]
    for disk, expected in zip((nbd, served), answers):
        if expected is None:
            disk.refused(fixed(ILLEGAL_REQUEST, INVALID_FIELD), command)
        else:
            assert disk.answer(command, 512) == expected


def test_identification(disk):
    """The NAA is derived; the others follow from it and from the serial."""
    page = disk.answer(cdb(0x12, 0x8300, 255, 1), 255)
    serial = disk.answer(cdb(0x12, 0x8000, 255, 1), 255)[4:]
    naa = page[8:16]
    name = b"naa." + naa.hex().upper().encode() + bytes(4)
    list_of_three = (b"\1\3\0\x08" + naa + b"\2\1\0" + bytes([8 + len(serial)]) + b"WNBD    " + serial +
                     b"\3\x08\0" + bytes([len(name)]) + name)
    assert naa[0] >> 4 == 3 and page == b"\0\x83" + len(list_of_three).to_bytes(2, "big") + list_of_three


@pytest.mark.parametrize("control", [CURRENT, CHANGEABLE, DEFAULT])
@pytest.mark.parametrize("code", MODE_PAGES)
def test_mode_page(code, control, disk):
    for command, expected in mode_sense(code, control):
        assert disk.answer(command, 512) == expected


def documented():
    """(code, service action or None) of the table of commands."""
    table = (ROOT / "docs" / "scsi.md").read_text(encoding="utf-8").split("## Commands")[1].split("\n\n")[1]
    for cell in re.findall(r"^\| ([0-9A-F][^|]*) \|", table, re.MULTILINE):
        for code, first, last in re.findall(r"(\w\w)(?:/(\w\w)(?:\.\.(\w\w))?)?", cell):
            actions = range(int(first, 16), int(last or first, 16) + 1) if first else [None]
            yield from ((int(code, 16), action) for action in actions)


def test_commands_are_those_of_the_document(nbd):
    expected = [bytes([code, 0, 0, action or 0, 0, action is not None, 0, len(cdb(code))])
                for code, action in documented() if code not in (RESERVE_IN, RESERVE_OUT)]
    answer = nbd.answer(cdb(0xA3, 0, 2048, 0x0C), 2048)
    assert int.from_bytes(answer[:4], "big") == len(answer) - 4
    assert sorted(answer[at:at + 8] for at in range(4, len(answer), 8)) == sorted(expected)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, disk):
    command, code = REFUSED[name]
    disk.refused(fixed(ILLEGAL_REQUEST, code), command)


# --- data


@pytest.mark.parametrize("code", READS)
def test_read(code, disk):
    disk.send(cdb(0x2A, 7, 2), DATA)
    assert disk.answer(cdb(code, 7, 2), 2 * BLOCK) == disk.read(7, 2) == DATA


def test_read_6_of_no_blocks_is_of_256(disk):
    disk.fill(255, 1, 0x5A)
    assert disk.answer(cdb(0x08, 0, 0), 256 * BLOCK) == disk.read(0, 256)


@pytest.mark.parametrize("code", WRITES + WRITE_AND_VERIFIES)
def test_write(code, disk):
    disk.fill(39, 4, 0xA5)
    disk.send(cdb(code, 40, 2), DATA)
    assert disk.read(39, 4) == b"\xa5" * BLOCK + DATA + b"\xa5" * BLOCK


@pytest.mark.parametrize("code", WRITE_AND_VERIFIES)
def test_write_and_verify_that_compares(code, disk):
    disk.send(cdb(code, 50, 2, 2), DATA)
    assert disk.read(50, 2) == DATA


@pytest.mark.parametrize("code", VERIFIES)
def test_verify(code, disk):
    disk.send(cdb(0x2A, 60, 2), DATA)
    disk.send(cdb(code, 60, 2))
    disk.send(cdb(code, 60, 2, 2), DATA)
    disk.refused(fixed(MISCOMPARE, 0x1D, 0, 61), cdb(code, 60, 2, 2), OTHER)
    disk.fill(70, 3, 0x11)
    disk.send(cdb(code, 70, 3, 6), b"\x11" * BLOCK)  # each with one block
    disk.refused(fixed(MISCOMPARE, 0x1D, 0, 73), cdb(code, 70, 4, 6), b"\x11" * BLOCK)


@pytest.mark.parametrize("code", WRITE_SAMES)
def test_write_same(code, disk):
    for block in (DATA[:BLOCK], bytes(BLOCK)):
        disk.fill(99, 42, 0xA5)
        disk.send(cdb(code, 100, 40), block)
        assert disk.read(99, 42) == b"\xa5" * BLOCK + block * 40 + b"\xa5" * BLOCK
    disk.refused(fixed(ILLEGAL_REQUEST, 0x1A), cdb(code, 100, 40), DATA)


def test_unmap_and_get_lba_status(disk):
    disk.fill(0, 64, 0xFF)
    ranges = unmap_list((8, 8), (24, 16))
    disk.send(cdb(0x42, 0, len(ranges)), ranges)
    data = disk.read(0, 64)
    assert [lba for lba in range(64) if data[lba * BLOCK] == 0] == [*range(8, 16), *range(24, 40)]
    disk.refused(fixed(ILLEGAL_REQUEST, OUT_OF_RANGE, 0, BLOCKS), cdb(0x42, 0, 24), unmap_list((BLOCKS - 1, 2)))


def lba_status(lba, blocks, is_hole):
    """One descriptor, as from a server that tells one extent at a time."""
    return struct.pack(">I4xQIB3x", 20, lba, blocks, is_hole)


def test_get_lba_status(nbd, served):
    """Of a program's disk nothing is known."""
    nbd.fill(4096, 64, 0xFF)
    nbd.send(cdb(0x42, 0, 24), unmap_list((4104, 8)))
    for lba, blocks, is_hole in ((4100, 4, False), (4104, 8, True), (4108, 4, True), (4112, 48, False)):
        assert nbd.answer(cdb(0x9E, lba, 56, 0x12), 56) == lba_status(lba, blocks, is_hole)
    assert served.answer(cdb(0x9E, 12, 56, 0x12), 56) == lba_status(12, BLOCKS - 12, False)


def log_page_of_use(sets):
    """Page 0C with one parameter: the threshold sets in use, of this disk alone."""
    return bytes.fromhex("8c00000c 0002 23 08") + struct.pack(">IB3x", sets, 1)


def allocated(path):
    """Bytes of a sparse file that are not in a hole, by its file system."""
    total, at, size = 0, 0, path.stat().st_size
    with open(path, "rb") as file:
        while at < size:
            try:
                data = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:  # none from here on
                break
            at = os.lseek(file.fileno(), data, os.SEEK_HOLE)
            total += at - data
    return total


@pytest.mark.parametrize("control", range(4))  # PC: Windows' class driver sends 0, sg_logs 1
def test_log_page_of_use(control, nbd, served):
    """As many as are not in a hole, in sets of two blocks; on a program's disk nobody knows."""
    command = cdb(0x4D, (control << 6 | 0x0C) << 24, 28)
    nbd.send(cdb(0x42, 0, 24), unmap_list((0, BLOCKS)))
    assert nbd.answer(command, 28) == log_page_of_use(0)
    for lba, blocks in ((0, 8), (800, 24), (BLOCKS - 8, 8)):
        nbd.fill(lba, blocks, 0xFF)
    assert nbd.answer(command, 28) == log_page_of_use(20)
    for pointer in (1, 2):
        assert nbd.answer(command[:6] + bytes([pointer]) + command[7:], 28) == log_page_of_use(20)
    for length in range(17):
        assert nbd.answer(cdb(0x4D, 0x0C000000, length), 28) == log_page_of_use(20)[:length]
    served.refused(fixed(ILLEGAL_REQUEST, INVALID_FIELD), command)
    assert nbd.ask("mapping")["used.bytes"] == str(40 * BLOCK)
    assert served.caller.disk("mapping", served.number).fields()["error"] != "0"


def test_log_page_of_use_of_a_large_disk(module_bed, caller, tmp_path):
    """nbdkit tells of 4 GiB at a time: what is in use of 100 GiB takes many answers, and the sets are of 16 blocks."""
    image = sparse_file(tmp_path / "large.img", 100 << 30)
    with open(image, "r+b") as file:
        for at, length in ((0, 4096), ((4 << 30) - 4096, 8192), (50 << 30, 1 << 20), ((100 << 30) - 4096, 4096)):
            file.seek(at)
            file.write(b"\1" * length)
    with nbdkit(tmp_path, "file", image) as server:
        disk = Disk(caller, module_bed.map("large", server), tmp_path / "read")
        assert disk.answer(cdb(0x12, 0xB200, 255, 1), 255)[4] == 4
        answer = disk.answer(cdb(0x4D, 0x0C000000, 28), 28)
        assert answer == log_page_of_use(-(-allocated(image) // (16 * BLOCK)))
        mapping = disk.ask("mapping")
        assert mapping.pop("used.bytes") == str(-(-allocated(image) // (16 * BLOCK)) * 16 * BLOCK)
        assert mapping == {"error": "0", "returned": "32", "available.valid": "0", "used.valid": "1", "used.scope": "1"}
        disk.fill((200 << 20) // BLOCK, 64, 0x77)
        assert disk.answer(cdb(0x4D, 0x0C000000, 28), 28) == log_page_of_use(-(-allocated(image) // (16 * BLOCK)))
        module_bed.unmap("large").ok()


@pytest.mark.parametrize("name", ASKED)
def test_what_the_server_is_asked(name, nbd):
    command, data, asked = ASKED[name]
    before = len(nbd.server.requests)
    nbd.send(command, data)
    assert nbd.server.requests[before:] == asked


# --- errors of range, and their format

RANGED = READS + WRITES + VERIFIES + WRITE_AND_VERIFIES + FLUSHES + PRE_FETCHES + WRITE_SAMES


def with_range(code, lba, blocks):
    """A command, and the data or the room that goes with it."""
    if code in READS:
        return cdb(code, lba, blocks), b"", blocks * BLOCK
    length = BLOCK if code in WRITE_SAMES else blocks * BLOCK if code in WRITES + WRITE_AND_VERIFIES else 0
    return cdb(code, lba, blocks), DATA[:length], 0


@pytest.mark.parametrize("code", RANGED)
def test_lba_out_of_range(code, disk):
    for lba, blocks, first in ((BLOCKS - 1, 2, BLOCKS), (BLOCKS, 1, BLOCKS), (BLOCKS + 5, 2, BLOCKS + 5)):
        disk.refused(fixed(ILLEGAL_REQUEST, OUT_OF_RANGE, 0, first), *with_range(code, lba, blocks))


def test_lba_status_out_of_range(disk):
    disk.refused(fixed(ILLEGAL_REQUEST, OUT_OF_RANGE, 0, BLOCKS), cdb(0x9E, BLOCKS, 24, 0x12), b"", 24)


def select_control(disk, code, descriptor_sense):
    """MODE SELECT of the control page, with D_SENSE or without."""
    header = bytes(4 if code == MODE_SELECT_6 else 8)
    page = MODE_PAGES[0x0A][CURRENT]
    sent = header + page[:2] + bytes([descriptor_sense << 2]) + page[3:]
    disk.send(cdb(code, 0, len(sent), 0x10), sent)


@pytest.mark.parametrize("code", [MODE_SELECT_6, MODE_SELECT_10])
def test_sense_in_descriptor_format(code, disk):
    """An LBA that does not fit the other format is told with this one."""
    far = 1 << 40
    disk.refused(fixed(ILLEGAL_REQUEST, OUT_OF_RANGE), *with_range(0x88, far, 1))
    select_control(disk, code, True)
    assert disk.answer(cdb(0x1A, 0x0A00, 255), 255)[6] == 4
    disk.refused(descriptor(ILLEGAL_REQUEST, OUT_OF_RANGE, 0, far), *with_range(0x88, far, 1))
    disk.refused(descriptor(ILLEGAL_REQUEST, INVALID_FIELD), cdb(0x1E, 0, 1))
    assert disk.answer(REQUEST_SENSE, 252) == fixed(NO_SENSE, 0)  # its own DESC bit decides
    select_control(disk, code, False)
    disk.refused(fixed(ILLEGAL_REQUEST, INVALID_FIELD), cdb(0x1E, 0, 1))


# --- unit attentions

RESETS = {"unit": (1, 3), "target": (2, 2), "bus": (3, 2)}  # which injection; ASCQ


@pytest.mark.parametrize("reset", RESETS)
def test_reset_is_told_once(reset, nbd, served, module_bed):
    kind, qualifier = RESETS[reset]
    for disk in (nbd, served):
        select_control(disk, MODE_SELECT_10, True)
    for disk in (nbd,) if reset == "bus" else (nbd, served):
        module_bed.inject(kind, disk.number)
    for disk in (nbd, served):
        assert disk.answer(INQUIRY, 96) == STANDARD and disk.answer(REPORT_LUNS, 16) == ONE_LUN  # it is kept for others
        disk.refused(fixed(UNIT_ATTENTION, 0x29, qualifier), TEST_UNIT_READY)
        disk.send(TEST_UNIT_READY)
        disk.refused(fixed(ILLEGAL_REQUEST, INVALID_FIELD), cdb(0x1E, 0, 1))  # in the default format


def test_request_sense_tells_of_a_reset(disk, module_bed):
    module_bed.inject(1, disk.number)
    assert disk.answer(REQUEST_SENSE, 252) == fixed(UNIT_ATTENTION, 0x29, 3)
    assert disk.answer(REQUEST_SENSE, 252) == fixed(NO_SENSE, 0)
    disk.send(TEST_UNIT_READY)


# --- disks that refuse


@pytest.fixture(scope="module")
def protected_nbd(module_bed, caller, tmp_path_factory):
    with Full(size=SIZE) as server:
        yield Disk(caller, module_bed.map("protected", server, "--read-only"), tmp_path_factory.mktemp("nbd") / "read")
        module_bed.unmap("protected").ok()
        assert server.complaints == [] and not server.asked(Command.WRITE)


@pytest.fixture(scope="module")
def protected_served(caller, tmp_path_factory):
    options = ("--flush", "--fua", "--reservations", "--read-only", "--blocks", BLOCKS)
    with caller.serve("protected-served", *options) as serving:
        yield Disk(caller, serving.number, tmp_path_factory.mktemp("served") / "read")


@pytest.fixture(params=["protected_nbd", "protected_served"])
def protected(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("code", WRITES + WRITE_AND_VERIFIES + WRITE_SAMES + FLUSHES)
def test_read_only_disk_refuses(code, protected):
    protected.refused(WRITE_PROTECTED, *with_range(code, 8, 1))


def test_read_only_disk_refuses_lists(protected_nbd, protected_served):
    ranges = unmap_list((8, 8))
    for disk in (protected_nbd, protected_served):
        disk.refused(WRITE_PROTECTED, cdb(0x42, 0, len(ranges)), ranges)
    protected_served.refused(WRITE_PROTECTED, cdb(RESERVE_OUT, 0, 24, 0), bytes(24))
    protected_nbd.refused(fixed(ILLEGAL_REQUEST, NO_COMMAND), cdb(RESERVE_OUT, 0, 24, 0), bytes(24))


def test_read_only_disk_is_read(protected):
    for command, expected in mode_sense(0x3F, CURRENT, protected=True):
        assert protected.answer(command, 512) == expected
    for code in READS:
        assert protected.answer(cdb(code, 8, 2), 1024) == protected.read(8, 2) == bytes(1024)
    protected.send(cdb(0x2F, 8, 2))
    protected.send(cdb(0x1B))  # stop: there is nothing to flush


# --- persistent reservations, which a program grants


def transport_id():
    """SPC-4, "TransportID identifiers": of SAS."""
    return b"\6\0\0\0" + bytes(range(8)) + bytes(12)


def reserve_list(action):
    """24 bytes with two keys; for REGISTER AND MOVE to whom, too."""
    keys = (0x1111).to_bytes(8, "big") + (0x2222).to_bytes(8, "big")
    if action == 7:
        return keys + bytes(4) + len(transport_id()).to_bytes(4, "big") + transport_id()
    return keys + bytes(8)


def test_reservations_are_the_programs(caller, tmp_path):
    with caller.serve("shared", "--reservations", "--log") as serving:
        disk = Disk(caller, serving.number, tmp_path / "read")
        for action in range(4):
            assert disk.answer(cdb(RESERVE_IN, 0, 8, action), 8) == b"\x0f\x0f\x0f\x0f" + bytes(4)  # no keys
        for action in range(9):
            sent = reserve_list(action)
            disk.send(cdb(RESERVE_OUT, 5 << 24, len(sent), action), sent)
        assert serving.requests("reserve-in") == [[str(action)] for action in range(4)]
        assert serving.requests("reserve-out") == [
            [str(action), "0", "5", str(len(reserve_list(action))), reserve_list(action).hex()] for action in range(9)]


def test_reservations_of_other_disks_are_refused(disk):
    for action in range(4):
        disk.refused(fixed(ILLEGAL_REQUEST, NO_COMMAND), cdb(RESERVE_IN, 0, 8, action), b"", 8)
    for action in range(9):
        disk.refused(fixed(ILLEGAL_REQUEST, NO_COMMAND), cdb(RESERVE_OUT, 5 << 24, 24, action), bytes(24))
