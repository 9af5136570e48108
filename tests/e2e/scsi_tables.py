# SPDX-License-Identifier: LGPL-2.1-or-later
"""What docs/scsi.md says of a disk, as bytes: commands with their answers, or with what they are refused with."""

from nbdwire import Command, CommandFlag
from scsi import BLOCK, NO_SENSE, cdb, descriptor, fixed, unmap_list

NAMES = ("commands", "served")  # of the disks: over NBD, and of a program. They are their serials, too
BLOCKS = 16384
SIZE = BLOCKS * BLOCK
DATA = bytes(i * 7 % 251 for i in range(2 * BLOCK))

READS, WRITES = (0x08, 0x28, 0xA8, 0x88), (0x0A, 0x2A, 0xAA, 0x8A)
VERIFIES, WRITE_AND_VERIFIES = (0x2F, 0xAF, 0x8F), (0x2E, 0xAE, 0x8E)
FLUSHES, PRE_FETCHES, WRITE_SAMES = (0x35, 0x91), (0x34, 0x90), (0x41, 0x93)
TEST_UNIT_READY, REQUEST_SENSE, INQUIRY, REPORT_LUNS = cdb(0x00), cdb(0x03, 0, 252), cdb(0x12, 0, 96), cdb(0xA0, 0, 16)
MODE_SELECT_6, MODE_SELECT_10, RESERVE_IN, RESERVE_OUT = 0x15, 0x55, 0x5E, 0x5F
INVALID_FIELD, NO_COMMAND = 0x24, 0x20


def page(code, text, length=0x3C):
    """A page of INQUIRY that begins so and goes on with zeroes."""
    return bytes([0, code, 0, length]) + bytes.fromhex(text).ljust(length, b"\0")


def limits(fetch, granularity):
    """Page B0: WSNZ, transfers of 8 to 4096 blocks, 256 descriptors in an UNMAP, 64 MiB in a WRITE SAME."""
    alignment = 0x80000000 if granularity else 0
    return page(0xB0, f"01 00 0008 00001000 00000000 {fetch:08x} ffffffff 00000100 {granularity:08x} {alignment:08x}"
                f"{(64 << 20) // BLOCK:016x}")


STANDARD = (bytes.fromhex("00 00 06 02 5b 00 00 02") + b"WNBD    WNBD_DISK       0.8 " + bytes(22) +
            bytes.fromhex("00a0 0460 04c0") + bytes(32))
CAPACITY_10 = bytes.fromhex(f"{BLOCKS - 1:08x} 00000200")
CAPACITY_16 = bytes.fromhex(f"{BLOCKS - 1:016x} 00000200 00 03 8000") + bytes(16)  # 8 blocks to a physical one; LBPME
ONE_LUN = bytes.fromhex("00000008 00000000") + bytes(8)

ANSWERS = {
    "test-unit-ready": (TEST_UNIT_READY, b""),
    "request-sense": (REQUEST_SENSE, fixed(NO_SENSE, 0)),
    "request-sense-descriptor": (cdb(0x03, 0, 252, 1), descriptor(NO_SENSE, 0)),
    "inquiry": (cdb(0x12, 0, 255), STANDARD),
    "inquiry-00": (cdb(0x12, 0x0000, 255, 1), page(0x00, "00 80 83 86 b0 b1 b2", 7)),
    "inquiry-86": (cdb(0x12, 0x8600, 255, 1), page(0x86, "00 01 01 00000000 00 00 14")),
    "inquiry-b1": (cdb(0x12, 0xB100, 255, 1), page(0xB1, "0000 0000 03")),  # FUAB, VBULS
    "start": (cdb(0x1B, 0, 1), b""),
    "allow-removal": (cdb(0x1E), b""),
    "read-capacity-10": (cdb(0x25), CAPACITY_10),
    "read-capacity-16": (cdb(0x9E, 0, 64, 0x10), CAPACITY_16),
    "report-luns": (REPORT_LUNS, ONE_LUN),
    "report-luns-well-known": (cdb(0xA0, 1 << 24, 16), bytes(8)),
    "report-luns-all": (cdb(0xA0, 2 << 24, 16), ONE_LUN),
    "operation-code": (cdb(0xA3, 0x01280000, 64, 0x0C), bytes.fromhex("0003 000a 28f8 ffffffff 00 ffff 04")),
    "operation-code-times": (cdb(0xA3, 0x832A0000, 64, 0x0C),
                             bytes.fromhex("0083 000a 2af8 ffffffff 00 ffff 04 000a") + bytes(10)),
    "operation-code-action": (cdb(0xA3, 0x029E0010, 64, 0x0C),
                              bytes.fromhex("0003 0010 9e10 ffffffffffffffff ffffffff 01 04")),
    "operation-code-none": (cdb(0xA3, 0x03890000, 64, 0x0C), bytes.fromhex("0001 0000")),
    "task-functions": (cdb(0xA3, 0, 64, 0x0D), bytes.fromhex("8a000000")),
    "task-functions-times": (cdb(0xA3, 0x80000000, 64, 0x0D), bytes.fromhex("8a00000c") + bytes(12)),
}

