# SPDX-License-Identifier: LGPL-2.1-or-later
"""The two Dockerfiles name what is there. They are not built here: one needs Windows, the other an hour of downloads."""

import json
import re

import pytest

from test_floors import ROOT

INSTRUCTIONS = {"ARG", "FROM", "SHELL", "WORKDIR", "RUN", "COPY", "CMD", "ENTRYPOINT"}
DEBIAN = {"apt-get", "rm"}  # in debian:12
SERVER_CORE = {"curl", "start", "powershell"}  # in Windows Server Core 2022
FROM_SETUP = {"make"}  # installed on the way


def instructions(name):
    """(word, rest) of each instruction, with continued lines as one."""
    text = (ROOT / name).read_text()
    escape = "`" if "escape=`" in text.splitlines()[0] else "\\"
    joined = re.sub(re.escape(escape) + r"\n\s*", " ", text)
    for line in joined.splitlines():
        if line.strip() and not line.startswith("#"):
            word, rest = line.split(maxsplit=1)
            yield word, rest.strip()


def commands(run):
    """The programs that a RUN instruction starts."""
    without_strings = re.sub(r'"[^"]*"', "", run.replace('\\"', ""))
    return [part.strip().lstrip("(").split()[0] for part in without_strings.split("&&")]


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.windows"])
def test_instructions_are_dockers_and_copied_paths_are_there(name):
    found = list(instructions(name))
    assert {word for word, _ in found} <= INSTRUCTIONS
    assert [word for word, _ in found if word != "ARG"][0] == "FROM"
    for word, rest in found:
        if word == "COPY":
            for path in rest.split()[:-1]:
                assert (ROOT / path).exists(), path
        if word in {"CMD", "ENTRYPOINT", "SHELL"}:
            assert isinstance(json.loads(rest), list)


def test_linux_image_is_made_by_the_script_that_make_uses():
    found = list(instructions("Dockerfile"))
    started = [command for word, rest in found if word == "RUN" for command in commands(rest)]
    assert "scripts/setup" in started and "scripts/setup" in (ROOT / "Makefile").read_text()
    for command in started:
        path = ROOT / command
        assert command in DEBIAN or path.is_file() and path.stat().st_mode & 0o111, command
    program, target = json.loads(dict(found)["CMD"])
    assert program in FROM_SETUP and re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_windows_image_builds_the_solution():
    found = list(instructions("Dockerfile.windows"))
    for word, rest in found:
        if word == "RUN":
            assert set(commands(rest)) <= SERVER_CORE, rest
    program, solution, *options = json.loads(dict(found)["CMD"])
    assert program == "msbuild" and (ROOT / solution.replace("\\", "/")).is_file()
    configuration, platform = [option.split("=")[1] for option in options if option.startswith("/p:")]
    assert f"{configuration}|{platform} = {configuration}|{platform}" in (ROOT / solution.replace("\\", "/")).read_text()


def test_image_gets_no_build_folder():
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert "build" in ignored and ".git" not in ignored
