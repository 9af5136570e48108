# SPDX-License-Identifier: LGPL-2.1-or-later
"""Verified random reads and writes, 512 bytes to 8 MiB from 8 threads; at the end the server's own file is compared."""

import shutil

import pytest

import servers
from beds import windows_path

STORM_BYTES = 128 << 20
REQUESTS = 480
COMPARE_BYTES = 1 << 20


def first_difference(path, other, length):
    """The offset of the first megabyte that differs, None when the first `length` bytes are equal."""
    with open(path, "rb") as left, open(other, "rb") as right:
        for offset in range(0, length, COMPARE_BYTES):
            if left.read(COMPARE_BYTES) != right.read(COMPARE_BYTES):
                return offset
    return None


def storm(bed, number, tmp_path, *options):
    expected = tmp_path / "expected.img"
    result = bed.diskio("storm", number, "--threads", 8, "--requests", REQUESTS, "--bytes", STORM_BYTES, "--out",
                        windows_path(expected), *options).ok()
    assert "every read was right" in result.out
    return expected


@pytest.mark.parametrize("start", [servers.nbdkit, servers.nbd_server, servers.qemu_nbd], ids=lambda f: f.__name__)
def test_random_reads_and_writes_are_on_the_server(start, image, tmp_path, bed, stack):
    arguments = ("file", image) if start is servers.nbdkit else (image,)
    server = stack.enter_context(start(tmp_path, *arguments))
    number = bed.map("storm", server)
    expected = storm(bed, number, tmp_path, "--seed", 7)
    bed.unmap("storm").ok()
    server.end()
    assert first_difference(image, expected, STORM_BYTES) is None


def test_random_reads_and_writes_of_4096_byte_blocks(image, tmp_path, bed, stack):
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", image, "blocksize-minimum=4096",
                                                "blocksize-error-policy=error", filters=["blocksize-policy"]))
    number = bed.map("storm", server, "--block-size", 4096)
    expected = storm(bed, number, tmp_path, "--seed", 8, "--min", 4096)
    bed.unmap("storm").ok()
    assert first_difference(image, expected, STORM_BYTES) is None


def test_two_disks_under_load_at_once_do_not_mix(tmp_path, image, bed, stack):
    other = tmp_path / "other.img"
    shutil.copyfile(image, other)
    numbers = {}
    for name, path in (("left", image), ("right", other)):
        numbers[name] = bed.map(name, stack.enter_context(servers.nbdkit(tmp_path, "file", path)))
    running = {}
    for seed, name in enumerate(numbers):
        running[name] = bed.start_diskio("storm", numbers[name], "--threads", 4, "--requests", 200, "--bytes", 64 << 20,
                                         "--seed", seed, "--out", windows_path(tmp_path / f"{name}.expected"))
    for name in numbers:
        running[name].wait().ok()
        bed.unmap(name).ok()
    assert first_difference(image, tmp_path / "left.expected", 64 << 20) is None
    assert first_difference(other, tmp_path / "right.expected", 64 << 20) is None
