# SPDX-License-Identifier: LGPL-2.1-or-later
"""A minimal NBD client: looks at an export from outside, independently of what is tested."""

import socket
import struct

OPT_EXPORT_NAME = 1
FLAG_C_FIXED_NEWSTYLE = 1
CMD_READ = 0
CMD_DISC = 2
REPLY_MAGIC = 0x67446698
REQUEST_MAGIC = 0x25609513


def receive(stream, length):
    data = b""
    while len(data) < length:
        more = stream.recv(length - len(data))
        if not more:
            raise ConnectionError("closed early")
        data += more
    return data


def read(address, port, export, offset, length):
    """Connects, reads one range, disconnects."""
    with socket.create_connection((address, port), timeout=30) as stream:
        magic, option_magic, _ = struct.unpack(">QQH", receive(stream, 18))
        assert (magic, option_magic) == (0x4E42444D41474943, 0x49484156454F5054)
        name = export.encode()
        stream.sendall(struct.pack(">IQII", FLAG_C_FIXED_NEWSTYLE, option_magic, OPT_EXPORT_NAME, len(name)) + name)
        receive(stream, 8 + 2 + 124)
        stream.sendall(struct.pack(">IHHQQI", REQUEST_MAGIC, 0, CMD_READ, 1, offset, length))
        assert struct.unpack(">IIQ", receive(stream, 16)) == (REPLY_MAGIC, 0, 1)
        data = receive(stream, length)
        stream.sendall(struct.pack(">IHHQQI", REQUEST_MAGIC, 0, CMD_DISC, 2, 0, 0))
        return data
