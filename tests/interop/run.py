#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The core's NBD client (client.c) against real servers on loopback: run.py PATH-OF-INTEROP-CLIENT [unittest arguments]"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from serving import free_port, nbd_server_config, serving, sparse_file

SIZE = 16 << 20
REQUESTS = 3000
CLIENT = ""


def run_client(port, export):
    return subprocess.run([CLIENT, str(port), export, str(REQUESTS)], capture_output=True, text=True, timeout=60)


class Interop(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.file = sparse_file(Path(self.directory.name, "disk.raw"), SIZE)
        self.port = free_port()

    def tearDown(self):
        self.directory.cleanup()

    def assert_works(self, export, kinds=("reads", "writes", "flushes", "trims"), none=()):
        result = run_client(self.port, export)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn(f"export: size {SIZE} ", result.stdout)
        words = result.stdout.split("done: ")[1].split()
        counts = dict(zip(words[1::2], map(int, words[0::2])))
        for kind in kinds:
            self.assertGreater(counts[kind], 0, result.stdout)
        for kind in none:
            self.assertEqual(counts[kind], 0, result.stdout)
        return result.stdout

    def assert_refused(self, export, clause):
        result = run_client(self.port, export)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn(f"failed: {clause}", result.stdout)

    def nbdkit(self, *arguments):
        return serving("nbdkit", "--foreground", "--exit-with-parent", "--ipaddr", "127.0.0.1", "--port", self.port,
                       *arguments, port=self.port)

    def nbdkit_file(self, *arguments):
        return self.nbdkit(*arguments, "file", self.file)

    def test_nbdkit(self):
        with self.nbdkit_file():
            self.assert_works("anything")
            self.assert_works("")

    def test_nbdkit_without_parallel_requests(self):
        with self.nbdkit("--threads", "1", "memory", SIZE):
            self.assert_works("")

    def test_nbdkit_block_sizes(self):
        policy = ("--filter", "blocksize-policy", "memory", SIZE, "blocksize-error-policy=error")
        with self.nbdkit(*policy, "blocksize-minimum=512", "blocksize-preferred=64K", "blocksize-maximum=128K"):
            self.assertIn("minimum 512 preferred 65536 maximum 131072", self.assert_works(""))

    def test_nbdkit_minimum_block_above_a_sector(self):
        with self.nbdkit("--filter", "blocksize-policy", "memory", SIZE, "blocksize-minimum=4K"):
            self.assert_refused("", "the server's minimum block is larger than 512 bytes")

    def test_nbdkit_read_only(self):
        with self.nbdkit_file("--readonly"):
            self.assert_works("", kinds=["reads"], none=["writes", "flushes", "trims"])

    def test_nbdkit_newstyle_that_is_not_fixed(self):
        with self.nbdkit_file("--mask-handshake=0"):
            self.assert_works("anything")

    def test_nbdkit_without_no_zeroes(self):
        with self.nbdkit_file("--mask-handshake=1"):
            self.assert_works("")

    def test_nbdkit_not_fixed_but_no_zeroes(self):
        with self.nbdkit_file("--mask-handshake=2"):
            self.assert_works("")

    def test_nbdkit_oldstyle(self):
        with self.nbdkit_file("--oldstyle"):
            self.assert_refused("", "the server speaks only the old-style NBD handshake")

    def test_nbdkit_unknown_export(self):
        with self.nbdkit("--filter", "exportname", "memory", SIZE, "exportname-strict=true", "exportname=disk1"):
            self.assert_works("disk1")
            self.assert_refused("disk2", "the server has no export named 'disk2'")

    def test_nbdkit_unknown_export_when_not_fixed(self):
        with self.nbdkit("--mask-handshake=0", "--filter", "exportname", "memory", SIZE, "exportname-strict=true",
                         "exportname=disk1"):
            self.assert_refused("disk2", "the server closed the connection when asked for the export 'disk2'")

    def test_nbdkit_tls_required(self):
        keys = Path(self.directory.name, "keys.psk")
        keys.write_text("someone:" + "0123456789abcdef" * 4 + "\n")
        keys.chmod(0o600)
        with self.nbdkit_file("--tls=require", f"--tls-psk={keys}"):
            self.assert_refused("disk1", "the server requires TLS for the export 'disk1'")

    def test_nbdkit_errors_are_errors(self):
        with self.nbdkit("--filter", "error", "memory", SIZE, "error=ENOSPC", "error-pwrite-rate=100%"):
            self.assert_refused("", "no space left")

    def nbd_server(self):
        config = nbd_server_config(
            Path(self.directory.name, "config"), self.port,
            disk1={"exportname": self.file, "flush": "true", "fua": "true", "trim": "true"},
            fixed={"exportname": self.file, "readonly": "true"})
        return serving("nbd-server", "-d", "-C", config, port=self.port)

    def test_nbd_server(self):
        with self.nbd_server():
            self.assert_works("disk1")

    def test_nbd_server_read_only(self):
        with self.nbd_server():
            self.assert_works("fixed", kinds=["reads"], none=["writes", "trims"])

    def test_nbd_server_unknown_export(self):
        with self.nbd_server():
            self.assert_refused("disk2", "the server has no export named 'disk2'")

    def qemu_nbd(self, *arguments):
        return serving("qemu-nbd", "--bind", "127.0.0.1", "--port", self.port, "--format", "raw", "--export-name", "disk1",
                       "--discard", "unmap", *arguments, self.file, port=self.port)

    def test_qemu_nbd(self):
        with self.qemu_nbd():
            self.assert_works("disk1")

    def test_qemu_nbd_read_only(self):
        with self.qemu_nbd("--read-only"):
            self.assert_works("disk1", kinds=["reads"], none=["writes", "trims"])

    def test_qemu_nbd_unknown_export(self):
        with self.qemu_nbd("--persistent"):
            self.assert_refused("disk2", "the server has no export named 'disk2'")


if __name__ == "__main__":
    CLIENT = os.path.abspath(sys.argv.pop(1))
    unittest.main()
