# SPDX-License-Identifier: LGPL-2.1-or-later
"""tests/e2e/transcript.txt as steps, and docs/reference.md as the arguments that the steps have to cover."""

import re
import shlex
from pathlib import Path

from beds import ROOT

FILE = Path(__file__).resolve().parent / "transcript.txt"
REFERENCE = ROOT / "docs" / "reference.md"
ANY_LINES = "..."


class Step:
    """One command: `words`, what it has to print, and the exit code."""

    def __init__(self, line, text):
        self.line = line
        self.text = text
        self.goes_on = text.endswith(" &")
        self.words = shlex.split(text.removesuffix(" &"))
        self.out = []
        self.err = []
        self.code = 0

    def add(self, mark, rest):
        if mark == "=":
            self.code = int(rest)
        else:
            {">": self.out, "!": self.err}[mark].append(rest)

    def __str__(self):
        return f"{self.line} {self.text}"


def steps():
    found = []
    for number, line in enumerate(FILE.read_text().splitlines(), 1):
        if line.startswith("$ "):
            found.append(Step(number, line[2:]))
        elif line and not line.startswith("#"):
            found[-1].add(line[0], line[2:])
    return found


def pattern(lines):
    """Matches what the lines stand for."""
    def one(line):
        return r"(?:.*\n)*?" if line == ANY_LINES else ".*".join(map(re.escape, line.split("*"))) + r"\n"

    return re.compile("".join(map(one, lines)))


def as_lines(mark, text):
    """What was printed, as the transcript would have it."""
    return "".join(f"{mark} {line}".rstrip() + "\n" for line in text.splitlines())


def exit_codes(chapter):
    rows = re.findall(r"^\| (\d+(?:, \d+)*) \| ", chapter, re.MULTILINE)
    return {int(code) for row in rows for code in row.split(",")}


class Command:
    """A chapter of the reference: `names` with aliases, its arguments with their kinds, and exit codes of its own."""

    def __init__(self, chapter):
        aliases = re.findall(r"^Also: .*", chapter, re.MULTILINE)
        rows = re.findall(r"^\| `(--)?([\w-]+)`[^|]*\| (\w+) ", chapter, re.MULTILINE)
        self.names = [chapter.splitlines()[0], *re.findall(r"`(\S+?)`", "".join(aliases))]
        self.codes = exit_codes(chapter)
        self.options = {name: kind for dashes, name, kind in rows if dashes}
        self.operands = [name for dashes, name, _ in rows if not dashes]

    def used(self, words):
        """The arguments that the words (without the command's name) give: as --name or, in their order, as operands."""
        given, bare, rest = set(), 0, list(words)
        while rest:
            word = rest.pop(0)
            name = word.removeprefix("--").split("=")[0]
            if word.startswith("--") and (name in self.options or name in self.operands):
                given.add(name)
                if "=" not in word and self.options.get(name) not in ("flag", "seconds"):
                    del rest[:1]
            elif not word.startswith("-"):
                bare += 1
        return given | set(self.operands[:bare])


def chapters():
    """{heading: chapter}; the first is about exit codes, the others about a command each."""
    return {chapter.splitlines()[0]: chapter for chapter in REFERENCE.read_text().split("\n## ")[1:]}


def commands():
    return [Command(chapter) for heading, chapter in chapters().items() if heading != "Exit codes"]


def common_exit_codes():
    return exit_codes(chapters()["Exit codes"])