OWN_PAGES = {  # of INQUIRY, that differ: over NBD, and of a program
    0x80: [page(0x80, name.encode().hex(), len(name)) for name in NAMES],
    0xB0: [limits(4096, 8), limits(0, 0)],
    0xB2: [page(0xB2, "01 e0 02", 4), page(0xB2, "00 80 02", 4)],
}

CURRENT, CHANGEABLE, DEFAULT = range(3)
MODE_PAGES = {  # current and default, changeable
    0x01: [bytes.fromhex("010a") + bytes(10)] * 2,
    0x08: [bytes.fromhex("0812 04") + bytes(17)] * 2,
    0x0A: [bytes.fromhex("0a0a 00 10 00000000 ffff 0000"), bytes.fromhex("0a0a 04") + bytes(9)],
    0x1C: [bytes.fromhex("1c0a 08") + bytes(9), bytes.fromhex("1c0a") + bytes(10)],
}
MODE_PAGES[0x3F] = [b"".join(pages) for pages in zip(*MODE_PAGES.values())]

THRESHOLDS = bytes.fromhex("5c020014") + bytes(12) + bytes.fromhex("0102") + bytes(6)  # mode page 1C/02

OWN_ANSWERS = {  # the same of other commands; None: 05/24/00
    "log-pages": (cdb(0x4D, 0, 64), [bytes.fromhex("00000002 00 0c"), bytes.fromhex("00000001 00")]),
    "log-subpages": (cdb(0x4D, 0x00FF0000, 64), [bytes.fromhex("40ff0006 0000 00ff 0c00"),
                                                 bytes.fromhex("40ff0004 0000 00ff")]),
    "log-subpages-of-0c": (cdb(0x4D, 0x0CFF0000, 64), [None, None]),
    "thresholds": (cdb(0x1A, 0x1C02, 255), [bytes.fromhex("1b001000") + THRESHOLDS, None]),
    "mode-pages-and-subpages": (cdb(0x5A, 0x3FFF0000, 512),
                                [bytes.fromhex("005600100000 0000") + MODE_PAGES[0x3F][0] + THRESHOLDS,
                                 bytes.fromhex("003e00100000 0000") + MODE_PAGES[0x3F][0]]),
}


def mode_sense(code, control, protected=False):
    """Both CDBs and their answers."""
    body = MODE_PAGES[code][control == CHANGEABLE]
    specific = protected << 7 | 0x10  # WP, DPOFUA
    yield cdb(0x1A, (control << 6 | code) << 8, 255), bytes([3 + len(body), 0, specific, 0]) + body
    yield cdb(0x5A, (control << 6 | code) << 24, 512), bytes([0, 6 + len(body), 0, specific]) + bytes(4) + body


