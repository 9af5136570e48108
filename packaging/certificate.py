# SPDX-License-Identifier: LGPL-2.1-or-later
"""The certificate of an authority, with its key in a file or on a token."""

import shutil
import tempfile
from pathlib import Path

from signer import Signer, SigningError, expect_files, verify

PKCS12 = {".p12", ".pfx"}
OPTIONS = ("certificate", "key", "module", "password", "timestamp", "roots")


class CertificateSigner(Signer):
    """The options are those of signing.py. Signatures have the time of now."""

    def __init__(self, options):
        _check(options)
        self.name = options.certificate
        self.timestamp = options.timestamp
        given = {f"--{name}": _from_anywhere(options, name) for name in OPTIONS if getattr(options, name)}
        password = ["-readpass", options.password.resolve()] if options.password else []  # never on a command line
        stamp = ["-ts", options.timestamp] if options.timestamp else []
        super().__init__([*_key(options), *password, *stamp], options.roots.resolve(),
                         [word for pair in given.items() for word in pair])

    def try_out(self, image):
        """A signature of a copy: what is wrong with certificate, key, password or server is told before all else."""
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(shutil.copy(image, folder))
            try:
                self.sign(copy)
            except SigningError as error:
                reason = _reason(error, self.timestamp)
                raise SigningError(f"Nothing can be signed with '{self.name}': {reason}.") from None
            try:
                verify(copy, self.root)
            except SigningError:
                raise SigningError(f"What is signed with '{self.name}' is not valid under the roots in '{self.root}'."
                                   ) from None


def _is_pkcs12(options):
    return Path(options.certificate).suffix.lower() in PKCS12


def _whole(value):
    """A path as it is from any folder."""
    return Path(value).resolve() if Path(value).exists() else value


def _from_anywhere(options, name):
    """The value of an option for packaging/sign, which runs in another folder. A token's key is an id and no path."""
    value = getattr(options, name)
    return value if name == "key" and options.module else _whole(value)


def _check(options):
    """All that can be seen before anything is signed."""
    files = [options.password, options.roots, options.module]
    files += [] if options.module else [options.certificate, options.key]
    expect_files(Path(path) for path in files if path)
    if options.password:
        _check_password(options.password)
    if not options.module and _is_pkcs12(options) and options.key:
        raise SigningError(f"'{options.certificate}' has its key: --key is for a certificate in PEM form.")
    if not options.key and (options.module or not _is_pkcs12(options)):
        raise SigningError(f"There is no --key for the certificate '{options.certificate}'.")


def _check_password(path):
    """osslsigncode takes the file as a whole, but for the end of its last line."""
    if len(path.read_bytes().splitlines()) != 1:
        raise SigningError(f"'{path}' is to have one line, the password.")


def _key(options):
    """osslsigncode's words. A certificate that belongs to the key of a token may be a file."""
    certificate = _whole(options.certificate)
    if options.module:
        by_id = "-certs" if isinstance(certificate, Path) else "-pkcs11cert"
        return ["-pkcs11module", options.module.resolve(), by_id, certificate, "-key", options.key]
    if _is_pkcs12(options):
        return ["-pkcs12", certificate]
    return ["-certs", certificate, "-key", _whole(options.key)]


def _reason(error, timestamp):
    """The first thing that osslsigncode complains of."""
    if "PIN incorrect" in str(error):
        return "the token has another password"
    if "timestamping failed" in str(error):
        return f"no time stamp comes from '{timestamp}'"
    lines = [line for line in str(error).splitlines()[1:] if "ailed" in line or "rror" in line or "annot" in line]
    return (lines[0] if lines else str(error).splitlines()[-1]).rstrip(".")
