# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a server has, told by the client alone: no disk, no driver."""

import json

import pytest

import scripted
import servers

REFUSED = 1225


def test_exports_of_a_server_in_a_table(tmp_path, image, bed, stack):
    server = stack.enter_context(servers.qemu_nbd(tmp_path, image, export="disk one"))
    lines = bed.client("exports", server.address, "--port", server.port).ok().out.splitlines()
    assert lines[0] == "Size          Blocks                Name"
    size = f"{image.stat().st_size >> 20} MiB"
    row = f"{size:14}1/4096/33554432       disk one  "
    assert len(lines) == 2 and lines[1].startswith(f"{row}(flush, fua, trim, write_zeroes, "), lines
    assert lines[1].endswith("; base:allocation)"), lines


def test_exports_as_json(tmp_path, image, bed, stack):
    server = stack.enter_context(servers.qemu_nbd(tmp_path, image, export='quo"ted'))
    listed = json.loads(bed.client("exports", f"nbd://{server.address}:{server.port}", "--format", "json").ok().out)
    assert [one["name"] for one in listed] == ['quo"ted']
    assert listed[0]["size"] == image.stat().st_size and listed[0]["flush"] is True and listed[0]["read_only"] is False
    assert listed[0]["contexts"] == ["base:allocation"] and listed[0]["canonical_name"] == 'quo"ted'


def test_names_that_are_no_text(bed, stack):
    """A terminal and a reader of JSON are safe from what a server calls its exports."""

    class Odd(scripted.Nbd):
        def option(self, stream, option, data):
            if option != 3:  # NBD_OPT_LIST
                return super().option(stream, option, data)
            for name in (b"a\x1b[2J", b"\xff\xc3\xbc", b'q"\\'):
                self.answer(stream, option, 2, len(name).to_bytes(4, "big") + name)
            self.answer(stream, option, scripted.REP_ACK)
            return True

    server = stack.enter_context(Odd())
    out = bed.client("exports", server.address, "--port", server.port).ok().out
    assert "\x1b" not in out and "a?[2J" in out
    listed = json.loads(bed.client("exports", server.address, "--port", server.port, "--format", "json").ok().out)
    assert [one["name"] for one in listed] == ["a\x1b[2J", "\ufffd\u00fc", 'q"\\']


def test_one_export_by_its_name(tmp_path, image, bed, stack):
    server = stack.enter_context(servers.nbd_server(tmp_path, image, export="disk"))
    out = bed.client("exports", f"nbd://{server.address}:{server.port}/disk").ok().out
    row = out.splitlines()[1].split()
    assert row[3] == "disk" and row[0] == str(image.stat().st_size >> 20), row  # nbd-server says 0 to NBD_OPT_INFO
    bed.client("exports", server.address, "--port", server.port, "--export-name", "nope").failed(67, "'nope'")


def test_server_that_does_not_list(bed, stack):
    server = stack.enter_context(scripted.Refuses(scripted.REP_ERR_POLICY, b"go away"))
    bed.client("exports", server.address, "--port", server.port).failed(5, "policy", "go away")


def test_default_export_of_nbdkit(tmp_path, image, bed, stack):
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", image))
    listed = json.loads(bed.client("exports", server.address, "--port", server.port, "--format", "json").ok().out)
    assert [one["name"] for one in listed] == [""] and listed[0]["size"] == image.stat().st_size


def test_nobody_listens(bed):
    bed.client("exports", "127.0.0.1", "--port", servers.free_port("127.0.0.1")).failed(REFUSED, "refused the connection")


def test_silent_server_takes_ten_seconds(bed, stack):
    server = stack.enter_context(scripted.Silent())
    bed.client("exports", server.address, "--port", server.port).failed(121, "did not answer within 10 s")


@pytest.mark.parametrize("words", [("exports",), ("exports", "127.0.0.1", "--format", "xml"), ("exports", "nbds://h/")],
                         ids=" ".join)
def test_wrong_arguments(words, bed):
    bed.client(*words).failed(87)
