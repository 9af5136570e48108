# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `make dist` makes: the same each time, whole, signed; and no byte of what is signed can change unseen."""

import datetime
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

import packages
from links import links, problem
from packages import PACKAGING, ROOT, one, output

SIGNED = {"wnbd.sys", "wnbd.cat", "wnbd.dll", "libwnbd.dll", "wnbd-client.exe", "wnbd-service.exe"}
ALL = SIGNED | {"wnbd.inf", "wnbd.man", "reinstall.ps1", "wnbd-test-root.cer", "wnbd-test-publisher.cer",
                "include/wnbd.h", "include/wnbd_ioctl.h", "lib/wnbd.lib", "lib/libwnbd.def"}


@pytest.fixture
def unpacked(dist, tmp_path):
    """The folder of the zip."""
    shutil.unpack_archive(one(dist, "x64.zip"), tmp_path)
    return one(tmp_path, "x64")


def wrong_with(folder, keys):
    command = [PACKAGING / "check", folder, keys / "test-root.pem"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == (1 if done.stdout else 0), done.stdout + done.stderr
    return done.stdout


def test_twice_gives_the_same_bytes(dist, keys, tmp_path):
    again = packages.make(tmp_path / "out", "--keys", keys)
    assert sorted(path.name for path in again.iterdir()) == sorted(path.name for path in dist.iterdir())
    for path in dist.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name


def test_ended_half_way_it_leaves_what_was_there(keys, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "old.zip").write_bytes(b"old")
    command = [PACKAGING / "dist", "--build", packages.BUILD, "--out", out, "--keys", keys]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as dist:
        while not list(tmp_path.glob("out-*/*/*")):
            assert dist.poll() is None
            time.sleep(0.01)
        dist.terminate()
        _, said = dist.communicate(timeout=packages.LIMIT_S)
    assert (dist.returncode, said) == (1, "dist: ended by SIGTERM.\n")
    assert sorted(tmp_path.rglob("*")) == [out, out / "old.zip"]


def test_nothing_says_where_it_was_built(dist, unpacked, tmp_path):
    """Or another clone would give other bytes."""
    for name in ("symbols", "tests"):
        shutil.unpack_archive(one(dist, f"{name}.zip"), tmp_path / name)
    for path in [*unpacked.rglob("*"), *(tmp_path / "symbols").rglob("*"), *(tmp_path / "tests").rglob("*")]:
        assert path.is_dir() or str(ROOT).encode() not in path.read_bytes(), path.name


def test_sums(dist):
    for line in (dist / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((dist / name).read_bytes()).hexdigest() == digest
    assert len(list(dist.iterdir())) == (6 if (ROOT / ".git").exists() else 5)


def test_the_tarball_is_what_was_built(dist):
    """A tarball, where this may run as well, makes none."""
    commit = re.search(r'WNBD_COMMIT +"(.*)"', (packages.BUILD / "generated/version.h").read_text())[1]
    if not (ROOT / ".git").exists():
        assert not list(dist.glob("*.tar.gz"))
        return
    path = dist / f"wnbd-{packages.version(dist)}.tar.gz"
    with tarfile.open(path) as archive:
        files = {name.partition("/"): archive.extractfile(name).read() for name in archive.getnames()
                 if archive.getmember(name).isfile()}
    assert {folder for folder, _, _ in files} == {path.name.removesuffix(".tar.gz")}
    files = {name: data for (_, _, name), data in files.items()}
    committed = output("git", "-C", ROOT, "ls-tree", "-r", "--name-only", commit).splitlines()
    assert sorted(files) == sorted(committed)
    for name in ("README.md", "Makefile", "packaging/dist"):
        assert files[name].decode() == output("git", "-C", ROOT, "show", f"{commit}:{name}")
    assert f'set(archived_commit "{commit}")' in files["cmake/version.cmake"].decode()


def test_the_zip_has_all_of_it(unpacked):
    files = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    papers = {name for name in files - ALL if (unpacked / name).read_bytes() == (ROOT / name).read_bytes()}
    assert files == ALL | papers
    assert {"README.md", "LICENSE", "CHANGELOG.md", "docs/reference.md", "docs/watch.svg",
            "examples/minimal.c"} <= papers


def test_the_certificates_that_the_readme_names_are_in_the_zip(unpacked):
    named = set(re.findall(r"[\w-]+\.cer\b", (unpacked / "README.md").read_text(encoding="utf-8")))
    assert named == {path.name for path in unpacked.glob("*.cer")}


def test_no_paper_of_the_zip_leads_out_of_it(unpacked):
    """Who installs has the zip alone."""
    files = set(unpacked.rglob("*"))
    for path in unpacked.rglob("*.md"):
        assert [text for link in links(path) if (text := problem(path, link, files))] == [], path.name
    assert len(links(unpacked / "README.md")) > 5


def test_the_zip_of_tests_has_what_run_ps1_calls(dist, unpacked, keys, tmp_path):
    """The other zip's folder, where run.ps1 looks for the package, has the name without `-tests`."""
    shutil.unpack_archive(one(dist, "tests.zip"), tmp_path)
    folder = one(tmp_path, "-tests")
    assert folder.name == f"{unpacked.name}-tests" and folder.parent == unpacked.parent
    text = (folder / "run.ps1").read_text()
    steps = {f"steps/{name}" for name in re.findall(r"steps\\([\w-]+\.ps1)", text)}
    others = {"run.ps1", "diskio.exe", "LICENSE.txt"}
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == steps | others
    assert "$PSScriptRoot -replace '-tests$', ''" in text and "Join-Path $PSScriptRoot 'diskio.exe'" in text
    output("osslsigncode", "verify", "-CAfile", keys / "test-root.pem", "-in", folder / "diskio.exe")


def commit_time():
    archived = re.search(r'set\(archived_time "(\d+)"\)', (ROOT / "cmake/version.cmake").read_text())
    return int(archived[1] if archived else output("git", "-C", ROOT, "log", "-1", "--format=%ct"))


def test_the_driver_has_the_day_and_the_time_of_the_commit(dist, unpacked):
    when = datetime.datetime.fromtimestamp(commit_time(), datetime.timezone.utc)
    numbers = re.match(r"\d+\.\d+\.\d+", packages.version(dist))[0]
    half = (when.hour * 3600 + when.minute * 60 + when.second) // 2
    text = (unpacked / "wnbd.inf").read_text(encoding="ascii")
    assert f"DriverVer   = {when:%m/%d/%Y},{numbers}.{half}\n" in text


def test_without_a_time_nothing_is_made(tmp_path, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    (tmp_path / "generated").mkdir()
    text = (packages.BUILD / "generated/version.h").read_text()
    (tmp_path / "generated/version.h").write_text(re.sub(r"(COMMIT_TIME) \d+", r"\1 0", text))
    said = packages.fails(PACKAGING / "dist", "--build", tmp_path, "--out", tmp_path / "out")
    assert said.startswith("dist: ") and said.count("\n") == 1 and "SOURCE_DATE_EPOCH" in said
    assert not (tmp_path / "out").exists()


def test_a_time_that_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    said = packages.fails(PACKAGING / "dist", "--out", tmp_path / "out")
    assert said == "dist: SOURCE_DATE_EPOCH is 'yesterday', and no number of seconds.\n"


def test_the_driver_is_for_one_architecture(unpacked):
    """And so is its INF file: Windows on ARM64 finds no model in it."""
    text = (unpacked / "wnbd.inf").read_text(encoding="ascii")
    assert "NTamd64" in text and "NTarm64" not in text


def test_symbols_belong_to_the_images(dist, unpacked, tmp_path):
    """By the GUID that both have; an image knows its PDB by the name alone."""
    shutil.unpack_archive(one(dist, "symbols.zip"), tmp_path / "symbols")
    symbols = one(tmp_path / "symbols", "symbols")
    images = {"wnbd.pdb": unpacked / "wnbd.sys", "wnbd.dll.pdb": unpacked / "wnbd.dll",
              "wnbd-client.pdb": unpacked / "wnbd-client.exe", "wnbd-service.pdb": unpacked / "wnbd-service.exe",
              "wnbd-path.pdb": packages.BUILD / "packaging/wnbd-path.exe"}  # which the installer alone has
    for name, image in images.items():
        said = output("llvm-readobj-19", "--coff-debug-directory", image)
        assert f"PDBFileName: {name}\n" in said
        guid = said.split("PDBGUID: ")[1].split()[0]
        assert f"GUID: {guid}" in output("llvm-pdbutil-19", "dump", "--summary", symbols / name), image.name
    assert {path.name for path in symbols.iterdir()} == set(images)


def test_what_has_no_symbols_has_no_code(unpacked):
    code = "IMAGE_SCN_CNT_CODE"
    assert code in output("llvm-readobj-19", "--sections", unpacked / "wnbd.dll")
    assert code not in output("llvm-readobj-19", "--sections", unpacked / "libwnbd.dll")


def test_all_is_in_the_catalog_and_signed(unpacked, keys):
    assert wrong_with(unpacked, keys) == ""


def certificate_in(path, folder):
    """The one in the signature of an image or a catalog, as PEM. osslsigncode 2.5 has a header before the other form."""
    signature, form = path, "DER"
    if path.suffix != ".cat":  # which is nothing but a signature and what it signs
        signature, form = folder / f"{path.name}.p7", "PEM"
        output("osslsigncode", "extract-signature", "-pem", "-in", path, "-out", signature)
    certificates = output("openssl", "pkcs7", "-inform", form, "-in", signature, "-print_certs")
    found = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", certificates, re.DOTALL)
    assert len(found) == 1, certificates
    return found[0]


def test_the_publisher_is_who_has_signed(dist, unpacked, tmp_path):
    """Windows' store of trusted publishers knows end-entity certificates alone."""
    as_pem = ("openssl", "x509", "-inform", "DER", "-in")
    publisher = output(*as_pem, unpacked / "wnbd-test-publisher.cer")
    for path in [one(dist, "setup.exe"), *(unpacked / name for name in sorted(SIGNED))]:
        assert certificate_in(path, tmp_path) == publisher, path.name
    (tmp_path / "publisher.pem").write_text(publisher)
    (tmp_path / "root.pem").write_text(output(*as_pem, unpacked / "wnbd-test-root.cer"))
    output("openssl", "verify", "-CAfile", tmp_path / "root.pem", "-purpose", "any", tmp_path / "publisher.pem")
    assert "CA:FALSE" in output("openssl", "x509", "-in", tmp_path / "publisher.pem", "-noout", "-text")


@pytest.mark.parametrize("name", sorted(SIGNED | {"wnbd.inf"}))
def test_a_changed_file_is_told(name, unpacked, keys):
    data = bytearray((unpacked / name).read_bytes())
    data[len(data) // 3] ^= 1
    (unpacked / name).write_bytes(data)
    assert f"'{name}'" in wrong_with(unpacked, keys) or name == "wnbd.cat"
    assert wrong_with(unpacked, keys)


def test_no_byte_of_the_catalog_can_change(unpacked, keys):
    data = (unpacked / "wnbd.cat").read_bytes()
    for at in range(0, len(data), 101):
        changed = bytearray(data)
        changed[at] ^= 1
        (unpacked / "wnbd.cat").write_bytes(changed)
        assert wrong_with(unpacked, keys), at


def test_a_file_of_another_build_is_told(unpacked, keys):
    """Signed by the same key, and still not the file of this catalog."""
    shutil.copy2(unpacked / "wnbd.dll", unpacked / "wnbd.sys")
    assert "'wnbd.sys' is not the file that the catalog was made of" in wrong_with(unpacked, keys)


def test_another_root_is_told(unpacked, tmp_path):
    sys.path.insert(0, str(PACKAGING))
    from testkey import TestSigner
    wrong = wrong_with(unpacked, TestSigner(tmp_path / "other", 0).root.parent)
    for name in ("wnbd.sys", "wnbd.cat", "wnbd-client.exe"):
        assert f"'{name}' is not signed under that root" in wrong


def test_a_changed_installer_is_told(dist, keys, tmp_path):
    setup = Path(shutil.copy2(one(dist, "setup.exe"), tmp_path))
    data = bytearray(setup.read_bytes())
    data[len(data) // 2] ^= 1
    setup.write_bytes(data)
    packages.fails("osslsigncode", "verify", "-CAfile", keys / "test-root.pem", "-in", setup)
