# SPDX-License-Identifier: LGPL-2.1-or-later
"""The SCSI disk as Windows' programs see it: commands by pass-through, and what Windows makes of the pages."""

import struct

import pytest

import scripted
import servers

ILLEGAL_REQUEST, MISCOMPARE = 5, 0xE  # sense keys
PERSISTENT_RESERVE_IN, PERSISTENT_RESERVE_OUT = 0x5E, 0x5F
CACHING = "0812"  # the page's code and length


def taken(bed, number, cdb, length):
    """What the disk answers."""
    return bytes.fromhex(bed.diskio("cdb", number, cdb, "--in", length).ok().fields()["data"])


def sense(result):
    """Key, ASC and ASCQ of a check condition."""
    fields = result.fields()
    assert fields.get("status") == "02", repr(result)
    data = bytes.fromhex(fields["sense"])
    assert data[0] & 0x7F == 0x70, repr(result)
    return data[2] & 0xF, data[12], data[13]


def page(bed, number, code):
    return taken(bed, number, f"1201{code:02x}020000", 512)


# --- what is supported


def report(bed, number, option, code=0, action=0):
    return taken(bed, number, f"a30c{option:02x}{code:02x}{action:04x}{2048:08x}0000", 2048)


def test_supported_operation_codes(server, bed):
    number = bed.map("codes", server)
    answer = report(bed, number, 0)
    assert struct.unpack(">I", answer[:4])[0] == len(answer) - 4
    codes = {answer[at] for at in range(4, len(answer), 8)}
    assert {0x12, 0x1A, 0x25, 0x28, 0x2A, 0x2F, 0x35, 0x42, 0x55, 0x88, 0x8A, 0x8F, 0x9E, 0xA0, 0xA3} <= codes
    assert not codes & {PERSISTENT_RESERVE_IN, PERSISTENT_RESERVE_OUT, 0x04, 0x89}


def test_support_of_one_operation_code(server, bed):
    number = bed.map("codes", server)
    usage = report(bed, number, 1, 0x28)
    assert usage[1] == 3 and usage[2:4] == b"\0\x0a" and usage[4] == 0x28
    assert report(bed, number, 3, PERSISTENT_RESERVE_IN, 0)[1] == 1
    assert report(bed, number, 3, PERSISTENT_RESERVE_OUT, 6)[1] == 1


@pytest.mark.parametrize("cdb, data", [("5e01" + "00" * 5 + "001800", ("--in", 24)),
                                       ("5f03" + "00" * 5 + "001800", ("--out-hex", "00" * 24)),
                                       ("5e0000000000", ("--in", 24))], ids=["in", "out", "short"])
def test_reservations_of_an_nbd_disk_are_refused(cdb, data, server, bed):
    number = bed.map("shared", server)
    assert sense(bed.diskio("cdb", number, cdb, *data)) == (ILLEGAL_REQUEST, 0x20, 0)


def test_log_pages(server, bed):
    number = bed.map("log", server)
    assert taken(bed, number, "4d00000000000000ff00", 255) == bytes.fromhex("00000002000c")
    assert taken(bed, number, "4d0000ff00000000ff00", 255) == bytes.fromhex("40ff0006000000ff0c00")
    assert taken(bed, number, "4d000c0000000000ff00", 255)[:8] == bytes.fromhex("8c00000c00022308")
    assert sense(bed.diskio("cdb", number, "4d000d0000000000ff00", "--in", 255)) == (ILLEGAL_REQUEST, 0x24, 0)


def test_log_pages_without_block_status(tmp_path, image, bed, stack):
    number = bed.map("log", stack.enter_context(servers.nbdkit(tmp_path, "--no-sr", "file", image)))
    assert page(bed, number, 0xB2)[4] == 0
    assert taken(bed, number, "4d00000000000000ff00", 255) == bytes.fromhex("0000000100")
    assert sense(bed.diskio("cdb", number, "4d000c0000000000ff00", "--in", 255)) == (ILLEGAL_REQUEST, 0x24, 0)


# --- VERIFY and MODE SELECT


@pytest.mark.parametrize("direct", [(), ("--direct",)], ids=["buffered", "direct"])
def test_verify_compares(direct, server, bed):
    number = bed.map("verify", server)
    bed.diskio("write", number, 7 * 512, 1024, 0x5A).ok()
    same, other = "5a" * 1024, "5a" * 1000 + "00" + "5a" * 23
    cdb = "2f02" + f"{7:08x}" + "00000200"
    bed.diskio("cdb", number, cdb, "--out-hex", same, *direct).ok()
    refused = bed.diskio("cdb", number, cdb, "--out-hex", other, *direct)
    assert sense(refused) == (MISCOMPARE, 0x1D, 0)
    assert bytes.fromhex(refused.fields()["sense"])[3:7] == struct.pack(">I", 8)  # the block that differs
    bed.diskio("cdb", number, "2f00" + f"{7:08x}" + "00000200").ok()


