# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the installer's tests see, and what they do again because of Wine."""

import re
from types import SimpleNamespace

import pytest

from machine import NOISE, Machine
from packages import ROOT

DONE = SimpleNamespace(code=0, out="WNBD is installed.\n")
NO_REASON = SimpleNamespace(code=21, out="WNBD cannot be installed: \n")
NOT_STARTED = SimpleNamespace(code=21, out='"wnbd-client.exe" list cannot be started.\n')
REASON = SimpleNamespace(code=21, out="WNBD cannot be installed: its adapter did not start.\n")


def machine(*results):
    """Its bed gives these, one after the other."""
    left = iter(results)
    bed = SimpleNamespace(where="/nowhere", start=lambda *_: SimpleNamespace(wait=lambda: next(left)))
    return Machine(bed)


def test_our_counters_are_not_dropped():
    provider = re.search(r'providerGuid="(\{.*\})"', (ROOT / "driver/wnbd.man").read_text(encoding="utf-8"))[1]
    providers = r"HKEY_LOCAL_MACHINE\Software\Microsoft\Windows NT\CurrentVersion\Perflib\_V2Providers"
    assert NOISE.search(providers) and not NOISE.search(rf"{providers}\{provider}")


@pytest.mark.parametrize("failed", [NO_REASON, NOT_STARTED], ids=["no reason", "not started"])
def test_what_wine_has_lost_is_done_again_once_and_told(failed, capsys):
    assert machine(failed, DONE).run("setup.exe", "/S") is DONE
    assert capsys.readouterr().out.count("done again") == 1
    with pytest.raises(AssertionError, match="twice without a reason"):
        machine(failed, failed, DONE).run("setup.exe", "/S")


def test_what_has_a_reason_is_not_done_again(capsys):
    assert machine(REASON, DONE).run("setup.exe", "/S") is REASON
    assert capsys.readouterr().out == ""
