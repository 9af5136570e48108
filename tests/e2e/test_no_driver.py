# SPDX-License-Identifier: LGPL-2.1-or-later
"""The client on a machine where the driver is not installed."""

import pytest

from programs import Caller


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


@pytest.fixture(scope="module")
def call(bare):
    caller = Caller(bare)
    yield caller
    assert caller.end() == 0


OPEN_FAILED, NOT_INSTALLED = 110, 259


@pytest.mark.parametrize("words", [
    ("list",), ("show", "x"), ("stats", "x"), ("remove", "x"), ("remove", "x", "--hard"), ("poll", "x", 1, 1, 0, 0),
    ("poll", "x", 0, 1, 0, 0), ("version",), ("get-opt", "LogLevel"), ("set-opt", "LogLevel", 1),
    ("reset-opt", "LogLevel"), ("list-opt",)], ids=lambda words: " ".join(map(str, words)))
def test_functions_that_cannot_open_the_adapter(words, call):
    assert call(*words).code == OPEN_FAILED


@pytest.mark.parametrize("words", [("open-adapter",), ("find-adapter",), ("reset-adapter",), ("attach", "x"),
                                   ("reset-adapter", "--timeout", 10)], ids=lambda words: " ".join(map(str, words)))
def test_functions_that_tell_why_the_adapter_cannot_be_opened(words, call):
    assert call(*words).code == NOT_INSTALLED


def test_disk_cannot_be_made(call):
    disk = call.serve("x")
    assert disk.error[0].groups() == ("create", str(NOT_INSTALLED))
    assert disk.died() == 1
