# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a person can get wrong, and what servers do wrong while a disk is mapped: one sentence and the right code."""

import struct
import time

import pytest

import scripted
import servers
from beds import EXEC_S

CONNECT_S = 2
BED_OPTIONS = ("--set-parameter", f"ConnectTimeoutMs={CONNECT_S * 1000}")

BAD_PARAMETER, NOT_SUPPORTED, ACCESS_DENIED = 87, 50, 5


def refused(bed, code, words, server, *options, export=None):
    """`map` of 'x' fails with this code and a sentence with these words, and nothing is mapped."""
    result = bed.try_map("x", server, *options, export=export).failed(code, *words)
    assert result.err.startswith("wnbd-client: cannot map 'x': "), repr(result)
    assert result.out == ""
    assert bed.mapped() == []
    return result


class Nobody:
    """An address where nothing listens."""

    export = "disk"

    def __init__(self, address="127.0.0.1", port=None):
        self.address = address
        self.port = port or servers.free_port()


# --- the server cannot be reached


def test_no_such_host(bed):
    refused(bed, 53, ["no-such-host.invalid"], Nobody("no-such-host.invalid", 10809))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_refused_port(address, bed):
    nobody = Nobody(address, servers.free_port(address))
    refused(bed, 1225, [address, str(nobody.port), "refused"], nobody)


def test_silent_server_times_out(bed, stack):
    server = stack.enter_context(scripted.Silent())
    begun = time.monotonic()
    refused(bed, 121, [str(server.port)], server)
    assert CONNECT_S <= time.monotonic() - begun < EXEC_S / 4


def test_server_that_goes_silent_in_the_handshake_times_out(bed, stack):
    class GoesSilent(scripted.Nbd):
        def option(self, stream, option, data):
            self.ended.wait()

    refused(bed, 121, [], stack.enter_context(GoesSilent()))


def test_server_that_trickles_its_greeting_times_out(bed, stack):
    """Every byte comes soon enough; the whole does not."""

    class Trickles(scripted.Scripted):
        def talk(self, stream):
            for byte in struct.pack(">QQH", scripted.INIT_MAGIC, scripted.OPTION_MAGIC, 3):
                stream.sendall(bytes([byte]))
                self.ended.wait(CONNECT_S / 3)

    refused(bed, 121, [], stack.enter_context(Trickles()))


# --- it is not what it should be


def test_not_an_nbd_server(bed, stack):
    refused(bed, 58, ["NBD server"], stack.enter_context(scripted.http_server()))


def test_old_style_server(bed, stack):
    refused(bed, NOT_SUPPORTED, ["old-style"], stack.enter_context(scripted.oldstyle_server()))


def test_closed_instead_of_a_greeting(bed, stack):
    refused(bed, 64, ["closed"], stack.enter_context(scripted.Says(b"", then_close=True)))


def test_closed_in_the_middle_of_the_greeting(bed, stack):
    greeting = struct.pack(">QQ", scripted.INIT_MAGIC, scripted.OPTION_MAGIC)
    refused(bed, 64, ["closed"], stack.enter_context(scripted.Says(greeting[:13], then_close=True)))


def test_closed_when_asked_for_the_export(bed, stack):
    refused(bed, 64, ["closed"], stack.enter_context(scripted.ClosesInHandshake()))


@pytest.mark.parametrize("broken", ["magic", "option", "no export info", "endless infos", "huge reply"])
def test_server_that_breaks_the_protocol(broken, bed, stack):
    class Breaks(scripted.Nbd):
        def option(self, stream, option, data):
            if option != scripted.OPT_GO:
                return super().option(stream, option, data)
            if broken == "magic":
                stream.sendall(struct.pack(">QIII", 1234, option, scripted.REP_ACK, 0))
            elif broken == "option":
                self.answer(stream, option + 1, scripted.REP_ACK)
            elif broken == "no export info":
                self.answer(stream, option, scripted.REP_ACK)
            elif broken == "endless infos":
                while True:
                    self.answer(stream, option, scripted.REP_INFO, struct.pack(">H", 99))
            else:
                stream.sendall(struct.pack(">QIII", scripted.OPTION_REPLY_MAGIC, option, scripted.REP_INFO, 0xFFFFFFFF))
            self.ended.wait(CONNECT_S * 10)
            return False

    refused(bed, 58, ["NBD"], stack.enter_context(Breaks()))


