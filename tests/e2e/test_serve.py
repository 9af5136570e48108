# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks that a program serves through the library."""

import time

import pytest

from programs import Caller, Consumer, digest

BLOCKS = 1 << 20


@pytest.fixture(scope="module")
def programs(module_bed):
    """Two callers: one may wait for a request while the other asks."""
    callers = Caller(module_bed), Caller(module_bed)
    yield callers
    for caller in callers:
        assert caller.end() == 0


@pytest.fixture
def call(programs, bed):
    del bed
    return programs[0]


@pytest.fixture
def other(programs):
    return programs[1]


def test_each_callback(bed, call):
    with Consumer(bed, "all", "--log", "--flush", "--fua", "--reservations") as disk:
        number = call.number("all")
        start = len(disk.lines)
        call.disk("write", number, 4096, 1024, 0x5A).ok()
        assert disk.requests("write", start) == [["8", "2", "0", digest(b"\x5a" * 1024)]]
        assert call.read(number, 8, 2) == b"\x5a" * 1024
        assert ["8", "2", "0"] in disk.requests("read", start)
        call.disk("flush", number).ok()
        assert disk.requests("flush", start) == [["0", "0"]]
