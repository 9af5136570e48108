# SPDX-License-Identifier: LGPL-2.1-or-later
"""The catalog: what is written, and that a file which is not the one it was made of is told."""

import datetime
import hashlib
import struct

import pytest

import packages  # noqa: F401  (the path to packaging/)
import authenticode
import catalog
import der

WHEN = datetime.datetime(2026, 11, 22, 1, 2, 3, tzinfo=datetime.timezone.utc)
FILES = {"wnbd.inf": b"[Version]\r\n", "wnbd.sys": (packages.BUILD / "driver/wnbd.sys").read_bytes(), "empty": b""}


@pytest.fixture
def made():
    return catalog.make(FILES, "root\\WNBD", WHEN)


# --- DER (the examples are X.690's, or follow from it)


@pytest.mark.parametrize("encoded, expected", [
    (der.integer(0), "020100"), (der.integer(127), "02017f"), (der.integer(128), "02020080"),
    (der.integer(0x10010001), "020410010001"), (der.null(), "0500"), (der.octets(b"ab"), "04026162"),
    (der.object_id("1.3.6.1.4.1.311.12.2.3"), "060a2b060104018237 0c0203"), (der.bmp_string("OS"), "1e04004f0053"),
    (der.utc_time(WHEN), "170d3236313132323031303230335a"), (der.implicit(2), "8200"),
    (der.explicit(2, der.implicit(0)), "a2028000"), (der.set_of(der.integer(2), der.integer(1)), "3106020101020102"),
    (der.octets(bytes(128))[:3], "048180"), (der.octets(bytes(256))[:4], "04820100"),
])
def test_der(encoded, expected):
    assert encoded == bytes.fromhex(expected)


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x01", b"\x30\x82\x01", b"\x04\x84\xff\xff\xff\xffx"])
def test_der_that_is_cut(data):
    with pytest.raises(der.DerError):
        der.Element(data)


# --- hashes


def test_hash_of_an_image_leaves_out_what_signing_changes():
    data = FILES["wnbd.sys"]
    optional = struct.unpack_from("<I", data, 0x3c)[0] + 24
    changed = bytearray(data)
    changed[optional + 64:optional + 68] = b"\1\2\3\4"
    changed[optional + 144:optional + 152] = struct.pack("<II", len(data), 8)
    changed += bytes(8)
    assert authenticode.digest(bytes(changed), "sha256") == authenticode.digest(data, "sha256")
    for at in (0x40, optional + 40, optional + 160, len(data) - 1):
        other = bytearray(data)
        other[at] ^= 1
        assert authenticode.digest(bytes(other), "sha256") != authenticode.digest(data, "sha256"), at


def test_hash_of_any_other_file_is_that_of_its_bytes():
    assert authenticode.digest(b"abc", "sha1") == hashlib.sha1(b"abc").digest()


@pytest.mark.parametrize("data", [b"MZ" + bytes(62), b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0" + bytes(200)],
                         ids=["dos", "pe32"])
def test_images_that_are_none(data):
    with pytest.raises(authenticode.ImageError):
        authenticode.digest(data, "sha256")


# --- the catalog


def test_every_file_is_there_by_both_hashes_in_the_order_of_the_tags(made):
    assert catalog.check(made, FILES) == []
    members = catalog.read(made)
    assert [tag for _, tag, _ in members] == sorted(tag for _, tag, _ in members)
    assert sorted((name, len(tag), digest is not None) for name, tag, digest in members) == sorted(
        (name, size, size == 32) for name in FILES for size in (20, 32))


def test_the_same_files_give_the_same_catalog(made):
    assert catalog.make(dict(reversed(FILES.items())), "root\\wnbd", WHEN) == made


@pytest.mark.parametrize("name", list(FILES))
def test_a_file_that_was_changed_is_told(name, made):
    data = bytearray(FILES[name] or b"x")
    data[-1] ^= 0x80
    wrong = catalog.check(made, FILES | {name: bytes(data)})
    assert len(wrong) == 2 and all(f"'{name}' is not the file" in sentence for sentence in wrong)


def test_files_that_are_missing_or_too_many_are_told(made):
    assert catalog.check(made, FILES | {"more.dll": b""}) == [f"The catalog has no {algorithm} of 'more.dll'."
                                                              for algorithm in ("sha1", "sha256")]
    fewer = {name: data for name, data in FILES.items() if name != "empty"}
    assert catalog.check(made, fewer) == ["The catalog has 'empty', which is not in the package."] * 2


def test_no_byte_of_a_hash_can_change(made):
    """Every tag and digest, one bit each: something is always told."""
    for _, tag, _ in catalog.read(made):
        at = made.find(tag)
        while at >= 0:
            changed = bytearray(made)
            changed[at + 5] ^= 4
            assert catalog.check(bytes(changed), FILES), at
            at = made.find(tag, at + 1)


def test_a_catalog_that_is_cut_is_refused(made):
    for length in range(0, len(made), 7):
        with pytest.raises(ValueError):
            catalog.read(made[:length])
