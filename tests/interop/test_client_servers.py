# SPDX-License-Identifier: LGPL-2.1-or-later
"""The core's client against real servers on loopback: nbdkit, nbd-server and QEMU's."""

import collections
from pathlib import Path

import pytest

import zoo
from client_run import CHANGING, EVERYTHING, run_client, run_client_at
from nbdwire import Error
from serving import free_port, nbd_server_config, serving, sparse_file
from tap import Tap

SIZE = 16 << 20


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def file(tmp_path):
    return sparse_file(tmp_path / "disk.raw", SIZE)


def assert_works(port, export, kinds=EVERYTHING, none=(), form="structured"):
    outcome = run_client(port, export)
    counts = outcome.counts()
    assert f"export: size {SIZE} " in outcome.text
    assert outcome.told()["form"] == form
    assert {kind for kind in kinds if not counts[kind]} == set()
    assert {kind for kind in none if counts[kind]} == set()
    return outcome.text


def assert_refused(port, export, clause):
    failure = run_client(port, export).failure()
    assert failure is not None and failure.startswith(clause)


# --- all that there are


@pytest.mark.parametrize("name", zoo.ENTRIES)
@pytest.mark.parametrize("form", ["simple", "structured"])
def test_every_server_in_older_forms(name, form):
    """The newest that each has is in test_table.py."""
    with zoo.running(name) as server:
        outcome = run_client_at(name, server.port, 1000, "--form", form)
    assert outcome.told()["form"] in ("simple", form)
    assert outcome.counts()["reads"] > 0


# --- nbdkit


def nbdkit(port, *arguments):
    return serving("nbdkit", "--foreground", "--exit-with-parent", "--ipaddr", "127.0.0.1", "--port", port,
                   *arguments, port=port)


def test_nbdkit(port, file):
    with nbdkit(port, "file", file):
        kinds = set(EVERYTHING) - {"fast-zeroes"}
        assert_works(port, "anything", kinds)
        assert_works(port, "", kinds)


def test_nbdkit_memory(port):
    with nbdkit(port, "memory", SIZE):
        assert_works(port, "", {*EVERYTHING, "unfragmented-reads", "one-extent-statuses", "extents"})


def test_nbdkit_without_parallel_requests(port):
    with nbdkit(port, "--threads", "1", "memory", SIZE):
        assert_works(port, "")


def test_nbdkit_block_sizes(port):
    with nbdkit(port, "--filter", "blocksize-policy", "memory", SIZE, "blocksize-error-policy=error",
                "blocksize-minimum=512", "blocksize-preferred=64K", "blocksize-maximum=128K"):
        assert "minimum 512 preferred 65536 maximum 131072" in assert_works(port, "")


def test_nbdkit_minimum_block_above_a_sector(port):
    with nbdkit(port, "--filter", "blocksize-policy", "memory", SIZE, "blocksize-error-policy=error",
                "blocksize-minimum=4K"):
        assert_refused(port, "", "the server's minimum block is larger than 512 bytes")


def test_nbdkit_read_only(port, file):
    with nbdkit(port, "--readonly", "file", file):
        assert_works(port, "", ["reads", "statuses"], none=CHANGING)


@pytest.mark.parametrize("mask, name", [(0, "anything"), (1, ""), (2, "")])
def test_nbdkit_handshake_flags(port, file, mask, name):
    """Neither fixed nor NO_ZEROES, only the first, only the second."""
    with nbdkit(port, f"--mask-handshake={mask}", "file", file):
        assert_works(port, name, ["reads", "writes"], form="structured" if mask & 1 else "simple")


def test_nbdkit_oldstyle(port, file):
    with nbdkit(port, "--oldstyle", "file", file):
        assert_refused(port, "", "the server speaks only the old-style NBD handshake")


NAMED = ("--filter", "exportname", "memory", SIZE, "exportname-strict=true", "exportname=disk1")


def test_nbdkit_unknown_export(port):
    with nbdkit(port, *NAMED):
        assert_works(port, "disk1")
        assert_refused(port, "disk2", "the server has no export named 'disk2'")


def test_nbdkit_unknown_export_when_not_fixed(port):
    with nbdkit(port, "--mask-handshake=0", *NAMED):
        assert_refused(port, "disk2", "the server closed the connection when asked for the export 'disk2'")


def test_nbdkit_tls_required(port, file, tmp_path):
    keys = Path(tmp_path, "keys.psk")
    keys.write_text("someone:" + "0123456789abcdef" * 4 + "\n")
    keys.chmod(0o600)
    with nbdkit(port, "--tls=require", f"--tls-psk={keys}", "file", file):
        assert_refused(port, "disk1", "the server requires TLS for the export 'disk1'")


def test_nbdkit_errors_are_errors(port):
    with nbdkit(port, "--filter", "error", "memory", SIZE, "error=ENOSPC", "error-pwrite-rate=100%"):
        assert_refused(port, "", "no space left")


@pytest.mark.parametrize("form", ["simple", "structured"])
@pytest.mark.parametrize("error", ["EPERM", "EIO", "ENOMEM", "EINVAL", "ENOSPC", "ESHUTDOWN"])
def test_nbdkit_errors_are_counted(port, error, form):
    """As many of each as were on the wire; all else is as it should be."""
    with nbdkit(port, "--filter", "error", "memory", SIZE, f"error={error}", "error-rate=1%"), Tap(port) as tap:
        outcome = run_client(tap.port, "", 2000, "--errors", "--form", form)
    outcome.told()
    counted = collections.Counter()
    for (_, number), count in outcome.errors().items():
        counted[number] += count
    assert counted == tap.captures[0].errors
    assert set(counted) == {Error[error]}


# --- nbd-server


@pytest.fixture
def nbd_server(port, file, tmp_path):
    config = nbd_server_config(tmp_path / "config", port,
                               disk1={"exportname": file, "flush": "true", "fua": "true", "trim": "true"},
                               fixed={"exportname": file, "readonly": "true"})
    with serving("nbd-server", "-d", "-C", config, port=port):
        yield port


def test_nbd_server(nbd_server):
    assert_works(nbd_server, "disk1", set(EVERYTHING) - {"fast-zeroes", "caches"}, form="simple")


def test_nbd_server_read_only(nbd_server):
    assert_works(nbd_server, "fixed", ["reads"], none=CHANGING, form="simple")


def test_nbd_server_unknown_export(nbd_server):
    assert_refused(nbd_server, "disk2", "the server has no export named 'disk2'")


# --- QEMU


def qemu_nbd(port, file, *arguments):
    return serving("qemu-nbd", "--bind", "127.0.0.1", "--port", port, "--format", "raw", "--export-name", "disk1",
                   "--discard", "unmap", *arguments, file, port=port)


def test_qemu_nbd(port, file):
    with qemu_nbd(port, file):
        assert_works(port, "disk1", {*EVERYTHING, "unfragmented-reads", "one-extent-statuses", "extents"})


def test_qemu_nbd_read_only(port, file):
    with qemu_nbd(port, file, "--read-only"):
        assert_works(port, "disk1", ["reads", "statuses"], none=CHANGING)


def test_qemu_nbd_unknown_export(port, file):
    with qemu_nbd(port, file, "--persistent"):
        assert_refused(port, "disk2", "the server has no export named 'disk2'")
