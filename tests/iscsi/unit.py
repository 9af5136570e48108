# SPDX-License-Identifier: LGPL-2.1-or-later
"""The core as a logical unit: a process (iscsi-unit.c) that is asked and answers."""

import dataclasses
import os
import struct
import subprocess
import threading
from pathlib import Path

PROGRAM = Path(os.environ.get("ISCSI_UNIT", Path(__file__).parents[2] / "build/native/tests/iscsi/iscsi-unit"))

COMMAND, UNIT_RESET, TARGET_RESET = range(3)

QUESTION = struct.Struct(">BBxxII")
ANSWER = struct.Struct(">BBxxII")


@dataclasses.dataclass
class Result:
    status: int
    sense: bytes
    transferred: int
    data: bytes


class Unit:
    """Whoever asks waits for the answer before anybody else may ask."""

    def __init__(self, *arguments):
        self.lock = threading.Lock()
        self.process = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def execute(self, cdb, sent=b"", wanted=0):
        return self.ask(COMMAND, cdb, sent, wanted)

    def reset(self, what):
        self.ask(what, b"", b"", 0)

    def ask(self, what, cdb, sent, wanted):
        with self.lock:
            self.process.stdin.write(QUESTION.pack(what, len(cdb), len(sent), wanted) + cdb + sent)
            self.process.stdin.flush()
            status, sense_length, transferred, answered = ANSWER.unpack(self.read(ANSWER.size))
            return Result(status, self.read(sense_length), transferred, self.read(answered))

    def read(self, length):
        data = self.process.stdout.read(length)
        if len(data) != length:
            raise RuntimeError(f"the logical unit ended with {self.process.wait()}")
        return data

    def close(self):
        """It ends by itself, without an error: a sanitizer's report is one."""
        self.process.stdin.close()
        code = self.process.wait(timeout=10)
        self.process.stdout.close()
        return code
