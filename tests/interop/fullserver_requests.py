# SPDX-License-Identifier: LGPL-2.1-or-later
"""Requests as they arrive, what the document forbids in them, and what they do to the disk."""

import dataclasses

from nbdwire import (EXTENDED_REQUEST, EXTENDED_REQUEST_MAGIC, REQUEST, REQUEST_MAGIC, Command, CommandFlag, Error,
                     Flag, name_of, names_of)

PAYLOAD_MAX = 256 << 20  # a client that sends more is cut off

RANGED = (Command.READ, Command.WRITE, Command.TRIM, Command.CACHE, Command.WRITE_ZEROES, Command.BLOCK_STATUS)
WRITING = (Command.WRITE, Command.TRIM, Command.WRITE_ZEROES)

# "Command flags": where each is valid, and the transmission flag that it needs.
VALID = {
    CommandFlag.FUA: (WRITING, Flag.FUA),
    CommandFlag.NO_HOLE: ((Command.WRITE_ZEROES,), Flag.WRITE_ZEROES),
    CommandFlag.DF: ((Command.READ,), Flag.DF),
    CommandFlag.REQ_ONE: ((Command.BLOCK_STATUS,), 0),
    CommandFlag.FAST_ZERO: ((Command.WRITE_ZEROES,), Flag.FAST_ZERO),
    CommandFlag.PAYLOAD_LEN: ((Command.WRITE,), 0),
}

# The transmission flag that exposes a command.
EXPOSED = {
    Command.FLUSH: Flag.FLUSH,
    Command.TRIM: Flag.TRIM,
    Command.CACHE: Flag.CACHE,
    Command.WRITE_ZEROES: Flag.WRITE_ZEROES,
}


class Fatal(Exception):
    """Nothing after this can be understood: the connection has to be closed."""


@dataclasses.dataclass
class Request:
    command: int
    flags: int
    cookie: int
    offset: int
    length: int
    payload: bytes = b""

    def logged(self):
        return self.command, self.flags, self.offset, self.length

    def __str__(self):
        flags = "|".join(names_of(CommandFlag, self.flags)) or "0"
        return f"{name_of(Command, self.command)}({flags}, {self.offset}, {self.length})"


def receive_request(stream, form):
    """The next request with its payload."""
    extended = form == "extended"
    magic, *fields = stream.receive_struct(EXTENDED_REQUEST if extended else REQUEST)
    if magic != (EXTENDED_REQUEST_MAGIC if extended else REQUEST_MAGIC):
        raise Fatal(f"a request with the magic {magic:#x}")
    flags, command, cookie, offset, length = fields
    request = Request(command, flags, cookie, offset, length)
    has_payload = flags & CommandFlag.PAYLOAD_LEN if extended else command == Command.WRITE
    if has_payload and length > PAYLOAD_MAX:
        raise Fatal(f"{request} has a payload larger than this server takes")
    request.payload = stream.receive(length) if has_payload else b""
    return request


class Rules:
    """What one connection has to keep to."""

    def __init__(self, negotiation):
        self.export = negotiation.export
        self.flags = negotiation.flags()
        self.form = negotiation.form
        self.context = negotiation.context
        self.minimum = self.export.minimum()
        self.maximum = self.export.maximum()

    def broken_by(self, request):
        """[(error to answer with, complaint)]; empty when all is as it should be."""
        checks = (self._command, self._command_flags, self._payload, self._range, self._block_sizes, self._unranged)
        return [problem for check in checks for problem in check(request)]

    def _command(self, request):
        if request.command not in list(Command):
            yield Error.EINVAL, "an unknown command"
            return
        needed = EXPOSED.get(request.command, 0)
        if needed & ~self.flags:
            yield Error.EINVAL, f"a command that the server did not offer ({needed.name})"
        if request.command in WRITING and self.flags & Flag.READ_ONLY:
            yield Error.EPERM, "a write to a read-only export"
        if request.command == Command.BLOCK_STATUS and self.context is None:
            yield Error.EINVAL, "BLOCK_STATUS without a context"

    def _command_flags(self, request):
        for flag, (commands, needed) in VALID.items():
            if not request.flags & flag:
                continue
            if request.command not in commands:
                yield Error.EINVAL, f"the flag {flag.name} with a command that has no use for it"
            if needed & ~self.flags:
                yield Error.EINVAL, f"the flag {flag.name} that the server did not offer"
        if request.flags & ~sum(CommandFlag):
            yield Error.EINVAL, "unknown flags"

    def _payload(self, request):
        """ "NBD_CMD_FLAG_PAYLOAD_LEN": with extended headers, with every write and nowhere else."""
        if self.form != "extended":
            if request.flags & CommandFlag.PAYLOAD_LEN:
                yield Error.EINVAL, "PAYLOAD_LEN without extended headers"
        elif request.command == Command.WRITE and not request.flags & CommandFlag.PAYLOAD_LEN:
            yield Error.EINVAL, "a write without PAYLOAD_LEN"

    def _range(self, request):
        if request.command not in RANGED:
            return
        if request.length == 0:
            yield Error.EINVAL, "a length of 0"
        if request.offset + request.length > self.export.size:
            full = request.command in (Command.WRITE, Command.WRITE_ZEROES)
            yield Error.ENOSPC if full else Error.EINVAL, "a range beyond the end of the export"

    def _block_sizes(self, request):
        if request.command not in RANGED:
            return
        if request.offset % self.minimum or request.length % self.minimum:
            yield Error.EINVAL, f"not in blocks of {self.minimum} bytes"
        if request.command in (Command.READ, Command.WRITE) and request.length > self.maximum:
            yield Error.EINVAL, f"longer than the maximum of {self.maximum} bytes"

    def _unranged(self, request):
        if request.command in (Command.FLUSH, Command.DISC) and (request.offset or request.length):
            yield Error.EINVAL, "an offset or a length that is reserved"


def perform(image, request):
    """Does what the request asks for; a read's bytes are the result."""
    if request.command == Command.READ:
        return image.read(request.offset, request.length)
    if request.command == Command.WRITE:
        image.write(request.offset, request.payload)
    elif request.command == Command.TRIM:
        image.trim(request.offset, request.length)
    elif request.command == Command.WRITE_ZEROES:
        image.zero(request.offset, request.length, hole=not request.flags & CommandFlag.NO_HOLE)
    return b""
