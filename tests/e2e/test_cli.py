# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line as a person or a script meets it, where the session of transcript.txt does not say enough."""

import re
import subprocess

import pytest

import servers
from beds import BED, CLIENT, ROOT

REFERENCE = ROOT / "docs" / "reference.md"

BAD_PARAMETER, NOT_FOUND, WRITE_FAULT = 87, 2, 29


@pytest.fixture
def three(tmp_path, bed, stack):
    """Three disks, of one server each."""
    names = ["one", "två", "三"]
    for name in names:
        bed.map(name, stack.enter_context(servers.nbdkit(tmp_path, "memory", 1 << 20)))
    return names


def sentences(result):
    return result.err.strip().splitlines()


# --- unmap


def test_unmap_of_several_names(three, bed):
    assert bed.unmap("one", "三").ok().out == ""
    assert bed.mapped() == ["två"]


def test_unmap_tries_all_and_ends_with_the_first_failure(three, bed):
    result = bed.unmap("nobody", "one", "never", "三")
    assert result.code == NOT_FOUND, repr(result)
    assert [line.split(":")[1] for line in sentences(result)] == [" cannot unmap 'nobody'", " cannot unmap 'never'"]
    assert bed.mapped() == ["två"]


def test_unmap_all(three, bed):
    assert three
    bed.unmap("--all").ok()
    assert bed.mapped() == []
    bed.unmap("--all").ok()


def test_unmap_all_hard_with_a_disk_in_use(three, bed, tmp_path):
    with bed.hold(bed.number("one"), tmp_path):
        result = bed.unmap("--all", "--no-hard-disconnect-fallback", "--soft-disconnect-timeout", 1)
        assert result.code == 1460 and len(sentences(result)) == 1 and "'one'" in result.err, repr(result)
        assert bed.mapped() == ["one"]
        bed.unmap("--all", "--hard-disconnect").ok()
    assert bed.mapped() == []


# --- what a person mistypes


@pytest.mark.parametrize("words, question", [
    (("maps",), "there is no command 'maps'; did you mean 'map'?"),
    (("uninst",), "there is no command 'uninst'; did you mean 'uninstall-driver'?"),
    (("lis",), "there is no command 'lis'; did you mean 'list' or 'list-opt'?"),
    (("help", "shwo"), "there is no command 'shwo'; did you mean 'show'?"),
    (("map", "x", "y", "--prot", "1"), "'map' has no option --prot; did you mean 'port'?"),
    (("unmap", "x", "--hard-disconect"), "'unmap' has no option --hard-disconect; did you mean 'hard-disconnect'?"),
], ids=lambda words: words if isinstance(words, str) else " ".join(words))
def test_what_was_probably_meant(words, question, bed):
    result = bed.client(*words)
    assert (result.code, result.out, result.err) == (BAD_PARAMETER, "", f"wnbd-client: {question}\n"), repr(result)


@pytest.mark.parametrize("words, problem", [
    (("frobnicate",), "there is no command 'frobnicate'; 'wnbd-client help' lists those there are"),
    (("list", "surplus"), "'list' has no use for 'surplus'"),
    (("map", "x"), "'map' needs the argument hostname, or --file or --ram"),
    (("map", "x", "--ram", "1M", "--no-wait"), "no-wait does not go with ram"),
    (("map", "x", "y", "--user", "--no-wait"), "no-wait does not go with user, which stays"),
    (("map", "x", "y", "--port"), "--port needs a value"),
    (("map", "x", "y", "--port", "0"), "port is '0', but must be from 1 to 65535"),
    (("map", "x", "y", "--block-size", "1K"), "block-size is 1024, but must be 512 or 4096"),
    (("map", "x", "y", "--disk-size", "64Z"), "disk-size is '64Z', which is not a size such as 4096, 64M or 2T"),
    (("unmap",), "'unmap' needs the argument instance-name, or --all"),
    (("unmap", "x", "--all"), "'unmap' is given both --all and a name, 'x'"),
    (("unmap", "x", "true", "y"), "'unmap' has no use for 'y'"),
    (("show",), "'show' needs the argument instance-name"),
    (("stats", "x", "y"), "'stats' has no use for 'y'"),
    (("get-opt",), "'get-opt' needs the argument name"),
    (("set-opt", "LogLevel"), "'set-opt' needs the argument value"),
    (("set-debug", "loud"), "debug-mode is 'loud', but must be true or false"),
    (("reset-adapter", "--reset-timeout", "soon"), "reset-timeout is 'soon', which is not a number"),
    (("install-driver",), "'install-driver' needs the argument filename"),
    (("uninstall-driver", "now"), "'uninstall-driver' has no use for 'now'"),
    (("version", "--format"), "--format needs a value"),
], ids=lambda words: words if isinstance(words, str) else " ".join(words))
def test_what_is_wrong_is_said(words, problem, bed):
    bed.client(*words).failed(BAD_PARAMETER, problem)


# --- sizes


def test_sizes_have_units(server, bed):
    bed.map("x", server, "--block-size", "4K", "--physical-block-size", "64KiB")
    assert bed.show("x")["BlockSize"] == "4096"


# --- where the output goes


def test_output_that_cannot_be_written_is_a_failure(bed):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BED, "exec", bed.where, "--", CLIENT, "list-opt"], stdout=full, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, timeout=120, check=False)
    assert done.returncode == WRITE_FAULT, done.stderr
    assert b"wnbd-client: cannot write the output: " in done.stderr


# --- the reference


def test_reference_is_what_the_program_says_of_itself(bed):
    assert bed.client("help", "--markdown").ok().out == REFERENCE.read_text()


# --- words


@pytest.mark.parametrize("words", [
    ("map", "--export-name=", "--port={port}", "--read-only=no", "x", "{host}"),
    ("map", "--instance-name", "x", "--hostname", "{host}", "--port", "{port}", "--export-name", ""),
    ("map", "x", "{host}", "--po", "{port}", "--exp", ""),
    ("map", "--debug", "x", "{host}", "--port", "{port}", "--export-name", ""),
    ("map", "x", "nbd://{host}:{port}/"),
], ids=" ".join)
def test_forms_of_the_same(words, server, bed):
    bed.client(*(word.format(host=server.address, port=server.port) for word in words)).ok()
    assert bed.mapped() == ["x"] and bed.show("x")["ReadOnly"] == "0"
    bed.client("rm", "--instance-name", "x").ok()
    assert bed.mapped() == []


def test_names_that_look_like_options(server, bed):
    bed.client("map", "--export-name", "", "--port", server.port, "--", "--all", server.address).ok()
    assert bed.mapped() == ["--all"]
    bed.client("show", "--", "--all").ok()
    bed.client("unmap", "--", "--all").ok()
    assert bed.mapped() == []


def test_names_in_utf_8_come_back_as_they_went(server, bed):
    name = "Größe 日本 🖴"
    bed.map(name, server)
    assert bed.mapped() == [name]
    assert bed.show(name)["SerialNumber"] == name
    bed.client("show", "Größe").failed(NOT_FOUND, "'Größe'")
    bed.unmap(name).ok()


def test_debug_tells_what_the_library_does(bed):
    result = bed.client("show", "nobody", "--debug")
    assert result.code == NOT_FOUND and result.err.strip().splitlines()[-1].startswith("wnbd-client: "), repr(result)


def test_debug_tells_the_ids_of_messages(bed):
    """Of which docs/messages.md says what to do."""
    result = bed.client("map", "nobody", "127.0.0.1", "--port", servers.free_port(), "--debug")
    assert re.match(r"ERROR 1301 \w+: cannot map 'nobody': .*\n", result.err), repr(result)
