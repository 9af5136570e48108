# SPDX-License-Identifier: LGPL-2.1-or-later
"""libiscsi's conformance suite against the core: each family by itself, on a disk of its own kind."""

import contextlib
import subprocess
from pathlib import Path

import pytest

import suite

EXPECTED, REASONS = suite.read_expected()
DOCUMENT = Path(__file__).parents[2] / "docs" / "scsi.md"
FAMILIES = [(run, family) for run in suite.RUNS for family in EXPECTED if suite.is_in(run, family)]


@pytest.fixture(scope="module")
def targets():
    """{run: target}"""
    with contextlib.ExitStack() as stack:
        yield {run: stack.enter_context(suite.serving(run)) for run in suite.RUNS}


@pytest.mark.parametrize("run,family", FAMILIES)
def test_family(targets, run, family):
    """A case that a newer suite has is to pass or not to apply."""
    number = list(suite.RUNS).index(run)
    expected = {case: outcomes[number] for case, outcomes in EXPECTED[family].items()}
    found, output = suite.run_family(targets[run], family)
    new = {case: how for case, how in found.items() if case not in expected and how != "failed"}
    assert found == {**expected, **new}, output[-4000:]


def test_every_family_is_expected():
    assert set(suite.list_families()) == set(EXPECTED)


def test_what_does_not_pass_has_a_reason():
    for family, cases in EXPECTED.items():
        whole = all(how in ("passed", suite.NOT_RUN) for outcomes in cases.values() for how in outcomes)
        assert whole == (REASONS[family] == ""), family


def test_document_has_the_table():
    assert "\n".join(suite.table()) in DOCUMENT.read_text()


@pytest.mark.parametrize("command,told", [
    (["iscsi-inq"], ["Peripheral Device Type:DIRECT_ACCESS", "Vendor:WNBD", "Version Descriptor:0460 SPC-4"]),
    (["iscsi-inq", "-e", "1", "-c", "178"], ["lbpu:1", "lbpws:1"]),
    (["iscsi-readcapacity16"], ["BLOCK LENGTH IN BYTES:512", "LBPME:1 LBPRZ:0", "Total size:67108864"]),
])
def test_tools(targets, command, told):
    done = subprocess.run([*command, targets["512"].url()], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done
    for line in told:
        assert line in done.stdout
