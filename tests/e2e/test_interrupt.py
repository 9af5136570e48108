# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ctrl-C while `map` is under way: the work is broken off and undone, or it is done; nothing is left between."""

import threading

import pytest

import scripted
from beds import CLIENT, PROGRAMS, windows_path

ABORTED = 995


class Stage:
    """Mixed into a server: lets Ctrl-C be typed when the handshake has come to `stage`, and sees the client go."""

    def __init__(self, folder, stage):
        super().__init__()
        self.file = folder / "now"
        self.stage = stage
        self.gone = threading.Event()

    def reached(self, stage):
        if stage == self.stage:
            self.file.touch()

    def silent_from(self, stage, stream):
        """Says no more, and listens until the client has closed the connection."""
        self.reached(stage)
        try:
            while stream.recv(4096):
                pass
        except ConnectionError:
            pass
        self.gone.set()


class Silent(Stage, scripted.Scripted):
    def talk(self, stream):
        self.silent_from("connected", stream)


class SilentInHandshake(Stage, scripted.Nbd):
    def option(self, stream, option, data):
        self.silent_from("asked", stream)
        return False


class Works(Stage, scripted.Nbd):
    """Answers everything; nobody has to be waited for."""

    def option(self, stream, option, data):
        self.reached("asked")
        done = super().option(stream, option, data)
        self.reached("answered")
        return done


def interrupted_map(bed, server):
    """`map` of 'x', Ctrl-C typed on its console when the server says so."""
    return bed.start(PROGRAMS / "interrupt.exe", windows_path(server.file), windows_path(CLIENT), "map", "x",
                     server.address, "--port", server.port, "--export-name", server.export).wait()


@pytest.mark.parametrize("kind, stage", [(Silent, "connected"), (SilentInHandshake, "asked")],
                         ids=["before the greeting", "in the handshake"])
def test_map_from_a_silent_server_is_cancelled(kind, stage, tmp_path, server, bed, stack):
    silent = stack.enter_context(kind(tmp_path, stage))
    result = interrupted_map(bed, silent).failed(ABORTED, "'x'", "given up")
    assert result.out == ""
    assert bed.mapped() == []
    assert silent.gone.wait(30), "the connection is still open"
    bed.diskio("read", bed.map("x", server), 0, 4096).ok()


def test_twenty_cancelled_maps_leave_nothing(tmp_path, bed):
    for _ in range(20):
        with Silent(tmp_path, "connected") as silent:
            interrupted_map(bed, silent).failed(ABORTED, "'x'")
            silent.file.unlink()
    assert bed.mapped() == []


@pytest.mark.parametrize("stage", ["asked", "answered"])
def test_map_that_is_cancelled_late_is_done_or_undone(stage, tmp_path, bed):
    for _ in range(5):
        with Works(tmp_path, stage) as server:
            result = interrupted_map(bed, server)
            if result.code == 0:
                assert bed.mapped() == ["x"]
                bed.unmap("x").ok()
            else:
                result.failed(ABORTED, "'x'")
                assert bed.mapped() == []
            server.file.unlink()
