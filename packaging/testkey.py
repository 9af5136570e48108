# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The key for test machines. It is made once in a folder, stays there and belongs to nobody else: a machine that trusts
its root trusts whoever has the key, so none is in the repository. The root's own key is thrown away when it has signed
the signer's certificate.
"""

import shutil
import tempfile
from pathlib import Path

from signer import Signer, run

DAYS = 10 * 365
SIGNER_EXTENSIONS = """\
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=codeSigning
"""


class TestSigner(Signer):
    """The test key in `folder`, made when it is not there. `when`: the time that signatures have, in seconds."""

    def __init__(self, folder, when):
        folder = Path(folder).resolve()
        if not (folder / "test-signer.pem").exists():
            _make_keys(folder)
        self.certificate = folder / "test-signer.pem"
        super().__init__(["-certs", self.certificate,  # alone: nobody would check a root beside it
                          "-key", folder / "test-signer.key", "-time", when],
                         folder / "test-root.pem", ["--keys", folder, "--when", when])

    def write_certificates(self, folder):
        """As Windows' certificate tools want them. A root does not make those that it has certified trusted publishers:
        in that store each stands for itself."""
        for name, certificate in {"root": self.root, "publisher": self.certificate}.items():
            run("openssl", "x509", "-in", certificate, "-outform", "DER", "-out", folder / f"wnbd-test-{name}.cer")


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