# --- it does not give the export


@pytest.mark.parametrize("start", [servers.nbd_server, servers.qemu_nbd], ids=lambda f: f.__name__)
def test_unknown_export(start, tmp_path, image, bed, stack):
    refused(bed, 67, ["'wrong'"], stack.enter_context(start(tmp_path, image)), export="wrong")


def test_unknown_export_of_a_server_without_opt_go(bed, stack):
    class Closes(scripted.NoGo):
        def option(self, stream, option, data):
            return False if option == scripted.OPT_EXPORT_NAME else super().option(stream, option, data)

    refused(bed, 67, ["'wrong'"], stack.enter_context(Closes()), export="wrong")


def test_export_name_defaults_to_the_instance_name(tmp_path, image, bed, stack):
    server = stack.enter_context(servers.qemu_nbd(tmp_path, image, export="data"))
    bed.client("map", "data", server.address, "--port", server.port).ok()
    bed.unmap("data").ok()
    bed.client("map", "x", server.address, "--port", server.port).failed(67, "'x'")


def test_server_that_requires_tls(tmp_path, image, bed, stack):
    keys = tmp_path / "keys.psk"
    keys.write_text("someone:0123456789abcdef0123456789abcdef\n")
    server = stack.enter_context(servers.nbdkit(tmp_path, "--tls=require", f"--tls-psk={keys}", "file", image))
    refused(bed, ACCESS_DENIED, ["TLS"], server)


@pytest.mark.parametrize("reply, code, word", [
    (scripted.REP_ERR_POLICY, ACCESS_DENIED, "policy"),
    (scripted.REP_ERR_SHUTDOWN, 1225, "shutting down"),
    (scripted.REP_ERR_BLOCK_SIZE_REQD, BAD_PARAMETER, "block size"),
], ids=["policy", "shutdown", "block size required"])
def test_refusal_is_passed_on_with_the_words_of_the_server(reply, code, word, bed, stack):
    server = stack.enter_context(scripted.Refuses(reply, b"ask Eve first"))
    refused(bed, code, [word, "ask Eve first"], server)
    assert server.options[-1][0] == scripted.OPT_ABORT


@pytest.mark.parametrize("size", [0, 1, 511])
def test_export_smaller_than_a_block(size, tmp_path, bed, stack):
    server = stack.enter_context(servers.nbdkit(tmp_path, "memory", size))
    refused(bed, 1785, ["block", str(size)] if size else [], server)


def test_export_smaller_than_the_block_that_was_asked_for(tmp_path, bed, stack):
    server = stack.enter_context(servers.nbdkit(tmp_path, "memory", 4095))
    refused(bed, 1785, ["4095"], server, "--block-size", 4096)


@pytest.mark.parametrize("size", [2**63, 2**64 - 1])
def test_export_too_large(size, bed, stack):
    refused(bed, 1785, ["large"], stack.enter_context(scripted.Nbd(size=size)))


def test_minimum_block_above_512_must_be_asked_for(tmp_path, image, bed, stack):
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", image, "blocksize-minimum=4096",
                                                filters=["blocksize-policy"]))
    refused(bed, BAD_PARAMETER, ["4096", "--block-size"], server)
    assert bed.map("x", server, "--block-size", 4096) >= 0


def test_minimum_block_above_4096(bed, stack):
    server = stack.enter_context(scripted.Nbd(block_sizes=(8192, 8192, 1 << 25)))
    refused(bed, BAD_PARAMETER, ["8192"], server)
    refused(bed, BAD_PARAMETER, ["8192"], server, "--block-size", 4096)


@pytest.mark.parametrize("sizes", [(3000, 4096, 1 << 25), (512, 256, 1 << 25), (0, 4096, 1 << 25), (512, 4096, 256)])
def test_block_sizes_that_make_no_sense(sizes, bed, stack):
    """A server may be forgiven and its limits ignored, but nothing may be mapped that then does not work."""
    server = stack.enter_context(scripted.Nbd(block_sizes=sizes))
    result = bed.try_map("x", server)
    if result.code == 0:
        bed.diskio("write-random", bed.number("x"), "--bytes", 1 << 20).ok()
    else:
        result.failed(result.code, "block")
        assert result.code in (58, BAD_PARAMETER)


# --- it is mapped already, or not at all


