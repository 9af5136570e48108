# SPDX-License-Identifier: LGPL-2.1-or-later
"""NBD servers that misbehave, or that tell exactly what they were sent. Each listens on a free loopback port."""

import contextlib
import socket
import struct
import threading
import time

from nbdclient import REPLY_MAGIC, REQUEST_MAGIC, receive

INIT_MAGIC = 0x4E42444D41474943
OPTION_MAGIC = 0x49484156454F5054
OLD_MAGIC = 0x00420281861253
OPTION_REPLY_MAGIC = 0x3E889045565A9

HANDSHAKE_FIXED, HANDSHAKE_NO_ZEROES = 1, 2
OPT_EXPORT_NAME, OPT_ABORT, OPT_LIST, OPT_STARTTLS, OPT_INFO, OPT_GO = 1, 2, 3, 5, 6, 7
OPT_STRUCTURED_REPLY, OPT_EXTENDED_HEADERS = 8, 11
REP_ACK, REP_INFO = 1, 3
REP_ERR_UNSUP, REP_ERR_POLICY, REP_ERR_TLS_REQD, REP_ERR_UNKNOWN = (0x80000000 | n for n in (1, 2, 5, 6))
REP_ERR_SHUTDOWN, REP_ERR_BLOCK_SIZE_REQD = (0x80000000 | n for n in (7, 8))
INFO_EXPORT, INFO_BLOCK_SIZE = 0, 3
FLAG_HAS, FLAG_READ_ONLY, FLAG_FLUSH, FLAG_FUA, FLAG_TRIM = 1, 2, 4, 8, 32
CMD_READ, CMD_WRITE, CMD_DISC, CMD_FLUSH, CMD_TRIM = 0, 1, 2, 3, 4
CMD_FLAG_FUA = 1
EIO, EINVAL = 5, 22


class Scripted:
    """Calls `talk(stream)` in a thread for every connection. Threads end when the server is left."""

    def __init__(self, address="127.0.0.1"):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.bind((address, 0))
        self.listener.listen(64)
        self.address = address
        self.port = self.listener.getsockname()[1]
        self.export = "disk"
        self.streams = []
        self.threads = []
        self.ended = threading.Event()

    def __enter__(self):
        self._run(self._accept)
        return self

    def __exit__(self, *_):
        self.ended.set()
        for stream in [self.listener, *self.streams]:
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)
            stream.close()
        for thread in self.threads:
            thread.join(timeout=10)
            assert not thread.is_alive(), "a scripted server does not end"

    def _run(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self):
        while not self.ended.is_set():
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            self.streams.append(stream)
            self._run(self._serve, stream)

    def _serve(self, stream):
        with contextlib.suppress(OSError, ConnectionError, struct.error):
            self.talk(stream)
        with contextlib.suppress(OSError):
            stream.close()

    def talk(self, stream):
        raise NotImplementedError


class Silent(Scripted):
    """Accepts and says nothing."""

    def talk(self, stream):
        self.ended.wait()


class Says(Scripted):
    """Sends fixed bytes, then listens for ever, or closes."""

    def __init__(self, data, then_close=False):
        super().__init__()
        self.data = data
        self.then_close = then_close

    def talk(self, stream):
        stream.sendall(self.data)
        while not self.then_close and stream.recv(4096):
            pass


def http_server():
    return Says(b"HTTP/1.1 400 Bad Request\r\nServer: teapot\r\nContent-Length: 0\r\n\r\n")


def oldstyle_server():
    return Says(struct.pack(">QQQI", INIT_MAGIC, OLD_MAGIC, 64 << 20, FLAG_HAS) + bytes(124))


