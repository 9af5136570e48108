# SPDX-License-Identifier: LGPL-2.1-or-later
"""The connection ends behind any byte that the server sends: the core's client ends too, and says so."""

import time

import pytest

from client_run import run_client
from fullserver import Server

REQUESTS = 10  # all of them are sent before the first is answered, so that each run has the same stream
SMALL = 64     # bytes of a message that are all tried; of a larger one, which has data, so many:
HEAD = {"simple": 16 + 2, "structured": 20 + 8 + 2, "extended": 32 + 8 + 2}
LIMIT_S = 5    # for one run: less than the client waits for a silent server

CLOSED = "the server closed the connection"


def stream_of(server):
    """Where the messages of a whole run begin, with the end behind them."""
    run_client(server.port, "disk", REQUESTS).told()
    stream = server.connections[0].stream
    return [*stream.begins, stream.sent]


def cuts(form, begins):
    """Behind every byte of the headers, and behind some of what they announce."""
    found = set()
    for begin, end in zip(begins, begins[1:]):
        found |= set(range(begin, end if end - begin <= SMALL else begin + HEAD[form]))
        found |= {(begin + end) // 2, end - 1}
    return sorted(found)


@pytest.mark.parametrize("form", ["simple", "structured", "extended"])
def test_a_cut_behind_every_byte(form):
    with Server(form=form, size=4 << 20) as server:
        begins = stream_of(server)
        for cut_at in cuts(form, begins):
            server.cut_at = cut_at
            started = time.monotonic()
            failure = run_client(server.port, "disk", REQUESTS).failure()
            assert failure is not None and failure.startswith(CLOSED), (cut_at, failure)
            assert time.monotonic() - started < LIMIT_S, cut_at
        server.cut_at = begins[-1]
        run_client(server.port, "disk", REQUESTS).told()
    assert server.complaints == []
