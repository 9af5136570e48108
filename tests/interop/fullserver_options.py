# SPDX-License-Identifier: LGPL-2.1-or-later
"""The server's side of the fixed newstyle handshake, and what it holds against the client's."""

import struct

from nbdwire import (ALLOCATION, FIXED_NEWSTYLE, GREETING, INIT_MAGIC, NO_ZEROES, OPTION, OPTION_MAGIC, OPTION_REPLY,
                     OPTION_REPLY_MAGIC, STRING_MAX, Answer, Flag, Info, Option)

OPTION_MAX = 1 << 20  # bytes of an option's data; a client that sends more is cut off
STRANGE_INFO = 0x7777  # an information type that nobody knows

# What a refusal can be beside an Answer.
CLOSE = "close"


class Malformed(Exception):
    """An option's data is not what the document says."""


class Fields:
    """Reads an option's data from the front."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, length):
        if length > len(self.data) - self.at:
            raise Malformed("a length that reaches beyond the option's data")
        self.at += length
        return self.data[self.at - length:self.at]

    def number(self, layout):
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def string(self):
        return checked_string(self.take(self.number(">I")))

    def end(self):
        if self.at != len(self.data):
            raise Malformed(f"{len(self.data) - self.at} bytes too many")


def checked_string(data):
    """ "Conventions": UTF-8 without NUL, at most 4096 bytes."""
    if len(data) > STRING_MAX or b"\0" in data:
        raise Malformed("a string longer than 4096 bytes, or with NUL")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Malformed("a string that is not UTF-8") from None


class Negotiation:
    """
    One handshake. Afterwards `export` is the one chosen (None: there is no transmission), `form` is "simple",
    "structured" or "extended", `context` the number of base:allocation or None.
    """

    def __init__(self, stream, server, shape, record, complain):
        self.stream = stream
        self.shape = shape
        self.server = server
        self.record = record
        self.complain = complain
        self.export = None
        self.name = None
        self.form = "simple"
        self.context = None
        self.context_name = None  # the export that the contexts are of
        self.client_flags = 0
        self.must_abort = False

    def run(self):
        """Whether transmission begins."""
        self.stream.send(GREETING.pack(INIT_MAGIC, OPTION_MAGIC, self.server.handshake_flags))
        self.client_flags = struct.unpack(">I", self.stream.receive(4))[0]
        if not self._accepts_client_flags():
            return False
        while True:
            magic, option, length = self.stream.receive_struct(OPTION)
            if magic != OPTION_MAGIC or length > OPTION_MAX:
                self.complain(f"option with magic {magic:#x}, length {length}")
                return False
            done = self._option(option, self.stream.receive(length))
            if done is not None:
                self._settle_context()
                return done

    def flags(self):
        """The transmission flags as they are told: DF is only for those who negotiated chunks."""
        return self.export.flags if self.form != "simple" else self.export.flags & ~Flag.DF

    def _accepts_client_flags(self):
        if not self.client_flags & FIXED_NEWSTYLE:
            self.complain("client flags without FIXED_NEWSTYLE")
        if self.client_flags & ~self.server.handshake_flags:
            self.complain(f"client flags {self.client_flags:#x} that the server did not offer")
            return False
        return True

    def _settle_context(self):
        """ "NBD_OPT_SET_META_CONTEXT": what was selected holds for the export of that name only."""
        if self.context_name != self.name:
            self.context = None

    def _option(self, option, data):
        """None: the handshake goes on; True: transmission; False: close."""
        if self.stream.has_data():
            self.complain(f"something sent before the reply to option {option}")
        if self.must_abort and option != Option.ABORT:
            self.complain("an option other than ABORT after ERR_SHUTDOWN")
        refusal = self.server.refuse.get(option)
        try:
            return self._dispatch(option, data, refusal)
        except Malformed as why:
            self.record(option, data)
            self.complain(f"option {option}: {why}")
            if option == Option.EXPORT_NAME:
                return False
            self._answer(option, Answer.ERR_INVALID, str(why).encode())
            return None

    def _dispatch(self, option, data, refusal):
        handler = self.HANDLERS.get(option)
        detail, act = handler(self, option, data) if handler else (data, lambda: self._refuse(option, Answer.ERR_UNSUP))
        self.record(option, detail)
        if option == Option.SET_META_CONTEXT:
            self.context = None
        if refusal is not None:
            return self._refuse(option, refusal)
        return act()

    def _refuse(self, option, refusal):
        if refusal == CLOSE or option == Option.EXPORT_NAME:
            return False
        self.must_abort = refusal == Answer.ERR_SHUTDOWN
        self._answer(option, refusal, self.server.refusal_text)
        return None

    def _answer(self, option, reply, data=b""):
        self.stream.send(OPTION_REPLY.pack(OPTION_REPLY_MAGIC, option, reply, len(data)) + data)

    # Each handler reads the option's data and answers (what is to be recorded, what is to be done).

    def _export_name(self, option, data):
        name = checked_string(data)
        return name, lambda: self._enter_by_name(name)

    def _abort(self, option, data):
        Fields(data).end()

        def act():
            self._answer(option, Answer.ACK)
            return False
        return None, act

    def _list(self, option, data):
        Fields(data).end()

        def act():
            for export in self.server.exports:
                name = export.name.encode()
                self._answer(option, Answer.SERVER, struct.pack(">I", len(name)) + name + export.description.encode())
            self._answer(option, Answer.ACK)
        return None, act

    def _info(self, option, data):
        fields = Fields(data)
        name = fields.string()
        asked = tuple(fields.number(">H") for _ in range(fields.number(">H")))
        fields.end()
        if len(set(asked)) != len(asked):
            self.complain(f"option {option} asks for the same information twice")
        return (name, asked), lambda: self._describe(option, name, asked)

    def _structured_reply(self, option, data):
        Fields(data).end()

        def act():
            if self.form == "extended":
                return self._refuse(option, Answer.ERR_EXT_HEADER_REQD)
            self.form = "structured"
            self._answer(option, Answer.ACK)
        return None, act

    def _extended_headers(self, option, data):
        Fields(data).end()

        def act():
            self.form = "extended"
            self._answer(option, Answer.ACK)
        return None, act

    def _meta_context(self, option, data):
        fields = Fields(data)
        name = fields.string()
        queries = tuple(fields.string() for _ in range(fields.number(">I")))
        fields.end()
        if not all(0 < query.find(":") for query in queries):
            raise Malformed("a query without a namespace")
        return (name, queries), lambda: self._contexts(option, name, queries)

    HANDLERS = {
        Option.EXPORT_NAME: _export_name,
        Option.ABORT: _abort,
        Option.LIST: _list,
        Option.INFO: _info,
        Option.GO: _info,
        Option.STRUCTURED_REPLY: _structured_reply,
        Option.LIST_META_CONTEXT: _meta_context,
        Option.SET_META_CONTEXT: _meta_context,
        Option.EXTENDED_HEADERS: _extended_headers,
    }

    def _choose(self, name):
        self.name = name
        self.export = self.server.find(name)
        return self.export is not None

    def _enter_by_name(self, name):
        if not self._choose(name) or self.server.require_block_size or self._lacks_extended():
            return False
        padding = b"" if self.client_flags & self.server.handshake_flags & NO_ZEROES else bytes(124)
        self.stream.send(struct.pack(">QH", self.export.size, self.flags()) + padding)
        return True

    def _lacks_extended(self):
        return self.server.require_extended and self.form != "extended"

    def _describe(self, option, name, asked):
        if not self._choose(name):
            return self._refuse(option, Answer.ERR_UNKNOWN)
        if self._lacks_extended():
            return self._refuse(option, Answer.ERR_EXT_HEADER_REQD)
        if self.server.require_block_size and Info.BLOCK_SIZE not in asked:
            return self._refuse(option, Answer.ERR_BLOCK_SIZE_REQD)
        for data in self.shape.order(self._information(asked)):
            self._answer(option, Answer.INFO, data)
        self._answer(option, Answer.ACK)
        return True if option == Option.GO else None

    def _information(self, asked):
        export = self.export
        told = [struct.pack(">HQH", Info.EXPORT, export.size, self.flags())]
        if export.block_sizes and (Info.BLOCK_SIZE in asked or self.server.volunteer):
            told.append(struct.pack(">HIII", Info.BLOCK_SIZE, *export.block_sizes))
        if Info.NAME in asked:
            told.append(struct.pack(">H", Info.NAME) + export.name.encode())
        if Info.DESCRIPTION in asked:
            told.append(struct.pack(">H", Info.DESCRIPTION) + export.description.encode())
        if self.server.volunteer:
            told.append(struct.pack(">H", STRANGE_INFO) + b"what nobody asked for")
        return told

    def _contexts(self, option, name, queries):
        if self.form == "simple":
            self.complain(f"option {option} before structured replies or extended headers")
            return self._refuse(option, Answer.ERR_INVALID)
        if self.server.find(name) is None:
            return self._refuse(option, Answer.ERR_UNKNOWN)
        setting = option == Option.SET_META_CONTEXT
        known = ALLOCATION in queries or (not setting and (not queries or "base:" in queries))
        number = self.server.context_number if setting else 0
        if known:
            self._answer(option, Answer.META_CONTEXT, struct.pack(">I", number) + ALLOCATION.encode())
        if setting:
            self.context, self.context_name = (number if known else None), name
        self._answer(option, Answer.ACK)
        return None
