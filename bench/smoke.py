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
import user_disks
from cases import CONNECTIONS, COPY, HOLES, KIB, MIB, Case

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
            for operation in operations:
                for size, depth in SHAPES if contender.name != "fio" else SHAPES[1:2]:
                    case = Case(server, transport, operation, size, depth)
                    if size <= limit and contender.takes(case) and contender.name not in skip:
                        self.assert_works(address, contender, case)

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

    def check_cases_at(self, address, *cases):
        for contender in self.present():
            taken = [case for case in cases if contender.takes(case)]
            for case in taken if contender.name != "fio" else taken[:1]:
                self.assert_works(address, contender, case)

    def check_cases(self, *cases):
        """All of them on one server."""
        with servers.serving(PROGRAMS, servers.of_case(cases[0]), self.directory.name) as address:
            self.check_cases_at(address, *cases)

    def test_forms_of_replies(self):
        for form in ("structured", "extended"):
            self.check_cases(*(Case("null", "tcp", operation, size, depth, form) for operation in ("read", "write")
                               for size, depth in SHAPES))

    def test_a_form_that_the_server_does_not_have(self):
        with servers.null_server(PROGRAMS, "tcp", self.directory.name, "structured") as address:
            case = Case("null", "tcp", "read", 4 * KIB, 1, "extended")
            with self.assertRaisesRegex(RuntimeError, "does not have that form"):
                contenders.run(contenders.Program(PROGRAMS, "ours").command(address, case, REQUESTS))

    def test_holes(self):
        for form in ("simple", "structured", "extended"):
            self.check_cases(*(Case(HOLES, "tcp", "read", size, depth, form) for size, depth in SHAPES[3:]))

    def test_several_connections(self):
        for form in ("simple", "structured"):
            self.check_cases(*(Case("null", "tcp", operation, size, 16, form, CONNECTIONS)
                               for operation in ("read", "write") for size in (4 * KIB, 64 * KIB)))
        with servers.nbdkit("tcp", self.directory.name, "pattern", "256K") as address:
            self.check_cases_at(address, *(Case("nbdkit", "tcp", "read", size, 16, connections=CONNECTIONS)
                                           for size in (4 * KIB, 64 * KIB)))

    def test_once_reads_each_place(self):
        with servers.nbdkit("tcp", self.directory.name, "pattern", "8M") as address:
            case = Case("nbdkit", "tcp", COPY, 64 * KIB, 16, "structured", CONNECTIONS)
            for contender in self.present():
                if contender.takes(case):
                    with self.subTest(contender=contender.name):
                        output = contenders.run(contender.command(address, case, "once"))
                        if contender.name != "nbdcopy":
                            self.assertEqual(int(words_of(output)["requests"]), 8 * 16)

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

    def test_disks_that_a_program_serves(self):
        if not (PROGRAMS / "bench-disk").exists():
            self.skipTest("the simulated kernel is for clang")
        for way in user_disks.WAYS[user_disks.NATIVE]:
            for size, depth in SHAPES:
                case = user_disks.Case(user_disks.NATIVE, size, depth)
                disk = user_disks.NativeDisk(PROGRAMS, way)
                with self.subTest(way=way, case=str(case)):
                    words = words_of(contenders.run(disk.command(case, REQUESTS, "verify")))
                    self.assertEqual(int(words["requests"]), REQUESTS)


if __name__ == "__main__":
    PROGRAMS = Path(sys.argv.pop(1)).resolve()
    unittest.main()
