# SPDX-License-Identifier: LGPL-2.1-or-later
"""Beds and servers are those of the end-to-end tests; one cluster serves all tests here."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from cluster import Cluster

E2E = Path(__file__).resolve().parent.parent / "e2e"
sys.path.insert(0, str(E2E))

_spec = importlib.util.spec_from_file_location("e2e_conftest", E2E / "conftest.py")
_conftest = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_conftest)

module_bed, bed, stack = _conftest.module_bed, _conftest.bed, _conftest.stack
pytest_configure = _conftest.pytest_configure


def running(pids):
    return [pid for pid in pids if os.path.exists(f"/proc/{pid}")]


@pytest.fixture(scope="module")
def ceph(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("ceph")) as cluster:
        pids = cluster.pids()
        assert len(running(pids)) == 2
        yield cluster
    assert running(pids) == []
