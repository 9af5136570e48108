# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Packages that are signed as a release is, by the certificate of an authority, here one that is made for the tests; and
what is said when its certificate, key or password are not what they should be.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

import packages
from authority import PASSWORD, Authority, Clock, signature_of
from packages import BUILD, PACKAGING, one
import inf  # packages has made its folder known
from certificate import CertificateSigner

STAMPED = "Timestamp Server Signature verification: ok"
NOBODY = "http://127.0.0.1:9/"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("the authority"))


@pytest.fixture(scope="module")
def clock(authority):
    with Clock(authority) as running:
        yield running


@pytest.fixture
def image(tmp_path):
    return Path(shutil.copy(BUILD / "packaging/wnbd-path.exe", tmp_path))


@pytest.fixture
def pkcs12(authority):
    return ["--certificate", authority / "signer.p12", "--password", authority / "password", "--roots",
            authority / "root.pem"]


@pytest.fixture
def pem(authority):
    return ["--certificate", authority / "signer.pem", "--key", authority / "signer.key", "--password",
            authority / "password", "--roots", authority / "root.pem"]


def run(program, *words, path=None):
    command = [str(word) for word in (PACKAGING / program, *words)]
    environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"} if path else None
    return subprocess.run(command, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
                          env=environment, check=False)


@pytest.mark.parametrize("form", ["pkcs12", "pem"])
def test_a_file_is_signed(form, image, authority, request):
    done = run("sign", *request.getfixturevalue(form), image)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert STAMPED not in signature_of(image, authority / "root.pem")


def test_a_time_stamp(pkcs12, image, authority, clock):
    assert run("sign", *pkcs12, "--timestamp", clock.url, image).returncode == 0
    assert STAMPED in signature_of(image, authority / "root.pem")


def test_a_relative_path_is_one_from_here(authority, image):
    words = ["--certificate", "signer.p12", "--password", "password", "--roots", "root.pem"]
    done = subprocess.run([PACKAGING / "sign", *words, image], cwd=authority.folder, timeout=60, check=False)
    assert done.returncode == 0
    signature_of(image, authority / "root.pem")


def test_the_packages_of_a_release(pkcs12, authority, clock, tmp_path):
    dist = packages.make(tmp_path / "a release", *pkcs12, "--timestamp", clock.url)
    shutil.unpack_archive(one(dist, "x64.zip"), tmp_path)
    shutil.unpack_archive(one(dist, "tests.zip"), tmp_path)
    folder = one(tmp_path, "x64")
    images = [path for path in folder.iterdir() if path.suffix in (".exe", ".dll", ".sys", ".cat")]
    signed = [one(dist, "setup.exe"), one(tmp_path, "-tests") / "diskio.exe", *images]
    assert len(signed) == 8
    for path in signed:
        assert STAMPED in signature_of(path, authority / "root.pem"), path.name
    assert not list(folder.glob("*.cer"))


@pytest.fixture
def driver(dist, tmp_path):
    """A driver package that somebody else has signed."""
    shutil.unpack_archive(one(dist, "x64.zip"), tmp_path / "signed")
    return one(tmp_path / "signed", "x64")


@pytest.fixture
def both_roots(authority, keys, tmp_path):
    """What the driver and the programs are signed under."""
    path = tmp_path / "roots.pem"
    path.write_bytes((authority / "root.pem").read_bytes() + (keys / "test-root.pem").read_bytes())
    return path


def test_a_driver_that_somebody_else_has_signed_stays_as_it_is(driver, both_roots, pkcs12, authority, tmp_path):
    words = with_option(pkcs12, "--roots", both_roots)
    dist = packages.make(tmp_path / "out", *words, "--driver", driver)
    shutil.unpack_archive(one(dist, "x64.zip"), tmp_path)
    folder = one(tmp_path, "x64")
    for name in ("wnbd.inf", "wnbd.sys", "wnbd.cat"):
        assert (folder / name).read_bytes() == (driver / name).read_bytes(), name
    signature_of(folder / "wnbd-client.exe", authority / "root.pem")


