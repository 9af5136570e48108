# SPDX-License-Identifier: LGPL-2.1-or-later
"""A bed with the built driver in it, and the programs that run there."""

import os
import re
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("WNBD_BUILD", ROOT / "build" / "windows-x64"))
BED = ROOT / "bed" / "wine" / "bed"
CLIENT = BUILD / "wnbd-client" / "wnbd-client.exe"
PROGRAMS = BUILD / "tests" / "windows"

START_S = 150  # the first bed on a machine makes its template
EXEC_S = 180
TALKATIVE = ("--set-parameter", "LogLevel=4")  # tests read what the driver says of itself
TROUBLE = re.compile(r"^(BED VIOLATION|bed): ", re.MULTILINE)
WHOLE_CODE = re.compile(r"^bed: \S+ ended with (\d+) \(0x[0-9a-f]+\)\n", re.MULTILINE)


class Result:
    """What became of a program: exit code, stdout and stderr."""

    def __init__(self, command, code, out, err):
        self.command = command
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self):
        return f"{' '.join(self.command)}\nexit code {self.code}\n{self.out}{self.err}"

    def ok(self):
        assert self.code == 0, repr(self)
        return self

    def failed(self, code, *words):
        """The program ended with `code` and one sentence on stderr that has all of `words` in it."""
        assert self.code == code, repr(self)
        sentences = self.err.strip().splitlines()
        assert len(sentences) == 1 and sentences[0].endswith("."), f"not one sentence: {self!r}"
        assert sentences[0].startswith("wnbd-client: "), repr(self)
        for word in words:
            assert word.lower() in sentences[0].lower(), f"nothing about '{word}': {self!r}"
        return self

    def fields(self):
        """`name : value` lines, as show and stats print them and diskio info does."""
        found = (re.match(r"([\w.]+)\s*:\s?(.*)$", line) for line in self.out.splitlines())
        return {match[1]: match[2] for match in found if match}


