# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs in a bed that are talked to while they run: one that serves a disk, one that calls functions."""

import contextlib
import functools
import os
import re
import subprocess
import threading
import time
from pathlib import Path

from beds import BED, PROGRAMS, TROUBLE, Result

ANSWER_S = 60


def processes(bed, program, word):
    """The Unix processes of a bed that run a program with that word on their command line."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if ((process / "comm").read_text().strip() == program and
                    word.encode() in (process / "cmdline").read_bytes().replace(b"\0", b" ").split() and
                    f"WINEPREFIX={bed.where}/".encode() in (process / "environ").read_bytes()):
                yield int(process.name)


def signal_program(bed, program, word, number):
    """A signal of Unix to the one: no other program has a part in it."""
    pids = list(processes(bed, program, word))
    assert len(pids) == 1, f"{pids} run {program} with {word}"
    os.kill(pids[0], number)


class Talking:
    """A program whose stdin is ours and whose lines are kept as they come."""

    def __init__(self, bed, program, *arguments):
        words = [str(argument) for argument in arguments]
        start = (BED, "exec", "--timeout", 300, bed.where, "--", PROGRAMS / program)
        self.command = [str(word) for word in start] + words
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace")
        self.lines = []
        self.over = False
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip())
                self.changed.notify_all()
        with self.changed:
            self.over = True
            self.changed.notify_all()

    def _find(self, pattern, start):
        found = (re.search(pattern, line) for line in self.lines[start:])
        return next((match for match in found if match), None)

    def wait(self, pattern, start=0, limit_s=ANSWER_S):
        """The first line from `start` on that matches, as a match."""
        deadline = time.monotonic() + limit_s
        with self.changed:
            while not (match := self._find(pattern, start)):
                left = deadline - time.monotonic()
                assert left > 0 and not self.over, f"no line like '{pattern}': {self}"
                self.changed.wait(left)
            return match

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def found(self, pattern, start=0):
        """All lines that match, as matches."""
        with self.changed:
            matches = [re.search(pattern, line) for line in self.lines[start:]]
        return [match for match in matches if match]

    def end(self):
        """Ends stdin, and so the program; its exit code."""
        with contextlib.suppress(BrokenPipeError):  # it has died: its code tells
            self.process.stdin.close()
        return self.died()

    def died(self):
        """The program ends by itself; its exit code."""
        try:
            code = self.process.wait(ANSWER_S)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            raise AssertionError(f"does not end: {self}") from None
        self.reader.join(ANSWER_S)
        assert not TROUBLE.search("\n".join(line for line in self.lines if "ended with" not in line)), str(self)
        return code

    def __str__(self):
        return " ".join(self.command) + "\n" + "\n".join(self.lines[-40:])


class Consumer(Talking):
    """tests/windows/consumer.c: a disk of its own. In a `with` it must end well."""

    def __init__(self, caller, name, *options, ready="^started$"):
        super().__init__(caller.bed, "consumer.exe", "--name", name, *options)
        self.caller = caller
        self.name = name
        self.known_number = None
        self.wait(ready + "|^failed")
        self.error = self.found(r"^failed (\w+) (\d+)")
        self.id = None if self.error else int(self.wait(r"^created (\d+)")[1])

    def __enter__(self):
        assert not self.error, str(self)
        return self

    def __exit__(self, kind, *_):
        code = self.end()
        if kind is None:
            assert code == 0 and self.found("^ended 0$") and self.found("^closed$"), str(self)

    def signal(self, number):
        signal_program(self.caller.bed, "consumer.exe", self.name, number)

    @property
    def number(self):
        """Of Windows' disk, which is waited for."""
        if self.known_number is None:
            self.known_number = self.caller.number(self.name)
        return self.known_number

    def order(self, order, answer):
        """The line, as a match, that the program answers with."""
        start = len(self.lines)
        self.say(order)
        return self.wait(answer, start)

    def said(self, pattern, start=0):
        """All its lines that match, with those that were on their way here."""
        self.stats()
        return self.found(pattern, start)

    def stats(self):
        """Its user-space counters."""
        words = self.order("stats", r"^stats 0 (.*)$")[1].split()
        errors = words.index("errors")
        counters = dict(zip(words[0:errors:2], map(int, words[1:errors:2])))
        return counters | {"errors": [int(word) for word in words[errors + 1:]]}

    def settled(self):
        """The counters when the last callback has returned and the last answer is counted, both of which may be after the
        answer was seen."""
        until(lambda: all(self.stats()[name] == 0 for name in ("unsubmitted", "pending-replies")), ANSWER_S)
        return self.stats()

    def manner(self, *options):
        """How it answers from now on."""
        self.order(" ".join(["manner", *map(str, options)]), "^manner$")

    def let_fail(self, function, value, *options):
        """What a function of Windows' returns to the library from now on."""
        self.order(" ".join(["let-fail", function, str(value), *map(str, options)]), "^fails 0$")

    def heal(self):
        self.order("heal", "^healed 0$")

    def remove(self, how=""):
        return int(self.order(f"remove {how}", r"^removed (\d+)")[1])

    def requests(self, kind, start=0):
        """The words of the lines of --log about requests of a kind, without kind and handle."""
        return [match[1].split() for match in self.said(rf"^{kind} [0-9a-f]{{16}} ?(.*)$", start)]

    def handles(self):
        kinds = "read|write|flush|unmap|reserve-in|reserve-out"
        return [match[1] for match in self.said(rf"^(?:{kinds}) ([0-9a-f]{{16}})")]


