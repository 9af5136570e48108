# SPDX-License-Identifier: LGPL-2.1-or-later
"""`--format json` of every command that prints, against the schema that is promised."""

import json
import time

import pytest

import servers
from conftest import FILE_BYTES
from schema import Schema

NAME = 'ä "b" \\ 日本'


@pytest.fixture(scope="module")
def schema():
    return Schema()


def told(bed, schema, *words):
    result = bed.client(*words, "--format", "json").ok()
    return schema.check(words[0], result.out)


def test_nothing_is_mapped(bed, schema):
    assert told(bed, schema, "list") == []
    versions = told(bed, schema, "version")
    assert len(set(versions.values())) == 1
    assert "LogLevel" in [option["name"] for option in told(bed, schema, "list-opt")]
    assert told(bed, schema, "get-opt", "LogLevel")["value"] == 4


def test_a_disk_from_map_to_stats(server, bed, schema):
    where = ("map", NAME, server.address, "--port", server.port, "--export-name", "")
    mapped = told(bed, schema, *where)
    number = mapped["disk_number"]
    assert mapped["path"] == f"\\\\.\\PhysicalDrive{number}"
    assert (mapped["name"], mapped["size"], mapped["block_size"]) == (NAME, FILE_BYTES, 512)
    listed, = told(bed, schema, "list")
    assert (listed["name"], listed["disk_number"], listed["state"]) == (NAME, number, "connected")
    shown = told(bed, schema, "show", NAME)
    assert (shown["disk_number"], shown["nbd"]["port"], shown["server"]["state"]) == (number, server.port, "connected")
    assert shown["kernel_nbd"] and not shown["read_only"] and shown["arena_size"] == 0
    bed.diskio("read", number, 0, 4096).ok()
    stats = told(bed, schema, "stats", NAME)
    assert stats["received"] >= stats["replied"] >= 1 and stats["pending"] == 0
    bed.client("unmap", NAME).ok()


def test_a_disk_that_the_client_serves(bed, schema):
    serving = bed.start_client("map", "ram", "--ram", "64M", "--format", "json")
    mapped = schema.check("map", serving.process.stdout.readline().decode())
    shown = told(bed, schema, "show", "ram")
    assert (shown["kernel_nbd"], shown["nbd"], shown["server"]["state"]) == (False, None, "served")
    assert shown["arena_size"] >= 2 << 20 and shown["disk_number"] == mapped["disk_number"]
    assert mapped["physical_block_size"] == shown["physical_block_size"] == 512
    text = bed.show("ram")
    assert text["PhysicalBlockSize"].startswith("512 (")
    assert text["ArenaSize"].startswith(f"{shown['arena_size']} (") and text["ArenaSize"].endswith(" MiB of locked memory)")
    assert (text["KeepDisk"], text["QueueDepth"], text["ProgramState"]) == ("0", str(shown["queue_depth"]), "served")
    bed.client("unmap", "ram").ok()
    assert serving.wait().code == 0


def test_map_without_waiting_has_no_number_yet(server, bed, schema):
    where = ("map", "quick", server.address, "--port", server.port, "--export-name", "", "--no-wait")
    mapped = told(bed, schema, *where)
    assert mapped["disk_number"] is None and mapped["path"] is None
    bed.client("map", "x", server.address, "--wait", "--no-wait").failed(87, "contradict")
    assert bed.mapped() == ["quick"]


def test_a_disk_without_its_server(tmp_path, image, bed, schema, stack):
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", image))
    number = bed.map("lost", server)
    server.end()
    reading = bed.start_diskio("read", number, 0, 4096)
    deadline = time.monotonic() + 60
    listed, = told(bed, schema, "list")
    while listed["state"] != "reconnecting":
        assert time.monotonic() < deadline
        listed, = told(bed, schema, "list")
    assert listed["last_error"] != ""
    assert told(bed, schema, "show", "lost")["server"]["lost_for_ms"] >= listed["lost_for_ms"]
    server.start()
    reading.wait().ok()


def test_exports(tmp_path, image, bed, schema, stack):
    server = stack.enter_context(servers.qemu_nbd(tmp_path, image, export=NAME))
    where = ("exports", f"nbd://{server.address}:{server.port}")
    export, = told(bed, schema, *where)
    assert (export["name"], export["size"], export["flush"]) == (NAME, FILE_BYTES, True)


@pytest.mark.parametrize("words", [("show", "nobody"), ("stats", "nobody"), ("get-opt", "nobody")], ids=" ".join)
def test_a_failure_is_a_sentence_and_no_json(words, bed):
    assert bed.client(*words, "--format", "json").failed(2, "nobody").out == ""


@pytest.mark.parametrize("words", [("list",), ("version",), ("show", "x"), ("stats", "x"), ("map", "x", "127.0.0.1")],
                         ids=" ".join)
def test_other_formats_are_refused(words, bed):
    assert bed.client(*words, "--format", "xml").failed(87, "text or json").out == ""


def test_the_checker_can_fail(schema):
    good = {"client": "1", "library": "1", "driver": None}
    schema.check("version", json.dumps(good))
    for bad in ({"client": 1}, {"surplus": 1}, {"driver": True}):
        with pytest.raises(AssertionError):
            schema.check("version", json.dumps({**good, **bad}))
    with pytest.raises(AssertionError):
        schema.check("version", json.dumps({"client": "1"}))
