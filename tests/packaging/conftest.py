# SPDX-License-Identifier: LGPL-2.1-or-later
"""Beds and servers are those of the end-to-end tests."""

import pytest

import packages
from e2e_fixtures import image, pytest_configure, server, stack  # noqa: F401


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """A folder for a test key of its own."""
    return tmp_path_factory.mktemp("signing")


@pytest.fixture(scope="session")
def dist(tmp_path_factory, keys):
    """The packages that ship."""
    return packages.make(tmp_path_factory.mktemp("dist") / "out", "--keys", keys)
