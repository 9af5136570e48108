#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
An NBD server that speaks all of the protocol, written from its document (doc/proto.md): extended headers too, which few
servers have. It shapes its replies in every way that is allowed (fullserver_replies.Shape), or in one that is not
(fullserver_faults), and holds against the client whatever the document does not allow it (Server.complaints).

    with Server(size=64 << 20, shape=Shape.wild(seed=3)) as server:
        ...                                 # a client of 127.0.0.1, server.port
    assert server.complaints == []

As a program: fullserver.py --port 10809 --form extended --shape chunks=5,holes=0.5 --fault overlap
"""

import argparse
import collections
import contextlib
import dataclasses
import itertools
import signal
import socket
import sys
import threading

from fullserver_faults import FAULTS
from fullserver_image import PAGE, Image
from fullserver_options import CLOSE, Negotiation
from fullserver_replies import Replies, Shape
from fullserver_requests import Fatal, Rules, perform, receive_request
from fullserver_stream import Cut, Stream
from nbdwire import FIXED_NEWSTYLE, NO_ZEROES, UNLIMITED, Answer, Command, Flag, Option

ALL_FLAGS = sum(Flag) & ~(Flag.READ_ONLY | Flag.ROTATIONAL | Flag.RESIZE)
FORMS = {
    "simple": (Option.STRUCTURED_REPLY, Option.LIST_META_CONTEXT, Option.SET_META_CONTEXT, Option.EXTENDED_HEADERS),
    "structured": (Option.EXTENDED_HEADERS,),
    "extended": (),
}


@dataclasses.dataclass
class Export:
    """`block_sizes` is (minimum, preferred, maximum payload), or None when the server does not tell any."""

    name: str = "disk"
    size: int = 64 << 20
    flags: int = ALL_FLAGS
    block_sizes: tuple = (1, 4096, 32 << 20)
    description: str = "a disk in memory"

    def __post_init__(self):
        self.image = Image(self.size)

    def minimum(self):
        return self.block_sizes[0] if self.block_sizes else 1

    def maximum(self):
        """ "Block size constraints": 32 MiB where nothing else is said."""
        most = self.block_sizes[2] if self.block_sizes else 32 << 20
        return self.size if most == UNLIMITED else most

    def extents(self, offset, end):
        """Those of the image, in whole blocks."""
        extents = self.image.extents(offset, end)
        if self.minimum() <= PAGE:
            return extents
        return [(end - offset, min(state for _, state in extents))]


class Connection:
    """One client: its handshake, its requests as they came, and its complaints."""

    def __init__(self, server, number, connected):
        self.server = server
        self.number = number
        self.shape = server.shape.of_connection(number)
        self.stream = Stream(connected, self.shape.random, self.shape.delivery, server.cut_at)
        self.options = []
        self.requests = []
        self.negotiation = Negotiation(self.stream, server, self.shape, self._record_option, self.complain)
        self.rules = self.replies = None
        self.misbehaved = False
        self.polite = False  # ended by ABORT or DISC
        self.pending = []  # [(request, messages)] not yet answered

    def complain(self, text):
        self.server.complaints.append(f"connection {self.number}: {text}")

    def _record_option(self, option, detail):
        self.options.append((option, detail))
        self.server.options.append((option, detail))
        self.polite = option == Option.ABORT

    def run(self):
        try:
            if self.negotiation.run():
                self._transmit()
            self._expect_end()
        except Cut:
            self.misbehaved = True
        except (EOFError, OSError):
            self._lost()
        except Fatal as why:
            self.complain(str(why))
        finally:
            self.stream.close()
            if self.misbehaved and not self.server.ended.is_set():
                self.server.hung_up.set()

    def _transmit(self):
        self.rules = Rules(self.negotiation)
        self.replies = Replies(self.shape, self.negotiation)
        while not self.polite:
            self._take(receive_request(self.stream, self.negotiation.form))
            while not self.polite and self._may_wait_for_more():
                self._take(receive_request(self.stream, self.negotiation.form))
            self._answer()

    def _may_wait_for_more(self):
        return len(self.pending) < self.shape.gather and self.stream.has_data(self.shape.gather_ms / 1000)

    def _expect_end(self):
        """Nothing may follow ABORT or DISC."""
        if self.polite and self.stream.has_data():
            self.complain("something sent after the end")

    def _lost(self):
        """A client may hang up when the server broke the protocol, or has refused what has no other refusal."""
        if not (self.polite or self.misbehaved or self.server.ended.is_set()):
            self.complain("closed without ABORT or DISC")

    def _take(self, request):
        self.requests.append(request.logged())
        self.server.requests.append(request.logged())
        problems = self.rules.broken_by(request)
        for _, text in problems:
            self.complain(f"{request}: {text}")
        if any(request.cookie == other.cookie for other, _ in self.pending):
            self.complain(f"{request}: the cookie of a request that is not yet answered")
        if request.command == Command.DISC:
            self.polite = True
        else:
            self.pending.append((request, self._messages(request, problems)))

    def _messages(self, request, problems):
        """The reply. What the request asks for is done now, in the order of arrival."""
        if problems:
            return self.replies.failure(request, problems[0][0])
        image = self.negotiation.export.image
        if self._fails(request):
            content = perform(image, request) if request.command == Command.READ else b""
            return self.replies.failure(request, self._error_for(request), content)
        data = perform(image, request)
        if self.server.claim_fault(self.negotiation.form, request):
            self.misbehaved = True
            return FAULTS[self.server.fault].make(self.replies, request, data)
        return self.replies.success(request, data)

    def _fails(self, request):
        wanted = self.shape.error_commands
        return (not wanted or request.command in wanted) and self.shape.likely(self.shape.errors)

    def _error_for(self, request):
        error = self.shape.random.choice(self.shape.error_numbers)
        with self.server.lock:
            self.server.failures[request.command, error] += 1
        return error

    def _answer(self):
        replies = [messages for _, messages in self.shape.random.sample(self.pending, len(self.pending))]
        self.pending = []
        self.stream.send(*(self._interleaved(replies) if self.shape.interleave else itertools.chain(*replies)))

    def _interleaved(self, replies):
        """One reply's messages stay in order."""
        queues = [list(messages) for messages in replies]
        while queues:
            queue = self.shape.random.choice(queues)
            yield queue.pop(0)
            queues = [queue for queue in queues if queue]