class Running:
    """A program that has been started in the bed; wait() ends the matter."""

    def __init__(self, command, limit_s):
        self.command = [str(word) for word in command]
        self.limit_s = limit_s
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL, bufsize=0)
        self.lines = b""  # of stdout, that line() has taken

    def line(self):
        """The next line of a program that goes on; empty when it has ended."""
        taken = self.process.stdout.readline()
        self.lines += taken
        return taken.decode("utf-8", "replace").rstrip("\r\n")

    def wait(self):
        try:
            out, err = self.process.communicate(timeout=self.limit_s + 30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            raise AssertionError(f"the bed lost a program: {self.command}\n{out}\n{err}") from None
        text = [stream.decode("utf-8", "replace").replace("\r\n", "\n") for stream in (self.lines + out, err)]
        return self.result(self.process.returncode, *text)

    def result(self, code, out, err):
        """Unix has eight bits for an exit code; the bed tells a longer one in words."""
        whole = WHOLE_CODE.search(err)
        if whole:
            code = int(whole[1])
            err = WHOLE_CODE.sub("", err)
        result = Result(self.command, code, out, err)
        # Crashes, hangs and violations are never what a test of the product expects.
        assert not TROUBLE.search(result.err), repr(result)
        return result


class Bed:
    """One bed. `where` is its directory. It ends with this process, whatever becomes of that. `within`: words that go
    before each of its commands, such as nsenter's."""

    def __init__(self, *options, within=()):
        self.within = [str(word) for word in within]
        command = [*self.within, str(BED), "start", "--build", str(BUILD), "--owner", str(os.getpid()), *TALKATIVE,
                   *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_S, stdin=subprocess.DEVNULL,
                              check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        self.where = done.stdout.strip().splitlines()[-1]

    def stop(self):
        """Removes the driver and the bed; what the driver leaves behind is a violation and fails here."""
        done = self._bed("stop")
        assert done.returncode == 0 and not TROUBLE.search(done.stderr), f"bed stop: {done.stdout}{done.stderr}"

    def log(self):
        """What the drivers have printed so far."""
        return self._bed("log").stdout

    def _bed(self, command):
        return subprocess.run([*self.within, str(BED), command, self.where], capture_output=True, text=True, errors="replace",
                              timeout=120, stdin=subprocess.DEVNULL, check=False)

    def start(self, program, *arguments, limit_s=EXEC_S):
        words = [str(argument) for argument in arguments]
        return Running([*self.within, BED, "exec", "--timeout", limit_s, self.where, "--", program, *words], limit_s)

    def start_client(self, *arguments, **more):
        return self.start(CLIENT, *arguments, **more)

    def start_diskio(self, *arguments, **more):
        return self.start(PROGRAMS / "diskio.exe", *arguments, **more)

    def client(self, *arguments, **more):
        return self.start_client(*arguments, **more).wait()

    def diskio(self, *arguments, **more):
        return self.start_diskio(*arguments, **more).wait()

    def probe(self, *arguments, **more):
        return self.start(PROGRAMS / "ioctlprobe.exe", *arguments, **more).wait()

    # --- steps that many tests take

    def start_map(self, name, server, *options, export=None, **more):
        export = server.export if export is None else export
        return self.start_client("map", name, server.address, "--port", server.port, "--export-name", export, *options,
                                 **more)

    def map(self, name, server, *options, export=None):
        """Maps an export; answers the number of the disk as `map` tells it."""
        result = self.start_map(name, server, *options, export=export).wait().ok()
        number = said_number(name, result.out)
        assert number is not None, repr(result)
        return number

    def try_map(self, name, server, *options, export=None):
        return self.start_map(name, server, *options, export=export).wait()

    def number(self, name):
        number = int(self.show(name)["DiskNumber"])
        assert number >= 0, f"{name} has no disk number though it is mapped"
        return number

    def show(self, name):
        return self.client("show", name).ok().fields()

    def show_when_mapped(self, name):
        """`show`, as soon as Windows has the disk of another program."""
        deadline = time.monotonic() + 60
        while True:
            shown = self.client("show", name)
            if shown.code == 0 and int(shown.fields()["DiskNumber"]) >= 0:
                return shown.fields()
            assert time.monotonic() < deadline, repr(shown)

    def stats(self, name):
        return {field: int(value) for field, value in self.client("stats", name).ok().fields().items()}

    def wait_for_load(self, name):
        """Until the disk has served a few requests more than now."""
        first = self.stats(name)["TotalReceivedIOReplies"]
        deadline = time.monotonic() + 60
        while self.stats(name)["TotalReceivedIOReplies"] < first + 50:
            assert time.monotonic() < deadline, f"{name} has no load"

    def unmap(self, name, *options):
        return self.client("unmap", name, *options)

    def mapped(self):
        """The names in `list`."""
        rows = self.client("list").ok().out.splitlines()[1:]
        return [row.split(None, 4)[4].strip() for row in rows if row.strip()]

    def counts(self):
        """What the driver holds of the kernel, and how often it has asked: struct bed_counts of bed/port/control.h."""
        out = self.start(BUILD / "tests" / "bed" / "bedtest.exe", "counts").wait().ok().out
        line = re.search(r"^counts wnbd\.sys (.*)$", out, re.MULTILINE)
        assert line, out
        return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line[1])}

    def inject(self, kind, number):
        """Lets something happen to a disk: enum bed_injection_kind of bed/port/control.h."""
        self.start(BUILD / "tests" / "bed" / "bedtest.exe", "inject", kind, number).wait().ok()

    def adapter(self, what):
        """'disable' or 'enable', as in the device manager."""
        self.start(BUILD / "tests" / "bed" / "bedtest.exe", "adapter", what).wait().ok()

    def performance(self):
        """The performance counters of the disks: {instance's name: {counter's id: value}}."""
        out = self.start(BUILD / "tests" / "bed" / "bedtest.exe", "counters", "WNBD Disk").wait().ok().out
        found = re.findall(r"^instance \d+ '(.*)' ([\d= ]+)$", out, re.MULTILINE)
        return {name: {int(number): int(value) for number, value in re.findall(r"(\d+)=(\d+)", values)}
                for name, values in found}

    def unmap_all(self):
        """Unmaps what is mapped the hard way; how many disks that were."""
        names = self.mapped()
        for name in names:
            self.unmap(name, "--hard-disconnect")
        return len(names)

    def hold(self, number, folder, *options):
        return Holding(self, number, Path(folder), options)


class Holding:
    """A program that keeps a disk, or a file, open for as long as the `with` lasts. Nobody may delete or rename it."""

    def __init__(self, bed, number, folder, options=()):
        self.bed = bed
        self.number = number
        self.options = options
        name = re.sub(r"\W", "-", str(number))
        self.ready = folder / f"holding-{name}"
        self.until = folder / f"release-{name}"

    def __enter__(self):
        self.ready.unlink(missing_ok=True)
        self.until.unlink(missing_ok=True)
        self.program = self.bed.start_diskio("hold", self.number, "--seconds", 120, "--until", windows_path(self.until),
                                             "--ready", windows_path(self.ready), *self.options)
        deadline = time.monotonic() + 60
        while not self.ready.exists():
            assert time.monotonic() < deadline and self.program.process.poll() is None, repr(self.program.wait())
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        self.until.touch()
        self.program.wait()


def said_number(name, text):
    """The number of the disk, as `map` says it."""
    said = re.match(rf"Mapped '{re.escape(name)}' as \\\\\.\\PhysicalDrive(\d+) \(", text)
    return int(said[1]) if said else None


class Serving:
    """`map --file` or `--ram` in the foreground: `number` is its disk's, `wait()` is for when it is unmapped."""

    def __init__(self, bed, name, *options):
        self.program = bed.start_client("map", name, *options)
        self.said = self.program.line()
        self.number = said_number(name, self.said)
        assert self.number is not None, f"{self.said}\n{self.program.wait()!r}"

    def wait(self):
        return self.program.wait()


def windows_path(path):
    """The name of a Unix file inside a bed."""
    return "Z:" + str(Path(path).resolve()).replace("/", "\\")
