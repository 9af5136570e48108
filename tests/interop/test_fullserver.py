# SPDX-License-Identifier: LGPL-2.1-or-later
"""fullserver.py against clients that exist (libnbd, qemu), and a small one of ours for what they do not speak."""

import json
import random
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from fullclient import Client
from fullserver import FAULTS, Export, Server, shape_from
from fullserver_replies import UNKNOWN_ERROR, Shape
from nbdwire import (FIXED_NEWSTYLE, NO_ZEROES, REQUEST, REQUEST_MAGIC, Answer, Chunk, Command, CommandFlag, Error,
                     Flag, Option)

FORMS = ("simple", "structured", "extended")
SIZE = 8 << 20


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def uri(server):
    return f"nbd://127.0.0.1:{server.port}/disk"


def sparse_bytes(seed, size=SIZE):
    """Runs of noise and of zeroes."""
    source, data = random.Random(seed), bytearray(size)
    for _ in range(20):
        length = source.randrange(1, size // 40)
        at = source.randrange(size - length)
        data[at:at + length] = source.randbytes(length)
    return bytes(data)


def server_for(form, seed, **settings):
    return Server(form=form, size=SIZE, shape=Shape.wild(seed), **settings)


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


@pytest.mark.parametrize("delivery", ["whole", "bytes", "pieces", "batched"])
def test_nbdinfo_sees_the_export(form, delivery):
    with Server(form=form, size=SIZE, shape=Shape(delivery=delivery), block_sizes=(512, 4096, 1 << 20)) as server:
        told = json.loads(run("nbdinfo", "--json", "--no-content", uri(server)))
        export = told["exports"][0]
        assert told["structured"] == (form != "simple")
        assert (export["export-name"], export["export-size"]) == ("disk", SIZE)
        assert (export["block_size_minimum"], export["block_size_maximum"]) == (512, 1 << 20)
        assert export["can_df"] == (form != "simple")
        assert export.get("contexts", []) == ([] if form == "simple" else ["base:allocation"])
    assert server.complaints == []


def test_nbdinfo_lists_the_exports():
    with Server([Export("one", description="the first"), Export("two", size=4096)]) as server:
        told = json.loads(run("nbdinfo", "--json", "--list", f"nbd://127.0.0.1:{server.port}"))
        assert [export["export-name"] for export in told["exports"]] == ["one", "two"]
        assert told["exports"][0]["description"] == "the first"
    assert server.complaints == []


def test_nbdinfo_maps_the_export():
    with server_for("structured", 5) as server:
        server.image.write(1 << 20, b"x" * 65536)
        extents = json.loads(run("nbdinfo", "--json", "--map", uri(server)))
        assert sum(extent["length"] for extent in extents) == SIZE
        assert sum(extent["length"] for extent in extents if extent["type"] == 0) == 65536
    assert server.complaints == []


@pytest.mark.parametrize("seed", range(4))
def test_nbdcopy_there_and_back(form, seed, tmp_path):
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.write_bytes(sparse_bytes(seed))
    with server_for(form, seed) as server:
        run("nbdcopy", "--flush", source, uri(server))
        assert server.image.read(0, SIZE) == source.read_bytes()
        run("nbdcopy", uri(server), copy)
        assert copy.read_bytes() == source.read_bytes()
    assert server.complaints == []


@pytest.mark.parametrize("seed", range(2))
def test_qemu_img_there_and_back(form, seed, tmp_path):
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.write_bytes(sparse_bytes(seed))
    with server_for(form, seed, block_sizes=(512, 4096, 1 << 20)) as server:
        run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", source, uri(server))
        assert server.image.read(0, SIZE) == source.read_bytes()
        run("qemu-img", "convert", "-f", "raw", "-O", "raw", uri(server), copy)
        assert copy.read_bytes() == source.read_bytes()
    assert server.complaints == []


def test_qemu_io_commands(form):
    with server_for(form, 2) as server:
        run("qemu-io", "-f", "raw", "-c", "write -P 7 1M 64k", "-c", "read -P 7 1M 64k", "-c", "write -z 1M 4k",
            "-c", "read -P 0 1M 4k", "-c", "write -f -P 9 2M 4k", "-c", "discard 2M 4k", "-c", "flush", uri(server))
    assert {Command.WRITE, Command.READ, Command.WRITE_ZEROES, Command.TRIM, Command.FLUSH, Command.DISC} <= {
        command for command, *_ in server.requests}
    assert server.complaints == []


LIBNBD = """
import sys
import nbd
h = nbd.NBD()
h.add_meta_context('base:allocation')
h.connect_uri(sys.argv[1])
h.pwrite(b'abc' * 1000, 5000, nbd.CMD_FLAG_FUA)
assert h.pread(3000, 5000) == bytearray(b'abc' * 1000)
h.cache(65536, 0)
h.zero(4096, 4096, nbd.CMD_FLAG_NO_HOLE)
h.zero(4096, 65536, nbd.CMD_FLAG_FAST_ZERO)
if h.get_structured_replies_negotiated():
    whole = []
    h.pread_structured(3000, 5000, lambda data, offset, *_: whole.append((offset, len(data))), nbd.CMD_FLAG_DF)
    assert whole == [(5000, 3000)]
    found = []
    h.block_status(1 << 20, 0, lambda context, offset, entries, error: found.extend(entries), nbd.CMD_FLAG_REQ_ONE)
    assert len(found) == 2
h.flush()
h.shutdown()
"""


def test_libnbd_commands(form):
    with server_for(form, 3) as server:
        run("/usr/bin/python3", "-c", LIBNBD, uri(server))
    assert server.complaints == []


# --- extended headers, which neither of them speaks, and shapes they would not tell us about


def exercise(client, model, source, count):
    """Requests of every kind, several in flight on ranges apart, compared with `model`."""
    stride = len(model) // 8
    for _ in range(count):
        sent = [one_request(client, model, source, slot * stride, stride) for slot in range(8)]
        for reply, expected in zip(client.collect(*(cookie for cookie, _ in sent)), (item for _, item in sent)):
            assert reply.error == 0
            if expected is not None:
                assert reply.data == expected


def one_request(client, model, source, base, stride):
    command = source.choice([Command.READ, Command.READ, Command.WRITE, Command.WRITE_ZEROES, Command.BLOCK_STATUS,
                             Command.CACHE, Command.FLUSH])
    if command == Command.BLOCK_STATUS and client.form == "simple":
        command = Command.READ
    length = source.randrange(1, stride)
    offset = base + source.randrange(stride - length)
    if command == Command.FLUSH:
        return client.send(command), None
    payload = source.randbytes(length) if command == Command.WRITE else b""
    if command in (Command.WRITE, Command.WRITE_ZEROES):
        model[offset:offset + length] = payload or bytes(length)
    expected = bytes(model[offset:offset + length]) if command == Command.READ else None
    return client.send(command, offset, length, 0, payload), expected


@pytest.mark.parametrize("seed", range(6))
def test_every_command_in_every_form(form, seed):
    with Server(form=form, size=1 << 20, shape=Shape.wild(seed)) as server:
        with Client(server.port, form) as client:
            exercise(client, bytearray(1 << 20), random.Random(seed), 20)
    assert server.complaints == []


def test_extended_requests_are_longer_than_4_gib():
    size = 16 << 30
    with Server(size=size, shape=Shape(extents=9)) as server:
        with Client(server.port) as client:
            assert client.do(Command.WRITE, 0, 3, payload=b"abc").error == 0
            assert client.do(Command.WRITE, size - 3, 3, payload=b"xyz").error == 0
            status = client.do(Command.BLOCK_STATUS, 4096, size - 8192)
            assert status.kinds == [Chunk.BLOCK_STATUS_EXT]
            assert {state for _, state in status.status} == {3}
            assert client.do(Command.WRITE_ZEROES, 0, size - 3).error == 0
            assert client.do(Command.READ, 0, 3).data == bytes(3)
            assert client.do(Command.READ, size - 3, 3).data == b"xyz"
            assert client.do(Command.TRIM, 0, size).error == 0
    assert server.complaints == []


def test_all_chunk_types_occur():
    kinds = set()
    with Server(size=1 << 20, shape=Shape.wild(1, errors=0.3, interleave=False)) as server:
        with Client(server.port) as client:
            client.do(Command.WRITE, 0, 65536, payload=b"x" * 65536)
            for _ in range(100):
                kinds |= set(client.do(Command.READ, 0, 1 << 20).kinds)
                kinds |= set(client.do(Command.BLOCK_STATUS, 0, 1 << 20).kinds)
    assert kinds == {*Chunk, UNKNOWN_ERROR}
    assert server.complaints == []


def test_errors_have_every_shape(form):
    with Server(form=form, size=1 << 20, shape=Shape.wild(4, errors=1)) as server:
        with Client(server.port, form) as client:
            ranges = {Command.READ: 4096, Command.TRIM: 4096, Command.FLUSH: 0, Command.WRITE_ZEROES: 4096}
            errors = {client.do(command, 2 * length, length).error for command, length in ranges.items()
                      for _ in range(40)}
    assert errors == set(Error)
    assert server.complaints == []


def test_replies_are_reordered_and_interleaved():
    with Server(size=1 << 20, shape=Shape(gather=8, gather_ms=300, interleave=True, chunks=5, done_alone=1)) as server:
        with Client(server.port) as client:
            cookies = [client.send(Command.READ, slot << 16, 65536) for slot in range(8)]
            seen = [client._receive_message() for _ in range(8)]
            assert len({cookie for cookie, _ in seen}) > 1
            finished = [cookie for cookie, last in seen if last]
            while len(finished) < 8:
                cookie, last = client._receive_message()
                finished += [cookie] if last else []
            assert finished != cookies
    assert server.complaints == []


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_is_seen(name):
    """Each breaks something that the small client checks, or comes to nothing more."""
    fault = FAULTS[name]
    for form in fault.forms:
        with Server(form=form, size=1 << 20, fault=name, shape=Shape(seed=1)) as server:
            client = Client(server.port, form)
            client.stream.settimeout(0.3)
            length = 0 if fault.commands[0] == Command.FLUSH else 4096
            command = fault.commands[0]
            payload = bytes(length) if command == Command.WRITE else b""
            with pytest.raises((AssertionError, KeyError, TimeoutError, struct.error)):
                client.do(command, 4096, length, fault.needs_flag, payload)
                client.do(Command.READ, 4096, 4096)
            client.stream.close()
            assert server.hung_up.wait(5)
        assert server.complaints == []


# --- what is held against the client


def complaints_about(*requests, form="extended", hang_up=False, **settings):
    """What a server says of one client that sends those requests."""
    with Server(form=form, **{"size": 1 << 20, **settings}) as server:
        client = Client(server.port, form)
        for command, offset, length, flags, payload in requests:
            client.do(command, offset, length, flags, payload)
        if not hang_up:
            client.send(Command.DISC)
            client.stream.recv(1)
        client.stream.close()
    return server.complaints


SMALL = (512, 4096, 65536)


@pytest.mark.parametrize("request_sent, settings, said", [
    ((Command.READ, 0, 0, 0, b""), {}, "a length of 0"),
    ((Command.READ, 1 << 20, 1, 0, b""), {}, "beyond the end"),
    ((Command.READ, (1 << 64) - 1, 1, 0, b""), {}, "beyond the end"),
    ((Command.READ, 1, 512, 0, b""), {"block_sizes": SMALL}, "not in blocks of 512"),
    ((Command.READ, 0, 131072, 0, b""), {"block_sizes": SMALL}, "longer than the maximum"),
    ((Command.FLUSH, 0, 1, 0, b""), {}, "reserved"),
    ((Command.FLUSH, 1, 0, 0, b""), {}, "reserved"),
    ((Command.FLUSH, 0, 0, 0, b""), {"flags": Flag.HAS_FLAGS}, "did not offer"),
    ((Command.TRIM, 0, 1, 0, b""), {"flags": Flag.HAS_FLAGS}, "did not offer"),
    ((Command.WRITE, 0, 1, 0, b"a"), {"flags": Flag.HAS_FLAGS | Flag.READ_ONLY}, "read-only"),
    ((Command.WRITE, 0, 1, CommandFlag.FUA, b"a"), {"flags": Flag.HAS_FLAGS}, "FUA that the server did not offer"),
    ((Command.READ, 0, 1, CommandFlag.FUA, b""), {}, "no use for it"),
    ((Command.READ, 0, 1, CommandFlag.PAYLOAD_LEN, b"a"), {}, "no use for it"),
    ((Command.READ, 0, 1, 1 << 9, b""), {}, "unknown flags"),
    ((77, 0, 1, 0, b""), {}, "unknown command"),
    ((Command.READ, 0, 1, CommandFlag.DF, b""), {"form": "simple"}, "DF that the server did not offer"),
    ((Command.BLOCK_STATUS, 0, 1, 0, b""), {"form": "simple"}, "without a context"),
    ((Command.WRITE, 0, 1, CommandFlag.PAYLOAD_LEN, b"a"), {"form": "structured"}, "PAYLOAD_LEN without extended"),
])
def test_a_wrong_request_is_complained_of(request_sent, settings, said):
    complaints = complaints_about(request_sent, **settings)
    assert complaints and any(said in complaint for complaint in complaints), complaints


def test_a_right_request_is_not_complained_of():
    assert complaints_about((Command.WRITE, 0, 3, CommandFlag.FUA, b"abc")) == []


def test_a_write_without_payload_len_is_complained_of():
    with Server(size=4096) as server, Client(server.port) as client:
        client.form = "structured"
        client.send(Command.WRITE, 0, 4)
        client.form = "extended"
    assert "magic" in server.complaints[0]


def test_closing_without_disc_is_complained_of():
    assert complaints_about(hang_up=True) == ["connection 0: closed without ABORT or DISC"]


def test_something_after_disc_is_complained_of():
    with Server(size=4096) as server:
        client = Client(server.port, "simple")
        client.stream.sendall(2 * REQUEST.pack(REQUEST_MAGIC, 0, Command.DISC, 1, 0, 0))
        client.stream.close()
    assert server.complaints == ["connection 0: something sent after the end"]


def handshake(server, *options):
    """Sends options without care for their order; the types of all replies."""
    client = Client.__new__(Client)
    client.stream = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    client.receive(18)
    client.stream.sendall(struct.pack(">I", FIXED_NEWSTYLE | NO_ZEROES))
    replies = [client.ask(option, data)[-1][0] for option, data in options]
    client.ask(Option.ABORT)
    client.stream.close()
    return replies


CONTEXT = struct.pack(">I4sII15s", 4, b"disk", 1, 15, b"base:allocation")
GO_TWICE = struct.pack(">I4sHHH", 4, b"nope", 2, 3, 3)


@pytest.mark.parametrize("option, data, reply, said", [
    (Option.SET_META_CONTEXT, CONTEXT, Answer.ERR_INVALID, "before structured replies"),
    (Option.STRUCTURED_REPLY, b"x", Answer.ERR_INVALID, "bytes too many"),
    (Option.EXTENDED_HEADERS, b"x", Answer.ERR_INVALID, "bytes too many"),
    (Option.GO, b"\0\0\0\5abc", Answer.ERR_INVALID, "beyond the option's data"),
    (Option.GO, GO_TWICE, Answer.ERR_UNKNOWN, "the same information twice"),
    (Option.SET_META_CONTEXT, struct.pack(">III4s", 0, 1, 4, b"base"), Answer.ERR_INVALID, "without a namespace"),
])
def test_a_wrong_option_is_complained_of(option, data, reply, said):
    with Server(size=4096) as server:
        assert handshake(server, (option, data)) == [reply]
    assert len(server.complaints) == 1 and said in server.complaints[0], server.complaints


def test_options_are_refused_as_told():
    refuse = {Option.EXTENDED_HEADERS: Answer.ERR_POLICY, Option.LIST: Answer.ERR_TLS_REQD}
    with Server(size=4096, refuse=refuse) as server:
        assert handshake(server, (Option.EXTENDED_HEADERS, b""), (Option.LIST, b""), (99, b"")) == [
            Answer.ERR_POLICY, Answer.ERR_TLS_REQD, Answer.ERR_UNSUP]
        assert server.options == [(Option.EXTENDED_HEADERS, None), (Option.LIST, None), (99, b""), (Option.ABORT, None)]
    assert server.complaints == []


def test_after_shutdown_only_abort_is_right():
    with Server(size=4096, refuse={Option.LIST: Answer.ERR_SHUTDOWN}) as server:
        handshake(server, (Option.LIST, b""), (Option.STRUCTURED_REPLY, b""))
    assert server.complaints == ["connection 0: an option other than ABORT after ERR_SHUTDOWN"]


def test_extended_headers_can_be_required():
    go = struct.pack(">I4sH", 4, b"disk", 0)
    with Server(size=4096, require_extended=True) as server:
        assert handshake(server, (Option.GO, go)) == [Answer.ERR_EXT_HEADER_REQD]
    with Server(size=4096, require_block_size=True) as server:
        assert handshake(server, (Option.GO, go)) == [Answer.ERR_BLOCK_SIZE_REQD]


def test_as_a_program():
    program = Path(__file__).with_name("fullserver.py")
    command = [sys.executable, program, "--port", "0", "--shape", "wild,seed=3,errors=0", "--refuse", "LIST=ERR_POLICY"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        port = int(server.stdout.readline().rsplit(":", 1)[1])
        with Client(port) as client:
            assert client.do(Command.READ, 0, 4096).data == bytes(4096)
        client = Client(port)
        client.stream.close()
        server.terminate()
        assert server.stdout.read() == "connection 1: closed without ABORT or DISC\n"
    assert server.returncode == 1


def test_shapes_are_read_from_text():
    assert shape_from("chunks=5,holes=0.5,shuffle=1,error_numbers=5+22") == \
        Shape(chunks=5, holes=0.5, shuffle=True, error_numbers=(5, 22))
    assert shape_from("wild,seed=4,errors=1") == Shape.wild(4, errors=1.0)