def test_a_driver_that_was_changed(driver, both_roots, pkcs12, tmp_path):
    data = bytearray((driver / "wnbd.sys").read_bytes())
    data[len(data) // 2] ^= 1
    (driver / "wnbd.sys").write_bytes(data)
    out = tmp_path / "dist" / "out"
    done = run("dist", *with_option(pkcs12, "--roots", both_roots), "--driver", driver, "--build", BUILD, "--out", out)
    assert done.returncode == 1 and "'wnbd.sys' is not signed" in done.stderr, done
    assert list(out.parent.iterdir()) == []


def test_a_driver_of_another_version(driver, both_roots, pkcs12, tmp_path):
    text = (driver / "wnbd.inf").read_text(encoding="utf-8")
    (driver / "wnbd.inf").write_text(inf.stamp(text, "01/01/2024,0.0.1.2"), encoding="utf-8")
    refused([*with_option(pkcs12, "--roots", both_roots), "--driver", driver], tmp_path, "01/01/2024,0.0.1.2", driver)


def test_a_driver_that_is_not_there(pkcs12, tmp_path):
    refused([*pkcs12, "--driver", "/nowhere"], tmp_path, "/nowhere/wnbd.inf")


def test_no_password_on_a_command_line(pkcs12, authority, tmp_path):
    """Everybody on the machine can read those."""
    log = tmp_path / "log"
    for tool in ("osslsigncode", "makensis", "openssl"):
        path = tmp_path / tool
        path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$0" "$@" >>{log}\nexec {shutil.which(tool)} "$@"\n')
        path.chmod(0o755)
    done = run("dist", *pkcs12, "--build", BUILD, "--out", tmp_path / "out", path=tmp_path)
    assert done.returncode == 0, done.stderr
    said = log.read_text()
    assert str(authority / "password") in said and PASSWORD not in said


def refused(words, tmp_path, *said):
    """One sentence, and the packages that were there before are still there, alone."""
    out = tmp_path / "dist" / "out"
    out.mkdir(parents=True)
    (out / "old.zip").write_text("old")
    done = run("dist", *words, "--build", BUILD, "--out", out)
    assert done.returncode == 1 and done.stdout == "" and done.stderr.count("\n") == 1, done
    assert done.stderr.startswith("dist: ") and done.stderr.endswith(".\n"), done.stderr
    for word in said:
        assert str(word) in done.stderr
    assert [path.name for path in tmp_path.joinpath("dist").rglob("*")] == ["out", "old.zip"]


def with_option(words, name, value):
    """The words with another value, or without the option."""
    words = list(words)
    at = words.index(name) if name in words else len(words)
    words[at:at + 2] = [] if value is None else [name, value]
    return words


@pytest.mark.parametrize("name", ["--certificate", "--key", "--password", "--roots"])
def test_a_file_that_is_not_there(name, pem, tmp_path):
    refused(with_option(pem, name, "/nowhere/x.pem"), tmp_path, "no file '/nowhere/x.pem'")


@pytest.mark.parametrize("form, name", [("pkcs12", "signer.p12"), ("pem", "signer.key")])
def test_a_wrong_password(form, name, authority, tmp_path, request):
    words = request.getfixturevalue(form)
    refused(with_option(words, "--password", authority / "wrong"), tmp_path, name, "Wrong password?")


@pytest.mark.parametrize("lines", ["", f"{PASSWORD}\nanother\n"])
def test_a_password_is_one_line(lines, pkcs12, tmp_path):
    path = tmp_path / "lines"
    path.write_text(lines, encoding="utf-8")
    refused(with_option(pkcs12, "--password", path), tmp_path, path, "one line")


@pytest.mark.parametrize("form, name", [("pkcs12", "signer.p12"), ("pem", "signer.key")])
def test_a_missing_password(form, name, tmp_path, request):
    """Nobody is asked."""
    refused(with_option(request.getfixturevalue(form), "--password", None), tmp_path, name)


def test_a_certificate_without_a_key(pem, tmp_path):
    refused(with_option(pem, "--key", None), tmp_path, "no --key", "signer.pem")


def test_two_keys(pkcs12, authority, tmp_path):
    refused([*pkcs12, "--key", authority / "signer.key"], tmp_path, "signer.p12", "has its key")


def test_a_key_without_a_certificate(authority, tmp_path):
    refused(["--key", authority / "signer.key"], tmp_path, "--key", "--certificate")


def test_the_key_of_another_certificate(pem, authority, tmp_path):
    refused(with_option(pem, "--key", authority / "clock.key"), tmp_path, "signer.pem")


def test_a_file_that_is_no_certificate(pkcs12, pem, authority, tmp_path):
    fake = tmp_path / "fake.p12"
    fake.write_text("nothing")
    refused(with_option(pkcs12, "--certificate", fake), tmp_path, "fake.p12")
    shutil.rmtree(tmp_path / "dist")
    refused(with_option(pem, "--certificate", authority / "signer.key"), tmp_path, "signer.key")


def test_a_certificate_of_another_authority(pkcs12, keys, tmp_path, dist):
    del dist  # which has made the keys
    words = with_option(pkcs12, "--roots", keys / "test-root.pem")
    refused(words, tmp_path, "not valid under the roots", "test-root.pem")


def test_no_server_of_time_stamps(pkcs12, tmp_path):
    refused([*pkcs12, "--timestamp", NOBODY], tmp_path, NOBODY)


@pytest.fixture
def token(authority, tmp_path, monkeypatch):
    """The options for the signer's key on a token, in software."""
    tool = shutil.which("softhsm2-util")
    if tool is None:
        pytest.skip("there is no SoftHSM")
    module = Path(tool).parent.parent / "lib/softhsm/libsofthsm2.so"
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm.conf"))
    packages.output("openssl", "pkey", "-in", authority / "signer.key", "-passin", f"file:{authority / 'password'}",
                    "-out", tmp_path / "key")
    (tmp_path / "pin").write_text("1234\n")
    packages.output(tool, "--module", module, "--init-token", "--free", "--label", "t", "--pin", 1234, "--so-pin", 5678)
    packages.output(tool, "--module", module, "--token", "t", "--import", tmp_path / "key", "--label", "signer", "--id",
                    "a1", "--pin", 1234)
    return ["--module", module, "--certificate", authority / "signer.pem", "--key", "a1", "--password",
            tmp_path / "pin", "--roots", authority / "root.pem"]


def test_a_key_on_a_token(token, image, authority):
    done = run("sign", *token, image)
    assert done.returncode == 0, done.stderr
    signature_of(image, authority / "root.pem")


def commands_of_a_submission():
    """Those of the checklist in docs/packaging.md."""
    text = (packages.ROOT / "docs/packaging.md").read_text()
    return re.search(r"\*\*Submission\.\*\*.*?```\n(.*?)```", text, re.DOTALL)[1]


def test_a_cabinet_for_partner_center(token, driver, dist, authority, clock, tmp_path):
    """By the commands of the checklist, as they stand there but for what the signer's are."""
    here = tmp_path / "here"
    shutil.unpack_archive(one(dist, "symbols.zip"), tmp_path)
    shutil.copytree(driver, here)
    shutil.copy2(one(tmp_path, "symbols") / "wnbd.pdb", here)
    (here / "packaging").symlink_to(PACKAGING)
    signer = [str(word) for word in [*token, "--timestamp", clock.url]]
    commands = commands_of_a_submission()
    said = "--certificate FILE --module MODULE --key ID --password FILE --timestamp http://TIMESTAMP"
    assert commands.count(said) == 1
    packages.output("sh", "-ec", f"cd {shlex.quote(str(here))}\n{commands.replace(said, shlex.join(signer))}")
    assert STAMPED in signature_of(here / "wnbd.cab", authority / "root.pem")
    packages.output("gcab", "--extract", "--directory", tmp_path / "out", here / "wnbd.cab")
    out = {str(path.relative_to(tmp_path / "out")): path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert out == {f"wnbd/{name}": (here / name).read_bytes() for name in ("wnbd.inf", "wnbd.sys", "wnbd.cat", "wnbd.pdb")}
    assert "wnbd\\wnbd.inf" in packages.output("gcab", "--list", here / "wnbd.cab")


def test_a_wrong_password_of_a_token(token, authority, tmp_path):
    refused(with_option(token, "--password", authority / "wrong"), tmp_path, "token", "password")


def test_the_id_of_a_key_stays_an_id(authority, tmp_path, monkeypatch):
    """Though there is a file of that name."""
    (tmp_path / "a1").write_text("")
    monkeypatch.chdir(tmp_path)
    options = argparse.Namespace(certificate=str(authority / "signer.pem"), key="a1", module=authority / "root.pem",
                                 password=None, timestamp=None, roots=authority / "root.pem")
    signer = CertificateSigner(options)
    assert signer.key[-1] == "a1" and signer.words[signer.words.index("--key") + 1] == "a1"


def test_a_key_that_the_token_does_not_have(token, tmp_path):
    refused(with_option(token, "--key", "b2"), tmp_path, "b2")


def test_a_token_without_its_library(pkcs12, tmp_path):
    refused([*pkcs12, "--module", "/nowhere/pkcs11.so", "--key", "1"], tmp_path, "/nowhere/pkcs11.so")


def test_what_fails_late_leaves_what_was_there(keys, tmp_path, dist):
    """The build lacks a file that is packed at the end."""
    del dist
    build = tmp_path / "build"
    named = ("version.h", "diskio.exe")
    for path in BUILD.rglob("*"):
        if path.suffix in (".exe", ".dll", ".sys", ".pdb") and path.parent.parent == BUILD or path.name in named:
            (build / path.relative_to(BUILD)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, build / path.relative_to(BUILD))
    out = tmp_path / "dist" / "out"
    out.mkdir(parents=True)
    (out / "old.zip").write_text("old")
    done = run("dist", "--keys", keys, "--build", build, "--out", out)
    assert done.returncode == 1 and "wnbd.lib" in done.stderr and done.stderr.count("\n") == 1, done
    assert [path.name for path in tmp_path.joinpath("dist").rglob("*")] == ["out", "old.zip"]
