# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is measured."""

import re
from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB

SHAPES = [(4 * KIB, 1), (4 * KIB, 16), (4 * KIB, 64), (64 * KIB, 16), (MIB, 8)]  # bytes of a request, in flight
BUSY = SHAPES[2:]
SERVERS = ["null", "nbdkit"]
TRANSPORTS = ["tcp", "unix"]
OPERATIONS = ["read", "write"]
CONNECTIONS = 4

HOLES = "holes"  # a server: the null server with a sparse export
COPY = "copy"  # an operation: the whole export is read once, in order
COPY_GIB = 4


@dataclass(frozen=True)
class Case:
    server: str
    transport: str
    operation: str
    size: int
    depth: int  # of all connections together
    form: str = "simple"  # of replies
    connections: int = 1

    @property
    def size_text(self):
        return f"{self.size // MIB}M" if self.size >= MIB else f"{self.size // KIB}K"

    @property
    def shape_text(self):
        return f"{self.operation}-{self.size_text}-{self.depth}"

    def __str__(self):
        parts = [self.server, self.transport, self.shape_text]
        if self.form != "simple":
            parts.append(self.form)
        if self.connections != 1:
            parts.append(f"{self.connections}-connections")
        return "/".join(parts)


@dataclass(frozen=True)
class Table:
    """Cases that are shown together."""

    title: str
    cases: tuple


def plain(server, transport):
    return tuple(Case(server, transport, operation, size, depth) for operation in OPERATIONS for size, depth in SHAPES)


def of_form(form):
    return tuple(Case("null", "tcp", operation, size, depth, form) for operation in OPERATIONS for size, depth in BUSY)


def holes():
    return tuple(Case(HOLES, "tcp", "read", size, depth, form) for form in ("simple", "structured")
                 for size, depth in BUSY[1:])


def several(server):
    return tuple(Case(server, "tcp", operation, size, depth, connections=CONNECTIONS) for operation in OPERATIONS
                 for size, depth in BUSY)


def copies():
    return (Case("null", "tcp", COPY, 64 * KIB, 16, "structured"),
            Case("null", "tcp", COPY, 256 * KIB, 64, "structured", CONNECTIONS))


SERVER_TITLES = {"null": "Null server", "nbdkit": "nbdkit memory"}
TRANSPORT_TITLES = {"tcp": "TCP", "unix": "Unix socket"}

TABLES = [
    *(Table(f"{SERVER_TITLES[server]}, {TRANSPORT_TITLES[transport]}", plain(server, transport)) for server in SERVERS
      for transport in TRANSPORTS),
    Table("Null server, TCP, structured replies", of_form("structured")),
    Table("Null server, TCP, extended headers", of_form("extended")),
    Table("Null server, TCP, an empty export: holes", holes()),
    *(Table(f"{SERVER_TITLES[server]}, TCP, {CONNECTIONS} connections", several(server)) for server in SERVERS),
    Table("Null server, TCP, a whole export read once", copies()),
]


def label(case, table):
    """The case's name within its table: its shape, and what not all of them have in common."""
    parts = [f"{case.operation} {case.size_text} x {case.depth}"]
    if len({one.form for one in table.cases}) > 1:
        parts.append(case.form)
    if len({one.connections for one in table.cases}) > 1:
        parts.append(f"{case.connections} connection{'s' if case.connections > 1 else ''}")
    return parts


def chosen(pattern):
    """The cases whose name, e.g. null/tcp/read-4K-64/structured, has a match of the regular expression; in the order of
    the tables."""
    return [case for table in TABLES for case in table.cases if re.search(pattern, str(case))]


def parse(text):
    server, transport, shape, *rest = text.split("/")
    operation, size, depth = shape.split("-")
    unit = MIB if size[-1] == "M" else KIB
    form, connections = "simple", 1
    for word in rest:
        if word.endswith("-connections"):
            connections = int(word.split("-")[0])
        else:
            form = word
    return Case(server, transport, operation, int(size[:-1]) * unit, int(depth), form, connections)