def caching_page(bed, number, control=0):
    """Byte 2 of the page: WCE is bit 2."""
    answer = taken(bed, number, f"5a00{control << 6 | 8:02x}0000000000ff00", 255)
    assert answer[8:10] == bytes.fromhex(CACHING)
    return answer[10]


def test_mode_select_turns_the_cache_off(bed, stack):
    server = stack.enter_context(scripted.Nbd(flags=scripted.FLAG_HAS | scripted.FLAG_FLUSH))
    number = bed.map("cache", server)
    assert caching_page(bed, number) & 4 and caching_page(bed, number, 1) & 4
    bed.diskio("cdb", number, "151000001800", "--out-hex", "00" * 4 + CACHING + "00" * 18).ok()
    assert not caching_page(bed, number) & 4 and caching_page(bed, number, 2) & 4
    before = len(server.requests)
    bed.diskio("cdb", number, "2a000000000000000100", "--out-hex", "00" * 512).ok()
    assert [request[0] for request in server.requests[before:]] == [scripted.CMD_WRITE, scripted.CMD_FLUSH]


def test_mode_select_of_what_cannot_be_changed_is_refused(server, bed):
    number = bed.map("cache", server)
    before = caching_page(bed, number)
    refused = bed.diskio("cdb", number, "151000001800", "--out-hex", "00" * 4 + CACHING + "01" + "00" * 17)  # RCD
    assert sense(refused) == (ILLEGAL_REQUEST, 0x26, 0)
    assert caching_page(bed, number) == before


# --- what Windows makes of the pages


def identifiers(raw):
    """(code set, type, association, identifier) of each STORAGE_IDENTIFIER."""
    found = []
    while raw:
        code_set, kind, length, following, association = struct.unpack("<IIHHI", raw[:16])
        found.append((code_set, kind, association, raw[16:16 + length]))
        raw = raw[following:]
    return found


def designators(answer):
    """The same of each designator of page 83."""
    found, at = [], 4
    while at < len(answer):
        length = answer[at + 3]
        found.append((answer[at] & 0xF, answer[at + 1] & 0xF, answer[at + 1] >> 4 & 3, answer[at + 4:at + 4 + length]))
        at += 4 + length
    return found


def test_identifiers_are_those_of_page_83(server, bed):
    number = bed.map("named", server)
    info = bed.diskio("info", number).ok().fields()
    found = identifiers(bytes.fromhex(info["id.raw"]))
    assert found == designators(page(bed, number, 0x83))
    assert [(kind, association) for _, kind, association, _ in found] == [(3, 0), (1, 0), (8, 0)]
    assert int(info["id.count"]) == 3
    assert len(found[0][3]) == 8 and found[0][3][0] >> 4 == 3  # locally assigned


def test_identifiers_are_there_again_after_a_remap(server, bed):
    first = page(bed, bed.map("named", server), 0x83)
    bed.unmap("named").ok()
    assert page(bed, bed.map("named", server), 0x83) == first


def test_provisioning_and_alignment_are_those_of_the_pages(server, bed):
    number = bed.map("thin", server)
    info = {name: int(value) for name, value in bed.diskio("info", number).ok().fields().items() if value.isdigit()}
    limits, provisioning = page(bed, number, 0xB0), page(bed, number, 0xB2)
    blocks, descriptors, granularity, alignment = struct.unpack(">IIII", limits[20:36])
    assert provisioning[5] & 0x80 and provisioning[6] & 7 == 2
    told = {"thin": 1, "zeroes": 0, "anchor": 0, "granularity": granularity, "alignment_valid": alignment >> 31,
            "alignment": alignment & 0x7FFFFFFF, "blocks": blocks, "descriptors": descriptors}
    assert {name: info[f"provisioning.{name}"] for name in told} == told
    assert info["alignment.physical"] == 512 * struct.unpack(">H", limits[6:8])[0]
    assert info["cache.enabled"] == 2 and info["cache.through"] == 2 and info["trim.enabled"] == 1


def test_disk_that_cannot_unmap_is_not_thin(tmp_path, bed, stack):
    server = stack.enter_context(servers.nbdkit(tmp_path, "pattern", 1 << 20))
    info = bed.diskio("info", bed.map("thick", server)).ok().fields()
    assert info["provisioning.thin"] == "0" and info["trim.enabled"] == "0"
