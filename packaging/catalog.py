# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The security catalog of a driver package: a certificate trust list in PKCS #7 that names each file of the package by its
hash. Microsoft documents what is in a catalog but not its bytes; they are as inf2cat's are known to be for Windows 10
(version 2: a member's tag is the hash itself, each file is there with its SHA-1 and with its SHA-256). The catalog is
made without a signature; osslsigncode signs it.

    SignedData { 1, {}, ContentInfo { CTL, [0] CertificateTrustList }, {} }
    CertificateTrustList { { catalog list }, list id, time, { member 2, NULL }, { members }, [0] { attributes } }
    member { tag, { member info, OSAttr, File, indirect data } }                    -- the last with SHA-256 only
"""

import hashlib

import authenticode
import der

SIGNED_DATA = "1.2.840.113549.1.7.2"
TRUST_LIST = "1.3.6.1.4.1.311.10.1"
CATALOG_LIST = "1.3.6.1.4.1.311.12.1.1"
CATALOG_MEMBER = "1.3.6.1.4.1.311.12.1.3"
NAME_VALUE = "1.3.6.1.4.1.311.12.2.1"
MEMBER_INFO = "1.3.6.1.4.1.311.12.2.3"
INDIRECT_DATA = "1.3.6.1.4.1.311.2.1.4"
IMAGE_DATA = "1.3.6.1.4.1.311.2.1.15"
LINK = "1.3.6.1.4.1.311.2.1.25"
SHA256 = "2.16.840.1.101.3.4.2.1"

NAME_VALUE_FLAGS = 0x10010001  # text, hashed, replacing
WINDOWS_10 = "2:10.0"
WINDOWS_10_X64 = "_v100_X64"


class CatalogError(ValueError):
    """The catalog is not what it should be."""


# --- writing


def make(files, hardware_id, when):
    """The bytes of an unsigned catalog. `files`: {name: content}; `when`: a datetime in UTC."""
    by_tag = sorted(pair for name, data in files.items() for pair in _members_of(name, data))
    members = [member for _, member in by_tag]
    trust_list = der.sequence(
        der.sequence(der.object_id(CATALOG_LIST)),
        der.octets(hashlib.sha256(b"".join(members)).digest()[:16]),  # a name of its own, and the same each time
        der.utc_time(when),
        der.sequence(der.object_id(CATALOG_MEMBER), der.null()),
        der.sequence(*members),
        der.explicit(0, der.sequence(_attribute("OS", WINDOWS_10_X64), _attribute("HWID1", hardware_id.lower()))))
    content = der.sequence(der.object_id(TRUST_LIST), der.explicit(0, trust_list))
    signed = der.sequence(der.integer(1), der.set_of(), content, der.set_of())
    return der.sequence(der.object_id(SIGNED_DATA), der.explicit(0, signed))


def _members_of(name, data):
    """(tag, member): one of each hash."""
    described = [der.sequence(der.object_id(MEMBER_INFO), der.set_of(der.implicit(2))),
                 _named_value("OSAttr", WINDOWS_10), _named_value("File", name)]
    for algorithm in ("sha1", "sha256"):
        digest = authenticode.digest(data, algorithm)
        more = [_indirect_data(data, digest)] if algorithm == "sha256" else []
        yield digest, der.sequence(der.octets(digest), der.set_of(*described, *more))


def _indirect_data(data, digest):
    nothing = der.explicit(2, der.implicit(0))  # a file without a name
    if authenticode.is_image(data):
        flags = der.element(der.BIT_STRING, b"\x05\xa0")  # resources and import tables are hashed
        subject = der.sequence(der.object_id(IMAGE_DATA), der.sequence(flags, der.explicit(0, nothing)))
    else:
        subject = der.sequence(der.object_id(LINK), nothing)
    hashed = der.sequence(der.sequence(der.object_id(SHA256), der.null()), der.octets(digest))
    return der.sequence(der.object_id(INDIRECT_DATA), der.set_of(der.sequence(subject, hashed)))


def _value(name, value):
    text = value.encode("utf-16-le") + b"\0\0"
    return der.sequence(der.bmp_string(name), der.integer(NAME_VALUE_FLAGS), der.octets(text))


def _named_value(name, value):
    return der.sequence(der.object_id(NAME_VALUE), der.set_of(_value(name, value)))


def _attribute(name, value):
    return der.sequence(der.object_id(NAME_VALUE), der.octets(_value(name, value)))


# --- reading


def read(data):
    """[(name, tag, digest or None)] of a catalog, signed or not. The digest is that of the indirect data."""
    outer = der.Element(data).expect(der.SEQUENCE)
    _expect_id(outer.child(0, der.OBJECT_ID), SIGNED_DATA)
    signed = outer.child(1, 0xa0).child(0, der.SEQUENCE)
    content = signed.child(2, der.SEQUENCE)
    _expect_id(content.child(0, der.OBJECT_ID), TRUST_LIST)
    trust_list = content.child(1, 0xa0).child(0, der.SEQUENCE)
    _expect_id(trust_list.child(3, der.SEQUENCE).child(0, der.OBJECT_ID), CATALOG_MEMBER)
    return [_read_member(member) for member in trust_list.child(4, der.SEQUENCE).children()]


def _expect_id(element, dotted):
    if element.whole != der.object_id(dotted):
        raise CatalogError(f"not {dotted}, as a catalog has it: {element.whole.hex()}")


def _read_member(member):
    tag = member.child(0, der.OCTET_STRING).content
    name = digest = None
    for attribute in member.child(1, der.SET).children():
        kind = attribute.child(0, der.OBJECT_ID).whole
        values = attribute.child(1, der.SET)
        if kind == der.object_id(NAME_VALUE):
            name = _read_name(values.child(0, der.SEQUENCE)) or name
        if kind == der.object_id(INDIRECT_DATA):
            digest = _read_digest(values.child(0, der.SEQUENCE).child(1, der.SEQUENCE))
    if name is None:
        raise CatalogError(f"a member without a name: {tag.hex()}")
    return name, tag, digest


def _read_name(value):
    """Of the attribute `File`."""
    if value.child(0, der.BMP_STRING).text() != "File":
        return None
    return value.child(2, der.OCTET_STRING).content.decode("utf-16-le").rstrip("\0")


def _read_digest(hashed):
    _expect_id(hashed.child(0, der.SEQUENCE).child(0, der.OBJECT_ID), SHA256)
    return hashed.child(1, der.OCTET_STRING).content


def check(catalog, files):
    """
    [what is wrong, as a sentence] of `files`, {name: content}, by the bytes of their catalog. Each must be there by
    both hashes, and nothing else.
    """
    found = {name: {} for name in files}
    wrong = []
    for name, tag, digest in read(catalog):
        if name not in found:
            wrong.append(f"The catalog has '{name}', which is not in the package.")
            continue
        found[name][{20: "sha1", 32: "sha256"}.get(len(tag))] = tag
        if digest not in (None, tag):
            wrong.append(f"The catalog has two hashes for '{name}' in one member.")
    for name, data in files.items():
        wrong += _compare(name, data, found[name])
    return wrong


def _compare(name, data, tags):
    for algorithm in ("sha1", "sha256"):
        if algorithm not in tags:
            yield f"The catalog has no {algorithm} of '{name}'."
        elif authenticode.digest(data, algorithm) != tags[algorithm]:
            yield f"'{name}' is not the file that the catalog was made of ({algorithm})."
