# SPDX-License-Identifier: LGPL-2.1-or-later
"""The client on a machine where the driver is not installed."""

import pytest

from beds import Bed


@pytest.fixture(scope="module")
def bare():
    bed = Bed("--no-driver")
    yield bed
    bed.stop()


@pytest.mark.parametrize("words, code", [
    (("map", "x", "127.0.0.1"), 259),
    (("map", "x", "127.0.0.1", "10809", "x"), 259),
    (("unmap", "x"), 110),
    (("unmap", "x", "--hard-disconnect"), 110),
    (("list",), 110),
    (("show", "x"), 110),
    (("stats", "x"), 110),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_driver_not_installed(words, code, bare):
    bare.client(*words).failed(code, "driver", "not installed")


def test_version_and_help_need_no_driver(bare):
    assert len(bare.client("version").out.splitlines()) == 2
    bare.client("help").ok()
