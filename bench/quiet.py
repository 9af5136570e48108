# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether the machine does something else: the share of its CPU time that is used while no contender runs."""

import time

QUIET = 0.10  # up to here it counts as quiet
LOOK_S = 0.1


def times():
    with open("/proc/stat") as file:
        fields = [int(word) for word in file.readline().split()[1:9]]
    return sum(fields), fields[3] + fields[4]  # all, idle


def busy():
    all_before, idle_before = times()
    time.sleep(LOOK_S)
    all_after, idle_after = times()
    return 1 - (idle_after - idle_before) / max(1, all_after - all_before)


def wait(patience_s):
    """Waits until the machine is quiet, at most so long; answers how busy it was at last."""
    deadline = time.monotonic() + patience_s
    share = busy()
    while share > QUIET and time.monotonic() < deadline:
        share = busy()
    return share
