# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The hash of a file as catalogs and signatures have it. Of a PE image ("Windows Authenticode Portable Executable
Signature Format"): all of it but the checksum, the directory entry of the certificates, and the certificates. Of any
other file: all.
"""

import hashlib
import struct

PE32_PLUS = 0x20b
CHECKSUM_OFFSET = 64  # in the optional header
CERTIFICATES_OFFSET = 144  # the fifth data directory of a PE32+ image
PE_HEADER_SIZE = 24


class ImageError(ValueError):
    """Not the PE32+ image that it ought to be."""


def is_image(data):
    return data[:2] == b"MZ"


def digest(data, algorithm):
    """`algorithm`: a name that hashlib knows."""
    parts = _hashed_parts(data) if is_image(data) else [data]
    made = hashlib.new(algorithm)
    for part in parts:
        made.update(part)
    return made.digest()


def _hashed_parts(data):
    optional, = struct.unpack_from("<I", data, 0x3c)
    if data[optional:optional + 4] != b"PE\0\0":
        raise ImageError("no PE header")
    optional += PE_HEADER_SIZE
    if struct.unpack_from("<H", data, optional)[0] != PE32_PLUS:
        raise ImageError("not a PE32+ image")
    checksum = optional + CHECKSUM_OFFSET
    directory = optional + CERTIFICATES_OFFSET
    start, size = struct.unpack_from("<II", data, directory)
    end = start if size else len(data)
    if size and start + size != len(data):
        raise ImageError("something follows the certificates")
    return [data[:checksum], data[checksum + 4:directory], data[directory + 8:end]]
