# SPDX-License-Identifier: LGPL-2.1-or-later
"""
One bed: a clone with storport.sys in it, the agent that installs the driver, programs run beside it, and the orderly end.

    D/prefix      the Wine prefix            D/agent.in   the agent's input (a FIFO)
    D/driver      the driver and its INF     D/agent.out  its answers
    D/bed.log     stderr of all services     D/bed.json   what later commands need to know
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from bedlib import debug, inf, log, prefix
from bedlib.prefix import BedError

START_SECONDS = 120
STOP_SECONDS = 90
START_TRIES = 3


class Hang(BedError):
    """Something did not end in time. `stacks` shows where the drivers' threads were."""

    def __init__(self, text, stacks=''):
        super().__init__(text)
        self.stacks = stacks


class Crash(BedError):
    """The process that hosts the driver crashed."""


class Session:
    """A bed in the directory `where`. The agent may have been started by another process (bed start)."""

    def __init__(self, where, build, driver=None, owner=0):
        self.where = where
        self.build = build
        self.driver = driver
        self.owner = owner  # the bed ends when this process is gone; 0: it stays
        self.agent = None
        self.prefix = where / 'prefix'
        self.log = where / 'bed.log'
        self.stacks = self.prefix / 'drive_c/crash.log'  # what Wine's debugger wrote after a crash

    # --- making

    @classmethod
    def create(cls, where, *arguments):
        """Makes the clone and starts the agent. Now and then, on a busy machine, Wine loses the process that should host
        the driver before it has begun: nothing of the driver has run then, and it is tried again."""
        for _ in range(START_TRIES - 1):
            try:
                return cls._create(where, *arguments)
            except BedError as error:
                if isinstance(error, (Hang, Crash)) or getattr(error, 'driver_log', True):
                    raise
        return cls._create(where, *arguments)

    @classmethod
    def _create(cls, where, build, driver, inf_path, parameters, owner):
        """`driver` None leaves the prefix without a miniport."""
        root = build / 'beds'  # the template and the clones; never outside the build
        source = prefix.template(root)
        discard_abandoned(root)
        if where is None:
            where = pathlib.Path(tempfile.mkdtemp(prefix='run-', dir=root))
        else:
            where.mkdir(parents=True)
        bed = cls(where, build, driver, owner)
        try:
            bed._save()
            prefix.clone(source, bed.prefix)
            bed._populate()
            bed._start(bed._derive(inf_path, parameters) if driver else [])
        except BaseException as error:
            error.driver_log = log.lines(bed.log)
            bed.discard()
            raise
        return bed

    @classmethod
    def load(cls, where):
        """The bed that `bed start` made in `where`."""
        try:
            saved = json.loads((where / 'bed.json').read_text(encoding='utf-8'))
        except OSError as error:
            raise BedError(f'{where} is not a bed') from error
        return cls(where, pathlib.Path(saved['build']), saved['driver'], saved.get('owner', 0))

    def _save(self):
        saved = {'build': str(self.build), 'driver': str(self.driver) if self.driver else None, 'owner': self.owner}
        (self.where / 'bed.json').write_text(json.dumps(saved), encoding='utf-8')

    def _built(self, name):
        path = self.build / 'bed' / name
        if not path.is_file():
            raise BedError(f'{path} is not built')
        return path

    def _populate(self):
        system32 = self.prefix / 'drive_c/windows/system32'
        prefix.put(self._built('storport.sys'), system32 / 'drivers/storport.sys')
        prefix.put(self._built('wine/cfgmgr32.dll'), system32 / 'cfgmgr32.dll')
        prefix.put(self._built('wine/bed-agent.exe'), self._agent_path())
        for name in ('lodctr.exe', 'unlodctr.exe'):
            prefix.put(self._built('wine/bed-lodctr.exe'), system32 / name)

    # Named by its Unix path Wine runs it in the process that we start; by a Windows name another one does it.
    def _agent_path(self):
        return self.prefix / 'drive_c/windows/system32/bed-agent.exe'

    def _derive(self, inf_path, parameters):
        """Puts driver and derived INF side by side, answers the agent's arguments."""
        folder = self.where / 'driver'
        folder.mkdir()
        text = inf.with_parameters(inf.derive(inf.read(inf_path)), parameters)
        (folder / inf_path.name).write_bytes(text.encode('utf-16'))
        shutil.copy2(self.driver, folder / pathlib.Path(self.driver).name)
        return [windows_path(folder / inf_path.name), inf.hardware_id(text)]

    # --- the agent

    def _start(self, arguments):
        os.mkfifo(self.where / 'agent.in')
        # Open for reading and writing: the agent sees no end of file when a `bed start` that began it is gone.
        pipe = os.open(self.where / 'agent.in', os.O_RDWR)
        debug = os.environ.get('BED_WINEDEBUG', '-all,+debugstr')
        try:
            with open(self.where / 'agent.out', 'wb') as out, open(self.log, 'ab') as err:
                self.agent = subprocess.Popen(
                    [prefix.WINE, str(self._agent_path()), 'session', str(self.owner), *arguments], stdin=pipe, stdout=out, stderr=err,
                    cwd=self.where, env=prefix.environment(self.prefix, debug), start_new_session=True)
        finally:
            os.close(pipe)
        self._expect('ready', START_SECONDS, 'the driver did not start')

    def _expect(self, word, seconds, failure):
        """Waits until the agent has said `word`."""
        deadline = time.monotonic() + seconds
        while True:
            has_ended = self.agent and self.agent.poll() is not None  # before reading what it said last
            said = log.text_of(self.where / 'agent.out').splitlines()
            for line in said:
                if line.split()[:1] == [word]:
                    return
                if line.startswith('failed '):
                    self._check_crash()
                    raise BedError(f'{failure}: {line[7:].strip()}')
            self._check_crash()
            if has_ended:
                raise BedError(f'{failure}: the agent ended with {self.agent.returncode}')
            if time.monotonic() > deadline:
                raise Hang(f'{failure} within {seconds} s', debug.driver_stacks(self.prefix, self.where))
            time.sleep(0.01)

    def _check_crash(self):
        line = log.crash(self.log)
        if line:
            raise Crash(f'the driver crashed: {line}')

    # --- programs

    def run(self, program, arguments, timeout):
        """Runs a program with our own stdin, stdout and stderr; answers its 32-bit exit code."""
        code_file = self.where / f'code-{os.getpid()}'
        folders = [program.parent, self.build / 'libwnbd', self.build / 'tests/windows']
        env = prefix.environment(self.prefix, os.environ.get('BED_PROGRAM_WINEDEBUG', '-all'))
        env['WINEPATH'] = ';'.join(windows_path(folder) for folder in folders)
        command = [prefix.WINE, str(self._agent_path()), 'exec', windows_path(code_file), str(program), *arguments]
        try:
            for _ in range(START_TRIES):
                code = self._run_once(command, env, program.name, timeout)
                if code_file.exists():
                    break
            text = code_file.read_text(encoding='ascii') if code_file.exists() else ''
            if not text.isdecimal():
                what = 'lost' if text else 'never began'
                raise BedError(f'{program.name} {what}: its agent ended with {code}')
            return int(text)
        finally:
            code_file.unlink(missing_ok=True)

    # The agent makes the code file before anything else. Without one it has not begun: on a busy machine Wine now and
    # then loses a process that early, and says nothing.
    def _run_once(self, command, env, name, timeout):
        with subprocess.Popen(command, env=env) as running:
            try:
                self._watch(running, name, timeout)
            finally:
                running.kill()
        return running.returncode

    def _watch(self, running, name, timeout):
        deadline = time.monotonic() + timeout
        grace = None
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(0.25)
                return
            if time.monotonic() > deadline:
                raise Hang(f'{name} did not end within {timeout:g} s', debug.driver_stacks(self.prefix, self.where))
            # A program whose driver has crashed usually gets errors and ends; it has a few seconds for that.
            if grace is None and log.crash(self.log):
                grace = time.monotonic() + 10
            if grace is not None and time.monotonic() > grace:
                self._check_crash()

    # --- the end

    def stop(self):
        """Removes the driver in order, so that what it must give back at unload is checked."""
        with open(self.where / 'agent.in', 'wb', opener=lambda path, flags: os.open(path, os.O_RDWR)) as pipe:
            pipe.write(b'stop\n')
            pipe.flush()
            self._expect('stopped', STOP_SECONDS, 'the driver was not removed')
        self._check_crash()
        if self.driver and not log.unloaded(self.log):
            raise BedError('the driver was not unloaded')

    def discard(self):
        """Ends all processes and deletes the bed. Safe at any stage."""
        prefix.end(self.prefix)
        if self.agent:
            self.agent.wait()
        prefix.delete(self.prefix)
        shutil.rmtree(self.where, ignore_errors=True)


def discard_abandoned(root):
    """Deletes beds whose owner was killed before it could do so."""
    for where in root.glob('run-*'):
        with contextlib.suppress(BedError, OSError, ValueError, KeyError):
            bed = Session.load(where)
            if bed.owner and not pathlib.Path('/proc', str(bed.owner)).exists():
                bed.discard()


def windows_path(path):
    """The name of a Unix file inside a prefix."""
    return 'Z:' + str(path.resolve()).replace('/', '\\')