def test_name_in_use(server, tmp_path, bed, stack):
    other = stack.enter_context(servers.nbdkit(tmp_path, "memory", 1 << 20))
    bed.map("x", server)
    bed.try_map("x", other).failed(183, "'x'")
    assert bed.mapped() == ["x"]


def test_same_export_twice(server, bed):
    bed.map("first", server)
    bed.try_map("x", server).failed(32, "'first'")
    bed.try_map("x", server, "--read-only").failed(32, "'first'")
    assert bed.map("x", server, "--force") >= 0
    assert sorted(bed.mapped()) == ["first", "x"]


def test_same_export_twice_by_another_name_of_the_host(server, bed):
    bed.map("first", server)
    bed.client("map", "x", "localhost", "--port", server.port, "--export-name", "").failed(32, "'first'")


def test_same_export_twice_read_only(server, bed):
    first = bed.map("first", server, "--read-only")
    second = bed.map("x", server, "--read-only")
    assert first != second


def test_another_export_of_the_same_server(tmp_path, bed, stack):
    files = tmp_path / "files"
    files.mkdir()
    for name in ("a", "b"):
        servers.sparse_file(files / name, 1 << 20)
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", f"dir={files}"))
    assert bed.map("x", server, export="a") != bed.map("y", server, export="b")


@pytest.mark.parametrize("options", [(), ("--hard-disconnect",)], ids=["soft", "hard"])
def test_unmapping_what_is_not_mapped(options, bed):
    bed.unmap("nobody", *options).failed(2, "nobody")


def test_names_differ_by_case(server, bed):
    bed.map("Vol", server)
    bed.unmap("vol").failed(2, "vol")
    assert bed.mapped() == ["Vol"]


# --- wrong arguments


@pytest.mark.parametrize("words", [
    ("frobnicate",),
    ("map",),
    ("map", "x"),
    ("map", "x", "127.0.0.1", "surplus"),
    ("map", "x", "127.0.0.1", "--no-such-option"),
    ("map", "x", "127.0.0.1", "--port"),
    ("map", "x", "127.0.0.1", "--port", "0"),
    ("map", "x", "127.0.0.1", "--port", "65536"),
    ("map", "x", "127.0.0.1", "--port", "many"),
    ("map", "x", "127.0.0.1", "--block-size", "1000"),
    ("map", "x", "127.0.0.1", "--block-size", "65536"),
    ("map", "x", "127.0.0.1", "--physical-block-size", "4608"),
    ("map", "x", "127.0.0.1", "--physical-block-size", "131072"),
    ("map", "x", "127.0.0.1", "--physical-block-size", "2048", "--block-size", "4096"),
    ("map", "x", "127.0.0.1", "--skip-handshake"),
    ("map", "x", "127.0.0.1", "--skip-handshake", "--block-size", "512"),
    ("map", "", "127.0.0.1"),
    ("map", "x", "nbd://127.0.0.1:0/y"),
    ("map", "x", "nbd:///y"),
    ("map", "x", "http://127.0.0.1/y"),
    ("map", "x", "nbds://127.0.0.1/y"),
    ("map", "x", "nbd+unix:///y?socket=/run/s"),
    ("map", "x", "nbd://127.0.0.1/y", "--port", "10809"),
    ("map", "x", "nbd://127.0.0.1/" + 256 * "y"),
    ("unmap",),
    ("unmap", "x", "--soft-disconnect-timeout", "soon"),
    ("show",),
    ("stats",),
    ("list", "surplus"),
    ("help", "frobnicate"),
    ("install-driver",),
], ids=lambda words: " ".join(words)[:60])
def test_wrong_arguments_are_explained_with_87(words, bed):
    result = bed.client(*words)
    assert result.code == BAD_PARAMETER, repr(result)
    assert result.err.startswith("wnbd-client: ") and result.out == "", repr(result)


@pytest.mark.parametrize("long", ["name", "host", "export"])
def test_texts_that_do_not_fit_are_refused(long, bed):
    text = "a" * 300
    words = {"name": (text, "127.0.0.1"), "host": ("x", text), "export": ("x", "127.0.0.1", "--export-name", text)}
    result = bed.client("map", *words[long])
    assert result.code in (BAD_PARAMETER, 111), repr(result)
    assert result.err.startswith("wnbd-client: "), repr(result)
