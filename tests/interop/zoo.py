# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Servers in every configuration that a client should get along with, by name:

    with zoo.running("nbdkit-memory") as server:
        ...                                 # 127.0.0.1, server.port, the export zoo.ENTRIES["nbdkit-memory"].export

`server.file` is the file behind the export, or None where there is none.
"""

import contextlib
import dataclasses
import subprocess
import tempfile
import typing
from pathlib import Path

from serving import free_port, nbd_server_config, serving, serving_daemon, sparse_file

SIZE = 64 << 20
ENTRIES = {}

# Some requests fail here, as they should.
FAILING = ("nbdkit-error", "nbdkit-full", "nbdkit-sparse-random")

# These answer reads with wrong data when several requests are in flight (seen with libnbd as well).
ONE_AT_A_TIME = ("nbdkit-sparse-random", "nbd-server-copy-on-write")

# An nbdkit plugin of shell scripts over a file: slow, without extents or parallel requests.
EVAL = ("get_size=stat -Lc %s $tmpdir/file",
        "config=ln -sf \"$(realpath \"$3\")\" $tmpdir/file",
        "pread=dd if=$tmpdir/file skip=$4 count=$3 iflag=count_bytes,skip_bytes status=none",
        "pwrite=dd of=$tmpdir/file seek=$4 conv=notrunc oflag=seek_bytes status=none",
        "flush=sync $tmpdir/file",
        "can_fua=echo emulate")


class Running(typing.NamedTuple):
    port: int
    file: typing.Optional[Path]


@dataclasses.dataclass
class Entry:
    """
    `command` makes the words from (port, file, folder). A file is made where `file` names one. A server that goes into
    the background writes its pid into `pid_file` of the folder.
    """

    command: typing.Callable
    file: typing.Optional[str] = None
    export: str = ""
    pid_file: typing.Optional[str] = None


@contextlib.contextmanager
def running(name):
    entry = ENTRIES[name]
    with tempfile.TemporaryDirectory() as folder:
        folder, port = Path(folder), free_port()
        file = make_file(folder / entry.file) if entry.file else None
        command = entry.command(port, file, folder)
        how = serving_daemon(*command, port=port, pid_file=folder / entry.pid_file) if entry.pid_file else \
            serving(*command, port=port)
        with how:
            yield Running(port, file)


def make_file(path):
    if path.suffix == ".qcow2":
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, str(SIZE)], check=True)
        return path
    return sparse_file(path, SIZE)


# --- nbdkit


def nbdkit(name, *arguments, file=None, export=""):
    """The words FILE and FOLDER in the arguments are replaced."""
    def command(port, path, folder):
        words = [word.replace("FILE", str(path)).replace("FOLDER", str(folder)) for word in arguments]
        return ["nbdkit", "--foreground", "--exit-with-parent", "--ipaddr", "127.0.0.1", "--port", port, *words]
    ENTRIES[f"nbdkit-{name}"] = Entry(command, file, export)


def nbdkit_file(name, *arguments, filters=(), parameters=()):
    words = [f"--filter={word}" for word in filters]
    nbdkit(name, *words, *arguments, "file", "FILE", *parameters, file="disk.raw")


MEMORY = f"{SIZE}"
nbdkit("memory", "memory", MEMORY)
nbdkit_file("file")
nbdkit("data", "data", "0x55 0xAA @1048576 1 2 3 4", f"size={SIZE}")
nbdkit("pattern", "pattern", MEMORY)
nbdkit("sparse-random", "sparse-random", MEMORY, "seed=1", f"runlength={1 << 20}", "percent=30")
nbdkit("full", "full", MEMORY)
nbdkit("eval", "eval", *EVAL, "file=FILE", file="disk.raw")
nbdkit("no-structured-replies", "--no-sr", "memory", MEMORY)
nbdkit("blocksize-policy", "--filter=blocksize-policy", "memory", MEMORY, "blocksize-error-policy=error",
       "blocksize-minimum=512", "blocksize-preferred=64K", "blocksize-maximum=1M")
nbdkit("error", "--filter=error", "memory", MEMORY, "error=EIO", "error-rate=10%")
nbdkit("delay", "--filter=delay", "memory", MEMORY, "rdelay=5ms", "wdelay=5ms")
nbdkit("rate", "--filter=rate", "memory", MEMORY, "rate=800M")
nbdkit_file("nozero", filters=["nozero"])
nbdkit_file("noextents", filters=["noextents"])
nbdkit_file("fua-none", filters=["fua"])  # the default; nbdkit 1.32 does not know the word that its manual has for it
for mode in ("emulate", "native", "force"):
    nbdkit_file(f"fua-{mode}", filters=["fua"], parameters=[f"fuamode={mode}"])
for mode in ("disable", "emulate"):
    nbdkit_file(f"multi-conn-{mode}", filters=["multi-conn"], parameters=[f"multi-conn-mode={mode}"])
nbdkit("exportname", "--filter=exportname", "memory", MEMORY, "exportname-list=explicit", "exportname-strict=true",
       "exportname=disk1", "exportdesc=fixed:a disk in memory", export="disk1")
nbdkit("pause", "--filter=pause", "memory", MEMORY, "pause-control=FOLDER/pause")


# --- nbd-server: in the foreground it serves one connection at a time, so it has to be a daemon. It has no setting for
# multi-conn.


def nbd_server(name, **settings):
    def command(port, path, folder):
        config = nbd_server_config(folder / "config", port, disk1={"exportname": path, **settings})
        return ["nbd-server", "-C", config, "-p", folder / "pid"]
    ENTRIES[name] = Entry(command, "disk.raw", "disk1", pid_file="pid")


nbd_server("nbd-server", flush="true", fua="true", trim="true")
nbd_server("nbd-server-plain")
nbd_server("nbd-server-rotational", flush="true", fua="true", trim="true", rotational="true")
nbd_server("nbd-server-read-only", readonly="true")
nbd_server("nbd-server-copy-on-write", flush="true", copyonwrite="true")


# --- QEMU


def qemu_nbd(name, *arguments, file="disk.raw"):
    def command(port, path, _folder):
        kind = "qcow2" if path.suffix == ".qcow2" else "raw"
        return ["qemu-nbd", "--bind", "127.0.0.1", "--port", port, "--persistent", "--format", kind, "--export-name",
                "disk1", *arguments, path]
    ENTRIES[name] = Entry(command, file, "disk1")


qemu_nbd("qemu-nbd")
qemu_nbd("qemu-nbd-qcow2", file="disk.qcow2")
qemu_nbd("qemu-nbd-read-only", "--read-only")
qemu_nbd("qemu-nbd-shared", "--shared=8")
qemu_nbd("qemu-nbd-discard", "--discard=unmap", "--detect-zeroes=unmap")


def storage_daemon(name, writable, connections):
    def command(port, path, _folder):
        return ["qemu-storage-daemon", "--blockdev", f"driver=file,node-name=disk,filename={path},discard=unmap",
                "--nbd-server", f"addr.type=inet,addr.host=127.0.0.1,addr.port={port},max-connections={connections}",
                "--export", f"type=nbd,id=disk1,node-name=disk,name=disk1,writable={writable}"]
    ENTRIES[name] = Entry(command, "disk.raw", "disk1")


storage_daemon("qemu-storage-daemon", "on", connections=8)
storage_daemon("qemu-storage-daemon-read-only", "off", connections=1)
