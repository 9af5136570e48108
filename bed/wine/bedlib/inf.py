# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The INF that Wine can install, derived from the one that ships. Wine looks models sections up by architecture alone and
does not know DIRID 13; those two things are rewritten, nothing else. Parameters that a test asks for are appended.
"""
import re


class InfError(Exception):
    """The INF lacks something that every miniport's INF has."""


def read(path):
    """The text of an INF file: UTF-16 with a byte order mark, or UTF-8 / ASCII."""
    data = path.read_bytes()
    if data[:2] in (b'\xff\xfe', b'\xfe\xff'):
        return data.decode('utf-16')
    return data.decode('utf-8-sig')


def derive(text):
    """Models decorations lose all but the architecture (NTamd64.10.0...17763), DIRID 13 becomes 12."""
    text = re.sub(r'(?i)\b(NT(?:amd64|arm64|x86))\.[0-9.]+', r'\1', text)
    text = text.replace('%13%', '%12%')
    return re.sub(r'(?ims)^\[DestinationDirs\].*?(?=^\[|\Z)', _destinations, text)


def _destinations(section):
    return re.sub(r'(?m)^([^;=\n]+=\s*)13(?=\s|,|;|$)', r'\g<1>12', section[0])


def sections(text):
    """{lower-case name: [(key, value), ...]} with comments removed and %strings% replaced."""
    result = {}
    current = None
    for line in text.splitlines():
        line = re.sub(r';.*', '', line).strip()
        if line.startswith('[') and line.endswith(']'):
            current = result.setdefault(line[1:-1].lower(), [])
        elif line and current is not None:
            key, _, value = line.partition('=')
            current.append((key.strip(), value.strip()))
    strings = {key.lower(): value.strip('"') for key, value in result.get('strings', [])}
    for name in result:
        result[name] = [(_expand(key, strings), _expand(value, strings)) for key, value in result[name]]
    return result


def _expand(text, strings):
    return re.sub(r'%([^%]+)%', lambda match: strings.get(match[1].lower(), match[0]), text)


def _fields(value):
    return [field.strip().strip('"') for field in value.split(',')]


def hardware_id(text):
    """The first hardware id of the first models section for amd64."""
    parsed = sections(text)
    for _, value in parsed.get('manufacturer', []):
        models, *decorations = _fields(value)
        for name in [f'{models}.{decoration}' for decoration in decorations] + [models]:
            if 'arm64' in name.lower() or 'x86' in name.lower():
                continue
            for _, install in parsed.get(name.lower(), []):
                if len(_fields(install)) > 1:
                    return _fields(install)[1]
    raise InfError('no models section with a hardware id')


def service_section(text):
    """(service name, name of its section) from the AddService directive."""
    for entries in sections(text).values():
        for key, value in entries:
            if key.lower() == 'addservice' and len(_fields(value)) >= 3 and _fields(value)[0]:
                return _fields(value)[0], _fields(value)[2]
    raise InfError('no AddService directive')


def with_parameters(text, parameters):
    """Adds DWORDs under the service's Parameters key; they come last, so they win over the INF's own."""
    if not parameters:
        return text
    section = re.escape(service_section(text)[1])
    has_list = re.search(rf'(?ims)^\[{section}\][^\[]*?^\s*AddReg\s*=\s*[^\r\n;]+', text)
    if has_list:
        text = f'{text[:has_list.end()].rstrip()},Bed_Parameters{text[has_list.end():]}'
    else:
        text = re.sub(rf'(?im)^\[{section}\][^\n]*', lambda match: f'{match[0].rstrip()}\r\nAddReg=Bed_Parameters', text)
    lines = [f'HKR,Parameters,{name},0x00010001,{value:#x}' for name, value in parameters.items()]
    return '\r\n'.join([text, '[Bed_Parameters]', *lines, ''])
