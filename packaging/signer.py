# SPDX-License-Identifier: LGPL-2.1-or-later
"""Authenticode signatures, by osslsigncode. By whose key: testkey.py, certificate.py."""

import os
import subprocess

LIMIT_S = 120


class SigningError(Exception):
    """A sentence, or what a tool has said that failed."""


def expect_files(paths):
    for path in paths:
        if not path.is_file():
            raise SigningError(f"There is no file '{path}'.")


def run(*command, folder=None):
    """Nobody is asked for a password: there is no terminal."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
                              stdin=subprocess.DEVNULL, timeout=LIMIT_S, start_new_session=True, check=False)
    except subprocess.TimeoutExpired:
        raise SigningError(f"{words[0]} has not ended within {LIMIT_S} s") from None
    if done.returncode:
        raise SigningError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def verify(path, root, catalog=None):
    """The signature of an image or a catalog, or, with a catalog, that of the catalog which an image is in."""
    by_catalog = ["-catalog", catalog] if catalog else []
    run("osslsigncode", "verify", "-CAfile", root, "-TSA-CAfile", root, *by_catalog, "-in", path)


class Signer:
    """
    key    osslsigncode's words for certificate, key and time
    root   a file with the roots under which what is signed can be verified
    words  the options of packaging/sign that give the same signer
    """

    def __init__(self, key, root, words):
        self.key = key
        self.root = root
        self.words = [str(word) for word in words]

    def sign(self, path):
        """In its place."""
        signed = path.with_name(path.name + ".signed")
        pages = ["-ph"] if path.suffix == ".sys" else []  # Windows checks a driver's pages as it reads them
        signed.unlink(missing_ok=True)
        run("osslsigncode", "sign", "-h", "sha256", *pages, *self.key, "-n", "WNBD", "-in", path, "-out", signed)
        os.replace(signed, path)

    def write_certificates(self, folder):
        """Those that a machine must be given to trust the signatures, if it does not by itself."""

    def try_out(self, image):
        """Raises a SigningError with a sentence, if it is seen by a copy of an image that nothing can be signed."""
