# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Wine half of the bed against itself: shims, WSK provider, INF rewriting, and what `bed` says of crashes and hangs."""
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import threading

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bedlib import imports, inf, prefix  # noqa: E402

ROOT = HERE.parent.parent.parent
BUILD = pathlib.Path(os.environ.get('WNBD_BUILD', ROOT / 'build/windows-x64'))
BED = HERE.parent / 'bed'
DRIVER = BUILD / 'bed/wine/wsktest.sys'
MODE_WRONG, MODE_FAULT, MODE_STUB, MODE_HANG = 1, 2, 3, 4


# --- a server

class Echo:
    """Sends back what it gets; resets the connection of a client that begins with RST!."""

    def __init__(self, family, address):
        self.socket = socket.socket(family)
        self.socket.bind((address, 0))
        self.socket.listen()
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    @staticmethod
    def serve(client):
        with client:
            try:
                data = client.recv(65536)
                if data.startswith(b'RST!'):
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                    return
                while data:
                    client.sendall(data)
                    data = client.recv(65536)
            except OSError:
                pass


@pytest.fixture(name='echo4', scope='module')
def fixture_echo4():
    return Echo(socket.AF_INET, '127.0.0.1').port


@pytest.fixture(name='echo6', scope='module')
def fixture_echo6():
    try:
        return Echo(socket.AF_INET6, '::1').port
    except OSError:
        return 0  # a machine without IPv6: the driver leaves that part out


@pytest.fixture(name='full', scope='module')
def fixture_full():
    """The port of a server that never accepts and whose queue is full: it leaves new connections without an answer."""
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        server.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]
        for client in waiting:
            client.close()


# --- running

def bed(*arguments, options=()):
    command = [str(BED), 'run', '--build', str(BUILD), '--no-driver', '--timeout', '90', *options, '--',
               str(BUILD / 'bed/wine/kernelrun.exe'), *map(str, arguments)]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300, check=False)


def run_driver(*parameters, options=()):
    windows_name = 'Z:' + str(DRIVER.resolve()).replace('/', '\\')
    return bed(windows_name, *parameters, options=options)


def violations(result):
    return re.findall(r'^BED VIOLATION: (.*)$', result.stderr, re.MULTILINE)


# --- the shims and the provider

def test_driver_finds_shims_and_sockets_as_documented(echo4, echo6, full):
    result = run_driver(f'Port4={echo4}', f'Port6={echo6}', f'PortFull={full}')
    assert result.returncode == 0, result.stderr
    assert not violations(result)


WRONG = [
    r'irql: KeDelayExecutionThread was called at IRQL 2',
    r'irql: allocating paged pool was called at IRQL 2',
    r'irql: KeReleaseSpinLock was called at IRQL 0',
    r'lock: KeReleaseSpinLock of \w+ by a thread that does not have it',
    r"pool: block \w+ of 20 bytes with tag 'Wrng' was written to past its end",
    r"pool: block \w+ of 20 bytes with tag 'Wrng' was freed twice",
    r"pool: block \w+ of 24 bytes with tag 'Wrng' was freed with another tag",
    r"pool: block \w+ of 24 bytes with tag 'Wrng' was written to after it had been freed",
    r'mdl: partial of \w+, which is neither locked nor built',
    r'mdl: partial \[.*\) outside its source',
    r'mdl: \w+ has room for 1 pages, the partial needs 2',
    r'mdl: \w+ has room for 1 pages, the partial needs 2',
    r'mdl: the pages of \w+ are unlocked but were not locked',
    r'rundown: \w+ was released more often than acquired',
    r'wsk: WskSend with an IRP whose completion routine is not called in each case',
    r'wsk: WskSend with an IRP that has no stack location left',
    r'wsk: WskReceive with a buffer of 100 bytes whose MDLs lack 50',
    r'irql: WskGetAddressInfo was called at IRQL 2',
    r'wsk: WskReceive on \w+, which is closed',
    r'wsk: WskDeregister would wait for ever: 1 captures, 0 sockets, 1 address lists are left',
]


def test_each_broken_rule_is_named(echo4):
    result = run_driver(f'Mode={MODE_WRONG}', f'Port4={echo4}')
    found = violations(result)
    assert result.returncode == 3, result.stderr
    assert len(found) == len(WRONG), found
    for pattern, text in zip(WRONG, found):
        assert re.match(pattern, text), (pattern, text)


# --- crashes, hangs, exit codes