REFUSED = {
    "page-01": (cdb(0x12, 0x0100, 255, 1), INVALID_FIELD), "page-without-evpd": (cdb(0x12, 0x8000, 255), INVALID_FIELD),
    "saved-6": (cdb(0x1A, 0xC800, 255), 0x39), "saved-10": (cdb(0x5A, 0xC8 << 24, 255), 0x39),
    "mode-page-02": (cdb(0x1A, 0x0200, 255), INVALID_FIELD), "mode-subpage": (cdb(0x1A, 0x0801, 255), INVALID_FIELD),
    "log-page-0d": (cdb(0x4D, 0x0D << 24, 255), INVALID_FIELD), "log-subpage": (cdb(0x4D, 1 << 16, 255), INVALID_FIELD),
    "log-parameter": (bytes.fromhex("4d000c00000003001c00"), INVALID_FIELD),
    "select-report": (cdb(0xA0, 3 << 24, 16), INVALID_FIELD), "pmi": (bytes([0x25] + [0] * 7 + [1, 0]), INVALID_FIELD),
    "operation-code-without-action": (cdb(0xA3, 0x019E0000, 64, 0x0C), INVALID_FIELD),
    "eject": (cdb(0x1B, 0, 2), INVALID_FIELD), "power-condition": (cdb(0x1B, 0, 0x11), INVALID_FIELD),
    "prevent": (cdb(0x1E, 0, 1), INVALID_FIELD), "naca": (bytes([0] * 5 + [4]), INVALID_FIELD),
    "protection": (cdb(0x28, 0, 1, 0x20), INVALID_FIELD), "unmap-anchor": (cdb(0x42, 0, 0, 1), INVALID_FIELD),
    "verify-10b": (cdb(0x2F, 0, 1, 4), INVALID_FIELD), "write-and-verify-11b": (cdb(0x8E, 0, 1, 6), INVALID_FIELD),
    "same-nothing": (cdb(0x93, 0, 0, 1), INVALID_FIELD), "same-anchor": (cdb(0x93, 0, 1, 0x11), INVALID_FIELD),
    **{f"command-{code:02x}": (bytes([code] + [0] * 15), NO_COMMAND) for code in (0x04, 0x1C, 0x1D, 0x4C, 0x7F, 0x89)},
}

FLUSH = (Command.FLUSH, 0, 0, 0)
FUA, DPO = 0x08, 0x10
ASKED = {
    **{f"flush-{code:02x}": (cdb(code, 8, 8), b"", [FLUSH]) for code in FLUSHES},
    **{f"verify-{code:02x}": (cdb(code, 8, 8), b"", [FLUSH]) for code in VERIFIES},
    **{f"pre-fetch-{code:02x}": (cdb(code, 8, 8), b"", [(Command.CACHE, 0, 4096, 4096)]) for code in PRE_FETCHES},
    **{f"write-{code:02x}": (cdb(code, 8, 2), DATA, [(Command.WRITE, 0, 4096, 1024)]) for code in WRITES},
    **{f"write-fua-{code:02x}": (cdb(code, 8, 2, FUA | DPO), DATA, [(Command.WRITE, CommandFlag.FUA, 4096, 1024)])
       for code in WRITES[1:]},
    **{f"write-and-verify-{code:02x}": (cdb(code, 8, 2), DATA, [(Command.WRITE, CommandFlag.FUA, 4096, 1024)])
       for code in WRITE_AND_VERIFIES},
    "start": (cdb(0x1B, 0, 1), b"", []),
    "stop": (cdb(0x1B, 0, 0), b"", [FLUSH]),
    "stop-without-flush": (cdb(0x1B, 0, 4), b"", []),
    "unmap": (cdb(0x42, 0, 24), unmap_list((8, 8)), [(Command.TRIM, 0, 4096, 4096)]),
    "same": (cdb(0x41, 8, 8), bytes(BLOCK), [(Command.WRITE_ZEROES, CommandFlag.NO_HOLE, 4096, 4096)]),
    "same-unmap": (cdb(0x41, 8, 8, 8), bytes(BLOCK), [(Command.WRITE_ZEROES, 0, 4096, 4096)]),
    "same-without-data": (cdb(0x93, 8, 8, 9), b"", [(Command.WRITE_ZEROES, 0, 4096, 4096)]),
}
