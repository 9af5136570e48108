# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each server of zoo.py starts, nbdinfo sees it through the tap, and both say the same of it."""

import json
import subprocess

import pytest

import zoo
from fullclient import Client
from fullserver import Server, Shape
from nbdwire import ALLOCATION, Chunk, Command, CommandFlag, Error, Flag, Option
from tap import Tap
from tap_capture import Capture, Feed, table

NAMES_OF_FLAGS = {
    Flag.FLUSH: "can_flush", Flag.FUA: "can_fua", Flag.MULTI_CONN: "can_multi_conn", Flag.TRIM: "can_trim",
    Flag.DF: "can_df", Flag.WRITE_ZEROES: "can_zero", Flag.FAST_ZERO: "can_fast_zero", Flag.CACHE: "can_cache",
    Flag.ROTATIONAL: "is_rotational", Flag.READ_ONLY: "is_read_only",
}


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def block_sizes(export):
    told = tuple(export.get(f"block_size_{name}") for name in ("minimum", "preferred", "maximum"))
    return told if any(told) else None


def agrees(capture, told):
    """Whether the tap saw what nbdinfo says."""
    export = told["exports"][0]
    assert capture.undecodable is None
    assert capture.size == export["export-size"]
    assert {name: bool(capture.flags & flag) for flag, name in NAMES_OF_FLAGS.items()} == {
        name: export[name] for name in NAMES_OF_FLAGS.values()}
    assert block_sizes(export) in (capture.block_sizes, None)
    assert capture.form == ("structured" if told["structured"] else "simple")


@pytest.mark.parametrize("name", zoo.ENTRIES)
def test_the_tap_and_nbdinfo_agree(name):
    export = zoo.ENTRIES[name].export
    with zoo.running(name) as server:
        assert (server.file is not None) == (zoo.ENTRIES[name].file is not None)
        with Tap(server.port) as tap:
            told = json.loads(run("nbdinfo", "--json", "--no-content", f"nbd://127.0.0.1:{tap.port}/{export}"))
            agrees(tap.captures[-1], told)


@pytest.mark.parametrize("name", [name for name in zoo.ENTRIES if name not in ("nbdkit-error", "nbdkit-eval")])
def test_the_tap_follows_a_copy(name, tmp_path):
    """All of the disk, by several requests at once; as many connections as the server says it can do with."""
    copy = tmp_path / "copy"
    with zoo.running(name) as server:
        with Tap(server.port) as tap:
            run("nbdcopy", f"nbd://127.0.0.1:{tap.port}/{zoo.ENTRIES[name].export}", copy)
        assert copy.stat().st_size == zoo.SIZE
        assert all(capture.undecodable is None for capture in tap.captures)
        assert sum(length for capture in tap.captures for command, _, _, length in capture.requests
                   if command == Command.READ) <= zoo.SIZE
        assert len(tap.captures) > 1 or name != "qemu-nbd-shared"
        assert all(capture.disconnected() for capture in tap.captures if capture.requests)


@pytest.mark.parametrize("form", ["simple", "structured", "extended"])
def test_the_tap_sees_what_the_full_server_does(form):
    """What it has decoded is what the server's own log has."""
    with Server(form=form, size=1 << 20, shape=Shape.wild(9, errors=0.2)) as server, Tap(server.port) as tap:
        with Client(tap.port, form) as client:
            for at in range(40):
                client.do(Command.WRITE, at * 512, 512, CommandFlag.FUA, b"x" * 512)
                client.do(Command.READ, 0, 65536)
                client.do(Command.WRITE_ZEROES, at * 512, 512)
        capture = tap.captures[0]
        client.stream.close()
    assert server.complaints == []
    assert capture.undecodable is None
    assert capture.requests == server.requests
    assert [asked.option for asked in capture.options] == [option for option, _ in server.options]
    assert all(asked.accepted() for asked in capture.options)
    assert (capture.form, capture.disconnected()) == (form, True)
    assert list(capture.contexts.values()) == ([] if form == "simple" else [ALLOCATION])
    assert set(capture.errors) <= set(Error) and capture.errors
    assert form in capture.replies and (form == "simple" or capture.chunks[Chunk.OFFSET_DATA] > 40)
    assert capture.command_flags()["WRITE FUA"] == 40


def test_a_client_that_hangs_up_is_seen():
    with Server(size=4096) as server, Tap(server.port) as tap:
        client = Client(tap.port)
        client.do(Command.FLUSH)
        client.stream.close()
    assert not tap.captures[0].disconnected()
    assert tap.captures[0].closed_by == "client"
    assert server.complaints == ["connection 0: closed without ABORT or DISC"]


def test_what_is_not_nbd_is_said_so():
    capture = Capture()
    capture.passed("server", b"HTTP/1.1 400 Bad Request\r\n\r\n")
    capture.passed("server", b"more of it")
    assert capture.undecodable.startswith("server: ")


def test_bytes_come_in_any_portions():
    def numbers(found):
        while True:
            found.append((yield 3))
    found = []
    feed = Feed(numbers(found))
    for piece in (b"a", b"bcd", b"efghi", b"", b"j"):
        feed.passed(piece)
    assert found == [b"abc", b"def", b"ghi"]


def test_a_table_has_a_row_for_each_server():
    with Server(size=4096) as server, Tap(server.port) as tap:
        with Client(tap.port) as client:
            client.do(Command.READ, 0, 512)
    text = table({"ours": tap.captures[0].row(), "ours again": tap.captures[0].row()})
    assert text.count("\n") == 4
    assert "| 1 DISC, 1 READ | 1 extended | 1 OFFSET_DATA | - | yes | - |" in text
    assert f"{Option.EXTENDED_HEADERS.name}: ACK" in text
