# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mapping and unmapping: forms of the command line, kinds of servers, many disks, many clients."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import nbdclient
import scripted
import servers
from beds import BUILD
from conftest import FILE_BYTES

SHOW = ["InstanceName", "SerialNumber", "Owner", "ReadOnly", "FlushSupported", "FUASupported", "UnmapSupported",
        "UnmapAnchorSupported", "UseUserspaceNbd", "BlockCount", "BlockSize", "MaxUnmapDescCount", "Pid", "DiskNumber",
        "PNPDeviceID", "BusNumber", "TargetId", "Lun", "MaxIOReqPerLun", "MaxIOReqPerAdapter"]
SHOW_NBD = ["Hostname", "PortNumber", "ExportName", "SkipNegotiation"]
STATS = ["TotalReceivedIORequests", "TotalSubmittedIORequests", "TotalReceivedIOReplies", "UnsubmittedIORequests",
         "PendingSubmittedIORequests", "AbortedSubmittedIORequests", "AbortedUnsubmittedIORequests",
         "CompletedAbortedIORequests", "OutstandingIOCount", "TimeSinceLastReceivedReqMs",
         "TimeSinceLastSubmittedReqMs", "TimeSinceLastReplyMs"]
COMMANDS = ["version", "help", "list", "show", "map", "exports", "unmap", "stats", "list-opt", "get-opt", "set-opt",
            "reset-opt", "set-debug", "reset-adapter", "install-driver", "uninstall-driver"]
LIST_HEADER = "Pid         DiskNumber  Nbd    Owner            InstanceName"


def works(bed, number, seed=1):
    """A little of the disk can be written and read back."""
    bed.diskio("write-random", number, "--bytes", 1 << 20, "--seed", seed).ok()
    bed.diskio("verify", number, "--bytes", 1 << 20, "--seed", seed).ok()


def directory_server(folder, count, stack):
    """nbdkit with `count` exports, each a file of 8 MiB; the exports' names."""
    files = folder / "exports"
    files.mkdir()
    names = [f"disk{i:03}" for i in range(count)]
    for name in names:
        servers.sparse_file(files / name, 8 << 20)
    return stack.enter_context(servers.nbdkit(folder, "file", f"dir={files}")), names


# --- the words of the client


def test_map_tells_the_disk_and_that_nbd_is_clear_text_and_the_disk_stays(server, bed):
    result = bed.try_map("vol-a", server).ok()
    number = bed.number("vol-a")
    assert result.out == f"Mapped 'vol-a' as \\\\.\\PhysicalDrive{number} (136 MiB, 512-byte blocks).\n"
    assert result.err.startswith("wnbd-client: note: ") and "clear text" in result.err
    works(bed, number)


def test_list_has_the_columns_of_the_interface(server, bed):
    number = bed.map("vol-a", server)
    lines = bed.client("list").ok().out.splitlines()
    assert lines[0].rstrip() == LIST_HEADER
    assert re.fullmatch(rf"(\d+ *){{1}}  {number:<10}  true   wnbd-client      vol-a", lines[1].rstrip()), lines[1]
    assert lines[1].index("vol-a") == LIST_HEADER.index("InstanceName")
    assert [line for line in lines[2:] if line.strip()] == []
    assert bed.client("ls").ok().out.splitlines() == lines


