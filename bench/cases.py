# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is measured."""

import re
from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB

SHAPES = [(4 * KIB, 1), (4 * KIB, 16), (4 * KIB, 64), (64 * KIB, 16), (MIB, 8)]  # bytes of a request, in flight
SERVERS = ["null", "nbdkit"]
TRANSPORTS = ["tcp", "unix"]


@dataclass(frozen=True)
class Case:
    server: str
    transport: str
    operation: str
    size: int
    depth: int

    @property
    def size_text(self):
        return f"{self.size // MIB}M" if self.size >= MIB else f"{self.size // KIB}K"

    @property
    def shape_text(self):
        return f"{self.operation}-{self.size_text}-{self.depth}"

    def __str__(self):
        return f"{self.server}/{self.transport}/{self.shape_text}"


def chosen(pattern):
    """The cases whose name, e.g. null/tcp/read-4K-64, has a match of the regular expression; in the order of a table."""
    every = [Case(server, transport, operation, size, depth) for server in SERVERS for transport in TRANSPORTS
             for operation in ("read", "write") for size, depth in SHAPES]
    return [case for case in every if re.search(pattern, str(case))]


def parse(text):
    server, transport, shape = text.split("/")
    operation, size, depth = shape.split("-")
    unit = MIB if size[-1] == "M" else KIB
    return Case(server, transport, operation, int(size[:-1]) * unit, int(depth))
