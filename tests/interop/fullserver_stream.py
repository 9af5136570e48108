# SPDX-License-Identifier: LGPL-2.1-or-later
"""A connection's bytes: received exactly, and sent in whatever portions the test wants."""

import contextlib
import select
import socket

ONE_BY_ONE = 4096  # bytes of a message that leave singly; what follows leaves in larger pieces
DELIVERIES = ("whole", "bytes", "pieces", "batched")


class Cut(Exception):
    """As many bytes were sent as the test wanted."""


class Stream:
    """
    `delivery` says how messages leave:
      "whole"    each in one send
      "bytes"    byte by byte, long ones after the first 4096 bytes in pieces
      "pieces"   cut at random places
      "batched"  all that there are in one send

    After `cut_at` bytes nothing more leaves. `begins` tells at which byte of the stream each message began.
    """

    def __init__(self, connection, random, delivery="whole", cut_at=None):
        assert delivery in DELIVERIES, delivery
        self.socket = connection
        self.random = random
        self.delivery = delivery
        self.cut_at = cut_at
        self.sent = 0
        self.begins = []
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def receive(self, length):
        data = bytearray(length)
        view, got = memoryview(data), 0
        while got < length:
            count = self.socket.recv_into(view[got:])
            if count == 0:
                raise EOFError
            got += count
        return bytes(data)

    def receive_struct(self, layout):
        return layout.unpack(self.receive(layout.size))

    def waiting(self, seconds=0.0):
        """Whether there are bytes to receive now, or the peer has closed."""
        return bool(select.select([self.socket], [], [], seconds)[0])

    def has_data(self, seconds=0.0):
        return self.waiting(seconds) and bool(self.socket.recv(1, socket.MSG_PEEK))

    def send(self, *messages):
        if self.delivery == "batched":
            messages = [b"".join(messages)]
        for message in messages:
            self.begins.append(self.sent)
            for piece in self._pieces(message):
                self._send(piece)

    def _send(self, piece):
        if self.cut_at is not None:
            piece = piece[:self.cut_at - self.sent]
        self.socket.sendall(piece)
        self.sent += len(piece)
        if self.sent == self.cut_at:
            raise Cut

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _pieces(self, message):
        if self.delivery in ("whole", "batched"):
            return [message]
        single = ONE_BY_ONE if self.delivery == "bytes" else 0
        pieces = [message[at:at + 1] for at in range(min(single, len(message)))]
        at = len(pieces)
        while at < len(message):
            count = self.random.randint(1, 64 << 10)
            pieces.append(message[at:at + count])
            at += count
        return pieces
