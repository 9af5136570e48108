# SPDX-License-Identifier: LGPL-2.1-or-later
"""Beds and servers are those of the end-to-end tests; one cluster serves all tests here."""

import os

import pytest

from cluster import Cluster
from e2e_fixtures import bed, module_bed, pytest_configure, stack  # noqa: F401


def running(pids):
    return [pid for pid in pids if os.path.exists(f"/proc/{pid}")]


@pytest.fixture(scope="module")
def ceph(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("ceph")) as cluster:
        pids = cluster.pids()
        assert len(running(pids)) == 2
        yield cluster
    assert running(pids) == []
