# SPDX-License-Identifier: LGPL-2.1-or-later
"""Wine prefixes: the template that is made once, clones of it, and ending everything that runs in a clone."""
import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

WINE = '/usr/lib/wine/wine64'
WINESERVER = '/usr/lib/wine/wineserver64'
# Written in place by wineserver, so a clone needs its own.
PRIVATE_FILES = ('system.reg', 'user.reg', 'userdef.reg', '.update-timestamp')
TEMPLATE_VERSION = 5  # counts up when the recipe of the template changes

# Game controllers, which nothing here needs. The process that hosts their drivers crashes now and then when a prefix
# starts on a busy machine: it is asked for its devices before it is ready. Without devices it is not started.
UNWANTED_DEVICES = tuple(rf'HKLM\System\CurrentControlSet\Enum\{name}' for name in (r'ROOT\WINE', 'WINEBUS', 'HID'))
TEMPLATE_VALUES = (
    # A crash is written to stderr, not shown in a window.
    (r'HKCU\Software\Wine\WineDbg', 'ShowCrashDialog', 'REG_DWORD', '0'),
    (r'HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug', 'Debugger', 'REG_SZ',
     r'C:\windows\system32\bed-agent.exe debug %ld %ld'),
    (r'HKCU\Software\Wine\Drivers', 'Graphics', 'REG_SZ', 'null'),
)


class BedError(Exception):
    """The bed itself failed; the text says how."""


def environment(prefix, debug='-all'):
    """The environment of every process of a prefix."""
    env = {name: value for name, value in os.environ.items() if not name.startswith('WINE') and name != 'DISPLAY'}
    env.update(WINEPREFIX=str(prefix), WINEARCH='win64', WINEDEBUG=debug,
               WINEDLLOVERRIDES='mscoree,mshtml,winemenubuilder.exe=;cfgmgr32,lodctr.exe,unlodctr.exe=n,b')
    return env


def _run(prefix, *command, timeout):
    try:
        done = subprocess.run(command, env=environment(prefix), timeout=timeout, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors='replace', check=False)
    except subprocess.TimeoutExpired as late:
        raise BedError(f'{command[0]} {command[1]} did not end within {timeout} s') from late
    if done.returncode:
        raise BedError(f'{" ".join(command)} failed with {done.returncode}: {done.stdout}')


def wine_key():
    """A directory name for the installed Wine and our recipe."""
    try:
        done = subprocess.run([WINE, '--version'], env=environment('/nonexistent'), stdout=subprocess.PIPE, text=True,
                              timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise BedError(f'{WINE} does not run (Debian packages wine, wine64): {error}') from error
    return f'{re.sub("[^A-Za-z0-9.-]+", "-", done.stdout.strip())}-{TEMPLATE_VERSION}'


@contextlib.contextmanager
def _locked(path):
    with open(path, 'w', encoding='ascii') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def template(root):
    """The template prefix under `root`, made when there is none yet. Beds that start at once wait for one another."""
    root.mkdir(parents=True, exist_ok=True)
    path = root / 'template' / wine_key()
    if path.is_dir():
        return path
    with _locked(root / 'template.lock'):
        if not path.is_dir():
            _make_template(root, path)
    return path


def _make_template(root, path):
    with tempfile.TemporaryDirectory(prefix='making-', dir=root) as making:
        prefix = pathlib.Path(making) / 'prefix'
        try:
            _run(prefix, WINE, 'wineboot', '-i', timeout=240)
            _run(prefix, WINE, 'winecfg', '-v', 'win10', timeout=60)
            for key, value, kind, data in TEMPLATE_VALUES:
                _run(prefix, WINE, 'reg', 'add', key, '/v', value, '/t', kind, '/d', data, '/f', timeout=60)
            for key in UNWANTED_DEVICES:
                _run(prefix, WINE, 'reg', 'delete', key, '/f', timeout=60)
            _run(prefix, WINESERVER, '-w', timeout=60)
        finally:
            end(prefix)
        _delete_server_directory(prefix)
        (prefix / 'checksums').write_text(_checksums(prefix), encoding='ascii')
        path.parent.mkdir(parents=True, exist_ok=True)
        prefix.rename(path)


def _checksums(prefix):
    lines = []
    for name in PRIVATE_FILES:
        lines.append(f'{hashlib.sha256((prefix / name).read_bytes()).hexdigest()} {name}\n')
    return ''.join(lines)


def check_template(path):
    """A template that a run has written into would make every later run depend on it: say so."""
    if _checksums(path) != (path / 'checksums').read_text(encoding='ascii'):
        raise BedError(f'the template {path} was changed; remove it, it is made again')


def clone(source, target):
    """A prefix of its own that shares the template's program files, which nothing ever writes."""
    check_template(source)
    subprocess.run(['cp', '-al', '--', str(source), str(target)], check=True)
    for name in PRIVATE_FILES:
        _own(source / name, target / name)
    inf = pathlib.Path('drive_c/windows/inf')
    shutil.rmtree(target / inf)
    shutil.copytree(source / inf, target / inf, symlinks=True)
    (target / 'checksums').unlink()


def _own(source, target):
    target.unlink(missing_ok=True)
    shutil.copy2(source, target)
    target.chmod(0o644)


def put(source, target):
    """Copies a file into a prefix without writing through a hard link."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copy2(source, target)


def processes(prefix):
    """The pids of all processes that run in the prefix, told by their environment."""
    mark = f'WINEPREFIX={prefix}'.encode()
    found = []
    for entry in os.scandir('/proc'):
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if mark in pathlib.Path(entry.path, 'environ').read_bytes().split(b'\0'):
                found.append(int(entry.name))
    return found


def _wait_gone(prefix, seconds):
    deadline = time.monotonic() + seconds
    while processes(prefix):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def end(prefix):
    """Ends everything of this prefix and no other. What the server's own end does not reach is killed by its pid."""
    if not processes(prefix):
        return
    with contextlib.suppress(BedError):
        _run(prefix, WINESERVER, '-k', timeout=20)
    if _wait_gone(prefix, 10):
        return
    for pid in processes(prefix):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if not _wait_gone(prefix, 10):
        raise BedError(f'processes of {prefix} do not end: {processes(prefix)}')


def delete(prefix):
    """Removes a clone and the directory in /tmp that Debian's wineserver made for it, which the file `wineserver` names."""
    _delete_server_directory(prefix)
    shutil.rmtree(prefix, ignore_errors=True)


def _delete_server_directory(prefix):
    mark = prefix / 'wineserver'
    with contextlib.suppress(OSError):
        shutil.rmtree(pathlib.Path('/tmp') / pathlib.PurePath(mark.read_text(encoding='ascii').strip()).name)
        mark.unlink()
