# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What a server must not do, by name. Each fault makes the messages of one reply that breaks the document in one way; the
connection stays open behind it, so that it is the client that has to end it.
"""

import struct

from fullserver_replies import clipped
from nbdwire import (DONE, EXTENDED, EXTENDED_MAGIC, SIMPLE, SIMPLE_MAGIC, STRUCTURED, STRUCTURED_MAGIC, Chunk, Command,
                     CommandFlag)

ANY_FORM = ("simple", "structured", "extended")
CHUNKED = ("structured", "extended")
FOREIGN = 0x5EED  # added to the number of the context
TYPE_UNKNOWN = 0x1234  # neither a known type nor an error's

FAULTS = {}


class Fault:
    """`make(replies, request, data)` gives the messages; `commands` and `forms` say where it can be done."""

    def __init__(self, make, commands, forms, needs_flag):
        self.make = make
        self.commands = commands
        self.forms = forms
        self.needs_flag = needs_flag

    def fits(self, form, request):
        """Reads and the like need more than one byte, to be cut; and what is not the fault should be right."""
        return (form in self.forms and request.command in self.commands
                and request.flags & self.needs_flag == self.needs_flag
                and (request.length > 1 or request.command == Command.FLUSH))


def fault(name, *commands, forms=CHUNKED, flag=0):
    def register(make):
        FAULTS[name] = Fault(make, commands or (Command.READ,), forms, flag)
        return make
    return register


# --- content of a read


@fault("offset-before")
def offset_before(replies, request, data):
    """Begins one byte before the request."""
    return replies.finish(request, [replies.data((request.offset - 1) % (1 << 64), data)])


@fault("offset-after")
def offset_after(replies, request, data):
    """Begins where the request ends."""
    return replies.finish(request, [replies.data(request.offset + request.length, data)])


@fault("beyond-end")
def beyond_end(replies, request, data):
    """Begins within the request and ends one byte behind it."""
    return replies.finish(request, [replies.data(request.offset, data + b"\0")])


@fault("hole-beyond-end")
def hole_beyond_end(replies, request, _data):
    return replies.finish(request, [replies.hole(request.offset, request.length + 1)])


@fault("overlap")
def overlap(replies, request, data):
    """Two chunks share a byte."""
    half = len(data) // 2
    return replies.finish(request, [replies.data(request.offset, data[:half]),
                                    replies.data(request.offset + half - 1, data[half - 1:])])


@fault("overlap-hole")
def overlap_hole(replies, request, data):
    return replies.finish(request, [replies.data(request.offset, data), replies.hole(request.offset, 1)])


@fault("empty-data")
def empty_data(replies, request, data):
    return replies.finish(request, [replies.data(request.offset, b""), replies.data(request.offset, data)])


@fault("empty-hole")
def empty_hole(replies, request, data):
    return replies.finish(request, [replies.hole(request.offset, 0), replies.data(request.offset, data)])


@fault("wrap-data")
def wrap_data(replies, request, data):
    """Offset and length add up to one within the request, modulo 2^64."""
    return replies.finish(request, [replies.data((1 << 64) - len(data) + 1, data)])


@fault("wrap-hole")
def wrap_hole(replies, request, _data):
    return replies.finish(request, [replies.hole((1 << 64) - request.length + 1, request.length)])


@fault("missing-end")
def missing_end(replies, request, data):
    """Success, but the last byte never came."""
    return replies.finish(request, [replies.data(request.offset, data[:-1])])


@fault("missing-middle")
def missing_middle(replies, request, data):
    half = len(data) // 2
    pieces = [replies.data(request.offset + half + 1, data[half + 1:])] if data[half + 1:] else []
    return replies.finish(request, [replies.data(request.offset, data[:half]), *pieces])


@fault("missing-all")
def missing_all(replies, request, _data):
    return [replies.chunk(request, Chunk.NONE, flags=DONE)]


@fault("short-hole")
def short_hole(replies, request, _data):
    """A hole's payload that is not of 12 bytes."""
    kind, payload = replies.hole(request.offset, request.length)
    return [replies.chunk(request, kind, payload[:-1], DONE)]


@fault("df-violated", flag=CommandFlag.DF)
def df_violated(replies, request, data):
    half = len(data) // 2
    return replies.finish(request, [replies.data(request.offset, data[:half]),
                                    replies.data(request.offset + half, data[half:])])


