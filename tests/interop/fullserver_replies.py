# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Replies in every shape that the document allows. A reply is a list of messages (bytes), to be sent in that order, other
replies' messages in between where the test wants it.
"""

import dataclasses
import random
import struct

from nbdwire import (DONE, EXTENDED, EXTENDED_MAGIC, SIMPLE, SIMPLE_MAGIC, STRUCTURED, STRUCTURED_MAGIC, Chunk, Command,
                     CommandFlag, Error)

UNKNOWN_ERROR = 0x8003  # an error chunk of a type that nobody knows: a client has to take it as an error
PLACES = ("before", "between", "after")
NARROW_MAX = (1 << 32) - (1 << 16)  # the longest extent of 32 bits, in blocks of any size


@dataclasses.dataclass
class Shape:
    """
    How replies look. Fractions are probabilities from 0 to 1; the seed makes them the same each time for one client
    that sends the same on one connection.
    """

    seed: int = 1
    chunks: int = 1               # a read is split into up to so many content chunks
    shuffle: bool = False         # content chunks, and pieces of information in the handshake, in any order
    holes: float = 0.0            # of the pieces that are zero, how many are told as a hole
    done_alone: float = 0.0       # of the replies, how many end with a NONE chunk
    gather: int = 1               # requests that are collected before they are answered, in any order
    gather_ms: int = 10           # how long to wait for the next of them
    interleave: bool = False      # chunks of different requests in between each other
    simple: float = 0.0           # of the replies without content in structured form, how many are simple ones
    delivery: str = "whole"       # see Stream
    extents: int = 1              # a status tells up to so many extents
    reach: float = 0.0            # of the statuses, how many reach beyond the request
    compact_status: float = 0.0   # with extended headers, how many statuses are of 32 bits
    count_extents: float = 0.5    # of the 64-bit ones, how many say the number of extents
    errors: float = 0.0           # of the requests, how many fail
    error_commands: tuple = ()    # which can fail; empty: all
    error_numbers: tuple = tuple(Error)
    error_types: tuple = (Chunk.ERROR, Chunk.ERROR_OFFSET, UNKNOWN_ERROR)
    error_places: tuple = PLACES  # where in a read's content the error stands
    error_text: str = "no, thank you"

    def __post_init__(self):
        self.random = random.Random(self.seed)

    def of_connection(self, number):
        """The same shape with randomness of its own."""
        copy = dataclasses.replace(self)
        copy.random = random.Random(f"{self.seed} {number}")
        return copy

    def likely(self, fraction):
        return self.random.random() < fraction

    def order(self, items):
        return self.random.sample(items, len(items)) if self.shuffle else items

    @classmethod
    def wild(cls, seed, **changes):
        """Everything at once, except errors."""
        return cls(**{"seed": seed, "chunks": 7, "shuffle": True, "holes": 0.7, "done_alone": 0.5, "gather": 8,
                      "interleave": True, "simple": 0.5, "delivery": "pieces", "extents": 9, "reach": 0.5,
                      "compact_status": 0.3, **changes})


class Replies:
    """Makes the replies of one connection."""

    def __init__(self, shape, negotiation):
        self.shape = shape
        self.random = shape.random
        self.form = negotiation.form
        self.context = negotiation.context
        self.export = negotiation.export

    # --- single messages

    def simple(self, request, error=0, data=b""):
        return SIMPLE.pack(SIMPLE_MAGIC, error, request.cookie) + data

    def chunk(self, request, kind, payload=b"", flags=0):
        """A chunk in the form of the connection; the structured one where there is none."""
        if self.form == "extended":
            head = EXTENDED.pack(EXTENDED_MAGIC, flags, kind, request.cookie, request.offset, len(payload))
        else:
            head = STRUCTURED.pack(STRUCTURED_MAGIC, flags, kind, request.cookie, len(payload))
        return head + payload

    # --- whole replies

    def success(self, request, data):
        if request.command == Command.BLOCK_STATUS:
            return self.finish(request, [self.status(request)])
        if self.form == "simple":
            return [self.simple(request, 0, data)]
        if request.command == Command.READ:
            return self.finish(request, self.content(request, data))
        if self.form == "structured" and self.shape.likely(self.shape.simple):
            return [self.simple(request)]
        return [self.chunk(request, Chunk.NONE, flags=DONE)]

    def failure(self, request, error, data=b""):
        """`data`, if any, is content that stands around the error."""
        if self.form == "simple":
            return [self.simple(request, error)]
        if self.form == "structured" and request.command != Command.READ and self.shape.likely(self.shape.simple):
            return [self.simple(request, error)]
        chunks = self.content(request, data) if data else []
        place = self.random.choice(self.shape.error_places)
        at = {"before": 0, "between": self.random.randint(0, len(chunks)), "after": len(chunks)}[place]
        kind = self._error_type(request)
        offset = self._error_offset(request, chunks, at) if kind == Chunk.ERROR_OFFSET else 0
        chunks.insert(at, (kind, self.error(kind, error, self.shape.error_text.encode(), offset)))
        return self.finish(request, chunks)

    def finish(self, request, chunks):
        """The messages of (type, payload) with DONE on the last of them or in a chunk of its own."""
        if not chunks or self.shape.likely(self.shape.done_alone):
            chunks = [*chunks, (Chunk.NONE, b"")]
        return [self.chunk(request, kind, payload, DONE if at == len(chunks) - 1 else 0)
                for at, (kind, payload) in enumerate(chunks)]

    # --- payloads

    def content(self, request, data):
        """A read's bytes as (type, payload), cut, holes and order as the shape has it; one piece with DF."""
        if request.flags & CommandFlag.DF or len(data) < 2:
            return [self.data(request.offset, data)]
        count = self.random.randint(1, min(self.shape.chunks, len(data)))
        cuts = sorted(self.random.sample(range(1, len(data)), count - 1))
        pieces = list(zip([0, *cuts], [*cuts, len(data)]))
        return [self._piece(request.offset + begin, data[begin:end]) for begin, end in self.shape.order(pieces)]

    def _piece(self, offset, data):
        if not any(data) and self.shape.likely(self.shape.holes):
            return self.hole(offset, len(data))
        return self.data(offset, data)

    @staticmethod
    def data(offset, data):
        return Chunk.OFFSET_DATA, struct.pack(">Q", offset) + data

    @staticmethod
    def hole(offset, length):
        return Chunk.OFFSET_HOLE, struct.pack(">QI", offset, length)

    @staticmethod
    def error(kind, error, text=b"", offset=0):
        tail = struct.pack(">Q", offset) if kind == Chunk.ERROR_OFFSET else b""
        return struct.pack(">IH", error, len(text)) + text + tail

    def _error_type(self, request):
        """An offset only where there is a range."""
        pointless = request.command == Command.FLUSH or request.length == 0
        kinds = [kind for kind in self.shape.error_types if kind != Chunk.ERROR_OFFSET or not pointless]
        return self.random.choice(kinds or [Chunk.ERROR])

    def _error_offset(self, request, chunks, at):
        """ "Structured replies": content that covers the offset has to come before the error, or not at all."""
        if not chunks:
            return request.offset + self.random.randrange(request.length)
        offset, length = span(chunks.pop(0) if at == 0 else self.random.choice(chunks[:at]))
        return offset + self.random.randrange(length)

    def status(self, request, context=None):
        """base:allocation of the range, in as many extents as the shape wants."""
        extents = self._extents(request)
        context = self.context if context is None else context
        compact = all(length <= 0xFFFFFFFF for length, _ in extents) and self.shape.likely(self.shape.compact_status)
        if self.form != "extended" or compact:
            return self.compact_status(context, extents)
        count = len(extents) if self.shape.likely(self.shape.count_extents) else 0
        return self.extended_status(context, extents, count)

    @staticmethod
    def compact_status(context, extents):
        return Chunk.BLOCK_STATUS, struct.pack(">I", context) + b"".join(struct.pack(">II", *item) for item in extents)

    @staticmethod
    def extended_status(context, extents, count):
        descriptors = b"".join(struct.pack(">QQ", *item) for item in extents)
        return Chunk.BLOCK_STATUS_EXT, struct.pack(">II", context, count) + descriptors

    def _extents(self, request):
        """As many as the shape has it, cut at random besides, since neighbours may have the same state."""
        end = request.offset + request.length
        whole = self.export.extents(request.offset, end)
        one = bool(request.flags & CommandFlag.REQ_ONE)
        room = 1 if one else self.random.randint(1, self.shape.extents)
        extents = self._divided(self._narrow(clipped(whole, request.length)), room)
        if not one and self.shape.likely(self.shape.reach) and sum(length for length, _ in extents) == request.length:
            length, state = extents.pop()
            extents += self._narrow([(length + reach(whole, request.length), state)])
        return extents

    def _narrow(self, extents):
        """32-bit extents where the form has no others, ended at the first that does not fit."""
        for at, (length, state) in enumerate(extents):
            if length > NARROW_MAX and self.form != "extended":
                return [*extents[:at], (NARROW_MAX, state)]
        return extents

    def _divided(self, extents, room):
        """At most `room` of them, some cut in two while there is room left."""
        extents = extents[:room]
        unit = max(self.export.minimum(), 512)
        while len(extents) < room and self.random.random() < 0.8:
            at = self.random.randrange(len(extents))
            length, state = extents[at]
            if length >= 2 * unit:
                cut = self.random.randrange(1, length // unit) * unit
                extents[at:at + 1] = [(cut, state), (length - cut, state)]
        return extents


def span(chunk):
    """(offset, length) of a content chunk."""
    kind, payload = chunk
    if kind == Chunk.OFFSET_HOLE:
        return struct.unpack(">QI", payload)
    return struct.unpack(">Q", payload[:8])[0], len(payload) - 8


def clipped(extents, length):
    """The extents up to `length`."""
    found = []
    for extent, state in extents:
        if length > 0:
            found.append((min(extent, length), state))
        length -= extent
    return found


def reach(extents, length):
    """How far the extent in which `length` ends reaches beyond it."""
    for extent, _ in extents:
        if extent >= length:
            return extent - length
        length -= extent
    return 0
