# SPDX-License-Identifier: LGPL-2.1-or-later
"""The session of tests/e2e/transcript.txt, step by step, and that nothing of docs/reference.md is missing in it."""

import pytest

import scripted
import servers
from beds import Bed, windows_path
from schema import Schema
from test_install import package  # noqa: F401, a fixture
from transcript import Command, as_lines, commands, common_exit_codes, pattern, steps

BYTES = 64 << 20
RAW_BYTES = 1 << 20


class Session:
    """A bed where the driver is not installed, with what the words in braces stand for."""

    def __init__(self, bed, values):
        self.bed = bed
        self.values = values
        self.running = []

    def run(self, step):
        if step.words == ["wait"]:
            return self.running.pop(0).wait()
        program = self.bed.start_client(*(word.format(**self.values) for word in step.words))
        if not step.goes_on:
            return program.wait()
        assert program.line(), repr(program.wait())  # the disk is there
        self.running.append(program)
        return None


@pytest.fixture(scope="module")
def session(tmp_path_factory, package):  # noqa: F811
    folder = tmp_path_factory.mktemp("transcript")
    file = servers.sparse_file(folder / "disk.img", RAW_BYTES)
    bed = Bed("--no-driver")
    with servers.nbdkit(folder, "memory", BYTES) as server, scripted.Nbd(handshake=False, size=RAW_BYTES) as raw:
        yield Session(bed, {"port": server.port, "raw": raw.port, "raw_size": RAW_BYTES, "closed": servers.free_port(),
                            "inf": windows_path(package / "wnbd.inf"), "file": windows_path(file), "long": 300 * "x"})
    assert "BED VIOLATION" not in bed.log()
    bed.stop()


def schema_name(words):
    for option, name in (("--watch", f"{words[0]} --watch"), ("--persistent", f"{words[0]}-persistent")):
        if option in words and name in Schema().definitions:
            return name
    return words[0]


@pytest.mark.parametrize("step", steps(), ids=str)
def test_session(step, session):
    result = session.run(step)
    if result is None:
        return
    said = as_lines(">", result.out) + as_lines("!", result.err) + f"= {result.code}\n"
    assert result.code == step.code, said
    assert pattern(step.out).fullmatch(result.out) and pattern(step.err).fullmatch(result.err), said
    if step.words[-1] == "json":
        Schema().check(schema_name(step.words), result.out)


# --- nothing is missing


def found(command, is_good):
    """The steps with this command, under any of its names, that end well, or that do not."""
    return [step for step in steps() if step.words[0] in command.names and (step.code == 0) == is_good]


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.names[0])
def test_every_name_and_argument_has_good_input(command):
    good = found(command, True)
    assert {step.words[0] for step in good} == set(command.names)
    given = set().union(*(command.used(step.words[1:]) for step in good))
    assert given == {*command.options, *command.operands}


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.names[0])
def test_every_argument_has_bad_input_that_is_named(command):
    bad = found(command, False)
    assert bad
    blamed = {name for step in bad for name in command.used(step.words[1:])
              if any(f"wnbd-client: {name} " in line for line in step.err)}
    assert blamed == {*command.options, *command.operands}


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.names[0])
def test_every_exit_code_is_in_the_reference(command):
    assert {step.code for step in found(command, False)} <= command.codes | common_exit_codes()


def test_the_check_sees_what_is_missing():
    command = Command("x\n\nAlso: `y`, `z`\n\n| `name` | text |\n| `--size` | size |\n| `--all` | flag |\n| 5 | a |\n")
    assert command.names == ["x", "y", "z"] and command.codes == {5}
    assert command.used(["--size", "1", "--all", "n"]) == {"size", "all", "name"}
    assert command.used(["--size", "1"]) == {"size"} and command.used(["--all"]) == {"all"}
    assert command.used(["--name=n", "--size=1"]) == {"name", "size"}
