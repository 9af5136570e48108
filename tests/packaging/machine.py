# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine in a bed that the installer is run on, and what can be seen of it before and after: files and registry."""

import contextlib
import hashlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from beds import BED, windows_path
from packages import one

FOLDER = "C:\\Program Files\\WNBD"
CLASSES = r"HKLM\SYSTEM\CurrentControlSet\Control\Class\{4D36E97B-E325-11CE-BFC1-08002BE10318}"
ENVIRONMENT = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
SERVICE = r"HKLM\SYSTEM\CurrentControlSet\Services\wnbd"
OUR_SERVICE = r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Services\wnbd-service"
UNINSTALL = r"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall\WNBD"

# What Wine writes for itself while programs run: it looks for screens and printers when the first window is made. The key
# of all performance counters is there before ours in Windows; what is below it is compared.
NOISE = re.compile(r"\\Control\\(Video|GraphicsDrivers|Print|ServiceCurrent$)|\\Hardware Profiles\\|\\GameControllers|"
                   r"^HKEY_LOCAL_MACHINE\\Hardware\\|\\Enum\\(PCI|DISPLAY)|#(PCI|DISPLAY)#|\\CurrentVersion\\Ports|"
                   r"\\Control\\Class\\\{4D36E9(68|6E)|\\Windows NT\\CurrentVersion\\(Print|Perflib\\_V2Providers$)", re.IGNORECASE)

SOON_S = 20
SAID_NOTHING = re.compile(r":( |$)( |$)|\.exe\b.* cannot be started\.", re.MULTILINE)


def derived(inf, folder, change=lambda text: text):
    """The INF file as the bed can install it, in `folder`."""
    text = subprocess.run([str(BED), "inf", str(inf)], capture_output=True, check=True, timeout=30).stdout.decode()
    path = folder / inf.name
    path.write_bytes(change(text).encode())
    return path


class Machine:
    def __init__(self, bed):
        self.bed = bed
        self.drive = Path(bed.where, "prefix/drive_c")
        self.folder = self.drive / "Program Files/WNBD"

    # --- what is done to it

    def setup(self, dist, *options):
        """The installer, silently."""
        return self.run(one(dist, "setup.exe"), "/S", *options)

    def run(self, program, *words):
        """On a busy machine Wine now and then loses a process that has just been started, here one that the installer
        asks something: it says nothing, or does not start. What then ends is whole, and is done again, once: what fails
        so twice running is not Wine's."""
        result = self.bed.start(program, *words).wait()
        if lost_a_program(result):
            print(f"done again, because Wine has lost a program: {Path(program).name} {words}: {result!r}")
            result = self.bed.start(program, *words).wait()
            assert not lost_a_program(result), f"{Path(program).name} {words} fails twice without a reason: {result!r}"
        return result

    def install(self, dist):
        result = self.setup(dist).ok()
        assert result.out.endswith(f" is installed in '{FOLDER}'.\n") and result.err == "", repr(result)
        self.as_windows()

    def uninstall(self):
        """By a copy that is waited for, see docs/packaging.md: the one in the folder makes a copy itself and ends."""
        copy = self.drive / "un.exe"
        copy.write_bytes((self.folder / "uninstall.exe").read_bytes())
        result = self.run(copy, "/S", *f"_?={FOLDER}".split(" "))
        copy.unlink()
        return result

    def forget_driver(self):
        """Ends the process that has hosted the driver. Wine keeps it, and with it a handle of the service that has been
        deleted; Windows unloads the driver, and deletes the service when nobody has a handle."""
        mine = f"WINEPREFIX={self.bed.where}/prefix\0".encode()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mine in (process / "environ").read_bytes() + b"\0" and "wnbd.sys" in (process / "maps").read_text():
                    os.kill(int(process.name), signal.SIGKILL)
        deadline = time.monotonic() + SOON_S
        while self.registry(SERVICE):
            assert time.monotonic() < deadline, "the driver's service stays"
            time.sleep(0.1)

    def as_windows(self, provider="WNBD", version="0.8.0.1"):
        """What Windows writes of a driver that it installs, and Wine does not."""
        for name, value in {"ProviderName": provider, "DriverVersion": version}.items():
            self.reg("add", CLASSES + "\\0000", "/v", name, "/d", value, "/f")

    def tool(self, name, *words):
        """A program of Windows; what it says."""
        return self.bed.start(self.drive / "windows/system32" / name, *words).wait().ok().out

    def reg(self, *words):
        return self.tool("reg.exe", *words)

    # --- what is seen of it

    def state(self):
        """Files and registry, where installers write."""
        keys = {}
        for key in (r"HKLM\System\CurrentControlSet", r"HKLM\Software\Microsoft\Windows", r"HKLM\Software\WNBD",
                    r"HKLM\Software\Microsoft\Windows NT\CurrentVersion\Perflib"):
            keys |= self.registry(key)
        # Wine takes "no change" for "none" when a service is installed again.
        keys.get(OUR_SERVICE, {}).pop("DependOnService", None)
        return self.files(), keys

    def files(self):
        """{name: what it is}. The template's files have several links, and nothing writes them."""
        found = (path for path in self.drive.rglob("*") if not path.is_symlink())
        return {str(path.relative_to(self.drive)): kind(path) for path in found}

    def registry(self, key="HKLM"):
        """{key: {value: data}}."""
        path = self.drive / "export.reg"
        done = self.bed.start(self.drive / "windows/system32/reg.exe", "export", key, windows_path(path), "/y").wait()
        if done.code:
            return {}  # there is no such key
        text = path.read_text(encoding="utf-16").replace("\\\n  ", "")
        path.unlink()
        keys = {}
        for line in text.splitlines():
            if line.startswith("["):
                values = keys.setdefault(line[1:-1], {})
            elif "=" in line:
                name, data = re.match(r'(@|"(?:\\.|[^"\\])*")=(.*)', line).groups()
                values[name.strip('"')] = data
        return {key: values for key, values in keys.items() if not NOISE.search(key)}

    def installed(self):
        """{value: data} of what Windows' list of programs shows."""
        return self.registry(UNINSTALL)[UNINSTALL.replace("HKLM", "HKEY_LOCAL_MACHINE", 1)]

    def path(self):
        """Type and text of the machine's search path."""
        found = re.search(r"Path\s+(REG_\w+)\s+(.*)", self.reg("query", ENVIRONMENT, "/v", "Path"))
        return found[1], found[2].strip()

    def device_nodes(self):
        enum = r"HKLM\SYSTEM\CurrentControlSet\Enum"
        return sum(values.get("Service") == '"wnbd"' for values in self.registry(enum).values())


def lost_a_program(result):
    """The installer's sentence has no reason where there should be one."""
    return result.code != 0 and SAID_NOTHING.search(result.out)


def kind(path):
    if not path.is_file():
        return "folder"
    return path.stat().st_size if path.stat().st_nlink > 1 else hashlib.sha256(path.read_bytes()).hexdigest()


def differences(before, after):
    """{name: (before, after)} of two dictionaries."""
    return {name: (before.get(name, "none"), after.get(name, "none")) for name in before.keys() | after.keys()
            if before.get(name, "none") != after.get(name, "none")}
