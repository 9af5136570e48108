# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stacks of the threads of the processes that host drivers, by Wine's debugger, when something hangs."""
import pathlib
import re
import subprocess

from bedlib import prefix as prefixes
from bedlib.imports import WINE_MODULES

SECONDS = 30


def _winedbg(prefix, *arguments):
    done = subprocess.run([prefixes.WINE, 'winedbg', *arguments], env=prefixes.environment(prefix),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=SECONDS,
                          check=False)
    return done.stdout.decode('utf-8', 'replace').replace('\r', '')


def _hosts(prefix):
    """{pid: [tid, ...]} of the winedevice processes, in hexadecimal as the debugger has them."""
    result = {}
    threads = None
    for line in _winedbg(prefix, '--command', 'info thread').splitlines():
        process = re.match(r'([0-9a-f]{8}) .*?(\S+)$', line)
        thread = re.match(r'\s+([0-9a-f]{8})\b', line)
        if process:
            threads = result.setdefault(process[1], []) if process[2].endswith('winedevice.exe') else None
        elif thread and threads is not None:
            threads.append(thread[1])
    return result


def _ours(block):
    """Whether a stack has a frame in a driver that is not Wine's own."""
    modules = re.findall(r'(?m)^\s*(?:=>)?\d+ .* in (\S+\.sys)\b', block)
    return any(not (WINE_MODULES / module.lower()).is_file() for module in modules)


def driver_stacks(prefix, scratch):
    """The stacks that lead through drivers; `scratch` is a directory for the debugger's commands. '' when that fails."""
    result = []
    try:
        for pid, threads in _hosts(prefix).items():
            commands = pathlib.Path(scratch, 'debug.txt')
            commands.write_text('\n'.join([f'attach 0x{pid}', *(f'bt 0x{thread}' for thread in threads), 'detach',
                                           'quit', '']), encoding='ascii')
            text = _winedbg(prefix, '--file', str(commands))
            result += [block for block in re.split(r'(?m)^(?=Backtrac)', text) if _ours(block)]
    except (OSError, subprocess.SubprocessError):
        pass
    return ''.join(result)