@pytest.mark.parametrize('mode, words', [(MODE_FAULT, 'page fault'), (MODE_STUB, 'unimplemented function')])
def test_crash_of_the_driver_is_told(mode, words):
    result = run_driver(f'Mode={mode}')
    assert result.returncode == 4
    assert re.search(f'^bed: the driver crashed: .*{words}', result.stderr, re.MULTILINE), result.stderr


def test_hang_of_the_driver_is_told():
    result = run_driver(f'Mode={MODE_HANG}', options=('--timeout', '5'))
    assert result.returncode == 5
    assert re.search(r'^bed: kernelrun.exe did not end within 5 s$', result.stderr, re.MULTILINE), result.stderr


def test_exit_code_is_handed_back():
    assert bed('exit', 0).returncode == 0
    assert bed('exit', 77).returncode == 77
    long = bed('exit', 1280)
    assert long.returncode == 255 and 'bed: kernelrun.exe ended with 1280 (0x500)' in long.stderr


def test_program_that_is_not_there_is_an_error_of_the_bed():
    command = [str(BED), 'run', '--build', str(BUILD), '--no-driver', '--', '/no/such/program.exe']
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=300, check=False)
    assert result.returncode == 6 and 'bed: there is no program /no/such/program.exe' in result.stderr


def test_nothing_is_left_running(tmp_path):
    where = tmp_path / 'bed'
    subprocess.run([str(BED), 'start', '--build', str(BUILD), '--no-driver', '--dir', str(where)], check=True,
                   stdout=subprocess.PIPE, timeout=300)
    sleeper = subprocess.Popen([str(BED), 'exec', str(where), '--', str(BUILD / 'bed/wine/kernelrun.exe'), 'sleep', '600'],
                               stderr=subprocess.DEVNULL)
    assert prefix.processes(where / 'prefix')
    subprocess.run([str(BED), 'stop', str(where)], check=True, timeout=300)
    sleeper.wait(60)
    assert not prefix.processes(where / 'prefix') and not where.exists()


# --- the INF

SHIPPED = '''\ufeff[Version]
Class=SCSIAdapter
[DestinationDirs]
DefaultDestDir = 13
Other.Copy = 13,sub ; thirteen
[Manufacturer]
%Maker%=Models,NTamd64.10.0...17763,NTarm64.10.0...17763
[Models.NTamd64.10.0...17763]
%Name%=Install,root\\some%Suffix%
[Install.NT.Services]
AddService=%Service%,2,Service_Install
[Service_Install]
ServiceType=1
StartType = 13
ServiceBinary=%13%\\some.sys
AddReg=Service_AddReg
[Service_AddReg]
HKR,Parameters,BusType,0x00010001,0xE
[Strings]
Maker="M"
Name="N"
Suffix="disk"
Service="somesvc"
'''


def test_inf_loses_decorations_and_dirid_13_and_nothing_else():
    derived = inf.derive(SHIPPED)
    changed = [new for old, new in zip(SHIPPED.splitlines(), derived.splitlines()) if old != new]
    assert len(SHIPPED.splitlines()) == len(derived.splitlines())
    assert changed == ['DefaultDestDir = 12', 'Other.Copy = 12,sub ; thirteen', '%Maker%=Models,NTamd64,NTarm64',
                       '[Models.NTamd64]', 'ServiceBinary=%12%\\some.sys']


def test_inf_names_its_device_and_service():
    assert inf.hardware_id(inf.derive(SHIPPED)) == 'root\\somedisk'
    assert inf.service_section(SHIPPED) == ('somesvc', 'Service_Install')


def test_inf_parameter_is_added_last():
    text = inf.with_parameters(SHIPPED, {'IoTimeoutValue': 3})
    assert 'AddReg=Service_AddReg,Bed_Parameters' in text
    assert text.splitlines()[-2:] == ['[Bed_Parameters]', 'HKR,Parameters,IoTimeoutValue,0x00010001,0x3']


# --- the imports of the driver

def test_every_import_of_the_driver_works_in_the_bed():
    """What Wine stubs or lacks and no shim replaces would end the process when called."""
    missing = imports.unserved(BUILD / 'driver/wnbd.sys', BUILD / 'bed/storport.sys')
    assert not missing


def test_stub_of_wine_is_recognised():
    stubs = imports.stubs(imports.WINE_MODULES / 'ntoskrnl.exe')
    assert 'ExAcquireRundownProtection' in stubs and 'IoCreateDevice' not in stubs and len(stubs) > 500
