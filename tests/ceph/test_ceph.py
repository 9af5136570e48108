# SPDX-License-Identifier: LGPL-2.1-or-later
"""An RBD image as a disk: Ceph, qemu-nbd and the driver in a bed. docs/ceph.md has what the programs say; each run leaves
it in build/results/ceph.txt, and compares it with the page."""

import hashlib
import re
from pathlib import Path

import servers

ROOT = Path(__file__).resolve().parent.parent.parent
SIZE = 64 << 20
FOLDER = re.compile(r"/tmp/[^\s:,]*/")
# What is another one in each run: ports, the number of the disk, the client's process, seconds.
VARIES = re.compile(r"(?<=--port[= ])\d+|(?<=PhysicalDrive)\d+|(?<=^> diskio )(\S+) \d+|^\d+ +\d+(?= +true)|"
                    r"[\d.]+(?= s$)", re.MULTILINE)


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


class Client:
    """wnbd-client and diskio in the bed, with what they say."""

    def __init__(self, bed, transcript):
        self.bed = bed
        self.transcript = transcript

    def told(self, result, program, *words):
        self.transcript.append(f"> {' '.join([program, *map(str, words)])}\n{result.out}{result.err}")
        return result.ok()

    def __call__(self, *words):
        return self.told(self.bed.client(*words), "wnbd-client", *words)

    def disk(self, *words):
        return self.told(self.bed.diskio(*words), "diskio", *words)


def keep(transcript):
    """Without the names of this run's folders. Gives the text."""
    results = ROOT / "build" / "results"
    results.mkdir(parents=True, exist_ok=True)
    text = "\n\n".join(re.sub(r"\n+", "\n", step).strip() for step in transcript)
    text = FOLDER.sub("", text) + "\n"
    (results / "ceph.txt").write_text(text)
    return text


def on_the_page():
    """The run that docs/ceph.md shows."""
    text = (ROOT / "docs/ceph.md").read_text()
    return re.search(r"build/results/ceph\.txt.*?```\n(.*?)```", text, re.DOTALL)[1]


def without_numbers(text):
    return VARIES.sub(r"\1 N", text).splitlines()


def test_an_image_is_a_disk(bed, ceph, tmp_path, stack):
    transcript = ceph.transcript
    client = Client(bed, transcript)
    ceph.rbd("create", "--size", "64M", "disk1")
    server = stack.enter_context(servers.qemu_nbd(tmp_path, ceph.image("disk1"), export="disk1"))
    transcript.append("$ " + " ".join([*server.command, "&"]))

    client("exports", server.address, "--port", server.port)
    client("map", "vol1", server.address, "--port", server.port, "--export-name", "disk1")
    client("list")
    number = bed.number("vol1")
    client.disk("write-random", number, "--bytes", 32 << 20, "--depth", 8, "--seed", 7)
    client.disk("verify", number, "--bytes", 32 << 20, "--depth", 8, "--seed", 7)
    read = client.disk("hash", number, "--bytes", SIZE).out
    client("unmap", "vol1")
    server.end()

    exported = tmp_path / "disk1.raw"
    ceph.rbd("export", "--no-progress", "disk1", exported)
    transcript.append(f"$ sha256sum {exported}\n{sha256(exported)}  {exported}")
    assert without_numbers(keep(transcript)) == without_numbers(on_the_page())
    assert exported.stat().st_size == SIZE
    assert f"sha256: {sha256(exported)}" in read.splitlines()


def test_what_ceph_has_is_read(bed, ceph, tmp_path, stack):
    """The other way round: an image that was imported, with a hole in it, mapped read-only by its snapshot."""
    source = servers.sparse_file(tmp_path / "source.raw", SIZE)
    with open(source, "r+b") as file:
        file.seek(SIZE // 2)
        file.write(bytes(range(256)) * 65536)
    ceph.rbd("import", "--no-progress", source, "disk2")
    ceph.rbd("snap", "create", "--no-progress", "disk2@friday")
    server = stack.enter_context(servers.qemu_nbd(tmp_path, ceph.image("disk2@friday"), export="", read_only=True))
    number = bed.map("vol2", server)
    assert bed.show("vol2")["ReadOnly"] == "1"
    assert f"sha256: {sha256(source)}" in bed.diskio("hash", number, "--bytes", SIZE).ok().out.splitlines()
    bed.unmap("vol2").ok()


def test_what_is_unmapped_is_given_back_to_ceph(bed, ceph, tmp_path, stack):
    """SCSI's UNMAP of whole objects reaches the cluster, whose diff of the image is empty then."""
    ceph.rbd("create", "--size", "64M", "disk3")
    server = stack.enter_context(servers.qemu_nbd(tmp_path, ceph.image("disk3"), export="disk3"))
    number = bed.map("vol3", server)
    bed.diskio("write-random", number, "--bytes", 16 << 20, "--depth", 8, "--seed", 9).ok()
    assert len(ceph.rbd("diff", "disk3").splitlines()) > 1
    blocks = (16 << 20) // 512
    descriptors = f"0016 0010 00000000 {0:016x} {blocks:08x} 00000000".replace(" ", "")
    bed.diskio("cdb", number, "42000000000000001800", "--out-hex", descriptors).ok()
    bed.unmap("vol3").ok()
    server.end()
    assert ceph.rbd("diff", "disk3").strip() == ""
