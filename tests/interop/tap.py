#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A proxy on loopback that decodes NBD as it passes:

    with Tap(port) as tap:
        ...                         # a client of 127.0.0.1, tap.port
    tap.captures[0].requests

As a program it runs a command against each server of the zoo and prints a table of what it saw; the words {port} and
{export} of the command are replaced:

    tap.py [--only NAME,NAME] nbdinfo nbd://127.0.0.1:{port}/{export}
"""

import argparse
import contextlib
import socket
import subprocess
import sys
import threading

from tap_capture import Capture, table

CHUNK = 1 << 18
LAST_WORDS_S = 5  # how long a connection has to end by itself when the tap is left


class Tap:
    """Listens from the beginning of the block to its end. `captures` has one for each connection, in their order."""

    def __init__(self, target, address="127.0.0.1"):
        self.target = (address, target)
        self.captures = []
        self.sockets = []
        self.threads = []
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        self._start(self._accept)
        return self

    def __exit__(self, *_):
        self.ended.set()
        shut(self.listener)
        self.threads[0].join(timeout=LAST_WORDS_S)
        for thread in self.threads[1:]:
            thread.join(timeout=LAST_WORDS_S)
        for connection in [self.listener, *self.sockets]:
            shut(connection)
        for thread in self.threads:
            thread.join(timeout=LAST_WORDS_S)
            assert not thread.is_alive(), "the tap does not end"
        for connection in [self.listener, *self.sockets]:
            connection.close()

    def _start(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self):
        while not self.ended.is_set():
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.target, timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self._connect(client, server)

    def _connect(self, client, server):
        for connection in (client, server):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sockets += [client, server]
        capture = Capture()
        self.captures.append(capture)
        self._start(self._pass, capture, "client", client, server)
        self._start(self._pass, capture, "server", server, client)

    def _pass(self, capture, side, source, destination):
        """Decodes before passing on: the answer cannot come before what it answers."""
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                with self.lock:
                    capture.passed(side, data)
                destination.sendall(data)
        with self.lock:
            capture.closed(side)
        shut(destination, socket.SHUT_WR)


def shut(connection, how=socket.SHUT_RDWR):
    with contextlib.suppress(OSError):
        connection.shutdown(how)


def one_row(port, export, command):
    """Runs the command through a tap: the row of its last connection, and how many there were."""
    with Tap(port) as tap:
        words = [word.replace("{port}", str(tap.port)).replace("{export}", export) for word in command]
        done = subprocess.run(words, capture_output=True, timeout=120)
    row = tap.captures[-1].row() if tap.captures else Capture().row()
    return {"exit": done.returncode, "connections": len(tap.captures), **row}


def main():
    import zoo
    parser = argparse.ArgumentParser(description="What a client and each server of the zoo say to each other.")
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(zoo.ENTRIES))
    parser.add_argument("command", nargs=argparse.REMAINDER)
    told = parser.parse_args()
    rows = {}
    for name in told.only:
        with zoo.running(name) as server:
            rows[name] = one_row(server.port, zoo.ENTRIES[name].export, told.command)
    sys.stdout.write(table(rows))


if __name__ == "__main__":
    main()
