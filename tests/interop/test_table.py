# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the core's client does with each server, as a tap has seen it: that it may, and that docs/interop.md says it."""

import pytest

import table
import zoo
from conduct import misdeeds
from nbdwire import ALLOCATION, Answer, Command, CommandFlag, Flag, Option
from tap_capture import Asked, Capture


@pytest.fixture(scope="module")
def captures():
    return table.look_at_all()


@pytest.mark.parametrize("name", [*zoo.ENTRIES, table.SCRIPTED])
def test_the_client_does_what_it_may(captures, name):
    assert misdeeds(captures[name]) == []
    assert captures[name].disconnected()


def test_only_the_scripted_server_has_extended_headers(captures):
    assert [name for name, capture in captures.items() if capture.form == "extended"] == [table.SCRIPTED]


def test_the_document_says_so(captures):
    """Written again with tests/interop/table.py --write."""
    text = table.document(captures)
    assert table.without_versions(table.DOCUMENT.read_text()) == table.without_versions(text)
    assert text.count(table.VERSIONS) == 1


# --- that a misdeed would be found

CHUNKS = {Option.EXTENDED_HEADERS: Answer.ERR_UNSUP, Option.STRUCTURED_REPLY: Answer.ACK,
          Option.SET_META_CONTEXT: Answer.ACK, Option.GO: Answer.ACK}
ALL = sum(Flag) & ~(Flag.READ_ONLY | Flag.RESIZE)


def capture_of(*requests, options=None, contexts=None, flags=ALL, form="structured", cookie=0, disc=True):
    capture = Capture()
    capture.options = [Asked(option, b"", [(answer, b"")]) for option, answer in (options or CHUNKS).items()]
    capture.contexts = {1: ALLOCATION} if contexts is None else contexts
    capture.size, capture.flags, capture.form = 1 << 20, flags, form
    capture.block_sizes = (512, 4096, 65536)
    capture.requests = [*requests, *([(Command.DISC, 0, 0, 0)] if disc else [])]
    capture.last_cookie = cookie
    return capture


def test_a_good_client_is_not_blamed():
    assert misdeeds(capture_of((Command.WRITE, CommandFlag.FUA, 512, 512), (Command.FLUSH, 0, 0, 0))) == []


@pytest.mark.parametrize("request_sent, said, settings", [
    ((Command.FLUSH, 0, 512, 0), "reserved", {}),
    ((Command.FLUSH, 0, 0, 512), "reserved", {}),
    ((Command.READ, 0, 1 << 20, 512), "beyond the end", {}),
    ((Command.READ, 0, 0, 511), "not in blocks", {}),
    ((Command.READ, 0, 0, 131072), "longer than the maximum", {}),
    ((Command.READ, CommandFlag.DF, 0, 512), "DF that the server did not offer", {"form": "simple"}),
    ((Command.TRIM, 0, 0, 512), "did not offer", {"flags": ALL & ~Flag.TRIM}),
    ((Command.WRITE_ZEROES, CommandFlag.FAST_ZERO, 0, 512), "FAST_ZERO", {"flags": ALL & ~Flag.FAST_ZERO}),
    ((Command.WRITE, 0, 0, 512), "read-only", {"flags": ALL | Flag.READ_ONLY}),
    ((Command.BLOCK_STATUS, 0, 0, 512), "without a context", {"contexts": {}}),
    ((Command.DISC, 0, 0, 0), "not the last", {}),
    ((Command.READ, 0, 0, 512), "not the last", {"disc": False}),
    ((Command.DISC, 0, 0, 512), "reserved", {"disc": False}),
    ((Command.DISC, CommandFlag.FUA, 0, 0), "something in it", {"disc": False}),
    ((Command.READ, 0, 0, 512), "something in it", {"cookie": 1}),
])
def test_a_wrong_request_is_found(request_sent, said, settings):
    assert any(said in text for text in misdeeds(capture_of(request_sent, **settings)))


@pytest.mark.parametrize("options, said", [
    ({Option.STRUCTURED_REPLY: Answer.ACK, Option.EXTENDED_HEADERS: Answer.ERR_UNSUP}, "in the order"),
    ({Option.LIST: Answer.ACK, Option.GO: Answer.ACK}, "in the order"),
    ({Option.EXTENDED_HEADERS: Answer.ACK, Option.STRUCTURED_REPLY: Answer.ACK}, "after EXTENDED_HEADERS"),
    ({Option.SET_META_CONTEXT: Answer.ACK, Option.GO: Answer.ACK}, "without chunks"),
    ({Option.GO: Answer.ERR_UNKNOWN, Option.EXPORT_NAME: Answer.ACK}, "after GO was known"),
])
def test_a_wrong_option_is_found(options, said):
    assert any(said in text for text in misdeeds(capture_of(options=options)))


def test_what_could_not_be_decoded_is_found():
    capture = capture_of()
    capture.undecodable = "client: magic"
    assert misdeeds(capture) == ["client: magic"]
