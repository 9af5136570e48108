# SPDX-License-Identifier: LGPL-2.1-or-later
"""iSCSI's protocol data units as bytes (RFC 7143, clause 11). No digests."""

import dataclasses
import enum
import struct

HEADER_LENGTH = 48
FINAL = 0x80
NO_TAG = 0xFFFFFFFF


class Opcode(enum.IntEnum):
    NOP_OUT = 0x00
    COMMAND = 0x01
    TASK_MANAGEMENT = 0x02
    LOGIN = 0x03
    TEXT = 0x04
    DATA_OUT = 0x05
    LOGOUT = 0x06
    NOP_IN = 0x20
    RESPONSE = 0x21
    TASK_MANAGEMENT_RESPONSE = 0x22
    LOGIN_RESPONSE = 0x23
    TEXT_RESPONSE = 0x24
    DATA_IN = 0x25
    LOGOUT_RESPONSE = 0x26
    R2T = 0x31
    REJECT = 0x3F


@dataclasses.dataclass
class Pdu:
    """A header and its data segment. Fields that all headers have by name, others by their offset."""
    header: bytearray
    data: bytes = b""

    @classmethod
    def make(cls, opcode, flags, tag, data=b""):
        pdu = cls(bytearray(HEADER_LENGTH), data)
        pdu.header[0] = opcode
        pdu.header[1] = flags
        pdu.put(16, tag)
        return pdu

    @property
    def opcode(self):
        return self.header[0] & 0x3F

    @property
    def is_immediate(self):
        return bool(self.header[0] & 0x40)

    @property
    def flags(self):
        return self.header[1]

    @property
    def tag(self):
        return self.get(16)

    @property
    def lun(self):
        return bytes(self.header[8:16])

    def get(self, offset):
        return struct.unpack_from(">I", self.header, offset)[0]

    def put(self, offset, value):
        struct.pack_into(">I", self.header, offset, value & 0xFFFFFFFF)

    def encode(self):
        self.header[5:8] = len(self.data).to_bytes(3, "big")
        return bytes(self.header) + self.data + bytes(-len(self.data) % 4)


def read_whole(stream, length):
    data = stream.read(length)
    if len(data) != length:
        raise EOFError
    return data


def read_pdu(stream):
    """From a binary file; EOFError at its end. Additional header segments are left out."""
    header = bytearray(read_whole(stream, HEADER_LENGTH))
    length = int.from_bytes(header[5:8], "big")
    read_whole(stream, header[4] * 4)
    data = read_whole(stream, length)
    read_whole(stream, -length % 4)
    return Pdu(header, data)


def parse_text(data):
    """{key: value} of key=value pairs (clause 6.1)."""
    return dict(pair.split("=", 1) for pair in data.decode().split("\0") if "=" in pair)


def format_text(pairs):
    return b"".join(f"{key}={value}\0".encode() for key, value in pairs)
