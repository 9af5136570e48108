#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each contender of the benchmark completes a few hundred requests, and what was read and written is what it should be:
smoke.py FOLDER-OF-THE-PROGRAMS [unittest arguments]. Nothing here looks at a clock."""

import sys
import tempfile
import unittest
from pathlib import Path

import contenders
import servers
from cases import KIB, MIB, Case

PROGRAMS = Path()
REQUESTS = 300

SHAPES = [(4 * KIB, 1), (4 * KIB, 16), (2 * KIB, 64), (20 * KIB, 5), (64 * KIB, 16), (MIB, 3)]


def words_of(output):
    return dict(word.split("=") for word in output.split())


class Smoke(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def present(self):
        for contender in contenders.every(PROGRAMS):
            why = contender.missing()
            if why is None:
                yield contender
            else:
                print(f"without {contender.name}: {why}")

    def assert_works(self, address, contender, case):
        """The raw loop looks at nothing and fio does not know the pattern: they only have to end well."""
        with self.subTest(contender=contender.name, case=str(case)):
            output = contenders.run(contender.command(address, case, REQUESTS, "verify"))
            if contender.name != "fio":
                self.assertEqual(int(words_of(output)["requests"]), REQUESTS)

    def check_server(self, address, server, transport, operations=("read", "write"), skip=(), limit=MIB):
        for contender in self.present():
            if contender.name in skip:
                continue
            for operation in operations:
                for size, depth in SHAPES if contender.name != "fio" else SHAPES[1:2]:
                    if size <= limit:
                        self.assert_works(address, contender, Case(server, transport, operation, size, depth))

    def test_null_server(self):
        for transport in ("tcp", "unix"):
            with servers.null_server(PROGRAMS, transport, self.directory.name) as address:
                self.check_server(address, "null", transport)

    def test_null_server_checks_what_is_written(self):
        with servers.null_server(PROGRAMS, "tcp", self.directory.name, "verify") as address:
            self.check_server(address, "null", "tcp", skip=["raw", "fio"])
            case = Case("null", "tcp", "write", 4 * KIB, 4)
            contender = contenders.Program(PROGRAMS, "ours")
            with self.assertRaisesRegex(RuntimeError, "a command failed"):
                contenders.run(contender.command(address, case, REQUESTS))  # without the pattern

    def test_nbdkit_pattern(self):
        """A real server that sends a reply when it has one, in any order."""
        for transport in ("tcp", "unix"):
            with servers.nbdkit(transport, self.directory.name, "pattern", "256K") as address:
                self.check_server(address, "nbdkit", transport, operations=["read"], limit=256 * KIB)

    def test_wrong_data_is_noticed(self):
        with servers.nbdkit("tcp", self.directory.name, "memory", "1M") as address:
            case = Case("nbdkit", "tcp", "read", 4 * KIB, 4)
            with self.assertRaisesRegex(RuntimeError, "what was read is not what the server has"):
                contenders.run(contenders.Program(PROGRAMS, "ours").command(address, case, REQUESTS, "verify"))

    def test_many_requests_leave_in_one_send(self):
        with servers.null_server(PROGRAMS, "tcp", self.directory.name) as address:
            for depth, limit in ((1, 2.1), (64, 0.5)):
                case = Case("null", "tcp", "read", 4 * KIB, depth)
                words = words_of(contenders.run(contenders.Program(PROGRAMS, "ours").command(address, case, 20000)))
                self.assertLess(int(words["calls"]) / 20000, limit)


if __name__ == "__main__":
    PROGRAMS = Path(sys.argv.pop(1)).resolve()
    unittest.main()