class Server:
    """
    Listens from the beginning of the block to its end, a thread for each connection; they share the exports.

    `form` is the most the client can negotiate; `refuse` has an Answer, or "close", for options that are refused
    besides; `require_block_size` and `require_extended` refuse those who do not ask for that; `volunteer` tells what
    nobody asked for. The fault `fault` (fullserver_faults) is committed once, in the reply to the `fault_at`th request
    that it fits, counted from 0. With `cut_at` a connection is closed when so many bytes have been sent on it.
    `hung_up` is set when a client to which one of these was done has gone.
    """

    def __init__(self, exports=(), form="extended", shape=None, refuse=None, fault=None, fault_at=0, port=0,
                 handshake_flags=FIXED_NEWSTYLE | NO_ZEROES, require_block_size=False, require_extended=False,
                 volunteer=False, context_number=7, refusal_text=b"the test says no", cut_at=None,
                 **export):
        assert fault is None or fault in FAULTS, fault
        self.exports = list(exports) or [Export(**export)]
        self.shape = shape or Shape()
        self.refuse = {**dict.fromkeys(FORMS[form], Answer.ERR_UNSUP), **(refuse or {})}
        self.fault = fault
        self.fault_at = fault_at
        self.handshake_flags = handshake_flags
        self.require_block_size = require_block_size
        self.require_extended = require_extended
        self.volunteer = volunteer
        self.context_number = context_number
        self.refusal_text = refusal_text
        self.cut_at = cut_at
        self.complaints = []
        self.options = []   # (option, what it asked) of all connections as they came
        self.requests = []  # (command, flags, offset, length)
        self.failures = collections.Counter()  # {(command, error): how often} of what the shape made fail
        self.connections = []
        self.hung_up = threading.Event()
        self.ended = threading.Event()
        self.lock = threading.Lock()
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port = self.listener.getsockname()[1]

    @property
    def image(self):
        return self.exports[0].image

    def find(self, name):
        """The export of that name; the empty name is the first one's."""
        return next((export for export in self.exports if name in (export.name, "")), None)

    def claim_fault(self, form, request):
        """Whether this reply is the one that goes wrong."""
        if self.fault is None or not FAULTS[self.fault].fits(form, request):
            return False
        with self.lock:
            self.fault_at -= 1
            return self.fault_at == -1

    def __enter__(self):
        self._start(self._accept)
        return self

    def __exit__(self, *_):
        """Clients that are about to go are given a moment, so that what they did last is judged too."""
        for thread in self.threads[1:]:
            thread.join(timeout=0.5)
        self.ended.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            connection.stream.close()
        for thread in self.threads:
            thread.join(timeout=10)
            assert not thread.is_alive(), "the server does not end"

    def _start(self, function):
        thread = threading.Thread(target=function, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self):
        while not self.ended.is_set():
            try:
                connected, _ = self.listener.accept()
            except OSError:
                return
            connection = Connection(self, len(self.connections), connected)
            self.connections.append(connection)
            self._start(connection.run)


