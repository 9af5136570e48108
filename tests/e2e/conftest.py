# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Fixtures of the end-to-end tests. A module shares one bed: making one takes seconds, and a driver that has served many
tests before it is unloaded has more to leak. Violations fail the test that ran when they came up; what shows only at
unload fails the module's last test.
"""

import contextlib
import signal

import pytest

import servers
from beds import Bed
from programs import Caller

FILE_BYTES = 136 << 20  # eight regions of 16 MiB for a storm, and some more


def pytest_configure():
    """Ended by a signal, the run still ends its servers and beds: as after Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="module")
def module_bed(request):
    """BED_OPTIONS at the top of a module are given to `bed start`."""
    bed = Bed(*getattr(request.module, "BED_OPTIONS", ()))
    yield bed
    bed.stop()


@pytest.fixture(scope="module")
def bare():
    """A bed where no driver is installed."""
    bed = Bed("--no-driver")
    yield bed
    bed.stop()


@pytest.fixture
def bed(module_bed, stack):
    """The module's bed, with nothing mapped before and after. What is left is unmapped before the servers end."""
    del stack  # only for the order in which fixtures end
    yield module_bed
    if module_bed.unmap_all():
        assert module_bed.mapped() == []
    assert "BED VIOLATION" not in module_bed.log()


@pytest.fixture
def image(tmp_path):
    """The server's file; sparse."""
    return servers.sparse_file(tmp_path / "disk.img", FILE_BYTES)


@pytest.fixture
def server(tmp_path, image):
    """nbdkit with the file, and with a log of what it was asked: `server.requests`."""
    log = tmp_path / "requests.log"
    log.touch()
    with servers.nbdkit(tmp_path, "file", image, log=log) as running:
        running.requests = log
        yield running


@pytest.fixture
def stack():
    """Servers that a test starts with `stack.enter_context()` end with it."""
    with contextlib.ExitStack() as opened:
        yield opened


@pytest.fixture(scope="module")
def callers(module_bed):
    """Two programs that call the library, so that one may wait while the other asks."""
    pair = [Caller(module_bed), Caller(module_bed)]
    yield pair
    for caller in pair:
        assert caller.end() == 0


def living(callers, index):
    """One that died has failed the test it died in, and no other."""
    if callers[index].over:
        callers[index] = Caller(callers[index].bed)
    return callers[index]


@pytest.fixture
def call(callers):
    """The first of them, with nothing mapped before and after: for tests that would spend their time on starting
    programs. A disk that is left is removed, and fails the test. So do violations: the programs that a test has
    started tell of them when they end."""
    yield living(callers, 0)
    caller = living(callers, 0)
    left = caller.mapped()
    for name in left:
        caller("remove", name, "--hard")
    assert left == []


@pytest.fixture
def other(callers):
    return living(callers, 1)
