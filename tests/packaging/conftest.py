# SPDX-License-Identifier: LGPL-2.1-or-later
"""Beds and servers are those of the end-to-end tests."""

import importlib.util
import sys
from pathlib import Path

import pytest

import packages

E2E = Path(__file__).resolve().parent.parent / "e2e"
sys.path.insert(0, str(E2E))

_spec = importlib.util.spec_from_file_location("e2e_conftest", E2E / "conftest.py")
_conftest = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_conftest)

image, server, stack = _conftest.image, _conftest.server, _conftest.stack
pytest_configure = _conftest.pytest_configure


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """A folder for a test key of its own."""
    return tmp_path_factory.mktemp("signing")


@pytest.fixture(scope="session")
def dist(tmp_path_factory, keys):
    """The packages that ship."""
    return packages.make(tmp_path_factory.mktemp("dist") / "out", "--keys", keys)