@fault("content-for-write", Command.WRITE)
def content_for_write(replies, request, _data):
    return replies.finish(request, [replies.data(request.offset, request.payload)])


# --- order and kind of chunks


@fault("chunk-after-done")
def chunk_after_done(replies, request, data):
    return [replies.chunk(request, *replies.data(request.offset, data), DONE),
            replies.chunk(request, Chunk.NONE, flags=DONE)]


@fault("none-without-done", Command.READ, Command.WRITE, Command.FLUSH)
def none_without_done(replies, request, _data):
    return [replies.chunk(request, Chunk.NONE)]


@fault("none-with-payload", Command.READ, Command.WRITE, Command.FLUSH)
def none_with_payload(replies, request, _data):
    return [replies.chunk(request, Chunk.NONE, b"payload", DONE)]


@fault("unknown-type", Command.READ, Command.WRITE, Command.FLUSH)
def unknown_type(replies, request, _data):
    return [replies.chunk(request, TYPE_UNKNOWN, b"payload", DONE)]


@fault("simple-read", forms=("structured",))
def simple_read(replies, request, data):
    """A simple reply to a read after structured ones were negotiated."""
    return [replies.simple(request, 0, data)]


@fault("simple-in-extended", Command.READ, Command.WRITE, Command.FLUSH, forms=("extended",))
def simple_in_extended(replies, request, data):
    return [replies.simple(request, 0, data)]


@fault("structured-uninvited", Command.READ, Command.WRITE, Command.FLUSH, forms=("simple", "extended"))
def structured_uninvited(_replies, request, data):
    """A structured chunk where that form was not negotiated."""
    payload = struct.pack(">Q", request.offset) + data if data else b""
    kind = Chunk.OFFSET_DATA if data else Chunk.NONE
    return [STRUCTURED.pack(STRUCTURED_MAGIC, DONE, kind, request.cookie, len(payload)) + payload]


@fault("extended-uninvited", Command.READ, Command.WRITE, Command.FLUSH, forms=("simple", "structured"))
def extended_uninvited(_replies, request, data):
    payload = struct.pack(">Q", request.offset) + data if data else b""
    kind = Chunk.OFFSET_DATA if data else Chunk.NONE
    return [EXTENDED.pack(EXTENDED_MAGIC, DONE, kind, request.cookie, request.offset, len(payload)) + payload]


@fault("extended-wrong-offset", Command.READ, Command.WRITE, forms=("extended",))
def extended_wrong_offset(replies, request, data):
    payload = struct.pack(">Q", request.offset) + data if data else b""
    kind = Chunk.OFFSET_DATA if data else Chunk.NONE
    return [EXTENDED.pack(EXTENDED_MAGIC, DONE, kind, request.cookie, request.offset + 1, len(payload)) + payload]


@fault("wrong-magic", Command.READ, Command.WRITE, Command.FLUSH, forms=ANY_FORM)
def wrong_magic(replies, request, data):
    return [b"\x12\x34\x56\x78" + replies.success(request, data)[0][4:]]


@fault("wrong-cookie", Command.READ, Command.WRITE, Command.FLUSH, forms=ANY_FORM)
def wrong_cookie(replies, request, data):
    """The name of a request that nobody sent. It stands at 8 in all three headers."""
    head = replies.success(request, data)[0]
    return [head[:8] + struct.pack(">Q", request.cookie ^ 0xA5A5A5A5A5A5A5A5) + head[16:]]


@fault("payload-4-gib", Command.READ, Command.WRITE, Command.FLUSH)
def payload_4_gib(replies, request, _data):
    """A payload of 4 GiB is announced, and does not come."""
    if replies.form == "extended":
        return [EXTENDED.pack(EXTENDED_MAGIC, DONE, Chunk.OFFSET_DATA, request.cookie, request.offset, 1 << 32)]
    return [STRUCTURED.pack(STRUCTURED_MAGIC, DONE, Chunk.OFFSET_DATA, request.cookie, (1 << 32) - 1)]


# --- errors


@fault("error-text-too-long", Command.READ, Command.WRITE, Command.FLUSH)
def error_text_too_long(replies, request, _data):
    """The message is said to be longer than the chunk."""
    return [replies.chunk(request, Chunk.ERROR, struct.pack(">IH", 5, 4) + b"no", DONE)]


