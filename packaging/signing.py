# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Authenticode signatures for test machines, by openssl and osslsigncode. The key is made once in a folder, stays there
and belongs to nobody else: a machine that trusts its root trusts whoever has the key, so none is in the repository.
The root's own key is thrown away when it has signed the signer's certificate.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

DAYS = 10 * 365
SIGNER_EXTENSIONS = """\
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=codeSigning
"""


class SigningError(Exception):
    """A tool has failed; the text is what it said."""


def run(*command, folder=None):
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          errors="replace", timeout=120, check=False)
    if done.returncode:
        raise SigningError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def verify(path, root, catalog=None):
    """The signature of an image or a catalog, or, with a catalog, that of the catalog which an image is in."""
    by_catalog = ["-catalog", catalog] if catalog else []
    run("osslsigncode", "verify", "-CAfile", root, *by_catalog, "-in", path)


class Signer:
    """The test key in `folder`, made when it is not there. `when`: the time that signatures have, in seconds."""

    def __init__(self, folder, when):
        self.key = Path(folder) / "test-signer.key"
        self.certificate = Path(folder) / "test-signer.pem"  # alone: nobody would check a root beside it
        self.root = Path(folder) / "test-root.pem"
        self.when = when
        if not self.certificate.exists():
            _make_keys(Path(folder))

    def _command(self, path, signed):
        pages = ["-ph"] if path.suffix == ".sys" else []  # Windows checks a driver's pages as it reads them
        return ["osslsigncode", "sign", "-h", "sha256", *pages, "-certs", self.certificate, "-key", self.key,
                "-n", "WNBD", "-time", self.when, "-in", path, "-out", signed]

    def sign(self, path):
        """In its place."""
        signed = path.with_name(path.name + ".signed")
        signed.unlink(missing_ok=True)
        run(*self._command(path, signed))
        os.replace(signed, path)

    def write_certificate(self, path):
        """The root as Windows' certificate tools want it."""
        run("openssl", "x509", "-in", self.root, "-outform", "DER", "-out", path)


def _make_keys(folder):
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as making:
        new = Path(making)
        _make_root(new)
        _make_signer(new)
        for name in ("test-root.pem", "test-signer.key", "test-signer.pem"):  # the last says that all are there
            shutil.move(new / name, folder / name)


def _make_root(folder):
    run("openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-sha256", "-days", DAYS,
        "-subj", "/O=WNBD/CN=WNBD test root (not for production)", "-keyout", "root.key", "-out", "test-root.pem",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign", folder=folder)


def _make_signer(folder):
    (folder / "extensions").write_text(SIGNER_EXTENSIONS)
    run("openssl", "req", "-newkey", "rsa:3072", "-nodes", "-sha256", "-keyout", "test-signer.key",
        "-subj", "/O=WNBD/CN=WNBD test signer (not for production)", "-out", "signer.csr", folder=folder)
    run("openssl", "x509", "-req", "-in", "signer.csr", "-CA", "test-root.pem", "-CAkey", "root.key", "-set_serial", 2,
        "-sha256", "-days", DAYS, "-extfile", "extensions", "-out", "test-signer.pem", folder=folder)
