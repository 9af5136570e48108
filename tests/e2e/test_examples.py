# SPDX-License-Identifier: LGPL-2.1-or-later
"""The programs in examples/: they are what others begin with, so they work."""

import re

import servers
from beds import BUILD, windows_path

MIB = 1 << 20
WRITTEN = ("--seed", 11, "--bytes", 4 * MIB)


def test_minimal(bed):
    program = bed.start(BUILD / "examples" / "minimal.exe", "least")
    number = int(bed.show_when_mapped("least")["DiskNumber"])
    bed.diskio("write-random", number, *WRITTEN).ok()
    assert "verify: equal" in bed.diskio("verify", number, *WRITTEN).ok().out
    bed.unmap("least").ok()
    program.wait().ok()


def test_file_disk(bed, tmp_path):
    path = servers.sparse_file(tmp_path / "disk.img", 16 * MIB)
    program = bed.start(BUILD / "examples" / "file-disk.exe", "file", windows_path(path))
    said = re.fullmatch(r"'file' is \\\\\.\\PhysicalDrive(\d+)", program.line())
    assert said, repr(program.wait())
    bed.diskio("write-random", int(said[1]), *WRITTEN).ok()
    assert "verify: equal" in bed.diskio("verify", int(said[1]), *WRITTEN).ok().out
    bed.diskio("write", int(said[1]), 8 * MIB, 4096, 0x66).ok()
    bed.diskio("flush", int(said[1])).ok()
    with open(path, "rb") as file:
        file.seek(8 * MIB - 512)
        assert file.read(512 + 4096 + 512) == bytes(512) + b"\x66" * 4096 + bytes(512)
    bed.unmap("file").ok()
    program.wait().ok()


def test_file_disk_without_a_file(bed, tmp_path):
    result = bed.start(BUILD / "examples" / "file-disk.exe", "file", windows_path(tmp_path / "missing")).wait()
    assert result.code == 2 and "missing" in result.err
    assert bed.mapped() == []
