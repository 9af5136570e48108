# SPDX-License-Identifier: LGPL-2.1-or-later
"""map --user: the NBD client is a process, and the disk is as good as one of the driver's."""

import contextlib
import signal
import time

import pytest

import scripted
import servers
from beds import CLIENT, EXEC_S, PROGRAMS, windows_path
from conftest import FILE_BYTES
from test_io import FILE_BYTES as _, since, unmap_cdb, unmap_list  # noqa: F401
from test_reconnect import STORM_BYTES, start_storm, wait_until
from test_storm import first_difference

MIB = 1 << 20
WAIT_MS = 6000
BED_OPTIONS = ("--set-parameter", "ConnectTimeoutMs=3000", "--set-parameter", f"ReconnectTimeoutMs={WAIT_MS}")


class Mapped:
    """A disk and the process that serves it."""

    def __init__(self, bed, name, program):
        self.bed = bed
        self.name = name
        self.program = program
        wait_until(self.appears, f"{name} does not appear")
        self.number = bed.number(name)

    def appears(self):
        assert self.program.process.poll() is None, repr(self.program.wait())
        shown = self.bed.client("show", self.name)
        return shown.code == 0 and shown.fields()["DiskNumber"] != "-1"

    def end(self, *options):
        """Unmaps it from elsewhere; the process ends with it."""
        self.bed.unmap(self.name, *options).ok()
        return self.program.wait().ok()


def map_user(bed, name, server, *options, export=None):
    return Mapped(bed, name, bed.start_map(name, server, "--user", *options, export=export, limit_s=EXEC_S))


@pytest.mark.parametrize("start", [servers.nbdkit, servers.nbd_server, servers.qemu_nbd], ids=lambda f: f.__name__)
def test_round_trips(start, tmp_path, image, bed, stack):
    arguments = ("file", image) if start is servers.nbdkit else (image,)
    server = stack.enter_context(start(tmp_path, *arguments))
    disk = map_user(bed, "trip", server)
    shown = bed.show("trip")
    assert shown["UseUserspaceNbd"] == "1" and shown["SerialNumber"] == "trip", shown
    assert int(shown["BlockCount"]) * int(shown["BlockSize"]) == FILE_BYTES
    bed.diskio("write-random", disk.number, "--bytes", 16 * MIB, "--depth", 8, "--seed", 3).ok()
    bed.diskio("verify", disk.number, "--bytes", 16 * MIB, "--size", 2 * MIB, "--depth", 4, "--seed", 3).ok()
    bed.diskio("flush", disk.number).ok()
    said = disk.end().out
    assert said.startswith("Mapped 'trip' as \\\\.\\PhysicalDrive") and bed.mapped() == []


def test_storm(tmp_path, image, bed, stack):
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", image))
    disk = map_user(bed, "storm", server)
    load, expected = start_storm(bed, disk.number, tmp_path, 5)
    load.wait().ok()
    disk.end()
    assert first_difference(image, expected, STORM_BYTES) is None