class Nbd(Scripted):
    """
    A small fixed-newstyle server over a bytearray that keeps every request as (type, flags, offset, length).
    Subclasses change one thing each.
    """

    def __init__(self, size=8 << 20, flags=FLAG_HAS | FLAG_FLUSH | FLAG_FUA | FLAG_TRIM, block_sizes=None,
                 address="127.0.0.1", handshake=True, handshake_flags=3):
        super().__init__(address)
        self.image = bytearray(size if size <= 1 << 30 else 0)
        self.size = size
        self.flags = flags
        self.block_sizes = block_sizes
        self.handshake = handshake
        self.handshake_flags = handshake_flags
        self.client_flags = 0
        self.requests = []
        self.options = []

    def talk(self, stream):
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self.handshake or self.negotiate(stream):
            while self.serve(stream):
                pass

    # --- handshake

    def negotiate(self, stream):
        """True when the transmission phase begins."""
        stream.sendall(struct.pack(">QQH", INIT_MAGIC, OPTION_MAGIC, self.handshake_flags))
        self.client_flags = struct.unpack(">I", receive(stream, 4))[0]
        while True:
            magic, option, length = struct.unpack(">QII", receive(stream, 16))
            assert magic == OPTION_MAGIC
            data = receive(stream, length)
            self.options.append((option, data))
            if option == OPT_ABORT:
                self.answer(stream, option, REP_ACK)
                return False
            done = self.option(stream, option, data)
            if done is not None:
                return done

    def option(self, stream, option, data):
        """None: the handshake goes on; True: transmission; False: close."""
        if option == OPT_EXPORT_NAME:
            padding = b"" if self.client_flags & self.handshake_flags & HANDSHAKE_NO_ZEROES else bytes(124)
            stream.sendall(struct.pack(">QH", self.size, self.flags) + padding)
            return True
        if option != OPT_GO:
            self.answer(stream, option, REP_ERR_UNSUP)
            return None
        self.answer(stream, option, REP_INFO, struct.pack(">HQH", INFO_EXPORT, self.size, self.flags))
        if self.block_sizes:
            self.answer(stream, option, REP_INFO, struct.pack(">HIII", INFO_BLOCK_SIZE, *self.block_sizes))
        self.answer(stream, option, REP_ACK)
        return True

    @staticmethod
    def answer(stream, option, reply, data=b""):
        stream.sendall(struct.pack(">QIII", OPTION_REPLY_MAGIC, option, reply, len(data)) + data)

    # --- transmission

    def serve(self, stream):
        """One request; False ends the connection."""
        magic, flags, kind, cookie, offset, length = struct.unpack(">IHHQQI", receive(stream, 28))
        assert magic == REQUEST_MAGIC
        payload = receive(stream, length) if kind == CMD_WRITE else b""
        self.requests.append((kind, flags, offset, length))
        if kind == CMD_DISC:
            return False
        return self.command(stream, kind, cookie, offset, length, payload)

    def command(self, stream, kind, cookie, offset, length, payload):
        if kind == CMD_WRITE:
            self.image[offset:offset + length] = payload
        data = bytes(self.image[offset:offset + length]) if kind == CMD_READ else b""
        stream.sendall(struct.pack(">IIQ", REPLY_MAGIC, 0, cookie) + data)
        return True

    def of_kind(self, *kinds):
        return [request for request in self.requests if request[0] in kinds]


class NoGo(Nbd):
    """Newstyle as it was before OPT_GO: the client has to fall back to EXPORT_NAME."""

    def option(self, stream, option, data):
        if option in (OPT_GO, OPT_INFO):
            self.answer(stream, option, REP_ERR_UNSUP)
            return None
        return super().option(stream, option, data)


class Refuses(Nbd):
    """Answers OPT_GO with an error reply."""

    def __init__(self, reply, text=b""):
        super().__init__()
        self.reply = reply
        self.text = text

    def option(self, stream, option, data):
        self.answer(stream, option, self.reply, self.text)


class ClosesInHandshake(Nbd):
    """Closes when it is asked for the export."""

    def option(self, stream, option, data):
        return False


class SlowWrite(Nbd):
    """Once `slow` is set, takes long over a write, on a connection that is broken by then; closes it after that."""

    def __init__(self, **options):
        super().__init__(**options)
        self.slow = False
        self.journal = []

    def talk(self, stream):
        self.journal.append("connected")
        super().talk(stream)

    def command(self, stream, kind, cookie, offset, length, payload):
        if kind == CMD_WRITE and self.slow:
            self.slow = False
            self.journal.append("write begun")
            stream.sendall(bytes(16))  # breaks the stream: the client gives it up with the write unanswered
            time.sleep(1)
            self.image[offset:offset + length] = payload
            self.journal.append("write done")
            return True
        return super().command(stream, kind, cookie, offset, length, payload)


class Faulty(Nbd):
    """
    Works until `broken` is set to one of:
      "stall"   takes requests and answers none
      "close"   closes the connection at the next request
      "cut"     sends half the answer to the next read, then closes
      "garbage" answers with a wrong magic
      "stranger" answers with a cookie that nobody sent
      an errno  answers with that error
    """

    broken = None

    def command(self, stream, kind, cookie, offset, length, payload):
        how = self.broken
        if how is None:
            return super().command(stream, kind, cookie, offset, length, payload)
        if how == "stall":
            return True
        if how == "cut":
            stream.sendall(struct.pack(">IIQ", REPLY_MAGIC, 0, cookie) + bytes(length // 2))
            return False
        if how == "garbage":
            stream.sendall(struct.pack(">IIQ", 0x12345678, 0, cookie))
            return True
        if how == "stranger":
            stream.sendall(struct.pack(">IIQ", REPLY_MAGIC, 0, cookie ^ 0xFFFF0000FFFF0000) + bytes(length))
            return True
        if isinstance(how, int):
            stream.sendall(struct.pack(">IIQ", REPLY_MAGIC, how, cookie))
            return True
        return False


class BrokenOnce(Faulty):
    """Works again from the second connection on."""

    def talk(self, stream):
        if len(self.streams) > 1:
            self.broken = None
        super().talk(stream)


class Deaf(Nbd):
    """Once `deaf` is set: breaks the stream over a write, and then hears no goodbye."""

    deaf = False

    def command(self, stream, kind, cookie, offset, length, payload):
        if kind == CMD_WRITE and self.deaf:
            self.deaf = False
            stream.sendall(bytes(16))
            return not self.ended.wait(6)
        return super().command(stream, kind, cookie, offset, length, payload)
