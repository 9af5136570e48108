# SPDX-License-Identifier: LGPL-2.1-or-later
"""System calls per request of a contender that does not count them: what strace counts of its network and poll calls for
many requests, less what it counts for few, so that connecting does not matter. A run of its own: strace slows it down."""

import tempfile

from cases import COPY, MIB
from contenders import run

COUNTED = ("libnbd", "fio")
FEW = 100
MANY = 2100
MANY_LARGE = 500  # of 1 MiB


def can_count(case):
    """A copy has no number of requests that could be asked for."""
    return case.operation != COPY


def count(contender, address, case, requests):
    with tempfile.NamedTemporaryFile("r") as table:
        run(["strace", "-f", "-c", "-e", "trace=network,poll,ppoll,epoll_wait,select,pselect6", "-o", table.name,
             *contender.command(address, case, str(requests))])
        rows = [line.split() for line in table if line.strip()]
    # %, seconds, usecs/call, calls, [errors,] name
    return sum(int(row[3]) for row in rows if row[0][0].isdigit() and row[-1] not in ("total", "pselect6"))


def per_request(contender, address, case):
    many = MANY_LARGE if case.size >= MIB else MANY
    return (count(contender, address, case, many) - count(contender, address, case, FEW)) / (many - FEW)
