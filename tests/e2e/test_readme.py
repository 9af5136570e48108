# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What the README says can be typed. The command lines of its blocks run from top to bottom on one bed that begins without
the driver, with the test's server in the place of 192.0.2.10; each line has a row here. So has each `word` of its text:
it is a command that runs, or one that cannot, with the reason, or no command. And what its table of errors quotes is
what the client says.
"""

import re
import shutil
import time

import pytest

import scripted
import servers
from beds import BUILD, ROOT, Serving, windows_path
from test_install import derived
from transcript import commands, common_exit_codes

README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^ *```\w*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
IN_TEXT = re.compile(r"`([^`]+)`")
QUOTED = re.compile(r"^\| (.+?) \| ([\d, ]+) \|", re.MULTILINE)
ADDRESS, PORT = "192.0.2.10", 10809


def command_lines():
    """Of the fenced blocks, without the explanation behind two blanks."""
    lines = "\n".join(FENCE.findall(README)).splitlines()
    return [line.strip().split("  ")[0] for line in lines if line.strip()]


def in_the_text():
    """What stands in backquotes between the words, on one line each."""
    return {" ".join(words.split()) for words in IN_TEXT.findall(FENCE.sub("", README))}


class Story:
    """The machine on which the lines are typed: a bed with the files of a package, and a server."""

    def __init__(self, bed, folder, server):
        self.bed = bed
        self.folder = folder
        self.server = server
        self.client = folder / "wnbd-client.exe"
        self.serving = []

    def run(self, line, *more):
        """As it is typed, but for the server and the folder of the files."""
        words = [word.replace(f"{ADDRESS}:{PORT}", f"{self.server.address}:{self.server.port}")
                 .replace(ADDRESS, self.server.address).replace(str(PORT), str(self.server.port))
                 .replace("wnbd.inf", windows_path(self.folder / "wnbd.inf")) for word in line.split()[1:]]
        return self.bed.start(self.client, *words, *more).wait().ok()

    def run_with_port(self, line, *more):
        return self.run(line, "--port", self.server.port, *more)

    def serve(self, line):
        words = line.replace("disk.img", windows_path(self.folder / "disk.img")).split()[2:]
        self.serving.append(Serving(self.bed, *words))
        return self.serving[-1].program

    def end_serving(self, line):
        result = self.run(line)
        for serving in self.serving:
            serving.wait().ok()
        return result


def has(*words):
    """The line runs, and its output has the words."""
    def row(story, line, run=Story.run):
        result = run(story, line)
        for word in words:
            assert word in result.out, result
    return row


def with_port(*words):
    """The same for a line that leaves the port to its default, which is not the test server's."""
    return lambda story, line: has(*words)(story, line, Story.run_with_port)


def watched(story, line):
    assert "vol1" in story.run(line, "--count", 1).out


def served(story, line):
    story.serve(line)


