#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What a miniport needs that is served by programs: memory shared with them, their pages locked, requests that wait, and
news of closed handles. A right miniport (serving.sys) has it in the bed; what it leaves undone on purpose is named.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get('WNBD_BUILD', ROOT / 'build/windows-x64'))
BED = ROOT / 'bed/wine/bed'
HEADER = (ROOT / 'tests/bed/serving.h').read_text(encoding='utf-8')
sys.path.insert(0, str(BED.parent))

from bedlib import prefix  # noqa: E402

CARELESS = re.findall(r'SERVING_\w+', re.search(r'enum serving_careless \{(.*?)\};', HEADER, re.S).group(1))

DRIVER = ['--build', str(BUILD), '--driver', str(BUILD / 'tests/bed/serving.sys'), '--inf', str(ROOT / 'tests/bed/serving.inf')]
PROGRAM = str(BUILD / 'tests/bed/servetest.exe')

EXIT_VIOLATION, EXIT_CRASH = 3, 4


def bed(command, careless='SERVING_CAREFUL'):
    done = subprocess.run(
        ['/usr/bin/python3', str(BED), 'run', *DRIVER, '--timeout', '60',
         '--set-parameter', f'Careless={CARELESS.index(careless)}', '--', PROGRAM, command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors='replace', timeout=300, check=False)
    print(done.stdout, done.stderr)
    return done


@pytest.mark.parametrize('command', ['map', 'lock', 'close', 'die'])
def test_miniport_serves(command):
    done = bed(command)
    assert 'FAILED' not in done.stdout
    assert 'BED VIOLATION' not in done.stderr
    assert done.returncode == 0


def holders(where):
    """The Unix processes of `servetest hold`."""
    for pid in prefix.processes(where / 'prefix'):
        if re.search(rb'servetest\.exe\W+hold', pathlib.Path(f'/proc/{pid}/cmdline').read_bytes()):
            yield pid


def test_killed_program_is_cleaned_up_after(tmp_path):
    where = tmp_path / 'bed'
    subprocess.run([BED, 'start', *DRIVER, '--dir', where, '--owner', str(os.getpid())], check=True, stdout=subprocess.PIPE,
                   timeout=300)
    hold = subprocess.Popen([BED, 'exec', where, '--', PROGRAM, 'hold'], stderr=subprocess.DEVNULL)
    watch = subprocess.Popen([BED, 'exec', where, '--', PROGRAM, 'watch'], stdout=subprocess.PIPE, text=True)
    assert watch.stdout.readline().strip() == 'ready'
    for pid in holders(where):
        os.kill(pid, signal.SIGKILL)
    assert watch.wait(60) == 0, watch.stdout.read()
    hold.wait(60)
    assert subprocess.run([BED, 'stop', where], timeout=300, check=False).returncode == 0


@pytest.mark.parametrize('careless, found', [
    ('SERVING_LEAVES_VIEW', r'left-at-unload: serving\S* left 1 system views behind'),
    ('SERVING_LEAVES_PAGES_LOCKED', r'left-at-unload: serving\S* left 1 locked MDLs behind'),
    ('SERVING_LEAVES_SECTION', r'left-at-unload: serving\S* left 1 references to sections behind'),
    ('SERVING_LEAVES_HANDLE', r'left-at-unload: serving\S* left 1 handles to sections and processes behind'),
    ('SERVING_UNMAPS_TWICE', r'section: MmUnmapViewInSystemSpace of \w+, where no system view begins'),
    ('SERVING_UNLOCKS_TWICE', r'mdl: the pages of \w+ are unlocked but were not locked'),
])
def test_careless_miniport_is_named(careless, found):
    done = bed('map', careless)
    assert done.returncode == EXIT_VIOLATION
    assert re.search(f'BED VIOLATION: {found}', done.stderr)


def test_late_touch_of_a_view_is_a_crash():
    assert bed('map', 'SERVING_TOUCHES_LATE').returncode in (1, EXIT_CRASH)
