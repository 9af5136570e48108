# SPDX-License-Identifier: LGPL-2.1-or-later
"""By what packages are signed: the options of packaging/dist and packaging/sign."""

from pathlib import Path

from certificate import OPTIONS, CertificateSigner
from signer import SigningError
from testkey import TestSigner

ROOT = Path(__file__).resolve().parent.parent
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


def add_options(parser):
    parser.add_argument("--keys", type=Path, default=ROOT / "build/signing")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--module", type=Path)
    parser.add_argument("--password", type=Path)
    parser.add_argument("--timestamp")
    parser.add_argument("--roots", type=Path)


def signer_of(options, when):
    """`when`: the time that signatures by the test key have, in seconds."""
    surplus = [name for name in OPTIONS if getattr(options, name)]
    if options.certificate:
        options.roots = options.roots or AUTHORITIES
        return CertificateSigner(options)
    if surplus:
        raise SigningError(f"--{surplus[0]} is for a --certificate, and there is none.")
    return TestSigner(options.keys, when)