def target(_, line):
    """What `make check-long` makes in a bare Debian; here it would take an hour."""
    made = re.search(r"^\ttests/bare (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    assert line.split()[1] in made.split(), line


def server(story, line):
    """The words start a server that `exports` finds disk1 at, on a port of the test's."""
    words = line.replace("disk.img", str(servers.sparse_file(story.folder / "served.img", 1 << 20))).split()
    port = servers.free_port()
    where = ["-f", "-i", "127.0.0.1", "-p", port] if words[0] == "nbdkit" else ["--bind=127.0.0.1", f"--port={port}"]
    command = [words[0], *where, *words[1:]]
    with servers.Server(command, "127.0.0.1", port, story.folder / f"{words[0]}.log") as running:
        found = story.bed.start(story.client, "exports", running.address, "--port", port, "--export-name", "disk1")
        assert "1 MiB" in found.wait().ok().out


def exactly(*names):
    """The line runs and leaves these disks."""
    def row(story, line):
        (story.end_serving if story.serving and not names else story.run)(line)
        assert story.bed.mapped() == list(names)
    return row


MAPPED = "Mapped 'vol1' as \\\\.\\PhysicalDrive"
ROWS = {
    "make demo": target,
    "make check": target,
    "make dist": target,
    "make api": target,
    "wnbd-client install-driver wnbd.inf": has(),
    "wnbd-client version": has("wnbd-client.exe: ", "libwnbd.dll: ", "wnbd.sys: "),
    "wnbd-client exports 192.0.2.10": with_port("Size"),
    "wnbd-client exports 192.0.2.10 --export-name disk1 --format json": with_port('"disk1"'),
    "wnbd-client map vol1 192.0.2.10 --export-name disk1": with_port(MAPPED),
    "wnbd-client list": has("vol1"),
    "wnbd-client show vol1": has("disk1"),
    "wnbd-client stats vol1": has("Disk stats"),
    "wnbd-client list --watch": watched,
    "wnbd-client unmap vol1": exactly(),
    "wnbd-client map vol1 nbd://192.0.2.10:10809/disk1": has(MAPPED),
    "wnbd-client map vol1 192.0.2.10 10809 disk1": has(MAPPED),
    "wnbd-client map vol1 192.0.2.10 --export-name disk1 --read-only": with_port(MAPPED, "read-only"),
    "wnbd-client map vol1 192.0.2.10 --export-name disk1 --connections 4 --persistent": with_port(MAPPED),
    "wnbd-client list --persistent": has("vol1"),
    "wnbd-client unmap vol1 --persistent": exactly(),
    "wnbd-client map vol2 --file disk.img --size 20G": served,
    "wnbd-client map vol3 --ram 1G": served,
    "wnbd-client unmap --all": exactly(),
    "wnbd-client help map": has("Usage: wnbd-client map"),
    "nbdkit file disk.img": server,
    "qemu-nbd --format=raw --persistent --shared=0 --export-name=disk1 disk.img": server,
    "wnbd-client uninstall-driver": has(),
}


# Of the commands between the words: those that run here.
TYPED = {"wnbd-client set-opt ConnectTimeoutMs 30000", "wnbd-client reset-opt NewMappingsAllowed"}

# Those that run elsewhere: the test, and words that it has.
ELSEWHERE = {
    "apt-get install make": ("tests/bare", "apt-get install -y --no-install-recommends make"),
}

# Those that nothing here runs, because the machine has no such program. They are looked at by whoever reads them.
NOT_RUN = {
    "Confirm-SecureBootUEFI": "PowerShell of Windows",
    "bcdedit /set testsigning on": "Windows' editor of its boot options",
    "certutil -addstore Root wnbd-test-root.cer": "Windows; tests/packaging looks for the file in the zip",
    "certutil -addstore TrustedPublisher wnbd-test-publisher.cer": "the same",
    ".\\wnbd-client": "how PowerShell wants it; the lines themselves are run",
    "powershell -ExecutionPolicy Bypass -File reinstall.ps1": "PowerShell of Windows; docs/verification.md has a row",
    "rbd device map": "Ceph for Windows; docs/ceph.md",
    "ping": "Windows, with any address",
    "Test-NetConnection 192.0.2.10 -Port 10809": "PowerShell of Windows",
    "Get-Disk": "PowerShell of Windows",
    "Set-Disk -Number N -IsOffline $false": "PowerShell of Windows",
    "-IsReadOnly $false": "more of that line",
    "diskpart": "Windows' partitioning",
    "san policy=OnlineAll": "is typed in diskpart",
    "Initialize-Disk": "PowerShell of Windows",
    "devcon remove root\\wnbd": "Windows' driver kit; told for comparison",
    "pnputil /delete-driver": "Windows; told for comparison",
}

# Of our programs, without a command line: alone they do nothing that is meant here.
PROGRAMS = {"make", "qemu-nbd", "wnbd-client map", "map", "unmap", "install-driver"}
SETUP_OPTIONS = {"/S"}
NAMES = {"wnbd.sys", "wnbd.dll", "wnbd-client.exe", "wnbd-VERSION-x64-tests.zip", "disk.img", "vol1", "disk1", "wnbd",
         "False", "ReconnectTimeoutMs", "WnbdCreate", "include/", "build/api/html", "core/", "driver/", "libwnbd/",
         "wnbd-client/", "bed/", "C:\\Program Files"}


def lay_out(folder):
    """The files of a package, side by side, as far as the bed looks at them; tests/packaging installs the zip itself."""
    for name in ("driver/wnbd.sys", "wnbd-client/wnbd-client.exe", "wnbd-service/wnbd-service.exe", "libwnbd/wnbd.dll",
                 "libwnbd/libwnbd.dll"):
        shutil.copy2(BUILD / name, folder)
    shutil.copy2(ROOT / "driver" / "wnbd.man", folder)
    return derived(ROOT / "driver" / "wnbd.inf", folder)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return lay_out(tmp_path_factory.mktemp("package")).parent


@pytest.fixture
def disks(tmp_path, stack):
    """A server with the exports disk1 and disk2."""
    folder = tmp_path / "exports"
    folder.mkdir()
    for name in ("disk1", "disk2"):
        servers.sparse_file(folder / name, 8 << 20)
    return stack.enter_context(servers.nbdkit(tmp_path, "file", f"dir={folder}"))


def test_every_line_has_a_row_and_every_row_a_line():
    assert [line for line in command_lines() if line not in ROWS] == []
    assert set(ROWS) - set(command_lines()) == set()


def test_the_lines_do_what_the_readme_says(package, bare, disks):
    story = Story(bare, package, disks)
    for line in command_lines():
        ROWS[line](story, line)


def is_option(words):
    """Of the client, perhaps with a value."""
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    return words.startswith("--") and f"`{words.split()[0]}`" in reference


def test_every_word_in_backquotes_has_a_row_and_every_row_a_word():
    rows = [*TYPED, *ELSEWHERE, *NOT_RUN, *PROGRAMS, *SETUP_OPTIONS, *NAMES]
    assert len(rows) == len(set(rows))
    found = {words for words in in_the_text() if words not in ROWS and not is_option(words)}
    assert found - set(rows) == set()
    assert set(rows) - found == set()


def test_what_is_run_elsewhere_stands_there():
    for name, words in ELSEWHERE.values():
        assert words in (ROOT / name).read_text(), name


def test_the_commands_between_the_words_can_be_typed(bed):
    for line in TYPED:
        bed.client(*line.split()[1:]).ok()
    assert "30000" in bed.client("get-opt", "ConnectTimeoutMs").ok().out
    bed.client("reset-opt", "ConnectTimeoutMs").ok()


# --- the table of errors


def quotations():
    """What the table quotes, with its codes."""
    return {text: {int(code) for code in codes.split(",")} for text, codes in QUOTED.findall(README)}


def quoted(start):
    """The quotation that begins with `start`, and its codes."""
    found = [(text, codes) for text, codes in quotations().items() if text.startswith(start)]
    assert len(found) == 1, f"{start}: {found}"
    return found[0]


class Nowhere:
    """Where nobody listens."""

    export = "disk1"
    address = "127.0.0.1"

    def __init__(self):
        self.port = servers.free_port()


def mapped(bed, server, name="vol1", export="disk1"):
    """The result of `map`, and the server that it tells of."""
    return bed.try_map(name, server, export=export), server


def by_script(make):
    """Mapping an export of a scripted server."""
    return lambda bed, stack, disks: mapped(bed, stack.enter_context(make()))


def name_in_use(bed, stack, disks):
    bed.map("vol1", disks, export="disk1")
    return mapped(bed, disks, export="disk2")


def export_in_use(bed, stack, disks):
    bed.map("vol1", disks, export="disk1")
    return mapped(bed, disks, name="vol2")


def no_new_mappings(bed, stack, disks):
    bed.client("set-opt", "NewMappingsAllowed", "false").ok()
    result = mapped(bed, disks)
    bed.client("reset-opt", "NewMappingsAllowed").ok()
    return result


def in_use(bed, stack, disks):
    stack.enter_context(bed.hold(bed.map("vol1", disks, export="disk1"), disks.log.parent))
    return bed.unmap("vol1", "--no-hard-disconnect-fallback", "--soft-disconnect-timeout", 1), None


def without_server(bed, stack, disks):
    bed.map("vol1", disks, export="disk1")
    disks.end()
    deadline = time.monotonic() + 30
    while not (result := bed.client("list")).err:
        assert time.monotonic() < deadline, result
    return result, None


def installed_already(bed, stack, disks):
    return bed.client("install-driver", windows_path(lay_out(disks.log.parent))), None


# How each of them comes about: the beginning of the quotation, and what provokes it.
PROVOKED = {
    "cannot install the driver": installed_already,
    "cannot map 'vol1': the server 192.0.2.10 port 10809 refused": lambda bed, stack, disks: mapped(bed, Nowhere()),
    "cannot map 'vol1': the server 192.0.2.10 port 10809 did not complete": by_script(scripted.Silent),
    "cannot map 'vol1': there is no host": lambda bed, stack, disks: (bed.client("map", "vol1", "nas.example"), None),
    "cannot map 'vol1': what answers there": by_script(scripted.http_server),
    "cannot map 'vol1': the server speaks only": by_script(scripted.oldstyle_server),
    "cannot map 'vol1': the server has no export": by_script(lambda: scripted.Refuses(scripted.REP_ERR_UNKNOWN)),
    "cannot map 'vol1': the server requires TLS": by_script(lambda: scripted.Refuses(scripted.REP_ERR_TLS_REQD)),
    "cannot map 'vol1': the server's minimum block": by_script(
        lambda: scripted.Nbd(block_sizes=(4096, 4096, 1 << 20))),
    "cannot map 'vol1': the name is in use": name_in_use,
    "cannot map 'vol2': the export": export_in_use,
    "cannot map 'vol1': new mappings": no_new_mappings,
    "cannot unmap 'vol1': it is in use": in_use,
    "cannot unmap 'vol1': no disk": lambda bed, stack, disks: (bed.unmap("vol1"), None),
    "note: 'vol1' has been without": without_server,
}

# What no bed shows: the words stand in the sources.
UNSEEN = {
    "cannot open the WNBD adapter: the WNBD driver is installed": [
        "cannot open the WNBD adapter: ", "the WNBD driver is installed, but its adapter does not work"],
    "cannot open the WNBD adapter: access": ["access was denied; administrator rights are needed"],
    "cannot map 'vol1': the server 192.0.2.10 port 10809 did not answer": ["answer the connection", "within %lu ms"],
}
NO_DRIVER = "cannot open the WNBD adapter: the WNBD driver is not installed"


def test_every_quotation_is_checked():
    for start in [*PROVOKED, *UNSEEN, NO_DRIVER]:
        quoted(start)
    assert len(quotations()) == len(PROVOKED) + len(UNSEEN) + 1


@pytest.mark.parametrize("words, name", [("cannot map", "map"), ("cannot unmap", "unmap"),
                                         ("cannot install the driver", "install-driver")])
def test_quoted_codes_are_those_of_the_reference(words, name):
    known = next(command.codes for command in commands() if command.names[0] == name) | common_exit_codes()
    for text, codes in quotations().items():
        assert not text.startswith(words) or codes <= known, text


@pytest.mark.parametrize("start", PROVOKED)
def test_the_client_says_what_the_readme_quotes(start, disks, bed, stack):
    result, server = PROVOKED[start](bed, stack, disks)
    text, codes = quoted(start)
    if server:
        text = text.replace(ADDRESS, server.address).replace(str(PORT), str(server.port))
    assert result.code in codes, result
    pattern = re.escape("wnbd-client: " + text).replace("12\\ s", r"\d+\ s")
    assert re.match(pattern, result.err), f"not {text}: {result!r}"


def test_without_a_driver_the_client_says_so(bare):
    for words in (("list",), ("map", "vol1", ADDRESS)):
        result = bare.client(*words)
        assert result.code in quoted(NO_DRIVER)[1] and NO_DRIVER in result.err, result


@pytest.mark.parametrize("start", UNSEEN)
def test_words_that_no_bed_shows_are_in_the_sources(start):
    text, _ = quoted(start)
    folders = [ROOT / name for name in ("core", "driver", "libwnbd", "wnbd-client")]
    sources = "".join(path.read_text() for folder in folders for path in folder.rglob("*.c"))
    for words in UNSEEN[start]:
        assert words in sources, words
        assert re.search(re.escape(words).replace("%lu", r"\d+"), text), words
