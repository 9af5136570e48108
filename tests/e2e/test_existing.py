# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Programs that were written for WNBD 0.7.0 are compiled with the public headers alone, linked in each way there is, and
serve their disks: tests/windows/existing_c.c, existing_cpp.cpp, existing_ioctl.c and loader.cpp.
"""

import re
import subprocess

import pytest

from beds import BUILD, ROOT
from names import NAMES
from programs import Talking, until

MIB = 1 << 20
BLOCKS = 65536
C = ("x86_64-w64-mingw32-gcc", "-std=c11")
CPP = ("x86_64-w64-mingw32-g++", "-std=c++11", "-static")  # its runtime is no DLL of Windows
SOURCES = {"existing_c.c": C, "existing_ioctl.c": C, "existing_cpp.cpp": CPP, "loader.cpp": CPP}
WARNINGS = ("-Wall", "-Wextra", "-pedantic", "-Werror")

WRITTEN = ("--bytes", 4 * MIB, "--size", 16384, "--depth", 16, "--seed", 3)
UNMAP = "42" + "00" * 6 + "001800"
TWO_AT_FIVE = "0016" + "0010" + "00" * 4 + f"{5:016x}" + f"{2:08x}" + "00" * 4  # blocks at a block
RESERVE_IN, RESERVE_OUT = "5e" + "00" * 7 + "1800", "5f0105" + "00" * 5 + "1800"


def tool(*command):
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    """The DLL that a program asks for, and what it is linked to for that: ours as it ships, and one made as Ceph's
    build makes it."""
    forwarded = tmp_path_factory.mktemp("import") / "libwnbd.a"
    tool("x86_64-w64-mingw32-dlltool", "-d", "libwnbd/libwnbd.def", "-D", "libwnbd.dll", "-l", forwarded)
    return {"wnbd.dll": [BUILD / "libwnbd" / "libwnbd.dll.a"], "libwnbd.dll": [forwarded], "none": []}


@pytest.fixture
def start(call, libraries, tmp_path):
    """Compiles a program, links it so that it asks for that DLL, and starts it with the name `old`."""
    programs = []

    def started(source, dll):
        program = tmp_path / "program.exe"
        tool(*SOURCES[source], *WARNINGS, "-I", "include", f"tests/windows/{source}", *libraries[dll], "-o", program)
        asked = re.findall(r"DLL Name: (\S*wnbd\S*)", tool("x86_64-w64-mingw32-objdump", "-p", program))
        assert asked == ([] if dll == "none" else [dll])
        programs.append(Talking(call.bed, program, "old"))
        return programs[-1]

    yield started
    for program in programs:
        program.end()


def mapped(call, program):
    """The number of its disk, when it can be opened."""
    number = int(program.wait(r"^mapped (\d+)")[1])
    assert call.number("old") == number
    return number


def round_trip(call, number):
    call.disk("write-random", number, *WRITTEN).ok()
    assert "verify: equal" in call.disk("verify", number, *WRITTEN).ok().out
    call.disk("flush", number).ok()


def unmap(call, number):
    """Of what is not zero before and is after."""
    call.disk("write", number, 4 * 512, 4 * 512, 0x5A).ok()
    call.disk("cdb", number, UNMAP, "--out-hex", TWO_AT_FIVE).ok()
    assert call.read(number, 4, 4) == b"\x5a" * 512 + bytes(1024) + b"\x5a" * 512


def reserve(call, number):
    """What was given out comes back."""
    parameters = bytes(range(1, 25)).hex()
    call.disk("cdb", number, RESERVE_OUT, "--out-hex", parameters).ok()
    assert call.disk("cdb", number, RESERVE_IN, "--in", 24).ok().fields()["data"] == parameters
    return parameters


def resize(program, blocks, answer):
    mark = len(program.lines)
    program.say(str(blocks))
    program.wait(answer, mark)


def has_size(call, number, blocks):
    info = call.disk("info", number).ok().fields()
    return int(info["length.bytes"]) == int(info["geometry_ex.bytes"]) == blocks * 512


def ends_at(call, number, blocks):
    """Windows uses the disk to this end and no further."""
    assert has_size(call, number, blocks)
    call.disk("write", number, (blocks - 1) * 512, 512, 2).ok()
    call.refused("write", number, blocks * 512, 512, 3)


def ended(program, *lines):
    """Ends well, having said all of it."""
    assert program.end() == 0, str(program)
    for line in lines:
        assert program.found(line), f"no '{line}': {program}"


@pytest.mark.parametrize("dll", ["wnbd.dll", "libwnbd.dll"])
def test_c_answers_later_and_out_of_order(dll, start, call):
    program = start("existing_c.c", dll)
    number = mapped(call, program)
    round_trip(call, number)
    unmap(call, number)
    for blocks in (2 * BLOCKS, BLOCKS - 1):
        resize(program, blocks, f"^resized 0 {blocks}$")
        ends_at(call, number, blocks)
    ended(program, r"^library \d+\.\d+$", r"^driver \d+\.\d+$", f"^shown 0 {BLOCKS}$", "^listed 1$", "^stopped 0$",
          "^ended 0$", r"^answers \d+ overtaking [1-9]\d* failed 0$", "^pending 0$")


@pytest.mark.parametrize("dll", ["wnbd.dll", "libwnbd.dll"])
def test_cpp_answers_at_once(dll, start, call):
    program = start("existing_cpp.cpp", dll)
    number = mapped(call, program)
    assert call.read(number, 9, 2) == bytes(1024)
    round_trip(call, number)
    unmap(call, number)
    reserve(call, number)
    ended(program, r"^option 255 of \d\d", r"^totals \d+ \d+$", "^removed 0$", "^ended 0$")
    assert not program.found("^log ")


@pytest.mark.parametrize("dll", ["wnbd.dll", "libwnbd.dll"])
def test_c_without_the_dispatcher(dll, start, call):
    program = start("existing_ioctl.c", dll)
    number = mapped(call, program)
    round_trip(call, number)
    unmap(call, number)
    parameters = reserve(call, number)
    for blocks in (2 * BLOCKS, BLOCKS - 1):
        resize(program, blocks, "^resized 0$")
        call.disk("read", number, 0, 512).ok()  # nobody has told Windows: the next request does, by a unit attention
        until(lambda: has_size(call, number, blocks), 30)
        ends_at(call, number, blocks)
    ended(program, "^write 4 4 5a$", "^unmap 1: 5 2$", f"^reserve-out 1 5: {parameters}$", "^reserve-in 0 24$",
          f"^write {2 * BLOCKS - 1} 1 02$", r"^replies \d{3}", "^removed 0$")
    # A thread that was not waiting when the disk went finds an id that nobody has.
    assert len(program.found("^fetch (0 DISCONNECT|6 )")) == 2 and not program.found("^answer")


def test_cpp_loads_the_library_by_its_name(start, call):
    program = start("loader.cpp", "none")
    round_trip(call, mapped(call, program))
    ended(program, r"^version \d+\.\d+$", "^ended 0$")


@pytest.mark.parametrize("source", SOURCES)
def test_no_newer_name_is_used(source):
    text = (ROOT / "tests" / "windows" / source).read_text()
    code = re.sub(r"/\*.*?\*/|//[^\n]*|\"[^\"\n]*\"", "", text, flags=re.DOTALL)
    used = set(re.findall(r"\b\w*(?:Wnbd|WNBD|NBD_)\w*|(?<=\.|>)[A-Z]\w*", code))
    assert len(used) > 20 and used <= NAMES, used - NAMES
