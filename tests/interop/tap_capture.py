# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What one connection said, decoded from its bytes as they pass in both directions.

The decoders are generators: each yields how many bytes it wants next and is sent them. Bytes of one direction are
decoded before they are passed on, so that what the other side answers to is always known.
"""

import collections
import dataclasses
import struct

from nbdwire import (EXTENDED, EXTENDED_MAGIC, EXTENDED_REQUEST, EXTENDED_REQUEST_MAGIC, INIT_MAGIC, NO_ZEROES,
                     OLD_MAGIC, OPTION, OPTION_MAGIC, OPTION_REPLY, OPTION_REPLY_MAGIC, REQUEST, REQUEST_MAGIC, SIMPLE,
                     SIMPLE_MAGIC, STRUCTURED, STRUCTURED_MAGIC, Answer, Chunk, Command, CommandFlag, Flag, Info,
                     Option, name_of, names_of)

FORM_OF_MAGIC = {SIMPLE_MAGIC: "simple", STRUCTURED_MAGIC: "structured", EXTENDED_MAGIC: "extended"}


class Undecodable(Exception):
    """Not NBD, or more than the decoder knows."""


@dataclasses.dataclass
class Asked:
    """An option and the replies to it: [(type, data)]."""

    option: int
    data: bytes
    answers: list = dataclasses.field(default_factory=list)

    def accepted(self):
        return bool(self.answers) and self.answers[-1][0] == Answer.ACK

    def __str__(self):
        answer = name_of(Answer, self.answers[-1][0]) if self.answers else "-"
        return f"{name_of(Option, self.option)}: {answer}"


class Capture:
    """One connection. All fields may be read while it goes on."""

    def __init__(self):
        self.options = []          # Asked, as they were sent
        self.form = "simple"       # as negotiated; "old" for an oldstyle handshake
        self.contexts = {}         # number: name, of the last SET_META_CONTEXT
        self.size = None
        self.flags = None
        self.block_sizes = None    # (minimum, preferred, maximum payload) where the server told them
        self.requests = []         # (command, flags, offset, length)
        self.last_cookie = None    # the last request's
        self.replies = collections.Counter()   # simple, structured, extended: messages
        self.chunks = collections.Counter()    # types
        self.errors = collections.Counter()    # error numbers
        self.transmission = False
        self.closed_by = None      # "client" or "server", whichever closed first
        self.undecodable = None    # why decoding stopped, if it did
        self._handshake_flags = self._client_flags = 0
        self._reads = {}           # cookie: length of reads not yet answered
        self._sides = {"client": Feed(self._client()), "server": Feed(self._server())}

    # --- what became of it

    def disconnected(self):
        """Whether DISC was the client's last request before it closed."""
        return bool(self.requests) and self.requests[-1][0] == Command.DISC and self.closed_by is not None

    def commands(self):
        """How often each was sent."""
        return collections.Counter(name_of(Command, request[0]) for request in self.requests)

    def command_flags(self):
        """The flags that were sent, with the command: "WRITE FUA"."""
        return collections.Counter(f"{name_of(Command, command)} {flag}" for command, flags, *_ in self.requests
                                   for flag in names_of(CommandFlag, flags))

    def row(self):
        """The connection in a few words, for a table."""
        return {
            "options": ", ".join(str(asked) for asked in self.options),
            "form": self.form,
            "context": ", ".join(self.contexts.values()) or "-",
            "size": self.size,
            "flags": " ".join(names_of(Flag, self.flags)) if self.flags is not None else "-",
            "block sizes": "/".join(map(str, self.block_sizes)) if self.block_sizes else "-",
            "requests": counted(self.commands()),
            "replies": counted(self.replies),
            "chunks": counted({name_of(Chunk, kind): count for kind, count in self.chunks.items()}),
            "errors": counted(self.errors),
            "disconnected": "yes" if self.disconnected() else "no",
            "undecodable": self.undecodable or "-",
        }

    # --- the bytes

    def passed(self, side, data):
        """Bytes that `side`, "client" or "server", has sent."""
        if self.undecodable is None:
            try:
                self._sides[side].passed(data)
            except (Undecodable, struct.error, KeyError) as why:
                self.undecodable = f"{side}: {why!r}"

    def closed(self, side):
        self.closed_by = self.closed_by or side

    # --- the client's side

    def _client(self):
        self._client_flags = struct.unpack(">I", (yield 4))[0]
        while True:
            first = yield 4
            magic = struct.unpack(">I", first)[0]
            if magic == OPTION_MAGIC >> 32:
                yield from self._sent_option(first)
            elif magic == REQUEST_MAGIC:
                yield from self._sent_request(first, REQUEST)
            elif magic == EXTENDED_REQUEST_MAGIC:
                yield from self._sent_request(first, EXTENDED_REQUEST)
            else:
                raise Undecodable(f"magic {magic:#x}")

    def _sent_option(self, first):
        magic, option, length = OPTION.unpack(first + (yield OPTION.size - 4))
        if magic != OPTION_MAGIC:
            raise Undecodable(f"magic {magic:#x}")
        self.options.append(Asked(option, (yield length)))
        if option == Option.SET_META_CONTEXT:
            self.contexts = {}

    def _sent_request(self, first, layout):
        _, flags, command, cookie, offset, length = layout.unpack(first + (yield layout.size - 4))
        self.requests.append((command, flags, offset, length))
        self.last_cookie = cookie
        if command == Command.READ:
            self._reads[cookie] = length
        extended = layout is EXTENDED_REQUEST
        if flags & CommandFlag.PAYLOAD_LEN if extended else command == Command.WRITE:
            yield length

    # --- the server's side

    def _server(self):
        magic, style = struct.unpack(">QQ", (yield 16))
        if magic != INIT_MAGIC or style not in (OPTION_MAGIC, OLD_MAGIC):
            raise Undecodable(f"greeting {magic:#x} {style:#x}")
        if style == OLD_MAGIC:
            yield from self._old_export()
        else:
            self._handshake_flags = struct.unpack(">H", (yield 2))[0]
            while not self.transmission:
                yield from self._answered()
        while True:
            yield from self._reply()

    def _old_export(self):
        self.size, self.flags = struct.unpack(">QI", (yield 12))
        yield 124
        self.form, self.transmission = "old", True

    def _answered(self):
        """A reply to an option, or what follows EXPORT_NAME."""
        first = yield 8
        asked = self.options[-1] if self.options else None
        if asked is not None and asked.option == Option.EXPORT_NAME:
            self.size, self.flags = struct.unpack(">QH", first + (yield 2))
            self.transmission = True
            yield 0 if self._client_flags & self._handshake_flags & NO_ZEROES else 124
            return
        magic, option, kind, length = OPTION_REPLY.unpack(first + (yield OPTION_REPLY.size - 8))
        if magic != OPTION_REPLY_MAGIC or asked is None or option != asked.option:
            raise Undecodable(f"a reply to option {option} with magic {magic:#x}")
        data = yield length
        asked.answers.append((kind, data))
        self._learn(option, kind, data)

    def _learn(self, option, kind, data):
        if kind == Answer.INFO:
            self._learn_information(struct.unpack(">H", data[:2])[0], data[2:])
        elif kind == Answer.META_CONTEXT and option == Option.SET_META_CONTEXT:
            self.contexts[struct.unpack(">I", data[:4])[0]] = data[4:].decode(errors="replace")
        elif kind == Answer.ACK and option == Option.GO:
            self.transmission = True
        elif kind == Answer.ACK and option == Option.EXTENDED_HEADERS:
            self.form = "extended"
        elif kind == Answer.ACK and option == Option.STRUCTURED_REPLY:
            self.form = "structured"

    def _learn_information(self, kind, data):
        if kind == Info.EXPORT:
            self.size, self.flags = struct.unpack(">QH", data)
        elif kind == Info.BLOCK_SIZE:
            self.block_sizes = struct.unpack(">III", data)

    def _reply(self):
        first = yield 4
        magic = struct.unpack(">I", first)[0]
        if magic not in FORM_OF_MAGIC:
            raise Undecodable(f"magic {magic:#x}")
        self.replies[FORM_OF_MAGIC[magic]] += 1
        if magic == SIMPLE_MAGIC:
            _, error, cookie = SIMPLE.unpack(first + (yield SIMPLE.size - 4))
            length = self._reads.pop(cookie, 0)
            if error:
                self.errors[error] += 1
            else:
                yield length
            return
        layout = STRUCTURED if magic == STRUCTURED_MAGIC else EXTENDED
        fields = layout.unpack(first + (yield layout.size - 4))
        self._take_chunk(fields[2], (yield fields[-1]))

    def _take_chunk(self, kind, payload):
        self.chunks[kind] += 1
        if kind & 0x8000:
            self.errors[struct.unpack(">I", payload[:4])[0]] += 1


class Feed:
    """Gives a decoder the bytes it wants, in whatever portions they come."""

    def __init__(self, decoder):
        self.decoder = decoder
        self.wanted = next(decoder)
        self.bytes = bytearray()

    def passed(self, data):
        self.bytes += data
        at = 0
        while len(self.bytes) - at >= self.wanted:
            begin, at = at, at + self.wanted
            self.wanted = self.decoder.send(bytes(self.bytes[begin:at]))
        del self.bytes[:at]


def counted(counter):
    return ", ".join(f"{count} {name}" for name, count in sorted(counter.items())) or "-"


def table(rows):
    """Markdown: {name: row} with the same columns in each."""
    columns = list(next(iter(rows.values())))
    lines = [["server", *columns], ["---"] * (len(columns) + 1)]
    lines += [[name, *(str(row[column]) for column in columns)] for name, row in rows.items()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
