# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A small NBD client that takes all three reply forms, to check fullserver.py with. It believes nothing: an assertion
fails where the server breaks the document.
"""

import socket
import struct

from nbdwire import (ALLOCATION, DONE, EXTENDED, EXTENDED_MAGIC, EXTENDED_REQUEST, EXTENDED_REQUEST_MAGIC,
                     FIXED_NEWSTYLE, GREETING, INIT_MAGIC, NO_ZEROES, OPTION, OPTION_MAGIC, OPTION_REPLY,
                     OPTION_REPLY_MAGIC, REQUEST, REQUEST_MAGIC, SIMPLE_MAGIC, STRUCTURED_MAGIC, Answer, Chunk,
                     Command, CommandFlag, Info, Option)


class Reply:
    """What has come of one request."""

    def __init__(self, request):
        self.command, self.flags, self.offset, self.length = request
        self.data = bytearray(self.length if self.command == Command.READ else 0)
        self.covered = []  # (begin, end) of content
        self.kinds = []    # the types of its chunks
        self.error = 0
        self.status = []

    def content(self, offset, data, length):
        begin = offset - self.offset
        assert self.command == Command.READ and length > 0 and 0 <= begin <= begin + length <= self.length
        assert all(end <= begin or begin + length <= start for start, end in self.covered), "chunks overlap"
        assert not (self.flags & CommandFlag.DF and self.covered), "fragments, though DF was set"
        self.covered.append((begin, begin + length))
        self.data[begin:begin + length] = data

    def finish(self):
        if self.error == 0 and self.command == Command.READ:
            assert sum(end - begin for begin, end in self.covered) == self.length, "success, but bytes are missing"
        if self.error == 0 and self.command == Command.BLOCK_STATUS:
            assert self.status and sum(length for length, _ in self.status[:-1]) < self.length
        return self


class Client:
    """Connected to `export`, in the form that was asked for."""

    def __init__(self, port, form="extended", export="disk"):
        self.stream = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.form = form
        self.cookie = 0
        self.waiting = {}
        self.context = None
        assert GREETING.unpack(self.receive(GREETING.size)) == (INIT_MAGIC, OPTION_MAGIC, FIXED_NEWSTYLE | NO_ZEROES)
        self.stream.sendall(struct.pack(">I", FIXED_NEWSTYLE | NO_ZEROES))
        if form != "simple":
            option = Option.STRUCTURED_REPLY if form == "structured" else Option.EXTENDED_HEADERS
            assert self.ask(option) == [(Answer.ACK, b"")]
            self._set_context(export.encode())
        self._go(export.encode())

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.send(Command.DISC)
        self.stream.close()

    def receive(self, length):
        data = b""
        while len(data) < length:
            more = self.stream.recv(length - len(data))
            assert more, "the server closed"
            data += more
        return data

    def ask(self, option, data=b""):
        """The replies to one option: [(type, data)]."""
        self.stream.sendall(OPTION.pack(OPTION_MAGIC, option, len(data)) + data)
        replies = []
        while not replies or (replies[-1][0] != Answer.ACK and replies[-1][0] < Answer.ERR_UNSUP):
            magic, about, kind, length = OPTION_REPLY.unpack(self.receive(OPTION_REPLY.size))
            assert (magic, about) == (OPTION_REPLY_MAGIC, option)
            replies.append((kind, self.receive(length)))
        return replies

    def _set_context(self, name):
        query = ALLOCATION.encode()
        data = struct.pack(">I", len(name)) + name + struct.pack(">II", 1, len(query)) + query
        for kind, answer in self.ask(Option.SET_META_CONTEXT, data):
            if kind == Answer.META_CONTEXT:
                assert answer[4:] == query
                self.context = struct.unpack(">I", answer[:4])[0]

    def _go(self, name):
        data = struct.pack(">I", len(name)) + name + struct.pack(">HH", 1, Info.BLOCK_SIZE)
        told = {struct.unpack(">H", answer[:2])[0]: answer[2:] for kind, answer in self.ask(Option.GO, data)
                if kind == Answer.INFO}
        self.size, self.flags = struct.unpack(">QH", told[Info.EXPORT])
        self.block_sizes = struct.unpack(">III", told[Info.BLOCK_SIZE])

    def send(self, command, offset=0, length=0, flags=0, payload=b""):
        """Sends a request and leaves it unanswered; the result is its cookie."""
        self.cookie += 1
        if self.form == "extended":
            flags |= CommandFlag.PAYLOAD_LEN if command == Command.WRITE else 0
            head = EXTENDED_REQUEST.pack(EXTENDED_REQUEST_MAGIC, flags, command, self.cookie, offset, length)
        else:
            head = REQUEST.pack(REQUEST_MAGIC, flags, command, self.cookie, offset, length)
        self.waiting[self.cookie] = Reply((command, flags, offset, length))
        self.stream.sendall(head + payload)
        return self.cookie

    def collect(self, *cookies):
        """The replies to those, in that order, whenever they come."""
        done = {}
        while set(cookies) - set(done):
            cookie, last = self._receive_message()
            if last:
                done[cookie] = self.waiting.pop(cookie).finish()
        return [done[cookie] for cookie in cookies]

    def do(self, command, offset=0, length=0, flags=0, payload=b""):
        return self.collect(self.send(command, offset, length, flags, payload))[0]

    def _receive_message(self):
        """(cookie, whether it is answered by that)"""
        magic = struct.unpack(">I", self.receive(4))[0]
        if magic == SIMPLE_MAGIC and self.form != "extended":
            return self._receive_simple()
        if self.form == "extended":
            assert magic == EXTENDED_MAGIC, hex(magic)
            flags, kind, cookie, offset, length = struct.unpack(">HHQQQ", self.receive(EXTENDED.size - 4))
            assert offset == self.waiting[cookie].offset, "an extended reply with another offset"
        else:
            assert (magic, self.form) == (STRUCTURED_MAGIC, "structured"), hex(magic)
            flags, kind, cookie, length = struct.unpack(">HHQI", self.receive(16))
        assert length < 1 << 30, "a payload without end"
        self._take_chunk(self.waiting[cookie], kind, self.receive(length))
        assert flags & DONE or kind != Chunk.NONE, "NONE without DONE"
        return cookie, bool(flags & DONE)

    def _receive_simple(self):
        error, cookie = struct.unpack(">IQ", self.receive(12))
        reply = self.waiting[cookie]
        reply.kinds.append("simple")
        reply.error = error
        assert self.form == "simple" or reply.command not in (Command.READ, Command.BLOCK_STATUS) or error
        if reply.command == Command.READ and not error:
            assert self.form == "simple"
            reply.content(reply.offset, self.receive(reply.length), reply.length)
        return cookie, True

    def _take_chunk(self, reply, kind, payload):
        reply.kinds.append(kind)
        if kind & 0x8000:
            self._take_error(reply, kind, payload)
        elif kind == Chunk.NONE:
            assert not payload
        elif kind == Chunk.OFFSET_DATA:
            reply.content(struct.unpack(">Q", payload[:8])[0], payload[8:], len(payload) - 8)
        elif kind == Chunk.OFFSET_HOLE:
            offset, length = struct.unpack(">QI", payload)
            reply.content(offset, bytes(length), length)
        else:
            self._take_status(reply, kind, payload)

    @staticmethod
    def _take_error(reply, kind, payload):
        error, length = struct.unpack(">IH", payload[:6])
        tail = payload[6 + length:]
        assert error and len(payload) >= 6 + length, "an error chunk that is wrong in itself"
        reply.error = reply.error or error
        if kind == Chunk.ERROR_OFFSET:
            assert reply.offset <= struct.unpack(">Q", tail)[0] < reply.offset + reply.length

    def _take_status(self, reply, kind, payload):
        assert kind in (Chunk.BLOCK_STATUS, Chunk.BLOCK_STATUS_EXT), f"an unknown type {kind:#x}"
        assert reply.command == Command.BLOCK_STATUS and not reply.status, "a status nobody asked for"
        wide = kind == Chunk.BLOCK_STATUS_EXT
        assert not wide or self.form == "extended"
        assert struct.unpack(">I", payload[:4])[0] == self.context, "another context"
        reply.status = list(struct.iter_unpack(">QQ" if wide else ">II", payload[8 if wide else 4:]))
        assert reply.status and all(length for length, _ in reply.status)
        assert not wide or struct.unpack(">I", payload[4:8])[0] in (0, len(reply.status))
        assert not reply.flags & CommandFlag.REQ_ONE or (len(reply.status) == 1 and reply.status[0][0] <= reply.length)
