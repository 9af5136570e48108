# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a client may not do, looked for in what a tap has decoded: the same rules for every server."""

import types

from fullserver import Export
from fullserver_requests import Request, Rules
from nbdwire import Answer, Command, Flag, Option

# The core's options in their order, each at most once. EXPORT_NAME is for a server that does not know GO.
ORDER = (Option.EXTENDED_HEADERS, Option.STRUCTURED_REPLY, Option.SET_META_CONTEXT, Option.GO, Option.EXPORT_NAME)


def misdeeds(capture):
    """Sentences; none when the client has done all as it should."""
    if capture.undecodable:
        return [capture.undecodable]
    return [*option_misdeeds(capture.options), *request_misdeeds(capture), *end_misdeeds(capture)]


def option_misdeeds(options):
    sent = [asked.option for asked in options]
    accepted = {asked.option for asked in options if asked.accepted()}
    if sent != [option for option in ORDER if option in sent]:
        yield f"options in the order {sent}"
    if Option.STRUCTURED_REPLY in sent and Option.EXTENDED_HEADERS in accepted:
        yield "STRUCTURED_REPLY after EXTENDED_HEADERS was accepted"
    if Option.SET_META_CONTEXT in sent and not accepted & {Option.EXTENDED_HEADERS, Option.STRUCTURED_REPLY}:
        yield "SET_META_CONTEXT without chunks"
    if Option.EXPORT_NAME in sent and Option.GO in sent and answer_to(options, Option.GO) != Answer.ERR_UNSUP:
        yield "EXPORT_NAME after GO was known"


def answer_to(options, option):
    return next(asked.answers[-1][0] for asked in options if asked.option == option)


def request_misdeeds(capture):
    rules = Rules(negotiated(capture))
    for request in capture.requests:
        command, flags, offset, length = request
        asked = Request(command, flags, 0, offset, length)
        yield from (f"{asked}: {text}" for _, text in rules.broken_by(asked))


def negotiated(capture):
    """What the connection has agreed on, as the scripted server's rules want to see it."""
    flags = capture.flags if capture.form != "simple" else capture.flags & ~Flag.DF
    export = Export(size=capture.size, flags=flags, block_sizes=capture.block_sizes)
    return types.SimpleNamespace(export=export, flags=lambda: flags, form=capture.form,
                                 context=next(iter(capture.contexts), None))


def end_misdeeds(capture):
    """ "NBD_CMD_DISC": once, nothing after it, and no field has a meaning there."""
    commands = [request[0] for request in capture.requests]
    if commands.count(Command.DISC) != 1 or commands[-1] != Command.DISC:
        yield "DISC is not the last request"
    elif (*capture.requests[-1][1:], capture.last_cookie) != (0, 0, 0, 0):
        yield "DISC with something in it"
