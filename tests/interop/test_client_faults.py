# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whatever a server does that the document does not allow, the core's client says what it was and ends."""

import pytest

from client_run import run_client
from fullserver import FAULTS, Server

NOT_ASKED = "it sent data that was not asked for"
TWICE = "it sent some of a read's data twice"
DIVIDED = "it divided a read that it was asked not to divide"
UNFINISHED = "it ended a read without having sent all of its data"
NOT_SENT = "the server replied to a request that was not sent"
NOT_LAST = "it sent an empty chunk that is not the last"
STATUS_LENGTH = "it sent a block status with a wrong length"
ERROR_LENGTH = "it sent an error chunk with a wrong length"

# Where there are several, which one depends on the request that it hits.
SENTENCES = {
    "offset-before": {NOT_ASKED},
    "offset-after": {NOT_ASKED},
    "beyond-end": {"it sent more data than was asked for"},
    "hole-beyond-end": {NOT_ASKED},
    "overlap": {TWICE, DIVIDED},
    "overlap-hole": {TWICE, DIVIDED},
    "empty-data": {"it sent a chunk of data without data"},
    "empty-hole": {NOT_ASKED},
    "wrap-data": {NOT_ASKED},
    "wrap-hole": {NOT_ASKED},
    "missing-end": {UNFINISHED},
    "missing-middle": {UNFINISHED, DIVIDED},
    "missing-all": {UNFINISHED},
    "short-hole": {"it sent a hole with a wrong length"},
    "df-violated": {DIVIDED},
    "content-for-write": {"it sent data for a request that is not a read"},
    "chunk-after-done": {NOT_SENT},
    "none-without-done": {NOT_LAST},
    "none-with-payload": {"it sent a chunk without content whose length is not 0"},
    "unknown-type": {"it sent a chunk of an unknown type"},
    "simple-read": {"it answered a read with a simple reply, though structured ones were negotiated"},
    "simple-in-extended": {"it sent a simple reply, though extended ones were negotiated"},
    "structured-uninvited": {"it sent a structured reply, which was not negotiated"},
    "extended-uninvited": {"it sent an extended reply, which was not negotiated"},
    "extended-wrong-offset": {"it replied with an offset that is not the request's"},
    "wrong-magic": {"it sent a reply with a wrong magic number"},
    "wrong-cookie": {NOT_SENT},
    "payload-4-gib": {"it sent a chunk of 4 GiB or more", "it sent more data than was asked for",
                      "it sent data for a request that is not a read"},
    "error-text-too-long": {"it sent an error text that is too long"},
    "error-offset-cut": {ERROR_LENGTH},
    "error-too-short": {ERROR_LENGTH},
    "error-zero": {"it sent an error chunk without an error"},
    "error-offset-outside": {"it sent an error at an offset that was not asked for"},
    "status-empty": {STATUS_LENGTH},
    "status-foreign": {"it sent a block status of a context that was not negotiated"},
    "status-zero-length": {"it sent an extent of 0 bytes"},
    "status-uninvited": {"it sent a block status for a request that did not ask for one"},
    "status-twice": {"it sent the block status twice"},
    "status-missing": {"it answered a question for the block status without extents"},
    "status-cut": {STATUS_LENGTH},
    "status-beyond": {"it sent extents beyond what was asked for"},
    "status-two-for-one": {"it sent more than the one extent that was asked for"},
    "status-wrong-count": {"it sent a block status with a wrong number of extents"},
    "status-extended-uninvited": {"it sent an extended block status, which was not negotiated"},
    "simple-status": {"it answered a question for the block status with a simple reply"},
}


def test_every_fault_has_a_sentence():
    assert set(SENTENCES) == set(FAULTS)


@pytest.mark.parametrize("at", [0, 7])
@pytest.mark.parametrize("name, form", [(name, form) for name in sorted(SENTENCES) for form in FAULTS[name].forms])
def test_a_fault_ends_the_client(name, form, at):
    with Server(form=form, size=8 << 20, fault=name, fault_at=at) as server:
        failure = run_client(server.port, "disk", 1000, "--errors").failure()
        assert server.hung_up.wait(5)
    assert failure in SENTENCES[name]
    assert server.complaints == []