@fault("error-offset-cut", Command.READ, Command.WRITE)
def error_offset_cut(replies, request, _data):
    """The message leaves no room for the offset."""
    return [replies.chunk(request, Chunk.ERROR_OFFSET, struct.pack(">IH", 5, 4) + b"no, no", DONE)]


@fault("error-too-short", Command.READ, Command.WRITE, Command.FLUSH)
def error_too_short(replies, request, _data):
    return [replies.chunk(request, Chunk.ERROR, b"\0\0\0\5", DONE)]


@fault("error-zero", Command.READ, Command.WRITE, Command.FLUSH)
def error_zero(replies, request, _data):
    return [replies.chunk(request, Chunk.ERROR, replies.error(Chunk.ERROR, 0), DONE)]


@fault("error-offset-outside", Command.READ, Command.WRITE)
def error_offset_outside(replies, request, _data):
    payload = replies.error(Chunk.ERROR_OFFSET, 5, b"", request.offset + request.length)
    return [replies.chunk(request, Chunk.ERROR_OFFSET, payload, DONE)]


# --- block status


def status_of(replies, context, extents):
    if replies.form == "extended":
        return replies.extended_status(context, extents, len(extents))
    return replies.compact_status(context, extents)


def status_reply(replies, request, context, extents):
    return [replies.chunk(request, *status_of(replies, context, extents), DONE)]


@fault("status-empty", Command.BLOCK_STATUS)
def status_empty(replies, request, _data):
    return status_reply(replies, request, replies.context, [])


@fault("status-foreign", Command.BLOCK_STATUS)
def status_foreign(replies, request, _data):
    """Of a context that was not negotiated."""
    return status_reply(replies, request, (replies.context + FOREIGN) & 0xFFFFFFFF, [(request.length, 0)])


@fault("status-zero-length", Command.BLOCK_STATUS)
def status_zero_length(replies, request, _data):
    return status_reply(replies, request, replies.context, [(0, 0), (request.length, 0)])


@fault("status-uninvited", Command.READ)
def status_uninvited(replies, request, data):
    """A status where none was asked for."""
    context = replies.context if replies.context is not None else 0
    return replies.finish(request, [status_of(replies, context, [(request.length, 0)]),
                                    replies.data(request.offset, data)])


@fault("status-twice", Command.BLOCK_STATUS)
def status_twice(replies, request, _data):
    return replies.finish(request, [status_of(replies, replies.context, [(request.length, 0)])] * 2)


@fault("status-missing", Command.BLOCK_STATUS)
def status_missing(replies, request, _data):
    """Success without a status."""
    return [replies.chunk(request, Chunk.NONE, flags=DONE)]


@fault("status-cut", Command.BLOCK_STATUS)
def status_cut(replies, request, _data):
    """Half a descriptor."""
    kind, payload = status_of(replies, replies.context, [(request.length, 0), (request.length, 0)])
    return [replies.chunk(request, kind, payload[:-3], DONE)]


@fault("status-beyond", Command.BLOCK_STATUS)
def status_beyond(replies, request, _data):
    """The extents before the last reach the end of the request already."""
    return status_reply(replies, request, replies.context, [(request.length, 0), (request.length, 0)])


@fault("status-two-for-one", Command.BLOCK_STATUS, flag=CommandFlag.REQ_ONE)
def status_two_for_one(replies, request, _data):
    half = request.length // 2
    return status_reply(replies, request, replies.context, clipped([(half, 0), (request.length, 0)], request.length))


@fault("status-wrong-count", Command.BLOCK_STATUS, forms=("extended",))
def status_wrong_count(replies, request, _data):
    kind, payload = replies.extended_status(replies.context, [(request.length, 0)], 2)
    return [replies.chunk(request, kind, payload, DONE)]


@fault("status-extended-uninvited", Command.BLOCK_STATUS, forms=("structured",))
def status_extended_uninvited(replies, request, _data):
    """64-bit extents without extended headers."""
    kind, payload = replies.extended_status(replies.context, [(request.length, 0)], 1)
    return [replies.chunk(request, kind, payload, DONE)]


@fault("simple-status", Command.BLOCK_STATUS, forms=("structured",))
def simple_status(_replies, request, _data):
    return [SIMPLE.pack(SIMPLE_MAGIC, 0, request.cookie)]
