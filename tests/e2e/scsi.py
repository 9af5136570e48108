# SPDX-License-Identifier: LGPL-2.1-or-later
"""SCSI as bytes: commands, sense, and a disk that is sent them through \\\\.\\PhysicalDriveN."""

import struct

from beds import windows_path

BLOCK = 512
SENSE_BYTES = 32  # what diskio has room for

NO_SENSE, ILLEGAL_REQUEST, UNIT_ATTENTION, DATA_PROTECT, MISCOMPARE = 0, 5, 6, 7, 0xE
FORMS = {0: ">BBHBx", 1: ">BBIxHx", 2: ">BBIxHx", 4: ">BBQIxx", 5: ">BBIIxx"}  # by the group of the operation code


def cdb(code, lba=0, length=0, flags=0):
    """`lba` is what begins at byte 2, `length` of blocks, of a list or of the room for an answer, `flags` byte 1."""
    if code < 0x20:
        return struct.pack(FORMS[0], code, flags | lba >> 16, lba & 0xFFFF, length & 0xFF)
    return struct.pack(FORMS[code >> 5], code, flags, lba, length)


def fixed(key, asc, ascq=0, information=None):
    """Sense in the fixed format; `information` is an LBA or None."""
    is_valid = information is not None
    return struct.pack(">BxBIB4xBB4x", 0x70 | is_valid << 7, key, information or 0, 10, asc, ascq)


def descriptor(key, asc, ascq=0, information=None):
    """The same in the descriptor format."""
    more = b"" if information is None else struct.pack(">BBBxQ", 0, 10, 0x80, information)
    return struct.pack(">BBBB3xB", 0x72, key, asc, ascq, len(more)) + more


def unmap_list(*ranges):
    """Of UNMAP: (LBA, blocks) each."""
    body = b"".join(struct.pack(">QI4x", *one) for one in ranges)
    return struct.pack(">HH4x", len(body) + 6, len(body)) + body


class Disk:
    """By a program that runs already (programs.Caller); `scratch` is a file."""

    def __init__(self, caller, number, scratch):
        self.caller = caller
        self.number = number
        self.scratch = scratch

    def _command(self, command, *options):
        return self.caller.disk("cdb", self.number, command.hex(), *options)

    def answer(self, command, room):
        """All of it."""
        return bytes.fromhex(self._command(command, "--in", room).ok().fields()["data"])

    def send(self, command, data=b""):
        self._command(command, *(["--out-hex", data.hex()] if data else [])).ok()

    def sense(self, command, data=b"", room=0):
        """Of a command that ends with CHECK CONDITION; with the zeroes behind it."""
        options = ["--out-hex", data.hex()] if data else ["--in", room] if room else []
        result = self._command(command, *options)
        assert result.fields().get("status") == "02", repr(result)
        return bytes.fromhex(result.fields()["sense"])

    def refused(self, expected, command, data=b"", room=0):
        """`expected` is fixed() or descriptor()."""
        assert self.sense(command, data, room) == expected.ljust(SENSE_BYTES, b"\0"), command.hex()

    def ask(self, command):
        """What one of diskio's other commands says."""
        return self.caller.disk(command, self.number).ok().fields()

    def read(self, lba, blocks):
        """As any program reads."""
        where = windows_path(self.scratch)
        self.caller.disk("read", self.number, lba * BLOCK, blocks * BLOCK, "--out", where).ok()
        return self.scratch.read_bytes()

    def fill(self, lba, blocks, byte):
        """As any program writes."""
        self.caller.disk("write", self.number, lba * BLOCK, blocks * BLOCK, byte).ok()