def value_from(kind, text):
    """One field of a Shape; tuples are of numbers, "1+5"."""
    if kind is tuple:
        return tuple(int(item, 0) for item in text.split("+"))
    return kind(int(text)) if kind in (int, bool) else kind(text)


def shape_from(text):
    """ "chunks=5,holes=0.5", beginning with "wild" for everything at once."""
    kinds = {field.name: type(field.default) for field in dataclasses.fields(Shape)}
    words = text.split(",")
    wild = words[0] == "wild"
    pairs = [word.split("=") for word in (words[1:] if wild else words)]
    values = {name: value_from(kinds[name], value) for name, value in pairs}
    return Shape.wild(values.pop("seed", 1), **values) if wild else Shape(**values)


def refusal_from(text):
    """ "GO=ERR_POLICY" or "GO=close"."""
    option, _, answer = text.partition("=")
    return Option[option], CLOSE if answer == CLOSE else Answer[answer]


def arguments():
    parser = argparse.ArgumentParser(description="An NBD server for tests. SIGTERM ends it; it says its complaints.")
    parser.add_argument("--port", type=int, default=10809)
    parser.add_argument("--form", "--mode", choices=FORMS, default="extended", help="the most a client can negotiate")
    parser.add_argument("--name", default="disk")
    parser.add_argument("--size", type=int, default=64 << 20)
    parser.add_argument("--flags", type=lambda text: int(text, 0), default=ALL_FLAGS)
    parser.add_argument("--block-sizes", type=lambda text: tuple(map(int, text.split(","))),
                        default=(1, 4096, 32 << 20), help="minimum,preferred,maximum")
    parser.add_argument("--shape", type=shape_from, default=Shape(), help="e.g. wild,seed=3 or chunks=5,holes=0.5")
    parser.add_argument("--refuse", type=refusal_from, action="append", default=[], help="e.g. GO=ERR_POLICY, GO=close")
    parser.add_argument("--fault", choices=sorted(FAULTS))
    parser.add_argument("--fault-at", type=int, default=0)
    return parser.parse_args()


def main():
    told = arguments()
    # Blocked before any thread begins: they inherit it, and the signal is left for the one that waits.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    with Server(form=told.form, shape=told.shape, refuse=dict(told.refuse), fault=told.fault, fault_at=told.fault_at,
                port=told.port, name=told.name, size=told.size, flags=told.flags,
                block_sizes=told.block_sizes) as server:
        print(f"listening on 127.0.0.1:{server.port}", flush=True)
        signal.sigwait((signal.SIGTERM, signal.SIGINT))
    for complaint in server.complaints:
        print(complaint)
    return 1 if server.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
