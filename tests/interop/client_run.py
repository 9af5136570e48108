# SPDX-License-Identifier: LGPL-2.1-or-later
"""One run of the core's client (client.c) as a process, and what it said of it."""

import dataclasses
import os
import re
import subprocess
from pathlib import Path

import zoo
from nbdwire import Command

CLIENT = Path(os.environ.get("INTEROP_CLIENT",
                             Path(__file__).parents[2] / "build/native/tests/interop/interop-client"))
ERROR = re.compile(r"error: (\w+) (\d+) (\d+) times: .+")

# What it sends besides reads, in any form, to an export that can do everything.
CHANGING = ("writes", "trims", "zeroes")
EVERYTHING = ("reads", "writes", "fua-writes", "flushes", "trims", "fua-trims", "zeroes", "no-hole-zeroes",
              "fast-zeroes", "fua-zeroes", "caches")
CHUNKED = ("unfragmented-reads", "statuses", "one-extent-statuses", "extents")


@dataclasses.dataclass
class Outcome:
    code: int
    text: str
    errors_text: str

    def failure(self):
        """The sentence it ended with, None when it did not fail. There is nothing behind it, and only one."""
        lines = self.text.splitlines()
        failures = [line for line in lines if line.startswith("failed: ")]
        assert len(failures) == (1 if self.code else 0), self
        assert self.errors_text == "", self
        assert not failures or lines[-1] == failures[0], self
        return failures[0].removeprefix("failed: ") if failures else None

    def told(self):
        """{"form": "simple", "reads": "12", ...} of the line that tells how it went."""
        lines = [line for line in self.text.splitlines() if line.startswith("done: ")]
        assert self.code == 0 and len(lines) == 1 and self.failure() is None, self
        return dict(word.split("=") for word in lines[0].split()[1:])

    def counts(self):
        return {kind: int(count) for kind, count in self.told().items() if count.isdigit()}

    def errors(self):
        """{(command, error): how often} as the client has counted them."""
        found = (ERROR.fullmatch(line) for line in self.text.splitlines())
        return {(Command[match[1]], int(match[2])): int(match[3]) for match in found if match}


def run_client(port, export="disk", requests=2000, *options):
    """A client that hangs is a failure too."""
    command = [CLIENT, *options, str(port), export, str(requests)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 1), done
    return Outcome(done.returncode, done.stdout, done.stderr)


def run_client_at(name, port, requests=1000, *options):
    """The same with a server of the zoo, as that one needs it. One of them starts a shell for each request."""
    options += ("--errors",) if name in zoo.FAILING else ()
    options += ("--depth", "1") if name in zoo.ONE_AT_A_TIME else ()
    return run_client(port, zoo.ENTRIES[name].export, min(requests, 200) if name == "nbdkit-eval" else requests,
                      *options)