class Caller(Talking):
    """tests/windows/caller.c: each order is a function of the library, or a command of diskio."""

    def __init__(self, bed):
        super().__init__(bed, "caller.exe")
        self.bed = bed

    def serve(self, name, *options, **more):
        return Consumer(self, name, *options, **more)

    def start(self, *words):
        """For ended(): the order is on its way."""
        mark = len(self.lines)
        self.say(" ".join(map(str, words)))
        return words, mark

    def ended(self, started, limit_s=ANSWER_S):
        words, mark = started
        code = int(self.wait(r"^= (\d+)$", mark, limit_s)[1])
        with self.changed:
            lines = self.lines[mark:]
        return Result([str(word) for word in words], code, "\n".join(lines[:-1]) + "\n", "")

    def __call__(self, *words):
        return self.ended(self.start(*words))

    def disk(self, *words):
        return self("disk", *words)

    def mapped(self):
        return re.findall(r"^name: (.*)$", self("list").ok().out, re.MULTILINE)

    def number(self, name):
        """Of a disk that is there or is coming: as a program of the storage vendor waits for it."""
        return int(self("poll", name, 1, 1, 30000, 50).ok().fields()["number"])

    def refused(self, *words):
        """A read or write that fails and transfers nothing."""
        result = self.disk(*words)
        assert result.code == 1 and ", 0 bytes" in result.out and "error 0" not in result.out, repr(result)

    def read(self, number, block, blocks):
        """By READ(10): the data, or None when it fails."""
        result = self.disk("cdb", number, f"28{0:02x}{block:08x}00{blocks:04x}00", "--in", blocks * 512)
        return bytes.fromhex(result.fields()["data"]) if result.code == 0 else None

    def sense(self, number, cdb, *options):
        """Key, ASC, ASCQ and INFORMATION (None: not valid) of a command that fails."""
        fields = self.disk("cdb", number, cdb, *options).fields()
        assert fields["status"] == "02", fields
        data = bytes.fromhex(fields["sense"])
        assert data[0] & 0x7F == 0x70, fields
        information = int.from_bytes(data[3:7], "big") if data[0] & 0x80 else None
        return data[2] & 0xF, data[12], data[13], information


def until(condition, limit_s):
    """Until it holds, which must be soon."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.01)


@functools.lru_cache
def digest(data):
    """What --log says of a payload: FNV-1a."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"
