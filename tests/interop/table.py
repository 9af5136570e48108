#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
docs/interop.md: what the core's client and each server of the zoo say to each other, as a tap has seen it.

    tests/interop/table.py              prints the document
    tests/interop/table.py --write      writes it

The client has to be built: cmake --preset native && cmake --build --preset native --target interop
"""

import re
import subprocess
import sys
from pathlib import Path

import zoo
from client_run import run_client, run_client_at
from fullserver import Server
from fullserver_replies import Shape
from nbdwire import Chunk, Command, CommandFlag, Flag, name_of, names_of
from tap import Tap
from tap_capture import table

DOCUMENT = Path(__file__).parents[2] / "docs" / "interop.md"
SCRIPTED = "fullserver"
VERSIONS = "Last written with "  # the only line that may differ from what a run gives
PROGRAMS = {"nbdkit": ("nbdkit", "--version"), "nbd-server": ("nbd-server", "-V"), "QEMU": ("qemu-nbd", "--version")}

HEAD = """# What servers and the core's NBD client say to each other

A program writes this: `tests/interop/table.py --write`, once the client is built
(`cmake --preset native && cmake --build --preset native --target interop`). `make check` runs it again and fails when
what it sees is not what stands here.

`tests/interop/client.c` drives `core/nbd` over a socket with every operation that the export and the negotiated terms
have, checks what it reads and what it is told of extents, and leaves. A proxy between the two decodes every byte. On
each connection it has been checked that

* the options come in the order EXTENDED_HEADERS, STRUCTURED_REPLY, SET_META_CONTEXT, GO, the second only where the
  first was refused, the third only where one of them was accepted;
* no command and no flag is sent that the server does not offer, nothing is written to a read-only export, and
  BLOCK_STATUS is asked only with a context;
* no request reaches beyond the export, is not of whole blocks or is longer than the server takes;
* a FLUSH has offset 0 and length 0;
* DISC is the last request, all of its fields 0.

The configurations are those of `tests/interop/zoo.py`, with Debian 12's servers. None of these offers extended
headers: each answers EXTENDED_HEADERS with an error. `fullserver` is the project's own scripted server
(`tests/interop/fullserver.py`), written from the text of the protocol's document (`doc/proto.md`): that the core's
client agrees with it on extended headers shows that two readings of that text agree, not that a third one would.

"""

HANDSHAKE = """
## The handshake

"""

EXPORT = """
## The export

Flags as the server tells them; minimum, preferred and maximum block size where it tells any.

"""

SESSION = """
## The session

In parentheses: the flags that were sent with the command at least once. Replies: the forms and, of those in chunks,
the types that came; those of errors only where errors are meant to happen.

"""

LACKS = """
## What is not offered

"""

REMARKS = """
## What to know of some

* `nbd-server-copy-on-write` and `nbdkit-sparse-random` answer reads with wrong data when several requests are in
  flight; libnbd gets the same from them. The client keeps one in flight there. A disk keeps many: do not map such an
  export.
* `nbdkit-error` and `nbdkit-full` fail as they are told to; `nbdkit-sparse-random` refuses to be written with anything
  but what it has. Every failure is reported, and nothing else is wrong.
* `nbdkit-pattern` is read-only by its nature.
"""

ALL = "nothing is left out; it was written from the document's text, for want of a server that others wrote"

# What a server may lack: the words for it, and how its connection shows that it does not.
OFFERS = {
    "extended headers": lambda capture: capture.form == "extended",
    "structured replies": lambda capture: capture.form != "simple",
    "base:allocation": lambda capture: bool(capture.contexts),
    "block sizes": lambda capture: capture.block_sizes is not None,
    "MULTI_CONN": lambda capture: capture.flags & Flag.MULTI_CONN,
    "DF": lambda capture: capture.flags & Flag.DF,
    "CACHE": lambda capture: capture.flags & Flag.CACHE,
    "FLUSH": lambda capture: capture.flags & Flag.FLUSH,
}
OFFERS_TO_WRITERS = {
    "FUA": lambda capture: capture.flags & Flag.FUA,
    "TRIM": lambda capture: capture.flags & Flag.TRIM,
    "WRITE_ZEROES": lambda capture: capture.flags & Flag.WRITE_ZEROES,
    "FAST_ZERO": lambda capture: capture.flags & Flag.FAST_ZERO,
}


# --- looking


def look_at(name):
    """The capture of one run with a server of the zoo."""
    with zoo.running(name) as server, Tap(server.port) as tap:
        outcome = run_client_at(name, tap.port)
    assert outcome.failure() is None, f"{name}: {outcome}"
    return tap.captures[0]


def look_at_scripted():
    with Server(shape=Shape.wild(1, errors=0.05)) as server, Tap(server.port) as tap:
        outcome = run_client(tap.port, "disk", 2000, "--errors")
    assert outcome.failure() is None and server.complaints == [], (outcome, server.complaints)
    return tap.captures[0]


def look_at_all():
    return {**{name: look_at(name) for name in zoo.ENTRIES}, SCRIPTED: look_at_scripted()}


# --- telling


def handshake_row(_name, capture):
    return {"options and their answers": ", ".join(map(str, capture.options)), "form": capture.form,
            "context": " ".join(capture.contexts.values()) or "-"}


def export_row(_name, capture):
    flags = " ".join(flag for flag in names_of(Flag, capture.flags) if flag != Flag.HAS_FLAGS.name)
    return {"flags": flags or "-", "block sizes": "/".join(map(str, capture.block_sizes or ())) or "-"}


def session_row(name, capture):
    replies = [*sorted(capture.replies), *chunks_of(name, capture)]
    return {"commands": commands_of(capture), "replies": " ".join(replies),
            "DISC": "yes" if capture.disconnected() else "no"}


def chunks_of(name, capture):
    """Whether a server refuses a FAST_ZERO depends on the file system that it is on."""
    fails = name in (*zoo.FAILING, SCRIPTED)
    return [name_of(Chunk, kind) for kind in sorted(capture.chunks) if fails or not kind & 0x8000]


def commands_of(capture):
    flags = {}
    for command, sent, *_ in capture.requests:
        flags[command] = flags.get(command, 0) | sent
    flags.pop(Command.DISC, None)
    return ", ".join(name_of(Command, command) + (f" ({' '.join(names_of(CommandFlag, sent))})" if sent else "")
                     for command, sent in sorted(flags.items()))


def rows(captures, row):
    return table({name: row(name, capture) for name, capture in captures.items()})


def lacks(name, capture):
    offers = OFFERS if capture.flags & Flag.READ_ONLY else {**OFFERS, **OFFERS_TO_WRITERS}
    missing = ", ".join(f"no {words}" for words, is_there in offers.items() if not is_there(capture))
    only = " It is read-only." if capture.flags & Flag.READ_ONLY else ""
    return f"* `{name}`: {missing or ALL}.{only}\n"


def version_of(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)[0]


def versions():
    return VERSIONS + ", ".join(f"{name} {version_of(command)}" for name, command in PROGRAMS.items()) + ".\n"


def document(captures):
    return "".join([HEAD, versions(), HANDSHAKE, rows(captures, handshake_row), EXPORT, rows(captures, export_row),
                    SESSION, rows(captures, session_row), LACKS,
                    *(lacks(name, capture) for name, capture in captures.items()), REMARKS])


def without_versions(text):
    return [line for line in text.splitlines() if not line.startswith(VERSIONS)]


def main():
    text = document(look_at_all())
    if sys.argv[1:] == ["--write"]:
        DOCUMENT.write_text(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
