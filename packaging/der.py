# SPDX-License-Identifier: LGPL-2.1-or-later
"""DER (ITU-T X.690): the few types that a catalog has, written and read."""


class DerError(ValueError):
    """The bytes are not DER."""


INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT_ID = 0x02, 0x03, 0x04, 0x05, 0x06
UTC_TIME, BMP_STRING, SEQUENCE, SET = 0x17, 0x1e, 0x30, 0x31


# --- writing: each function answers the bytes of one element


def element(tag, content):
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def sequence(*elements):
    return element(SEQUENCE, b"".join(elements))


def set_of(*elements):
    """X.690, 11.6: in the order of their bytes."""
    return element(SET, b"".join(sorted(elements)))


def explicit(number, *elements):
    """A constructed element of the context: [number]."""
    return element(0xa0 | number, b"".join(elements))


def implicit(number, content=b""):
    """A primitive element of the context."""
    return element(0x80 | number, content)


def integer(value):
    """Of non-negative numbers."""
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(content):
    return element(OCTET_STRING, content)


def null():
    return element(NULL, b"")


def bmp_string(text):
    return element(BMP_STRING, text.encode("utf-16-be"))


def utc_time(when):
    """`when`: a datetime in UTC."""
    return element(UTC_TIME, when.strftime("%y%m%d%H%M%SZ").encode("ascii"))


def object_id(dotted):
    first, second, *others = (int(part) for part in dotted.split("."))
    return element(OBJECT_ID, b"".join(_base_128(part) for part in [40 * first + second, *others]))


def _base_128(value):
    digits = [value & 0x7f]
    while value := value >> 7:
        digits.append(0x80 | value & 0x7f)
    return bytes(reversed(digits))


# --- reading


class Element:
    """One element of `data` from `start` on: its tag, its content, and where it ends."""

    def __init__(self, data, start=0):
        head = data[start:start + 2]
        if len(head) < 2:
            raise DerError(f"cut at byte {start}")
        self.tag, length = head
        begin = start + 2
        if length & 0x80:
            size = length & 0x7f
            length = int.from_bytes(data[begin:begin + size], "big")
            begin += size
        self.end = begin + length
        self.content = data[begin:self.end]
        self.whole = data[start:self.end]
        if len(self.content) < length:
            raise DerError(f"element at byte {start} has {length} bytes and {len(self.content)} are there")

    def expect(self, tag):
        if self.tag != tag:
            raise DerError(f"tag {self.tag:#x} where {tag:#x} belongs")
        return self

    def children(self):
        found = []
        at = 0
        while at < len(self.content):
            found.append(Element(self.content, at))
            at = found[-1].end
        return found

    def child(self, number, tag):
        children = self.children()
        if number >= len(children):
            raise DerError(f"{len(children)} elements where one more belongs")
        return children[number].expect(tag)

    def text(self):
        return self.expect(BMP_STRING).content.decode("utf-16-be")