def test_show_has_the_shape_of_the_interface(server, bed):
    number = bed.map("vol-a", server, export="some export")
    lines = bed.client("show", "vol-a").ok().out.splitlines()
    assert lines[0] == "Connection info"
    assert [line[:25].rstrip() for line in lines[1:21]] == SHOW
    assert all(line[25:28] == " : " for line in lines[1:21])
    assert lines[21:23] == ["", "Nbd properties"]
    assert [line[:25].rstrip() for line in lines[23:27]] == SHOW_NBD
    assert lines[27] == ""
    fields = bed.show("vol-a")
    expected = {"InstanceName": "vol-a", "SerialNumber": "vol-a", "Owner": "wnbd-client", "ReadOnly": "0",
                "FlushSupported": "1", "FUASupported": "1", "UnmapSupported": "1", "UnmapAnchorSupported": "0",
                "UseUserspaceNbd": "0", "BlockCount": str(FILE_BYTES // 512), "BlockSize": "512",
                "DiskNumber": str(number), "BusNumber": "0", "Lun": "0", "Hostname": server.address,
                "PortNumber": str(server.port), "ExportName": "some export", "SkipNegotiation": "0"}
    assert {name: fields[name] for name in expected} == expected
    assert fields["PNPDeviceID"].upper().startswith("SCSI\\DISK&VEN_WNBD&PROD_WNBD_DISK\\")
    assert 0 <= int(fields["TargetId"]) < 128


def test_stats_count_what_was_done(server, bed):
    number = bed.map("vol-a", server)
    before = bed.stats("vol-a")
    lines = bed.client("stats", "vol-a").ok().out.splitlines()
    end = lines.index("")
    assert lines[0] == "Disk stats" and lines[-1] == ""
    assert [line[:30].rstrip() for line in lines[1:end]] == STATS
    assert all(line[30:33] == " : " for line in lines[1:end])
    assert lines[end + 1] == "Traffic"
    bed.diskio("write-random", number, "--bytes", 8 << 20, "--size", 1 << 20).ok()
    after = bed.stats("vol-a")
    for name in STATS[:3]:
        assert after[name] - before[name] >= 8, name
    for name in STATS[3:9]:
        assert after[name] == 0, name
    assert after["WriteBytes"] - before["WriteBytes"] == 8 << 20
    assert 0 < after["WriteHalfWithinUs"] <= after["Write99PercentWithinUs"]
    assert "50 % within" in bed.show("vol-a")["Write"]


def test_stats_and_show_of_an_unknown_name_give_2(bed):
    for command in ("stats", "show"):
        bed.client(command, "nobody").failed(2, "nobody")


def test_version_is_three_lines(bed):
    lines = bed.client("version").ok().out.splitlines()
    names, versions = zip(*(line.split(": ") for line in lines))
    assert names == ("wnbd-client.exe", "libwnbd.dll", "wnbd.sys")
    built = re.search(r'WNBD_VERSION_TEXT "(.+)"', (BUILD / "generated" / "version.h").read_text())[1]
    assert versions == (built,) * 3 and re.match(r"\d+\.\d+\.\d+(-|\+|$)", built)
    assert bed.client("-v").ok().out.splitlines() == lines


def test_help_lists_every_command_and_each_has_its_own(bed):
    out = bed.client("help").ok().out
    assert bed.client().ok().out == out == bed.client("--help").ok().out == bed.client("-h").ok().out
    assert re.findall(r"^  (\S+)", out, re.MULTILINE) == COMMANDS
    for command in COMMANDS:
        assert re.search(rf"\b{command}\b", out), command
        assert command in bed.client("help", command).ok().out
    assert "clear text" in bed.client("help", "map").ok().out


@pytest.mark.parametrize("ask", ["--help", "-h"])
def test_every_command_explains_itself_and_does_nothing(ask, server, bed):
    bed.map("stays", server)
    for command in COMMANDS:
        result = bed.client(command, ask).ok()
        assert result.out == bed.client("help", command).ok().out and result.err == ""
        assert re.match(rf"Usage: wnbd-client {command}\b", result.out)
    for words in (("unmap", "stays", "--hard-disconnect"), ("map", "more", server.address, "--port", server.port)):
        assert bed.client(*words, ask).ok().out.startswith("Usage: ")
    assert bed.mapped() == ["stays"]


# --- the form of 2020


def test_2020_map_and_unmap(server, bed):
    bed.client("map", "vol-b", server.address, server.port, "any").ok()
    fields = bed.show("vol-b")
    assert (fields["ReadOnly"], fields["BlockSize"], fields["ExportName"]) == ("0", "512", "any")
    works(bed, fields["DiskNumber"])
    bed.client("unmap", "vol-b").ok()
    assert bed.mapped() == []


@pytest.mark.parametrize("count", range(5, 9))
def test_2020_map_may_leave_operands_out(count, server, bed):
    bed.client("map", *("vol-b", server.address, server.port, "any", "false", "no", 0, 512)[:count]).ok()
    fields = bed.show("vol-b")
    assert (fields["ReadOnly"], fields["BlockSize"], fields["SkipNegotiation"]) == ("0", "512", "0")
    bed.client("unmap", "vol-b", "false").ok()
    assert bed.mapped() == []


def test_2020_map_with_4096_byte_blocks(server, bed):
    bed.client("map", "vol-b", server.address, server.port, "any", "0", "0", "0", 4096).ok()
    assert bed.show("vol-b")["BlockSize"] == "4096"
    assert bed.client("stats", "vol-b").ok().out.startswith("Disk stats")
    assert bed.client("list").ok().out.splitlines()[1].split()[-1] == "vol-b"


def test_2020_unmap_asks_first_unless_it_is_told_not_to(server, bed, tmp_path):
    """`unmap NAME false` is a soft removal: an open handle keeps it waiting, which `unmap NAME true` does not mind."""
    number = bed.map("vol-b", server)
    with bed.hold(number, tmp_path):
        soft = bed.start_client("unmap", "vol-b", "false")
        time.sleep(1.5)
        assert soft.process.poll() is None and bed.mapped() == ["vol-b"]
        bed.client("unmap", "vol-b", "true").ok()
        soft.wait()
    assert bed.mapped() == []


def test_2020_map_read_only_and_hard_unmap(server, bed):
    bed.client("map", "vol-b", server.address, server.port, "any", "false", "Yes").ok()
    assert bed.show("vol-b")["ReadOnly"] == "1"
    bed.client("unmap", "vol-b", "true").ok()
    assert bed.mapped() == []


def test_2020_map_without_handshake(bed, stack):
    server = stack.enter_context(scripted.Nbd(handshake=False))
    bed.client("map", "vol-b", server.address, server.port, "any", "1", "0", server.size, 512).ok()
    assert bed.show("vol-b")["SkipNegotiation"] == "1"
    works(bed, bed.number("vol-b"))


# --- kinds of servers and of exports


def test_server_without_opt_go_is_asked_by_export_name(bed, stack):
    server = stack.enter_context(scripted.NoGo())
    works(bed, bed.map("old", server))
    asked = [option for option, _ in server.options]
    assert asked == [scripted.OPT_EXTENDED_HEADERS, scripted.OPT_STRUCTURED_REPLY, scripted.OPT_GO,
                     scripted.OPT_EXPORT_NAME]
    assert server.options[-1][1] == b"disk"


def test_server_that_pads_its_export_reply_with_zeroes(bed, stack):
    server = stack.enter_context(scripted.NoGo(handshake_flags=scripted.HANDSHAKE_FIXED))
    works(bed, bed.map("old", server))


def test_opt_go_asks_for_export_and_block_size(bed, stack):
    server = stack.enter_context(scripted.Nbd())
    bed.map("asks", server)
    option, data = server.options[-1]
    assert option == scripted.OPT_GO
    name_length = int.from_bytes(data[:4], "big")
    asked = data[4 + name_length + 2:]
    kinds = {int.from_bytes(asked[i:i + 2], "big") for i in range(0, len(asked), 2)}
    assert scripted.INFO_BLOCK_SIZE in kinds and data[4:4 + name_length] == b"disk"


def test_handshake_less_server(bed, stack):
    server = stack.enter_context(scripted.Nbd(handshake=False))
    number = bed.map("bare", server, "--skip-handshake", "--disk-size", server.size, "--block-size", 512)
    works(bed, number, seed=5)
    fields = bed.show("bare")
    assert (fields["SkipNegotiation"], fields["BlockCount"]) == ("1", str(server.size // 512))
    assert server.options == [] and any(server.image[:1 << 20])


def test_disconnect_is_told_to_the_server_at_unmap(bed, stack):
    server = stack.enter_context(scripted.Nbd())
    bed.map("polite", server)
    bed.unmap("polite").ok()
    assert server.of_kind(scripted.CMD_DISC) == [(scripted.CMD_DISC, 0, 0, 0)]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_host_by_address(address, tmp_path, image, bed, stack):
    server = stack.enter_context(servers.nbdkit(tmp_path, "file", image, address=address))
    works(bed, bed.map("host", server))
    assert bed.show("host")["Hostname"] == address


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_map_by_uri(host, server, bed):
    bed.client("map", "vol-u", f"nbd://{host}:{server.port}/{server.export.replace(' ', '%20')}").ok()
    shown = bed.show("vol-u")
    assert (shown["Hostname"], shown["PortNumber"], shown["ExportName"]) == (host, str(server.port), server.export)
    bed.diskio("read", shown["DiskNumber"], 0, 4096).ok()
    bed.unmap("vol-u").ok()


def test_host_by_name(server, bed):
    """The name may have an IPv6 address too, where nobody listens: the next one has to be tried."""
    bed.client("map", "host", "localhost", "--port", server.port).ok()
    works(bed, bed.number("host"))


@pytest.mark.parametrize("start", [servers.nbdkit, servers.nbd_server, servers.qemu_nbd], ids=lambda f: f.__name__)
def test_read_only_export(start, tmp_path, image, bed, stack):
    with open(image, "r+b") as file:
        file.write(b"\x5a" * 4096)
    if start is servers.nbdkit:
        server = stack.enter_context(start(tmp_path, "-r", "file", image))
    else:
        server = stack.enter_context(start(tmp_path, image, read_only=True))
    number = bed.map("fixed", server)
    assert bed.show("fixed")["ReadOnly"] == "1"
    out = tmp_path / "read"
    assert "error 0, 4096 bytes" in bed.diskio("read", number, 0, 4096, "--out", f"Z:{out}").ok().out
    assert out.read_bytes() == b"\x5a" * 4096
    assert "error 19, 0 bytes" in bed.diskio("write", number, 0, 512, 1).out
    assert image.read_bytes()[:4096] == b"\x5a" * 4096


def test_read_only_by_wish(server, bed):
    number = bed.map("fixed", server, "--read-only")
    assert bed.show("fixed")["ReadOnly"] == "1"
    assert "error 19, 0 bytes" in bed.diskio("write", number, 0, 512, 1).out
    assert servers.logged(server.requests, "Write") == []


def test_4096_byte_blocks_by_wish(server, bed):
    number = bed.map("large", server, "--block-size", 4096)
    info = bed.diskio("info", number).ok().fields()
    assert (info["geometry.sector"], info["length.bytes"]) == ("4096", str(FILE_BYTES))
    assert bed.show("large")["BlockSize"] == "4096"
    works(bed, number)


@pytest.mark.parametrize("physical", [512, 4096, 65536])
def test_physical_blocks_by_wish(physical, server, bed):
    number = bed.map("aligned", server, "--physical-block-size", physical)
    info = bed.diskio("info", number).ok().fields()
    assert (info["alignment.logical"], info["alignment.physical"]) == ("512", str(physical))
    works(bed, number)


def test_export_that_is_no_multiple_of_the_block_loses_only_the_rest(tmp_path, bed, stack):
    server = stack.enter_context(servers.nbdkit(tmp_path, "memory", (1 << 20) + 511))
    mapped = bed.try_map("odd", server).ok()
    assert "the last 511 bytes" in mapped.err, repr(mapped)
    number = bed.number("odd")
    assert bed.show("odd")["BlockCount"] == str((1 << 20) // 512)
    assert "error 0, 512 bytes" in bed.diskio("read", number, (1 << 20) - 512, 512).ok().out
    assert ", 0 bytes" in bed.diskio("read", number, 1 << 20, 512).out


def test_largest_export_is_read_and_written_at_its_last_block(tmp_path, bed, stack):
    size = 2**63 - 1
    last = size // 512 * 512 - 512
    server = stack.enter_context(servers.nbdkit(tmp_path, "memory", size))
    number = bed.map("huge", server)
    assert bed.show("huge")["BlockCount"] == str(size // 512)
    assert bed.diskio("info", number).ok().fields()["length.bytes"] == str(last + 512)
    assert "error 0, 512 bytes" in bed.diskio("read", number, last, 512).ok().out
    assert "error 0, 512 bytes" in bed.diskio("write", number, last, 512, 0x5A).ok().out
    assert nbdclient.read(server.address, server.port, "", last, 512) == b"\x5a" * 512
    assert ", 0 bytes" in bed.diskio("read", number, last + 512, 512).out


# --- many


def test_sixteen_disks_at_once_each_keep_their_own_data(tmp_path, bed, stack):
    server, names = directory_server(tmp_path, 16, stack)
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda name: bed.map(name, server, export=name), names))
        assert len(set(numbers)) == 16
        assert sorted(bed.mapped()) == names
        seeds = range(100, 116)
        list(pool.map(lambda number, seed: bed.diskio("write-random", number, "--seed", seed).ok(), numbers, seeds))
        list(pool.map(lambda number, seed: bed.diskio("verify", number, "--seed", seed).ok(), numbers, seeds))
        images = {(tmp_path / "exports" / name).read_bytes() for name in names}
        assert len(images) == 16
        list(pool.map(lambda name: bed.unmap(name).ok(), names))


def test_a_hundred_cycles_of_map_and_unmap(server, bed):
    for cycle in range(100):
        bed.try_map("cycle", server).ok()
        if cycle % 10 == 0:
            works(bed, bed.number("cycle"), seed=cycle)
        bed.unmap("cycle").ok()
    assert bed.mapped() == []


def test_two_clients_that_map_one_name_at_once(tmp_path, bed, stack):
    server, names = directory_server(tmp_path, 2, stack)
    for _ in range(8):
        both = [bed.start_map("wanted", server, export=name) for name in names]
        results = [each.wait() for each in both]
        assert sorted(result.code for result in results) == [0, 183]
        loser = max(results, key=lambda result: result.code)
        loser.failed(183, "'wanted'")
        works(bed, bed.number("wanted"))
        bed.unmap("wanted").ok()


def test_two_clients_that_map_one_export_at_once(server, bed):
    for _ in range(4):
        both = [bed.start_map(name, server) for name in ("left", "right")]
        assert sorted(each.wait().code for each in both) == [0, 32]
        bed.unmap_all()


def test_map_and_unmap_of_one_name_from_many_clients(server, bed):
    """Whoever wins, nothing hangs, and afterwards the name is free or mapped, not something between."""
    for _ in range(4):
        running = [bed.start_map("race", server) for _ in range(3)]
        running += [bed.start_client("unmap", "race", "--hard-disconnect") for _ in range(3)]
        codes = [each.wait().code for each in running]
        assert set(codes[:3]) <= {0, 183, 32, 995} and set(codes[3:]) <= {0, 2}
        assert bed.mapped() in ([], ["race"])
        bed.unmap_all()
    works(bed, bed.map("race", server))
