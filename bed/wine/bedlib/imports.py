# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a driver imports, held against what Wine exports, what of that is a stub, and what the bed's storport.sys replaces."""
import pathlib
import re
import struct

WINE_MODULES = pathlib.Path('/usr/lib/x86_64-linux-gnu/wine/x86_64-windows')
EXPORT, IMPORT = 0, 1
# What winebuild makes of a `@ stub` line: sub rsp,28h; lea rcx,[module]; lea rdx,[name]; call; nop.
_STUB = re.compile(rb'\x48\x83\xec\x28\x48\x8d\x0d....\x48\x8d\x15....\xe8....\x90', re.DOTALL)


class Image:
    """A 64-bit PE file."""

    def __init__(self, path):
        self.data = path.read_bytes()
        self.pe = self.u32(0x3c)
        optional = self.pe + 24
        count, optional_size = self.u16(self.pe + 6), self.u16(self.pe + 20)
        self.directories = optional + 112
        self.sections = [struct.unpack_from('<8xIIII', self.data, optional + optional_size + 40 * i)
                         for i in range(count)]

    def u16(self, at):
        return struct.unpack_from('<H', self.data, at)[0]

    def u32(self, at):
        return struct.unpack_from('<I', self.data, at)[0]

    def offset(self, rva):
        for size, address, raw_size, raw in self.sections:
            if address <= rva < address + max(size, raw_size):
                return raw + rva - address
        raise ValueError(f'{rva:#x} is in no section')

    def text(self, rva):
        at = self.offset(rva)
        return self.data[at:self.data.index(b'\0', at)].decode('ascii')

    def directory(self, index):
        return self.u32(self.directories + 8 * index), self.u32(self.directories + 8 * index + 4)

    def imports(self):
        """{module in lower case: [names]}"""
        result = {}
        rva, _ = self.directory(IMPORT)
        if not rva:
            return result
        at = self.offset(rva)
        while self.u32(at + 12):
            names = []
            thunk = self.offset(self.u32(at))
            while entry := struct.unpack_from('<Q', self.data, thunk)[0]:
                names.append(self.text(entry + 2) if entry < 1 << 63 else f'#{entry & 0xffff}')
                thunk += 8
            result[self.text(self.u32(at + 12)).lower()] = names
            at += 20
        return result

    def exports(self):
        """{name: the first bytes of its code, empty for a forwarded one}"""
        rva, size = self.directory(EXPORT)
        table = self.offset(rva)
        functions, names, ordinals = (self.offset(self.u32(table + field)) for field in (28, 32, 36))
        result = {}
        for i in range(self.u32(table + 24)):
            code = self.u32(functions + 4 * self.u16(ordinals + 2 * i))
            forwarded = rva <= code < rva + size
            at = 0 if forwarded else self.offset(code)
            result[self.text(self.u32(names + 4 * i))] = b'' if forwarded else self.data[at:at + 24]
        return result


def stubs(module):
    """The exports of a module of Wine that end the process when called."""
    return {name for name, code in Image(module).exports().items() if _STUB.match(code)}


def shims(storport):
    """The names in storport.sys' tables of replacements: they stand in it as strings."""
    return {text.decode() for text in re.findall(rb'(?<=\0)_?[A-Za-z][A-Za-z0-9_]{3,}(?=\0)', storport.read_bytes())}


def unserved(driver, storport):
    """['module!name', ...] of imports that neither Wine nor the bed serves."""
    replaced = shims(storport)
    offered = set(Image(storport).exports())
    result = []
    for module, names in Image(driver).imports().items():
        if module == 'storport.sys':
            result += [f'{module}!{name}' for name in names if name not in offered]
            continue
        path = WINE_MODULES / module
        exported = set(Image(path).exports()) - stubs(path) if path.is_file() else set()
        result += [f'{module}!{name}' for name in names if name not in exported and name not in replaced]
    return result
