# SPDX-License-Identifier: LGPL-2.1-or-later
"""A sparse disk in memory: pages that nobody wrote are holes, so that an export may be larger than the memory."""

import threading

from nbdwire import STATE_HOLE, STATE_ZERO

PAGE = 4096
ZEROES = bytes(PAGE)  # a page that is provisioned and all zeroes


class Image:
    """Bytes are read and written whole, whoever else does so meanwhile."""

    def __init__(self, size):
        self.size = size
        self.pages = {}
        self.lock = threading.Lock()

    def read(self, offset, length):
        with self.lock:
            return b"".join(self._page(number)[begin:end] for number, begin, end in self._parts(offset, length))

    def write(self, offset, data):
        with self.lock:
            self._write(offset, data)

    def zero(self, offset, length, hole=True):
        """Zeroes read back; whole pages become holes, unless they have to stay provisioned."""
        first, last = self._whole_pages(offset, length)
        with self.lock:
            if first >= last:
                self._write(offset, bytes(length))
                return
            self._write(offset, bytes(first * PAGE - offset))
            self._write(last * PAGE, bytes(offset + length - last * PAGE))
            self._drop(first, last)
            if not hole:
                self.pages.update(dict.fromkeys(range(first, last), ZEROES))

    def trim(self, offset, length):
        """Discards whole pages and leaves the rest alone, as a server may."""
        first, last = self._whole_pages(offset, length)
        with self.lock:
            self._drop(first, last)

    def extents(self, offset, end):
        """(length, state of base:allocation) from `offset` on, at least up to `end`; the last may reach beyond."""
        with self.lock:
            stops = sorted(number for number in self.pages if offset // PAGE <= number <= (end - 1) // PAGE)
            spans = self._spans(stops, offset, end)
        merged = []
        for length, state in spans:
            if merged and merged[-1][1] == state:
                merged[-1] = (merged[-1][0] + length, state)
            else:
                merged.append((length, state))
        return merged

    def _spans(self, stops, offset, end):
        spans = []
        for number in stops:
            if number * PAGE > offset:
                spans.append((number * PAGE - offset, STATE_HOLE | STATE_ZERO))
                offset = number * PAGE
            stop = min((number + 1) * PAGE, self.size)
            spans.append((stop - offset, STATE_ZERO if self.pages[number] is ZEROES else 0))
            offset = stop
        if offset < end:
            spans.append((min(-(-end // PAGE) * PAGE, self.size) - offset, STATE_HOLE | STATE_ZERO))
        return spans

    def _page(self, number):
        return self.pages.get(number, ZEROES)

    @staticmethod
    def _parts(offset, length):
        end = offset + length
        while offset < end:
            number, begin = divmod(offset, PAGE)
            stop = min(PAGE, begin + end - offset)
            yield number, begin, stop
            offset += stop - begin

    @staticmethod
    def _whole_pages(offset, length):
        return -(-offset // PAGE), (offset + length) // PAGE

    def _write(self, offset, data):
        at = 0
        for number, begin, end in self._parts(offset, len(data)):
            page = self._page(number)
            self.pages[number] = page[:begin] + data[at:at + end - begin] + page[end:]
            at += end - begin

    def _drop(self, first, last):
        if last - first < len(self.pages):
            for number in range(first, last):
                self.pages.pop(number, None)
        else:
            self.pages = {number: page for number, page in self.pages.items() if not first <= number < last}
