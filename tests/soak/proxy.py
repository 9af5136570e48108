# SPDX-License-Identifier: LGPL-2.1-or-later
"""A network that is not kind: forwards connections to a server and, as it is told, breaks, delays or slows them."""

import contextlib
import random
import socket
import threading
import time

CHUNK = 64 << 10


class Proxy:
    """
    `mood` is what happens to connections now:
      "kind"  nothing
      "cut"   each ends after a random number of bytes
      "late"  each piece comes up to 50 ms late
      "slow"  four megabytes a second
    `drop()` resets those that are there.
    """

    def __init__(self, port, seed):
        self.server_port = port
        self.mood = "kind"
        self.random = random.Random(seed)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address, self.port = self.listener.getsockname()
        self.export = ""
        self.streams = set()
        self.threads = []

    def __enter__(self):
        self._run(self._accept)
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # which wakes accept()
        self.listener.close()
        self.drop()
        for thread in self.threads:
            thread.join(timeout=10)

    def drop(self):
        for stream in list(self.streams):
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)

    def _run(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):
                try:
                    server = socket.create_connection(("127.0.0.1", self.server_port), timeout=5)
                except OSError:
                    client.close()
                    continue
                for stream in (client, server):
                    stream.settimeout(None)
                    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.streams.add(stream)
                left = [self.random.randrange(1, 8 << 20)]  # bytes until a cut
                self._run(self._forward, client, server, left)
                self._run(self._forward, server, client, left)

    def _forward(self, source, target, left):
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                mood = self.mood
                if mood == "cut":
                    data, left[0] = data[:left[0]], left[0] - len(data)
                elif mood == "late":
                    time.sleep(self.random.random() * 0.05)
                elif mood == "slow":
                    time.sleep(len(data) / (4 << 20))
                target.sendall(data)
                if mood == "cut" and left[0] <= 0:
                    break
        for stream in (source, target):
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)
            self.streams.discard(stream)
