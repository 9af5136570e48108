# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the services and drivers of a prefix wrote to their stderr, and what it says about crashes and violations."""
import re
import time

CRASHES = re.compile(r'Unimplemented function|Unhandled (?:page fault|exception|division|illegal|privileged|stack)'
                     r'|^wine: (?:Unhandled|Call from)|stack overflow', re.MULTILINE)
_DEBUGSTR = re.compile(r'^[0-9a-f]{4}:\w+:debugstr:\w+ (?:[0-9a-f]{8}:[0-9a-f]{8}: )?')


def text_of(path):
    try:
        return path.read_bytes().decode('utf-8', 'replace')
    except FileNotFoundError:
        return ''


def lines(path):
    """The lines, Wine's own prefix taken off."""
    return [_DEBUGSTR.sub('', line).rstrip() for line in text_of(path).splitlines()]


def violations(path):
    return [line for line in lines(path) if line.startswith('BED VIOLATION:')]


def unloaded(path):
    """Whether the bed saw a driver unload, and so checked what it left behind."""
    return any(re.fullmatch(r'bed: \S+ was unloaded', line) for line in lines(path))


def crash(path):
    """The line that tells of a crash, or None."""
    for line in lines(path):
        if CRASHES.search(line):
            return line
    return None


def stacks(path):
    """What the debugger wrote about the thread that crashed, without its lists of modules and processes."""
    return re.sub(r'(?ms)^Modules:$.*', '', text_of(path))


def settle(path, quiet=4, most=30):
    """Waits while the file grows: after a crash the debugger writes the stacks into it, which takes seconds."""
    deadline = time.monotonic() + most
    size, since = -1, time.monotonic()
    while time.monotonic() < min(deadline, since + quiet):
        if len(text_of(path)) != size:
            size, since = len(text_of(path)), time.monotonic()
        time.sleep(0.1)
